package pyread

import (
	"path"
	"strings"

	"github.com/concprof/concprof/probes/record"
)

// A syncRule tells what waiting in a function of the standard library is for,
// where the system call does not say: a mutex, a queue and a future are all
// one futex.
type syncRule struct {
	file     string // last elements of the path
	function string // beginning of the qualified name
	wait     record.Wait
}

// syncRules are searched in order. As for Go, waiting for what somebody else
// does is a channel, waiting because somebody else is inside is a lock.
var syncRules = []syncRule{
	{"subprocess.py", "", record.Subprocess},
	{"multiprocessing/popen_fork.py", "", record.Subprocess},
	{"multiprocessing/popen_forkserver.py", "", record.Subprocess},
	{"multiprocessing/process.py", "BaseProcess.join", record.Subprocess},
	{"multiprocessing/connection.py", "", record.Channel},
	{"multiprocessing/queues.py", "", record.Channel},
	{"multiprocessing/synchronize.py", "SemLock", record.Lock},
	{"multiprocessing/synchronize.py", "", record.Channel},
	{"multiprocessing/pool.py", "", record.Channel},
	{"threading.py", "Semaphore.", record.Lock},
	{"threading.py", "BoundedSemaphore.", record.Lock},
	{"threading.py", "_RLock.", record.Lock},
	{"threading.py", "Condition.__enter__", record.Lock},
	{"threading.py", "", record.Channel},
	{"queue.py", "", record.Channel},
	{"futures/_base.py", "", record.Channel},
	{"futures/thread.py", "", record.Channel},
	{"futures/process.py", "", record.Channel},
	{"selectors.py", "", ""}, // goes on with its caller
}

// syncWait looks through the frames from the leaf on for as long as they are
// the standard library's; the outermost of them says what the wait is for.
// call is the text of the call at the leaf. "" if they say nothing.
func syncWait(frames []record.Frame, call string) record.Wait {
	var w record.Wait
	for _, f := range frames {
		r := ruleOf(f)
		if r == nil {
			break
		}
		if r.wait != "" {
			w = r.wait
		}
	}
	if w != "" {
		return w
	}
	// A queue, future or lock that is written in C has no frame, only a name.
	switch call[strings.LastIndexByte(call, '.')+1:] {
	case "get", "put", "result", "join", "wait":
		return record.Channel
	case "acquire":
		return record.Lock
	case "sleep":
		return record.Timer
	}
	return ""
}

func ruleOf(f record.Frame) *syncRule {
	dir, base := path.Split(f.File)
	parent := path.Base(dir)
	for i := range syncRules {
		r := &syncRules[i]
		if strings.Contains(r.file, "/") {
			if r.file != parent+"/"+base {
				continue
			}
		} else if r.file != base || !strings.HasPrefix(parent, "python3.") {
			continue
		}
		if strings.HasPrefix(f.Function, r.function) {
			return r
		}
	}
	return nil
}
