package exectrace_test

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/concprof/concprof/analyzer/exectrace/internal/harness"
	"github.com/concprof/concprof/probes/record"
)

var update = flag.Bool("update", false, "record testdata anew")

// An op is work of a known kind, as a user would write it.
type op struct {
	name string
	// direct is what its goroutine is parked in most, and resolved what that
	// stands for; "" for an op that computes.
	direct, resolved record.Wait
	make             func(t testing.TB) func()
}

func ops() []op {
	return []op{
		{"sleep", record.Timer, record.Timer, func(testing.TB) func() { return func() { time.Sleep(2 * time.Millisecond) } }},
		// net/http waits in a select for its readLoop.
		{"http", record.Network, record.Network, func(t testing.TB) func() {
			s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(2 * time.Millisecond) }))
			t.Cleanup(s.Close)
			return func() { fetch(s.URL) }
		}},
		// A client of one's own does what no table of libraries knows.
		{"client", record.Channel, record.Network, func(t testing.TB) func() { return newClient(t).call }},
		// Two goroutines stand between the op and the socket.
		{"relay", record.Channel, record.Network, func(t testing.TB) func() {
			c := newClient(t)
			ask, answers := make(chan bool), make(chan bool)
			go func() {
				for range ask {
					c.call()
					answers <- true
				}
			}()
			t.Cleanup(func() { close(ask) })
			return func() { ask <- true; <-answers }
		}},
		{"worker", record.Channel, record.Timer, func(t testing.TB) func() {
			ask, answers := make(chan bool), make(chan bool)
			go func() {
				for range ask {
					time.Sleep(2 * time.Millisecond)
					answers <- true
				}
			}()
			t.Cleanup(func() { close(ask) })
			return func() { ask <- true; <-answers }
		}},
		{"ping-pong", record.Channel, record.Channel, func(t testing.TB) func() {
			ping, pong := make(chan int), make(chan int)
			go func() {
				for n := range ping {
					spin(200 * time.Microsecond)
					pong <- n
				}
			}()
			t.Cleanup(func() { close(ping) })
			return func() { ping <- 1; <-pong }
		}},
		{"timeout", record.Channel, record.Timer, func(testing.TB) func() {
			return func() {
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Millisecond)
				defer cancel()
				<-ctx.Done()
			}
		}},
		{"after", record.Channel, record.Timer, func(testing.TB) func() {
			never := make(chan bool)
			return func() {
				select {
				case <-never:
				case <-time.After(2 * time.Millisecond):
				}
			}
		}},
		{"mutex", record.Lock, record.Lock, func(t testing.TB) func() {
			var mu sync.Mutex
			got := 0
			quit := make(chan bool)
			go func() {
				for {
					select {
					case <-quit:
						return
					default:
						mu.Lock()
						time.Sleep(2 * time.Millisecond)
						mu.Unlock()
					}
				}
			}()
			t.Cleanup(func() { close(quit) })
			return func() {
				mu.Lock()
				got++
				mu.Unlock()
			}
		}},
		{"group", record.Channel, record.Timer, func(testing.TB) func() {
			return func() {
				var wg sync.WaitGroup
				for n := range 3 {
					wg.Go(func() { time.Sleep(time.Duration(n+1) * time.Millisecond) })
				}
				wg.Wait()
			}
		}},
		{"child", record.Subprocess, record.Subprocess, func(testing.TB) func() {
			return func() { exec.Command("sleep", "0.01").Run() } //nolint:errcheck // it sleeps
		}},
		{"spin", "", "", func(testing.TB) func() { return func() { spin(time.Millisecond) } }},
		{"garbage", "", "", func(testing.TB) func() { return litter }},
	}
}

// fetch is a request.
func fetch(url string) {
	resp, err := http.Get(url)
	if err != nil {
		panic(err)
	}
	resp.Body.Close()
}

// A client has a goroutine that reads its connection, as drivers of databases
// do.
type client struct {
	conn    net.Conn
	answers chan byte
}

func newClient(t testing.TB) *client {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		c, err := l.Accept()
		b := make([]byte, 1)
		for err == nil {
			if _, err = c.Read(b); err == nil {
				time.Sleep(2 * time.Millisecond)
				_, err = c.Write(b)
			}
		}
	}()
	c := &client{answers: make(chan byte)}
	if c.conn, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.conn.Close() })
	go func() {
		b := make([]byte, 1)
		for {
			if _, err := c.conn.Read(b); err != nil {
				return
			}
			c.answers <- b[0]
		}
	}()
	return c
}

func (c *client) call() {
	c.conn.Write([]byte{1}) //nolint:errcheck // the answer would not come
	<-c.answers
}

func spin(d time.Duration) {
	for begin := time.Now(); time.Since(begin) < d; {
	}
}

// kept is what litter leaves, so that the collector has something to mark.
var kept [][]*int

func litter() {
	keep := make([]*int, 1<<14)
	for i := range keep {
		keep[i] = new(int)
	}
	if kept = append(kept, keep); len(kept) > 64 {
		kept = kept[1:]
	}
}

// recorded traces an op for a time, as a probe does.
func recorded(t testing.TB, o op, d time.Duration) []byte {
	t.Helper()
	data, err := harness.Trace(o.make(t), d)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func testdata(name string) string { return filepath.Join("testdata", name+".trace") }

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(testdata(name))
	if err != nil {
		t.Fatal(fmt.Errorf("%w: go test -trimpath -run TestRecorded -update records it", err))
	}
	return data
}
