package plan

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/workload"
)

// MaxConcurrency is the greatest level: so many goroutines still fit into the
// memory of a small machine, and a profiled trial is capped far below.
const MaxConcurrency = 100_000

// Settings are what the command line says. A zero field, and -1 for Runs and
// Warmup, leaves the choice to the file, and then to the default.
type Settings struct {
	Models      []model.Model
	Concurrency []int
	Runs        int // -1 or 0: unset
	Warmup      int // -1: unset; 0 is none
	Budget      time.Duration
	Seed        uint64
	// Exhaustive keeps every cell until its repetitions are complete.
	Exhaustive bool
	// Race asks for a trial of every Go target under the race detector.
	Race bool
	// Cores is how many processors trials may use; 0 means as many as this
	// process may use, a container's CPU limit included.
	Cores int
	// Workloads names the workloads to run; empty means all.
	Workloads []string
	// Gate replaces the file's conditions on the verdict, unless it is empty.
	Gate []string
}

// A SettingError says that a file and the settings make no plan. Nothing ran.
type SettingError struct {
	Workload string // "" when it concerns the whole run
	Reason   string
	Hint     string
}

// Error implements error.
func (e *SettingError) Error() string {
	if e.Workload == "" {
		return e.Reason
	}
	return fmt.Sprintf("workload %q: %s", e.Workload, e.Reason)
}

// Build fixes what may be measured: the cells, in an order that depends on
// nothing but its arguments, and the bounds. The sequential cell, at
// concurrency 1, is always the first: every other one is compared with it,
// also when the list of models leaves it out.
//
// Its error is a *SettingError.
func Build(f *workload.File, s Settings) (*Plan, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	p := &Plan{Seed: cmp.Or(s.Seed, f.Measure.Seed, 1), Cores: cmp.Or(s.Cores, runtime.GOMAXPROCS(0))}
	chosen, err := choose(f, s.Workloads)
	if err != nil {
		return nil, err
	}
	for _, w := range chosen {
		built := buildWorkload(f, w, s, p.Cores)
		if err := built.affordable(len(chosen)); err != nil {
			return nil, err
		}
		p.Workloads = append(p.Workloads, built)
	}
	return p, nil
}

func (s Settings) validate() error {
	for _, n := range s.Concurrency {
		if n < 1 || n > MaxConcurrency {
			return &SettingError{Reason: fmt.Sprintf("concurrency %d is out of range", n), Hint: fmt.Sprintf("levels go from 1 to %d", MaxConcurrency)}
		}
	}
	for _, text := range s.Gate {
		if _, err := workload.ParseCondition(text); err != nil {
			return &SettingError{Reason: fmt.Sprintf("gate: %v", err), Hint: `write for instance --gate "class == io-bound" or --gate "speedup(pool) >= 4"`}
		}
	}
	switch {
	case s.Runs < -1 || s.Runs > 1000:
		return &SettingError{Reason: fmt.Sprintf("%d runs are out of range", s.Runs), Hint: "runs go from 1 to 1000"}
	case s.Warmup < -1 || s.Warmup > 100:
		return &SettingError{Reason: fmt.Sprintf("%d warmups are out of range", s.Warmup), Hint: "warmups go from 0 to 100"}
	case s.Budget < 0 || s.Budget > 24*time.Hour:
		return &SettingError{Reason: fmt.Sprintf("a budget of %v is out of range", workload.Duration(s.Budget)), Hint: "budgets go from 1s to 24h"}
	case s.Cores < 0:
		return &SettingError{Reason: fmt.Sprintf("%d cores are out of range", s.Cores)}
	}
	return nil
}

// choose returns the named workloads in the order of the file.
func choose(f *workload.File, names []string) ([]*workload.Workload, error) {
	var known []string
	for i := range f.Workloads {
		known = append(known, f.Workloads[i].Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, &SettingError{Reason: fmt.Sprintf("unknown workload %q", name), Hint: "the file has " + strings.Join(known, ", ")}
		}
	}
	var chosen []*workload.Workload
	for i := range f.Workloads {
		if w := &f.Workloads[i]; len(names) == 0 || slices.Contains(names, w.Name) {
			chosen = append(chosen, w)
		}
	}
	if len(chosen) == 0 {
		return nil, &SettingError{Reason: "there is no workload"}
	}
	return chosen, nil
}

