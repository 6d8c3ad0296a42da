package profile_test

import (
	"crypto/sha256"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/record"
)

// An op is work of a known kind, as a user would write it.
type op struct {
	name string
	// kind is what it waits for, "" if it computes.
	kind record.Wait
	at   string // the function in which it waits
	n    int    // goroutines that run it at once
	run  func(t testing.TB) func()
}

// pkg is how names of functions of this file begin in profiles.
const pkg = "github.com/concprof/concprof/analyzer/profile_test."

// ops returns the ops from which testdata was recorded.
func ops() []op {
	return []op{
		{"http", record.Network, "fetch", 1, func(t testing.TB) func() {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { time.Sleep(20 * time.Millisecond) }))
			t.Cleanup(s.Close)
			return func() { fetch(s.URL) }
		}},
		{"tcp", record.Network, "exchange", 1, func(t testing.TB) func() {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			go echo(l)
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			return func() { exchange(c) }
		}},
		{"sleep", record.Timer, "nap", 1, func(testing.TB) func() { return nap }},
		{"mutex", record.Lock, "locked", 4, func(testing.TB) func() {
			var mu sync.Mutex
			return func() { locked(&mu) }
		}},
		{"rwmutex", record.Lock, "written", 4, func(testing.TB) func() {
			var mu sync.RWMutex
			return func() { written(&mu) }
		}},
		{"flock", record.Lock, "flocked", 4, func(t testing.TB) func() {
			name := filepath.Join(t.TempDir(), "lock")
			return func() { flocked(name) }
		}},
		{"channel", record.Channel, "received", 1, func(t testing.TB) func() {
			c, quit := make(chan int), make(chan struct{})
			t.Cleanup(func() { close(quit) })
			go produce(c, quit)
			return func() { received(c) }
		}},
		{"waitgroup", record.Channel, "fanned", 1, func(testing.TB) func() { return fanned }},
		{"cond", record.Channel, "signalled", 1, func(testing.TB) func() { return signalled }},
		{"exec", record.Subprocess, "executed", 1, func(t testing.TB) func() {
			if _, err := exec.LookPath("sleep"); err != nil {
				t.Skipf("SKIPPED: there is no program to run: %v", err)
			}
			return executed
		}},
		{"output", record.Subprocess, "captured", 1, func(t testing.TB) func() {
			if _, err := exec.LookPath("sleep"); err != nil {
				t.Skipf("SKIPPED: there is no program to run: %v", err)
			}
			return captured
		}},
		{"pipe", record.File, "piped", 1, func(testing.TB) func() { return piped }},
		{"deep", record.Timer, "deep", 1, func(testing.TB) func() { return func() { deep(60) } }},
		{"cpu", "", "", 1, func(testing.TB) func() { return func() { hash(20) } }},
	}
}

func fetch(url string) {
	r, err := http.Get(url)
	if err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
}

func echo(l net.Listener) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	b := make([]byte, 1)
	for {
		if _, err := c.Read(b); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
		_, _ = c.Write(b)
	}
}

func exchange(c net.Conn) {
	b := make([]byte, 1)
	_, _ = c.Write(b)
	_, _ = io.ReadFull(c, b)
}

func nap() { time.Sleep(20 * time.Millisecond) }

func locked(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
	hash(2)
}

func written(mu *sync.RWMutex) {
	mu.Lock()
	defer mu.Unlock()
	hash(2)
}

func flocked(name string) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
	time.Sleep(5 * time.Millisecond)
}

func produce(c chan<- int, quit <-chan struct{}) {
	for {
		time.Sleep(20 * time.Millisecond)
		select {
		case c <- 1:
		case <-quit:
			return
		}
	}
}

func received(c <-chan int) { <-c }

func fanned() {
	var wg sync.WaitGroup
	wg.Go(func() { hash(10) })
	wg.Wait()
}

func signalled() {
	var mu sync.Mutex
	c := sync.NewCond(&mu)
	done := false
	time.AfterFunc(20*time.Millisecond, func() {
		mu.Lock()
		defer mu.Unlock()
		done = true
		c.Signal()
	})
	mu.Lock()
	defer mu.Unlock()
	for !done {
		c.Wait()
	}
}

func executed() { _ = exec.Command("sleep", "0.05").Run() }

func captured() { _, _ = exec.Command("sleep", "0.05").Output() }

func piped() {
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	defer r.Close()
	time.AfterFunc(20*time.Millisecond, func() { w.Close() })
	_, _ = r.Read(make([]byte, 1))
}

func deep(n int) {
	if n > 0 {
		deep(n - 1)
		return
	}
	time.Sleep(20 * time.Millisecond)
}

var sink byte

// hash computes for about a millisecond, n times.
func hash(n int) {
	b := make([]byte, 1<<19)
	for range n {
		s := sha256.Sum256(b)
		b[0] = s[0]
	}
	sink = b[0]
}
