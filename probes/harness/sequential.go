package harness

// runSequential runs one op after another, all in one slot.
func runSequential(src source, s *slot) {
	for {
		op := src.take()
		if op == none {
			return
		}
		s.perform(op)
	}
}
