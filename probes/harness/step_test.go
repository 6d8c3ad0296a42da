package harness

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// buildStep makes a step for one slot, closed when the test ends.
func buildStep(t *testing.T, spec Spec, s Step) stepFunc {
	t.Helper()
	if spec.Concurrency == 0 {
		spec.Concurrency = 4
	}
	b, err := resolveStep(&spec, s, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	f, err := b.build(0)
	if err != nil {
		t.Fatal(err)
	}
	if b.close != nil {
		t.Cleanup(b.close)
	}
	return f
}

func TestStepsPassOn(t *testing.T) {
	scratch := t.TempDir()
	for _, s := range []Step{
		{Kind: KindSleep, ForNs: 1000},
		{Kind: KindAlloc, Bytes: 1 << 10, Count: 4},
		{Kind: KindLock, Work: "cpu", Iterations: 1},
		{Kind: KindLock, Work: "sleep", ForNs: 1000},
		{Kind: KindChannel, Count: 3},
		{Kind: KindFile, Work: "write"},
		{Kind: KindFile, Work: "fsync"},
	} {
		f := buildStep(t, Spec{Scratch: scratch}, s)
		if out, err := f(context.Background(), 7, "given"); out != any("given") || err != nil {
			t.Errorf("%s %s returned %v, %v", s.Kind, s.Work, out, err)
		}
	}
}

// TestStepsRepeat holds that steps with a result return the same for the same
// op, from a slot that has run others and from one that has not.
func TestStepsRepeat(t *testing.T) {
	scratch := t.TempDir()
	var steps []Step
	for _, work := range []string{"sha256", "json", "matmul", "sort", "gzip"} {
		steps = append(steps, Step{Kind: KindCPU, Work: work, Iterations: 3})
	}
	steps = append(steps,
		Step{Kind: KindFile, Work: "read", Bytes: 100},
		Step{Kind: KindExec, Argv: []string{"echo", "{input}"}})
	for _, s := range steps {
		a, b := buildStep(t, Spec{Scratch: scratch}, s), buildStep(t, Spec{Scratch: scratch}, s)
		run := func(f stepFunc, op int64) uint64 {
			out, err := f(context.Background(), op, op)
			if err != nil || out == nil {
				t.Fatalf("%s %s returned %v, %v", s.Kind, s.Work, out, err)
			}
			h, _ := hashResult(0, out, err) // the buffer of out is the step's
			return h
		}
		one, two := run(a, 1), run(a, 2)
		if again := run(b, 1); again != one {
			t.Errorf("%s %s: op 1 returned %v, then %v", s.Kind, s.Work, one, again)
		}
		if s.Kind != KindFile && one == two {
			t.Errorf("%s %s: ops 1 and 2 both returned %v", s.Kind, s.Work, one)
		}
	}
}

func TestJitter(t *testing.T) {
	const mean, jitter = 1000, 200
	lowest, highest := time.Duration(mean), time.Duration(mean)
	for op := int64(0); op < 1000; op++ {
		d := jittered(mean, jitter, op)
		if d != jittered(mean, jitter, op) {
			t.Fatal("the same op sleeps for another time")
		}
		lowest, highest = min(lowest, d), max(highest, d)
	}
	if lowest < mean-jitter || lowest > mean-jitter*9/10 || highest > mean+jitter || highest < mean+jitter*9/10 {
		t.Errorf("from %d to %d, want about 800 to 1200", lowest, highest)
	}
}

func TestHTTPStep(t *testing.T) {
	var connections atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/down" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Method+string(body))
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()

	const level = 8
	step := Step{Kind: KindHTTP, Address: srv.URL, Method: "POST", Bytes: 3}
	shared, err := resolveStep(&Spec{Concurrency: level}, step, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	defer shared.close()
	var wg sync.WaitGroup
	for slot := range level {
		f, err := shared.build(slot)
		if err != nil {
			t.Fatal(err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			for op := int64(0); op < 50; op++ {
				if out, err := f(context.Background(), op, nil); !cmp.Equal(out, []byte("POSTxxx")) || err != nil {
					t.Errorf("returned %v, %v", out, err)
				}
			}
		}()
	}
	wg.Wait()
	if n := connections.Load(); n > level {
		t.Errorf("%d connections for %d ops in flight", n, level)
	}

	down := buildStep(t, Spec{}, Step{Kind: KindHTTP, Address: srv.URL + "/down"})
	_, err = down(context.Background(), 0, nil)
	if err == nil || failureType(err) != "http status 503" {
		t.Errorf("an answer of 503 is %v, of type %s", err, failureType(err))
	}
	srv.Close()
	if _, err := buildStep(t, Spec{}, step)(context.Background(), 0, nil); err == nil || failureType(err) != "*net.OpError" {
		t.Errorf("a refused connection is %v, of type %s", err, failureType(err))
	}
}

func TestTCPStep(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var connections atomic.Int64
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	for _, tt := range []struct {
		connect bool
		want    int64
	}{{false, 1}, {true, 20}} {
		connections.Store(0)
		f := buildStep(t, Spec{}, Step{Kind: KindTCP, Address: ln.Addr().String(), Connect: tt.connect})
		for op := int64(0); op < 20; op++ {
			if _, err := f(context.Background(), op, nil); err != nil {
				t.Fatal(err)
			}
		}
		if n := connections.Load(); n != tt.want {
			t.Errorf("connect %t: %d connections for 20 ops, want %d", tt.connect, n, tt.want)
		}
	}
}

func TestExecStep(t *testing.T) {
	var out any
	var err error
	run := func(s Step, in any) {
		s.Kind = KindExec
		out, err = buildStep(t, Spec{}, s)(context.Background(), 0, in)
	}
	if run(Step{Argv: []string{"printf", "%s-", "{input}"}}, "in put"); !cmp.Equal(out, []byte("in put-")) {
		t.Errorf("argument: %v, %v", out, err)
	}
	if run(Step{Argv: []string{"cat"}, Stdin: "input"}, "line"); !cmp.Equal(out, []byte("line")) {
		t.Errorf("standard input: %v, %v", out, err)
	}
	if run(Step{Argv: []string{"cat"}}, "line"); len(out.([]byte)) != 0 {
		t.Errorf("no standard input: %v, %v", out, err)
	}
	if run(Step{Argv: []string{"pwd"}, Dir: "/"}, ""); !cmp.Equal(out, []byte("/\n")) {
		t.Errorf("folder: %v, %v", out, err)
	}
	if run(Step{Argv: []string{"sh", "-c", "exit 3"}}, ""); err == nil || failureType(err) != "exit status 3" {
		t.Errorf("exit: %v", err)
	}
	if run(Step{Argv: []string{"sh", "-c", "kill -9 $$"}}, ""); err == nil || failureType(err) != "signal: killed" {
		t.Errorf("signal: %v", err)
	}
}

func TestReadFileIsNotChanged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine")
	if err := os.WriteFile(file, []byte("precious"), 0o400); err != nil {
		t.Fatal(err)
	}
	f := buildStep(t, Spec{}, Step{Kind: KindFile, Work: "read", Path: file})
	if out, err := f(context.Background(), 0, nil); !cmp.Equal(out, []byte("precious")) || err != nil {
		t.Errorf("returned %v, %v", out, err)
	}
	if data, err := os.ReadFile(file); string(data) != "precious" || err != nil {
		t.Errorf("file holds %q, %v", data, err)
	}
}

func TestStepFaults(t *testing.T) {
	for _, tt := range []struct {
		step Step
		want string
	}{
		{Step{}, "no kind"},
		{Step{Kind: "teleport"}, "teleport"},
		{Step{Kind: KindSleep}, "above 0"},
		{Step{Kind: KindCPU, Work: "crypto", Iterations: 1}, "crypto"},
		{Step{Kind: KindCPU, Work: "sort"}, "dry trial"},
		{Step{Kind: KindHTTP, Address: "ftp://user:secret@host/"}, "user:xxxxx@"},
		{Step{Kind: KindTCP, Address: "nowhere"}, "port"},
		{Step{Kind: KindFile, Work: "read"}, "folder"},
		{Step{Kind: KindFile, Work: "erase", Path: "x"}, "erase"},
		{Step{Kind: KindAlloc, Bytes: 1, Count: 2}, "a byte each"},
		{Step{Kind: KindChannel}, "at least 1"},
		{Step{Kind: KindExec}, "no command"},
		{Step{Kind: KindExec, Argv: []string{"concprof-no-such-program"}}, "not found"},
		{Step{Kind: KindGo, Func: "x"}, "no function"},
	} {
		_, err := resolveStep(&Spec{Concurrency: 1}, tt.step, nil, true)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want %q in it", tt.step, err, tt.want)
		}
	}
}
