package harness

// runGoroutines starts a goroutine for every op, as many at a time as there
// are slots: the event-loop, goroutines and hybrid models, which differ in
// the number of Ps and in what their steps wait for.
//
// A slot is a permit and the state of one op in flight at once: it is handed
// to the goroutine and comes back through free.
func runGoroutines(src *feed, slots []*slot) {
	free := allFree(slots)
	for op := src.take(); op != none; op = src.take() {
		go performFreed(<-free, op, free)
	}
	await(free)
}

func performFreed(s *slot, op int64, free chan<- *slot) {
	s.perform(op)
	free <- s
}

// allFree returns a channel that holds all slots.
func allFree(slots []*slot) chan *slot {
	free := make(chan *slot, len(slots))
	for _, s := range slots {
		free <- s
	}
	return free
}

// await waits until all slots are free: then all ops have ended.
func await(free <-chan *slot) {
	for n := cap(free); n > 0; n-- {
		<-free
	}
}
