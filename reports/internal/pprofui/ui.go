// Package pprofui serves the pprof web UI for the derived profiles of a run,
// or of two, from memory and inside the process.
//
// A Site holds every profile, and every pair of one workload and kind as a
// difference. Handler serves an index of them, plain links without scripts,
// and mounts pprof's own pages behind each link on the first visit:
//
//	/                                               the index
//	/ui/<workload>/<kind>/<cell>/flamegraph         one profile
//	/diff/<workload>/<kind>/<cell>/<base>/flamegraph  a difference, per op
//
// Cells of two runs are told apart by the run's label, main:pool-8.
//
// What pprof's pages could do beyond reading the profile is left out: they
// never write settings, print source files or run a disassembler.
package pprofui

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/pprof/profile"
)

// A Kind is a kind of derived profile.
type Kind string

// The kinds.
const (
	CPU    Kind = "cpu"
	Wall   Kind = "wall"
	OffCPU Kind = "offcpu"
	Merged Kind = "merged"
)

// Kinds returns every kind, in the order in which the index lists them.
func Kinds() []Kind { return []Kind{CPU, Wall, OffCPU, Merged} }

// A Workload is one workload's part of the site.
type Workload struct {
	Name    string
	Target  string
	Verdict string // one sentence, shown under the name
	Cells   []Cell
}

// A Cell is a model at a concurrency and its profiles. A kind without a
// profile is absent from both maps.
type Cell struct {
	Name  string // "pool-8": unique within the workload and run
	Title string // "pool, 8 in flight"
	// Run is the label of the run that the cell is of, "" where there is only
	// one run.
	Run      string
	Ops      int64
	Profiles map[Kind]*profile.Profile
	// PerOp holds the same scaled to one op; differences are between these.
	PerOp map[Kind]*profile.Profile
	// Problem says why profiles are missing or doubtful.
	Problem string
}

// A Site is everything that is served.
type Site struct {
	Title string
	// Runs are the labels of two runs, base and head; none where there is one.
	Runs []string
	// Doubt says, in lines, why the two runs should not be compared; none if
	// they may be.
	Doubt     []string
	Workloads []Workload

	idle   time.Duration // for tests: instead of idleExit
	mounts sync.Map      // key string -> *mount
}

// Key is the cell's part of an address, unique within the workload.
func (c *Cell) Key() string {
	if c.Run == "" {
		return c.Name
	}
	return c.Run + ":" + c.Name
}

// called is the cell in words.
func (c *Cell) called() string {
	if c.Run == "" {
		return c.Name
	}
	return c.Name + " of " + c.Run
}

// cell returns a cell of the site, nil if there is none of that name.
func (s *Site) cell(workload, name string) *Cell {
	for i := range s.Workloads {
		if s.Workloads[i].Name != workload {
			continue
		}
		for j := range s.Workloads[i].Cells {
			if c := &s.Workloads[i].Cells[j]; c.Key() == name {
				return c
			}
		}
	}
	return nil
}

// single returns the mount of one profile, nil if there is no such profile.
func (s *Site) single(workload string, kind Kind, name string) *mount {
	c := s.cell(workload, name)
	if c == nil || c.Profiles[kind] == nil {
		return nil
	}
	return s.mount(strings.Join([]string{"ui", workload, string(kind), name}, "/"), func() *mount {
		return &mount{
			title:   fmt.Sprintf("%s %s, %s", workload, c.called(), kind),
			profile: c.Profiles[kind],
		}
	})
}

// difference returns the mount of one profile less another, nil if one of
// them is missing.
func (s *Site) difference(workload string, kind Kind, name, base string) *mount {
	c, b := s.cell(workload, name), s.cell(workload, base)
	if c == nil || b == nil || c == b || c.PerOp[kind] == nil || b.PerOp[kind] == nil {
		return nil
	}
	return s.mount(strings.Join([]string{"diff", workload, string(kind), name, base}, "/"), func() *mount {
		return &mount{
			title:   fmt.Sprintf("%s %s less %s, %s per op", workload, c.called(), b.called(), kind),
			profile: c.PerOp[kind],
			base:    b.PerOp[kind],
		}
	})
}

// mount returns the mount under a key, made on the first call.
func (s *Site) mount(key string, make func() *mount) *mount {
	if m, ok := s.mounts.Load(key); ok {
		return m.(*mount)
	}
	m, _ := s.mounts.LoadOrStore(key, make())
	return m.(*mount)
}
