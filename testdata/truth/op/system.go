package op

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// ComputeInChild has a shell count to 20,000.
func ComputeInChild(ctx context.Context) error {
	return exec.CommandContext(ctx, "sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done").Run()
}

// SleepInChild starts a program that sleeps for 60 ms.
func SleepInChild(ctx context.Context) error {
	return exec.CommandContext(ctx, "sleep", "0.06").Run()
}

// temporary returns an empty file that is gone when the process is.
func temporary() (*os.File, error) {
	f, err := os.CreateTemp("", "truth")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// cached is a file of 4 MiB that was just written and is in the page cache.
var cached = sync.OnceValues(func() (*os.File, error) {
	f, err := temporary()
	if err != nil {
		return nil, err
	}
	_, err = f.Write(make([]byte, 4<<20))
	return f, err
})

// ReadCached reads 4 MiB from the page cache: the kernel copies, no disk is
// waited for.
func ReadCached() (int, error) {
	f, err := cached()
	if err != nil {
		return 0, err
	}
	sum, buf := 0, make([]byte, 64<<10)
	for at := int64(0); at < 4<<20; {
		n, err := f.ReadAt(buf, at)
		if err != nil {
			return sum, err
		}
		at += int64(n)
		sum += n
	}
	return sum, nil
}

// journal is a file with one writer at a time.
var journal = struct {
	sync.Mutex
	open func() (*os.File, error)
}{open: sync.OnceValues(temporary)}

// Commit appends 4 KiB to a journal and waits until the disk has them.
func Commit() error {
	journal.Lock()
	defer journal.Unlock()
	f, err := journal.open()
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(make([]byte, 4<<10), 0); err != nil {
		return err
	}
	return f.Sync()
}

// SleepFlocked holds a lock between processes, on the program's own file,
// while it waits for 3 ms.
func SleepFlocked() error {
	name, err := os.Executable()
	if err != nil {
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	time.Sleep(3 * time.Millisecond)
	return nil
}
