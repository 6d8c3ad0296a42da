package profile_test

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/record"
)

// TestWaitsOfStacks reads stacks that no recording has: of libraries that are
// no dependency, of C, of rare system calls. They are as the libraries'
// sources let them be.
func TestWaitsOfStacks(t *testing.T) {
	const park = " runtime.gopark"
	tests := []struct {
		name  string
		stack string // below the op's function
		state profile.State
		kind  record.Wait
	}{
		{"computing", "strconv.Atoi", profile.Running, ""},
		{"preempted", "sort.Ints runtime.asyncPreempt", profile.Running, ""},
		{"yielding", "runtime.Gosched", profile.Running, ""},
		{"unlocking", "sync.(*Mutex).Unlock runtime.semrelease1 runtime.goyield", profile.Running, ""},
		{"send", "runtime.chansend1 runtime.chansend" + park, profile.Blocked, record.Channel},
		{"select", "runtime.selectgo" + park, profile.Blocked, record.Channel},
		{"select of nothing", "runtime.block" + park, profile.Blocked, record.Channel},
		{"socket", "net.(*conn).Read net.(*netFD).Read internal/poll.(*FD).Read internal/poll.runtime_pollWait runtime.netpollblock" + park, profile.Blocked, record.Network},
		{"socket, in the call", "net.(*conn).Write net.(*netFD).Write internal/poll.(*FD).Write syscall.write syscall.Syscall", profile.Running, ""},
		{"socket shared", "net.(*conn).Write net.(*netFD).Write internal/poll.(*FD).Write internal/poll.(*fdMutex).rwlock internal/poll.runtime_Semacquire runtime.semacquire1" + park, profile.Blocked, record.Lock},
		{"file", "os.(*File).Read internal/poll.(*FD).Read syscall.read syscall.Syscall", profile.Ambiguous, record.File},
		{"file, another kernel interface", "os.(*File).Read internal/poll.(*FD).Read syscall.read internal/runtime/syscall/linux.Syscall6", profile.Ambiguous, record.File},
		{"file shared", "os.(*File).Read internal/poll.(*FD).Read internal/poll.(*fdMutex).rwlock internal/poll.runtime_Semacquire runtime.semacquire1" + park, profile.Blocked, record.Lock},
		{"fsync", "os.(*File).Sync internal/poll.(*FD).Fsync syscall.Fsync syscall.Syscall", profile.Ambiguous, record.File},
		{"fdatasync, as databases call it", "syscall.Fdatasync syscall.Syscall", profile.Ambiguous, record.File},
		{"pwrite", "golang.org/x/sys/unix.Pwrite golang.org/x/sys/unix.Syscall6", profile.Ambiguous, record.File},
		{"stat", "os.Stat os.statNolog os.ignoringEINTR os.statNolog.func1 syscall.Stat syscall.Syscall6", profile.Ambiguous, record.File},
		{"child", "os/exec.(*Cmd).Run os/exec.(*Cmd).Wait os.(*Process).Wait os.(*Process).pidfdWait os.ignoringEINTR os.(*Process).pidfdWait.func1 internal/syscall/unix.Waitid syscall.Syscall6", profile.Blocked, record.Subprocess},
		{"child of an older Go", "os/exec.(*Cmd).Wait os.(*Process).wait os.(*Process).blockUntilWaitable syscall.Syscall6", profile.Blocked, record.Subprocess},
		{"child's output", "os/exec.(*Cmd).Wait os/exec.(*Cmd).awaitGoroutines runtime.chanrecv1" + park, profile.Blocked, record.Subprocess},
		{"fork", "os/exec.(*Cmd).Start os.StartProcess syscall.forkExec syscall.readlen syscall.Syscall", profile.Ambiguous, record.Subprocess},
		{"garbage collection", "runtime.mallocgc runtime.gcStart runtime.semacquire runtime.semacquire1" + park, profile.Blocked, record.Other},
		{"assisting it", "runtime.mallocgc runtime.gcAssistAlloc runtime.gcParkAssist" + park, profile.Blocked, record.Other},
		{"C", "main._Cfunc_usleep runtime.cgocall", profile.Ambiguous, record.Other},
		{"name lookup", "net.(*Resolver).lookupIPAddr runtime.selectgo" + park, profile.Blocked, record.Network},
		{"name lookup in C", "net._C_getaddrinfo runtime.cgocall", profile.Blocked, record.Network},
		{"HTTP/2", "net/http.(*Client).Do net/http.(*http2clientStream).writeRequest runtime.selectgo" + park, profile.Blocked, record.Network},
		{"gRPC", "google.golang.org/grpc/internal/transport.(*recvBufferReader).readClient runtime.selectgo" + park, profile.Blocked, record.Network},
		{"Redis", "github.com/redis/go-redis/v9.(*Client).Process net.(*conn).Read internal/poll.runtime_pollWait runtime.netpollblock" + park, profile.Blocked, record.Network},
		{"an empty pool of connections", "database/sql.(*DB).QueryContext database/sql.(*DB).conn runtime.selectgo" + park, profile.Blocked, record.Lock},
		{"rate limiter", "golang.org/x/time/rate.(*Limiter).wait runtime.selectgo" + park, profile.Blocked, record.Timer},
		{"semaphore", "golang.org/x/sync/semaphore.(*Weighted).Acquire runtime.selectgo" + park, profile.Blocked, record.Lock},
		{"errgroup", "golang.org/x/sync/errgroup.(*Group).Wait sync.(*WaitGroup).Wait sync.runtime_SemacquireWaitGroup runtime.semacquire1" + park, profile.Blocked, record.Channel},
		{"once", "sync.(*Once).doSlow sync.(*Mutex).Lock internal/sync.(*Mutex).lockSlow internal/sync.runtime_SemacquireMutex runtime.semacquire1" + park, profile.Blocked, record.Lock},
		{"record lock", "golang.org/x/sys/unix.FcntlFlock golang.org/x/sys/unix.fcntl golang.org/x/sys/unix.Syscall", profile.Blocked, record.Lock},
		{"a handler's own channel inside net/http", "net/http.(*Transport).RoundTrip x.org/m.dial runtime.chanrecv1" + park, profile.Blocked, record.Channel},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := profile.Waits(synthetic("wall", line{root + "x.org/m.Op:7 " + tt.stack, 1, ""}), "")
			state, kind := profile.Running, record.Wait("")
			for k := range w.Blocked {
				state, kind = profile.Blocked, k
			}
			for k := range w.Ambiguous {
				state, kind = profile.Ambiguous, k
			}
			if state != tt.state || kind != tt.kind {
				t.Errorf("%s %s, want %s %s", state, kind, tt.state, tt.kind)
			}
			if gc := strings.Contains(tt.stack, "runtime.gc"); (w.GC == 1) != gc {
				t.Errorf("%d samples of garbage collection", w.GC)
			}
			if kind == "" {
				return
			}
			want := profile.Place{Function: "x.org/m.Op", File: "f.go", Line: 7, Samples: 1, Share: 1}
			if strings.Contains(tt.stack, "x.org/m.dial") {
				want.Function, want.Line = "x.org/m.dial", 1
			}
			if p := w.Places[kind]; len(p) != 1 || p[0] != want {
				t.Errorf("at %+v, want %+v", p, want)
			}
		})
	}
}

