package harness

// runSequential runs one op after another, all in one slot.
func runSequential(src source, s *slot) {
	for {
		op, ok := src.take()
		if !ok {
			return
		}
		s.perform(op)
	}
}
