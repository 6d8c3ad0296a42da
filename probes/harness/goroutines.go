package harness

// runGoroutines starts a goroutine for every op, as many at a time as there
// are slots: the event-loop, goroutines and hybrid models, which differ in
// the number of Ps and in what their steps wait for.
//
// A slot is a permit and the state of one op in flight at once: it is handed
// to the goroutine and comes back through free.
func runGoroutines(src *feed, slots []*slot) {
	spawn(src, slots, (*slot).perform)
}

// spawn runs perform in a goroutine for every op. All ops have ended when it
// returns.
func spawn(src *feed, slots []*slot, perform func(*slot, int64)) {
	free := make(chan *slot, len(slots))
	for _, s := range slots {
		s := s
		// A function made once per slot: a go statement with arguments
		// would allocate one for every op.
		s.start = func() {
			perform(s, s.op)
			free <- s
		}
		free <- s
	}
	for {
		op := src.take()
		if op == none {
			break
		}
		s := <-free
		s.op = op
		go s.start()
	}
	for range slots {
		<-free
	}
}