// TestWaitsPlace gives the place of steps that are the harness's
// own, and of ops that are a library's function.
func TestWaitsPlace(t *testing.T) {
	const lock = " sync.(*Mutex).Lock internal/sync.runtime_SemacquireMutex runtime.semacquire1 runtime.gopark"
	const own = "runtime.goexit github.com/concprof/concprof/probes/harness.runOp:3 "
	for _, tt := range []struct{ name, stack, want string }{
		{"a user's function", root + "x.org/m.Op x.org/m.get" + lock, "x.org/m.get"},
		{"below a library", root + "x.org/m.Op net/http.(*Client).Do" + lock, "x.org/m.Op"},
		{"a module without a dot", root + "thumb.Render" + lock, "thumb.Render"},
		{"a generic function", root + "x.org/m.Map[go.shape.int,x.org/m/n.T]" + lock, "x.org/m.Map[go.shape.int,x.org/m/n.T]"},
		{"a built-in step", own + "github.com/concprof/concprof/probes/harness.lockStep:9" + lock, "github.com/concprof/concprof/probes/harness.lockStep"},
		{"a library's function as the op", own + "sync.(*Once).Do" + lock, "sync.(*Once).Do"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := profile.Waits(synthetic("wall", line{tt.stack, 1, ""}), "")
			if p := w.Places[record.Lock]; len(p) != 1 || p[0].Function != tt.want {
				t.Errorf("at %+v, want %s", p, tt.want)
			}
		})
	}
}
