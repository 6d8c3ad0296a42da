//go:build amd64 || arm64

package pyread

import (
	"os"
	"strconv"

	"github.com/concprof/concprof/probes/internal/proc"
)

// threadIDs finds threads by the ids by which they know themselves, which are
// what CPython notes. Those of a process in a PID namespace are others in the
// /proc of this process.
type threadIDs struct {
	dir  string      // of the threads in /proc
	same bool        // there is no namespace
	own  map[int]int // what each thread calls itself, by its id here
	here map[int]int // the other way round
}

func newThreadIDs(pid int) *threadIDs {
	dir := "/proc/" + strconv.Itoa(pid)
	return &threadIDs{dir: dir + "/task/", same: len(proc.NamespaceIDs(dir)) < 2}
}

// find returns the id here of a thread, 0 if there is none such.
func (t *threadIDs) find(own int) int {
	if t.same {
		return own
	}
	if _, ok := t.here[own]; !ok {
		t.look()
	}
	return t.here[own]
}

// forget is told that what find returned last is not right any more.
func (t *threadIDs) forget(own int) {
	delete(t.own, t.here[own])
	delete(t.here, own)
}

// look notes what threads there are. Only those that are new are asked.
func (t *threadIDs) look() {
	d, err := os.Open(t.dir)
	if err != nil {
		return
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	own, here := make(map[int]int, len(names)), make(map[int]int, len(names))
	for _, name := range names {
		tid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		id, ok := t.own[tid]
		if !ok {
			ids := proc.NamespaceIDs(t.dir + name)
			if len(ids) == 0 {
				continue // it has ended
			}
			id = ids[len(ids)-1]
		}
		own[tid], here[id] = id, tid
	}
	t.own, t.here = own, here
}
