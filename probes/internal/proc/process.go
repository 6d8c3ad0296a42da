package proc

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// overdue is how long a keeper may take for what it has to do at once. One
// that takes longer has been stopped, and is killed.
const overdue = 5 * time.Second

// drainTime is how long the output pipes are still read once the keeper has
// ended: only what survived it could keep them open.
const drainTime = 200 * time.Millisecond

// A Command says what to run. Its standard input is /dev/null.
type Command struct {
	Path string   // absolute
	Argv []string // with argv[0]
	Dir  string   // absolute
	Env  []string // all of it: nothing is inherited; of equal names the last counts
	// Files become descriptors 3 and up. The caller closes them.
	Files []*os.File
	// Stdout and Stderr receive the output; nil discards it.
	Stdout, Stderr *Capture
	// Timeout is when to end the tree, 0 for never: first politely, with
	// SIGTERM to the group or, for Quit, SIGQUIT to the target, which makes a
	// Go program print its stacks; then with SIGKILL.
	Timeout time.Duration
	Quit    bool
	Limits  Limits
	// Scratch is a folder that the keeper makes, if it is not there, and removes
	// once all processes are gone. Made by concprof it would stay if that was
	// killed before the keeper knew of it.
	Scratch string
	// Namespace has the keeper and all that it runs live in a PID namespace,
	// where Namespaces says that this can be: they see and signal only each
	// other, cannot end their keeper, and end with it, however it ends.
	Namespace bool
}

// A Process is a running Command, with its keeper.
type Process struct {
	target    int // its id, as the keeper knows it
	namespace bool

	keeper   *exec.Cmd
	lifeline *os.File
	status   *os.File
	notices  *bufio.Scanner
	outputs  []*os.File
	copying  sync.WaitGroup
	scratch  string
	cgroup   *cgroup
	kill     sync.Once
	done     chan struct{}
	ending   Ending
}