// measure merges what is said of one workload, of all, and by default.
func measure(f *workload.File, w *workload.Workload) workload.Measure {
	own := workload.Measure{}
	if w.Measure != nil {
		own = *w.Measure
	}
	m := workload.Measure{
		Runs:        cmp.Or(own.Runs, f.Measure.Runs, workload.DefaultRuns),
		Warmup:      cmp.Or(own.Warmup, f.Measure.Warmup),
		Budget:      cmp.Or(own.Budget, f.Measure.Budget, workload.Duration(workload.DefaultBudget)),
		Timeout:     cmp.Or(own.Timeout, f.Measure.Timeout),
		Concurrency: own.Concurrency,
		Race:        own.Race || f.Measure.Race,
	}
	if m.Concurrency == nil {
		m.Concurrency = f.Measure.Concurrency
	}
	if m.Warmup == nil {
		warmup := workload.DefaultWarmup
		m.Warmup = &warmup
	}
	return m
}

func buildWorkload(f *workload.File, w *workload.Workload, s Settings, cores int) Workload {
	m := measure(f, w)
	if s.Runs > 0 {
		m.Runs = s.Runs
	}
	if s.Warmup >= 0 {
		m.Warmup = &s.Warmup
	}
	if s.Budget > 0 {
		m.Budget = workload.Duration(s.Budget)
	}
	// A trial cannot take longer than everything.
	m.Timeout = min(cmp.Or(m.Timeout, workload.Duration(workload.DefaultTimeout)), m.Budget)
	built := Workload{
		Name: w.Name, Target: w.Target(), Label: label(w), Steps: stepNames(w),
		Runs: m.Runs, Warmup: *m.Warmup, BudgetNs: int64(m.Budget), TimeoutNs: int64(m.Timeout),
		MaxOps: w.MaxOps, MaxRate: float64(w.MaxRate),
		Private: w.State == workload.Private, NoDigest: w.Digest == "none",
		Gate: slices.Clone(f.Gate), Exhaustive: s.Exhaustive,
		Race: s.Race || m.Race, Trace: w.Target().Kind == model.Go,
	}
	if len(s.Gate) > 0 {
		built.Gate = slices.Clone(s.Gate)
	}
	if w.Claim != nil {
		built.Claim = &Claim{Says: w.Claim.Says, Expect: w.Claim.Expect}
	}
	objective, constraints := f.Recommend.Objective, f.Recommend.Constraints
	if w.Recommend != nil {
		objective = cmp.Or(w.Recommend.Objective, objective)
		if w.Recommend.Constraints != nil {
			constraints = w.Recommend.Constraints
		}
	}
	usual := workload.Throughput
	if w.Load != nil {
		built.Rate, usual = float64(w.Load.Rate), workload.Latency
	}
	built.Objective = string(cmp.Or(objective, usual))
	built.Constraints = slices.Clone(constraints)

	levels, explicit := s.Concurrency, true
	if len(levels) == 0 {
		levels = m.Concurrency
	}
	if len(levels) == 0 {
		levels, explicit = workload.DefaultConcurrency(), false
	}
	levels = slices.Compact(slices.Sorted(slices.Values(levels)))
	if !explicit && !s.Exhaustive && built.Rate == 0 { // no more is done than arrives
		built.MaxLevel = MaxAdded
	}
	built.addCells(models(f, w, s), levels, explicit, cores)
	return built
}

// models returns the models to measure, the simplest first: those of the
// command line, of the workload, of the file, or all.
func models(f *workload.File, w *workload.Workload, s Settings) []model.Model {
	list := s.Models
	if len(list) == 0 {
		list = w.Models
	}
	if len(list) == 0 {
		list = f.Models
	}
	if len(list) == 0 {
		list = model.All()
	}
	sorted := slices.SortedStableFunc(slices.Values(list), func(a, b model.Model) int { return cmp.Compare(a.Rank(), b.Rank()) })
	return slices.Compact(sorted)
}

