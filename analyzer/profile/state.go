package profile

import (
	"strings"

	"github.com/concprof/concprof/probes/record"
)

// A State is what a sampled goroutine did. It is the value of the label
// "state" in derived profiles.
type State string

// The states. A goroutine profile cannot tell running from runnable.
const (
	Running State = "running"
	Blocked State = "blocked"
	// Ambiguous is a goroutine in a system call or in C: asleep there or
	// busy. Clocks decide, not stacks.
	Ambiguous State = "ambiguous"
	// Runnable is what remains of Running once CPU time is taken off: only
	// derived profiles have it, and those of the Python reader, which asks the
	// kernel.
	Runnable State = "runnable"
	// GILWait is a thread that waits for CPython's interpreter lock.
	GILWait State = "gil-wait"
)

// A raw is how the runtime stopped a goroutine, as its leaf frames tell.
type raw uint16

const (
	rawNone    raw = 0
	rawPoll    raw = 1 << iota // netpoller
	rawSem                     // semaphore under sync, internal/sync or internal/poll
	rawCond                    // sync.Cond
	rawChan                    // channel operation or select
	rawTimer                   // time.Sleep
	rawSyscall                 // in a system call
	rawCgo                     // in C
	rawRuntime                 // parked for the runtime's own sake: garbage collection

	rawAny raw = 0xffff
)

// rawOf reads the leaf frames of a stack.
func rawOf(frames []Frame) raw {
	i, parked := 0, false
	for i < len(frames) && (frames[i].Function == "runtime.gopark" || frames[i].Function == "runtime.goparkunlock") {
		i, parked = i+1, true
	}
	if i == len(frames) {
		return rawNone
	}
	leaf := frames[i].Function
	if !parked {
		switch {
		case leaf == "runtime.cgocall" || leaf == "runtime.asmcgocall":
			return rawCgo
		case systemCall(leaf):
			return rawSyscall
		}
		return rawNone
	}
	return rawPark(frames[i:])
}

// rawPark reads the frames below runtime.gopark of a goroutine that is parked.
func rawPark(frames []Frame) raw {
	leaf := frames[0].Function
	switch {
	case leaf == "runtime.netpollblock":
		return rawPoll
	case leaf == "runtime.selectgo", leaf == "runtime.block",
		strings.HasPrefix(leaf, "runtime.chanrecv"), strings.HasPrefix(leaf, "runtime.chansend"):
		return rawChan
	case leaf == "time.Sleep":
		return rawTimer
	case strings.HasSuffix(leaf, "runtime_notifyListWait"):
		return rawCond
	case strings.HasPrefix(leaf, "runtime.semacquire"):
		return rawSemaphore(frames)
	}
	return rawRuntime
}

// rawSemaphore tells whose semaphore a goroutine is parked at. By itself this is
// also how garbage collection stops one.
func rawSemaphore(frames []Frame) raw {
	for _, f := range frames {
		switch packageOf(f.Function) {
		case "sync", "internal/sync", "internal/poll":
			return rawSem
		case "runtime":
			continue
		}
		break
	}
	return rawRuntime
}

// systemCall reports whether function enters the kernel.
func systemCall(function string) bool {
	pkg := packageOf(function)
	name := strings.ToLower(strings.TrimPrefix(function, pkg))
	switch {
	case pkg == "syscall", pkg == "golang.org/x/sys/unix", strings.HasPrefix(pkg, "internal/runtime/syscall"):
		return strings.Contains(name, "syscall") || strings.Contains(name, "vfork")
	}
	return false
}

// A wait is what a stack of an op says about one sample.
type wait struct {
	state State
	kind  record.Wait // "" when running
	gc    bool        // parked for garbage collection
}

// waitOf tells what the goroutine with this stack, leaf first, did. Frames of
// the libraries between the leaf and the user's code say what a raw park
// means: they are looked up in the table libraries.
func (o Options) waitOf(frames []Frame) wait {
	return o.waitAs(rawOf(frames), frames)
}

// waitAs is waitOf for a goroutine of which it is known how it was stopped.
func (o Options) waitAs(r raw, frames []Frame) wait {
	if r == rawNone {
		return wait{state: Running}
	}
	end := len(frames)
	if i := o.innermost(frames); i >= 0 {
		end = i
	}
	for _, f := range frames[:end] {
		// In the standard library a row's function is searched by its
		// package; the table is short, so a plain scan is enough.
		for i := range libraries {
			if l := &libraries[i]; l.raw&r != 0 && strings.HasPrefix(f.Function, l.prefix) {
				return wait{state: l.state(r), kind: l.wait}
			}
		}
	}
	w := rawWait(r)
	w.gc = r == rawRuntime && collecting(frames)
	return w
}

// rawWait is what a park means where no library says more.
func rawWait(r raw) wait {
	switch r {
	case rawPoll:
		return wait{state: Blocked, kind: record.Network}
	case rawSem:
		return wait{state: Blocked, kind: record.Lock}
	case rawChan, rawCond:
		// What a condition stands for is, like a channel, another
		// goroutine's doing; it excludes nobody.
		return wait{state: Blocked, kind: record.Channel}
	case rawTimer:
		return wait{state: Blocked, kind: record.Timer}
	case rawSyscall, rawCgo:
		return wait{state: Ambiguous, kind: record.Other}
	}
	return wait{state: Blocked, kind: record.Other}
}

// collecting reports whether a goroutine that the runtime parked for its own
// sake waits for garbage collection.
func collecting(frames []Frame) bool {
	for _, f := range frames {
		switch {
		case strings.HasPrefix(f.Function, "runtime.gc"):
			return true
		case packageOf(f.Function) != "runtime":
			return false
		}
	}
	return false
}
