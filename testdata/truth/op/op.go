// Package op holds functions whose concurrency is known: what each of them
// waits for, what limits it and which model suits it follows from how it is
// built, and is written down in labels.json. They are ordinary functions and
// know nothing of who measures them.
//
// An op that is given a number returns something that depends on that number
// only, so that results can be compared.
package op

import (
	"crypto/sha256"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// burn computes until the calling thread has used d of CPU time, so that the
// share of an op that computes is the same on every machine and does not move
// when other programs take the processor.
func burn(d time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	block := make([]byte, 4<<10)
	for end := threadCPU() + d; threadCPU() < end; {
		sum := sha256.Sum256(block)
		copy(block, sum[:])
	}
}

// threadCPU is the CPU time of the calling thread. Getrusage would do, but it
// counts a thread that is running in ticks of some milliseconds.
func threadCPU() time.Duration {
	const clock = 3 // CLOCK_THREAD_CPUTIME_ID
	var ts syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		return 1 << 62 // no clock: do not compute for ever
	}
	return time.Duration(ts.Nano())
}

// hash computes a value of n that takes size bytes of hashing.
func hash(n, size int) int {
	block := make([]byte, 4<<10)
	block[0], block[1] = byte(n), byte(n>>8)
	for done := 0; done < size; done += len(block) {
		sum := sha256.Sum256(block)
		copy(block, sum[:])
	}
	return int(block[0])<<8 | int(block[1])
}