// addCells adds the baseline, then each model at each level.
func (w *Workload) addCells(models []model.Model, levels []int, explicit bool, cores int) {
	w.Cells = append(w.Cells, Cell{w.Name, model.Sequential, 1})
	w.BaselineAdded = !slices.Contains(models, model.Sequential)
	for _, m := range models {
		if m == model.Sequential {
			continue
		}
		if ok, why := m.Runs(w.Target); !ok {
			w.Skipped = append(w.Skipped, Skip{m, why})
			continue
		}
		for _, n := range levels {
			if m == model.Processes && !explicit && n > 2*cores {
				continue // each is a process with a runtime of its own
			}
			w.Cells = append(w.Cells, Cell{w.Name, m, n})
		}
	}
}

// stepNames names the steps of an op: as the file does, else by kind, numbered
// where a kind comes again.
func stepNames(w *workload.Workload) []string {
	if len(w.Steps) == 0 {
		return []string{string(w.Target().Kind)}
	}
	taken := map[string]bool{}
	for _, s := range w.Steps {
		taken[s.Name] = true
	}
	names := make([]string, 0, len(w.Steps))
	for _, s := range w.Steps {
		name := s.Name
		if name == "" {
			name = s.Kind()
			for n := 2; taken[name]; n++ {
				name = s.Kind() + "-" + strconv.Itoa(n)
			}
			taken[name] = true
		}
		names = append(names, name)
	}
	return names
}

// label says in words what an op executes.
func label(w *workload.Workload) string {
	switch {
	case w.Go != nil:
		return goLabel(w.Go)
	case w.Python != nil:
		return w.Python.Label()
	case len(w.Command) > 0:
		return strings.Join(w.Command, " ")
	}
	parts := make([]string, 0, len(w.Steps))
	for _, s := range w.Steps {
		parts = append(parts, stepLabel(s))
	}
	return strings.Join(parts, " + ")
}

// goLabel names a function as one would in Go, "./internal/thumb.Render"; of
// the package in the workload file's own folder, by its name alone.
func goLabel(g *workload.GoFunc) string {
	name := firstLine(g.Func)
	if g.Package == "." || g.Package == "./" {
		return name
	}
	return g.Package + "." + name
}

// maxLabel is how many characters of an expression a label shows: one line of
// a narrow terminal.
const maxLabel = 72

// firstLine returns the first line of an expression that says anything, with
// an ellipsis for what is left out.
func firstLine(expr string) string {
	lines := strings.Split(strings.TrimSpace(expr), "\n")
	for len(lines) > 1 && strings.HasPrefix(strings.TrimSpace(lines[0]), "//") {
		lines = lines[1:]
	}
	line := strings.TrimSpace(lines[0])
	cut := len(lines) > 1
	if r := []rune(line); len(r) > maxLabel {
		line, cut = strings.TrimSpace(string(r[:maxLabel])), true
	}
	if cut {
		return line + " …"
	}
	return line
}

func stepLabel(s workload.Step) string {
	switch {
	case s.Sleep != nil:
		return "sleep " + s.Sleep.For.String()
	case s.HTTP != nil:
		return "http " + cmp.Or(s.HTTP.Server, s.HTTP.URL) + s.HTTP.Path
	case s.TCP != nil:
		return "tcp " + cmp.Or(s.TCP.Server, s.TCP.Address)
	case s.File != nil:
		return "file " + s.File.Op
	case s.CPU != nil && s.CPU.For > 0:
		return "cpu " + s.CPU.Kind + " " + s.CPU.For.String()
	case s.CPU != nil:
		return fmt.Sprintf("cpu %s x%d", s.CPU.Kind, s.CPU.Iterations)
	case s.Alloc != nil:
		return "alloc " + s.Alloc.Bytes.String()
	case s.Lock != nil:
		return "lock " + s.Lock.For.String()
	case s.Channel != nil:
		return fmt.Sprintf("channel x%d", s.Channel.Messages)
	case len(s.Exec) > 0:
		return "exec " + strings.Join(s.Exec, " ")
	case s.Go != nil:
		return goLabel(s.Go)
	case s.Python != nil:
		return s.Python.Label()
	}
	return s.Kind()
}

// seconds rounds up to what one would write in a file.
func seconds(d time.Duration) time.Duration {
	return time.Duration(math.Ceil(d.Seconds())) * time.Second
}
