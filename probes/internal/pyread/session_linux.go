//go:build amd64 || arm64

package pyread

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A Session looks at a process until it is stopped.
type Session struct {
	cancel context.CancelFunc
	done   chan struct{}
	result *Result
}

// Start opens process pid and begins to look at it, until Stop is called or
// ctx is done. The process may end at any time.
func Start(ctx context.Context, pid int, o Options) (*Session, error) {
	o = o.WithDefaults()
	t, err := Open(pid)
	if err != nil {
		return nil, err
	}
	t.options = o
	ctx, cancel := context.WithCancel(ctx)
	s := &Session{cancel: cancel, done: make(chan struct{})}
	r := newReader(t, o)
	go func() {
		defer close(s.done)
		// The thread's own CPU time is the reader's cost. The thread ends with
		// the goroutine, as it is never unlocked.
		runtime.LockOSThread()
		hasten()
		r.self = openSelf()
		s.result = r.run(ctx)
	}()
	return s, nil
}

// Stop ends the session and returns what it saw. It may be called again.
func (s *Session) Stop() *Result {
	s.cancel()
	<-s.done
	return s.result
}

// longestSleep bounds how long Stop waits.
const longestSleep = 50 * time.Millisecond

// run looks again and again until ctx is done or no process is left.
func (r *reader) run(ctx context.Context) *Result {
	defer r.close()
	cpu0 := threadCPU()
	r.pace.begin(cpu0)
	next := time.Duration(0)
	for ctx.Err() == nil {
		now := time.Since(r.start)
		if wait := next - now; wait > 0 {
			ts := unix.NsecToTimespec(int64(min(wait, longestSleep)))
			unix.Nanosleep(&ts, nil)
			continue
		}
		// Looks at random distances do not fall into step with the program.
		next = max(next, now-r.pace.period) + time.Duration(float64(r.pace.period)*(0.5+r.random.Float64()))
		if !r.tick(now) {
			break
		}
	}
	r.window = time.Since(r.start)
	r.cpu = threadCPU() - cpu0
	return r.finish()
}

// threadCPU is the CPU time of the calling thread.
func threadCPU() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