// Self returns the path by which this program can execute itself again.
func Self() (string, error) {
	// The link leads to the program that runs, even if its file has been
	// replaced since.
	if _, err := os.Stat("/proc/self/exe"); err == nil {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// ErrLost is returned by Start if the keeper was killed, or stopped for five
// seconds, before it had started the target.
var ErrLost = errors.New("its keeper was killed")

// A ScratchError is returned by Start if the folder could not be made.
type ScratchError struct {
	Path string
	Err  error
}

func (e *ScratchError) Error() string { return fmt.Sprintf("make folder %s: %v", e.Path, e.Err) }

// Unwrap returns what the system said.
func (e *ScratchError) Unwrap() error { return e.Err }

// Start runs c. The error says why the target could not be started; nothing
// runs then.
func Start(c Command) (_ *Process, err error) {
	p := &Process{namespace: c.Namespace && Namespaces(), scratch: c.Scratch, done: make(chan struct{})}
	k, err := newKeeper(c.Argv[0], p.namespace)
	if err != nil {
		return nil, err
	}
	var theirs []*os.File // ends of pipes that only the keeper keeps
	pipe := func() (r, w *os.File) {
		if err == nil {
			r, w, err = os.Pipe()
		}
		return r, w
	}
	var lifeline, status, stdout, stderr *os.File
	lifeline, p.lifeline = pipe()
	p.status, status = pipe()
	theirs = append(theirs, lifeline, status)
	var outs [2]*os.File
	outs[0], stdout = pipe()
	outs[1], stderr = pipe()
	theirs = append(theirs, stdout, stderr)
	p.outputs = outs[:]
	defer func() {
		closeAll(theirs)
		if err != nil {
			closeAll(append(p.outputs, p.lifeline, p.status))
		}
	}()
	if err != nil {
		return nil, fmt.Errorf("start keeper: %w", err)
	}

	k.ExtraFiles = append([]*os.File{lifeline, status, stdout, stderr}, c.Files...)
	if err := keepers.start(k); err != nil {
		return nil, fmt.Errorf("start keeper: %w", err)
	}
	p.keeper = k
	p.copyOutput(c.Stdout, c.Stderr)
	closeAll(theirs) // or writing to a keeper that has died would not fail
	theirs = nil
	// One that has been stopped neither reads its order nor says anything.
	late := time.AfterFunc(overdue, func() { k.Process.Kill() }) //nolint:errcheck // it may have ended just now

	o := order{
		Path: c.Path, Argv: c.Argv, Dir: c.Dir, Env: lastOfEach(c.Env), Files: len(c.Files),
		Timeout: c.Timeout, Quit: c.Quit, Limits: c.Limits, Scratch: c.Scratch,
	}
	if p.namespace {
		o.Namespace = k.Process.Pid
	}
	json.NewEncoder(p.lifeline).Encode(o) //nolint:errcheck // the keeper may have died: its notice tells
	p.notices = bufio.NewScanner(p.status)
	n, ok := p.notice()
	late.Stop()
	p.target = n.PID
	if n.Cgroup != "" {
		p.cgroup = &cgroup{n.Cgroup}
	}
	if c.Timeout > 0 {
		p.expect(c.Timeout + quitGrace)
	}
	go p.wait()
	if !ok || n.Failure != "" {
		p.Kill()
		p.Wait()
		p.outputs, p.lifeline, p.status = nil, nil, nil // closed by wait
		switch {
		case !ok:
			return nil, ErrLost
		case n.Errno != 0:
			return nil, &ScratchError{c.Scratch, n.Errno}
		}
		return nil, errors.New(n.Failure)
	}
	return p, nil
}

// newKeeper returns the command of a keeper, which those who read ps see to be
// that of something.
func newKeeper(of string, namespace bool) (*exec.Cmd, error) {
	self, err := Self()
	if err != nil {
		return nil, err
	}
	k := exec.Command(self)
	k.Args = []string{KeeperName, of}
	k.Dir = "/"
	k.Env = []string{"GOMAXPROCS=1"} // it mostly waits, and shares the cores that are measured
	if v, ok := os.LookupEnv("GORACE"); ok {
		k.Env = append(k.Env, "GORACE="+v) // in tests with the race detector, which else delays its exit
	}
	k.SysProcAttr = keeperAttr(namespace)
	return k, nil
}

func (p *Process) notice() (n notice, ok bool) {
	if !p.notices.Scan() {
		return n, false
	}
	return n, json.Unmarshal(p.notices.Bytes(), &n) == nil
}

func (p *Process) copyOutput(to ...*Capture) {
	for i, r := range p.outputs {
		var w io.Writer = io.Discard
		if to[i] != nil {
			w = to[i]
		}
		p.copying.Go(func() { io.Copy(w, r) }) //nolint:errcheck // ends at EOF or at the deadline that wait sets
	}
}

// wait follows the keeper to its end.
func (p *Process) wait() {
	defer close(p.done)
	p.ending = Ending{Cause: Lost, Code: -1}
	for {
		n, ok := p.notice()
		if !ok {
			break
		}
		if n.Ending != nil {
			p.ending = *n.Ending
		}
	}
	p.keeper.Wait() //nolint:errcheck // its notices tell, or their absence
	if p.ending.Cause == Lost {
		if !p.namespace { // else the kernel has killed them all
			killLost(p.target)
		}
		p.cgroup.remove() //nolint:errcheck // an empty cgroup holds nothing
		if p.scratch != "" {
			os.RemoveAll(p.scratch) //nolint:errcheck // nothing more can be done
		}
	}
	keepers.remove(p.keeper.Process.Pid)
	for _, r := range p.outputs {
		r.SetReadDeadline(time.Now().Add(drainTime)) //nolint:errcheck // pipes have deadlines
	}
	p.copying.Wait()
	p.Kill()
	closeAll(append(p.outputs, p.status))
}

// Kill ends the process and all that it started, at once.
func (p *Process) Kill() {
	p.kill.Do(func() {
		p.lifeline.Close()
		p.expect(0)
	})
}

// expect kills the keeper if it has not ended some time after d.
func (p *Process) expect(d time.Duration) {
	timer := time.NewTimer(d + overdue)
	go func() {
		defer timer.Stop()
		select {
		case <-p.done:
		case <-timer.C:
			p.keeper.Process.Kill() //nolint:errcheck // it may have ended just now
		}
	}()
}

// Done is closed when nothing of the process is left.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits until nothing of the process is left, and says how it ended.
func (p *Process) Wait() Ending {
	<-p.done
	return p.ending
}

// PID returns the id of the target, 0 for one in a namespace that has ended.
func (p *Process) PID() int {
	pid, _ := p.Find(p.target)
	return pid
}

// Find returns the id of the target, or of a process that it started, which
// knows itself by the id told: in a namespace that is another. Where it cannot
// be told what the target started, only the target is found.
func (p *Process) Find(told int) (pid int, ok bool) {
	if p.namespace {
		return findInside(p.keeper.Process.Pid, told)
	}
	if told == p.target || below(p.keeper.Process.Pid, told) {
		return told, true
	}
	return 0, false
}

// CPU returns the processor time that the process and its keeper have used so
// far, 0 where it cannot be read.
func (p *Process) CPU() time.Duration { return treeCPU(p.keeper.Process.Pid) }

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}

// lastOfEach drops what a later variable of the same name replaces: programs
// take the first that they find.
func lastOfEach(env []string) []string {
	seen := make(map[string]bool, len(env))
	kept := make([]string, 0, len(env))
	for _, kv := range slices.Backward(env) {
		name, _, _ := strings.Cut(kv, "=")
		if !seen[name] {
			seen[name] = true
			kept = append(kept, kv)
		}
	}
	slices.Reverse(kept)
	return kept
}
