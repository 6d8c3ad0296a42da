package harness

import "sync"

// runPool starts a worker for every slot; the workers take ops from one
// channel, which holds as many as there are workers, so that none waits for the
// feed.
func runPool(src *feed, slots []*slot) {
	// Where ops arrive at a rate, one that no worker is free for is not started:
	// it must not look as if it were.
	room := len(slots)
	if src.pace.open {
		room = 0
	}
	ops := make(chan int64, room)
	var wg sync.WaitGroup
	for _, s := range slots {
		s := s
		wg.Add(1)
		go func() {
			defer wg.Done()
			s.serve(ops)
		}()
	}
	for {
		op := src.take()
		if op == none {
			break
		}
		ops <- op
	}
	close(ops)
	wg.Wait()
}
