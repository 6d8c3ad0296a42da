package harness

import "sync"

// runPool starts a worker for every slot; the workers take ops from one
// channel, which holds as many as there are workers.
func runPool(src *feed, slots []*slot) {
	ops := make(chan int64, len(slots))
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
