package compare

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// A Difference is in how two runs were measured.
type Difference struct {
	// Workload is "" where it is of the run as a whole.
	Workload string `json:"workload,omitempty"`
	What     string `json:"what"` // "host", "budget"
	Base     string `json:"base"`
	Head     string `json:"head"`
}

func (d Difference) String() string {
	of := ""
	if d.Workload != "" {
		of = " of " + d.Workload
	}
	return fmt.Sprintf("%s%s: %s and %s", d.What, of, d.Base, d.Head)
}

// A DifferentError says that two runs cannot be compared, for they were
// measured differently.
type DifferentError struct {
	Base, Head  string // labels
	Differences []Difference
}

func (e *DifferentError) Error() string {
	lines := []string{fmt.Sprintf("%s and %s were measured differently:", e.Base, e.Head)}
	for _, d := range e.Differences {
		lines = append(lines, "  "+d.String())
	}
	return strings.Join(lines, "\n")
}

// differences lists what differs in how two runs were measured: the host, the
// programs, and for each workload of both what an op is and how it was run.
func differences(base, head Side) []Difference {
	var ds []Difference
	of := ""
	add := func(what, b, h string) {
		if b != h {
			ds = append(ds, Difference{of, what, b, h})
		}
	}
	b, h := &base.Run.Manifest, &head.Run.Manifest
	if b.Host.Fingerprint != h.Host.Fingerprint {
		add("host", hostName(b.Host), hostName(h.Host))
	}
	add("concprof", orNone(b.Tool.Version), orNone(h.Tool.Version))
	add("go", orNone(b.Tool.Go), orNone(h.Tool.Go))
	add("cores", fmt.Sprint(b.Plan.Cores), fmt.Sprint(h.Plan.Cores))
	// The same text says the same of every workload.
	same := bytes.Equal(base.Run.Source, head.Run.Source)
	defBase, defHead := definitions(base.Run, same), definitions(head.Run, same)
	for i := range b.Plan.Workloads {
		x := &b.Plan.Workloads[i]
		k := slices.IndexFunc(h.Plan.Workloads, func(w plan.Workload) bool { return w.Name == x.Name })
		if k < 0 {
			continue
		}
		y := &h.Plan.Workloads[k]
		of = x.Name
		add("workload", defBase(x.Name), defHead(x.Name))
		for _, s := range []struct {
			what string
			of   func(*plan.Workload) string
		}{
			{"runs", func(w *plan.Workload) string { return fmt.Sprint(w.Runs) }},
			{"warmup", func(w *plan.Workload) string { return fmt.Sprint(w.Warmup) }},
			{"budget", func(w *plan.Workload) string { return workload.Duration(w.BudgetNs).String() }},
			{"timeout", func(w *plan.Workload) string { return workload.Duration(w.TimeoutNs).String() }},
			{"max_ops", func(w *plan.Workload) string { return fmt.Sprint(w.MaxOps) }},
			{"max_rate", func(w *plan.Workload) string { return fmt.Sprint(w.MaxRate) }},
			{"load", func(w *plan.Workload) string { return fmt.Sprint(w.Rate) }},
			{"objective", func(w *plan.Workload) string { return orNone(w.Objective) }},
			{"constraints", func(w *plan.Workload) string { return orNone(strings.Join(w.Constraints, ", ")) }},
			{"models", models},
			{"levels", levels},
		} {
			add(s.what, s.of(x), s.of(y))
		}
	}
	return ds
}

// hostName tells hosts apart that hash differently.
func hostName(h rundir.Host) string {
	return fmt.Sprintf("%s/%s, %d cores, %s, kernel %s, %d MiB (%s)",
		h.OS, h.Arch, h.Cores, orNone(h.CPU), orNone(h.Kernel), h.MemoryBytes>>20, h.Fingerprint)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func models(w *plan.Workload) string {
	var names []string
	for _, c := range w.Cells {
		if name := string(c.Model); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return orNone(strings.Join(names, ","))
}

func levels(w *plan.Workload) string {
	var all []int
	for _, c := range w.Cells {
		if !slices.Contains(all, c.Concurrency) {
			all = append(all, c.Concurrency)
		}
	}
	slices.Sort(all)
	return orNone(strings.Trim(strings.ReplaceAll(fmt.Sprint(all), " ", ","), "[]"))
}

// definitions returns a digest of what an op of a workload is: its entry in
// the file and the servers, without the keys that the plan has an answer to. Of
// a file that this concprof cannot read, or that need not be read, it is the
// digest of the whole file.
func definitions(r *rundir.Run, whole bool) func(workload string) string {
	if whole {
		return func(string) string { return short(r.Source) }
	}
	file, err := workload.Parse("", r.Source)
	return func(name string) string {
		if err != nil {
			return short(r.Source)
		}
		i := slices.IndexFunc(file.Workloads, func(w workload.Workload) bool { return w.Name == name })
		if i < 0 {
			return "not in the file"
		}
		w := file.Workloads[i]
		w.Measure, w.Models, w.Recommend = nil, nil, nil
		text, err := json.Marshal(struct {
			Workload workload.Workload
			Servers  map[string]workload.Server
		}{w, file.Servers})
		if err != nil {
			return short(r.Source)
		}
		return short(text)
	}
}

// short is a digest that people can compare.
func short(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}
