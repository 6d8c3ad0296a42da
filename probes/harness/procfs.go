package harness

// delays maps threads to the time that each was ready to run but waited for a
// processor, in nanoseconds.
type delays map[string]int64

// since sums what the threads of d waited after before was read. A thread
// that ended in between is in neither; Go keeps its threads unless one ends
// while a goroutine is locked to it, so that is rare.
func (d delays) since(before delays) int64 {
	var sum int64
	for tid, ns := range d {
		sum += ns - before[tid]
	}
	return sum
}

// status is what the kernel says of the process.
type status struct {
	peakRSS int64 // of the whole life, in bytes
	threads int   // at this moment
}
