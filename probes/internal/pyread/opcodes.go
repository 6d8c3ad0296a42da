package pyread

// calls returns the opcodes of a minor version with which Python code enters
// C: the calls, specialised and instrumented ones too. nil if they are not
// known. They are from opcode.h of 3.11 and 3.12 and opcode_ids.h of 3.13 and
// 3.14; a call of a Python function is among them, but does not stay at it:
// the function's own frame is then the leaf.
func calls(minor int) *[256]bool {
	var set [256]bool
	add := func(ranges ...[2]int) {
		for _, r := range ranges {
			for op := r[0]; op <= r[1]; op++ {
				set[op] = true
			}
		}
	}
	one := func(op int) [2]int { return [2]int{op, op} }
	switch minor {
	case 11:
		// PRECALL and CALL stand side by side, and either may call.
		add(one(142), one(166), one(171), [2]int{22, 24}, [2]int{64, 67},
			one(72), one(73), [2]int{76, 81}, one(113), one(121), one(127), one(141), one(143))
	case 12:
		add(one(142), one(171), one(241), one(244), one(23), one(24), one(28), one(29),
			one(34), [2]int{38, 48}, one(56))
	case 13:
		add(one(53), one(54), one(57), [2]int{162, 181}, [2]int{244, 246})
	case 14:
		add(one(4), one(52), one(55), [2]int{143, 165}, [2]int{250, 252})
	default:
		return nil
	}
	return &set
}
