//go:build amd64 || arm64

package pyread

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// A family finds the descendants of a process.
type family struct {
	root    int
	next    time.Duration
	parents map[int]int // of all processes that were seen
	tries   map[int]try // of descendants that could not be opened
	opened  map[int]bool
}

// A try is when to try next to open a process, and how long that is after the
// last time.
type try struct{ next, wait time.Duration }

func newFamily(root int) *family {
	return &family{root: root, parents: map[int]int{}, tries: map[int]try{}, opened: map[int]bool{root: true}}
}

// between is how long lies between two searches for children: workers that
// live shorter are not worth being seen.
const between = 250 * time.Millisecond

func (f *family) due(now time.Duration) bool { return now >= f.next }

// alive reports whether the root still exists.
func (f *family) alive() bool {
	_, err := os.Stat("/proc/" + strconv.Itoa(f.root))
	return err == nil
}

// search returns the descendants that are not yet opened and are due for a
// try. Only processes that are new are looked at: a process that once had no
// place in the family gets none.
func (f *family) search(now time.Duration) []int {
	f.next = now + between
	d, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	present := make(map[int]int, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		parent, ok := f.parents[pid]
		if !ok {
			parent = parentOf(pid)
		}
		present[pid] = parent
	}
	f.parents = present
	var due []int
	for pid := range present {
		if pid != f.root && !f.opened[pid] && f.descends(pid) && now >= f.tries[pid].next {
			due = append(due, pid)
		}
	}
	for pid := range f.tries {
		if _, ok := present[pid]; !ok {
			delete(f.tries, pid)
		}
	}
	for pid := range f.opened {
		if _, ok := present[pid]; !ok {
			delete(f.opened, pid)
		}
	}
	return due
}

// descends reports whether pid is below the root.
func (f *family) descends(pid int) bool {
	for range 64 {
		parent, ok := f.parents[pid]
		switch {
		case !ok || parent <= 1:
			return parent == f.root && parent != 0
		case parent == f.root:
			return true
		}
		pid = parent
	}
	return false
}

// parentOf returns the parent of a process, 0 if it has ended.
func parentOf(pid int) int {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// Behind the name, which may hold anything: state and parent.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(string(fields[1]))
	return parent
}

// adopt opens the children that are new. One that is no CPython may become
// one, when it executes another program, and is tried again ever more rarely.
func (r *reader) adopt(now time.Duration) {
	for _, pid := range r.family.search(now) {
		t, err := Open(pid)
		if err != nil {
			wait := max(between, 2*r.family.tries[pid].wait)
			r.family.tries[pid] = try{now + wait, wait}
			continue
		}
		t.options = r.options
		r.family.opened[pid] = true
		delete(r.family.tries, pid)
		r.targets = append(r.targets, t)
	}
}
