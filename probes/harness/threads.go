package harness

import "runtime"

// runThreads starts a goroutine for every op that has an OS thread to itself
// while the op runs. The thread goes back to the runtime afterwards and
// serves later ops: what is measured is threads in flight, not the creation
// of one per op, which no thread pool pays either.
func runThreads(src *feed, slots []*slot) {
	free := allFree(slots)
	for op := src.take(); op != none; op = src.take() {
		go performLocked(<-free, op, free)
	}
	await(free)
}

func performLocked(s *slot, op int64, free chan<- *slot) {
	runtime.LockOSThread()
	s.perform(op)
	runtime.UnlockOSThread()
	free <- s
}
