package compare

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

// Schema names the version of the JSON document that a Comparison is. Keys may
// be added to it, but none is renamed, removed or given another unit.
const Schema = "concprof-compare/1"

// A Side is one of the two runs, and what was judged of it.
type Side struct {
	Label  string // "base", "head", or what the user called it
	Run    *rundir.Run
	Result *analyzer.Result
}

// A Comparison is what two runs say of what changed from one to the other.
type Comparison struct {
	Schema string `json:"schema"`
	Base   Source `json:"base"`
	Head   Source `json:"head"`
	// Against is set if the two were measured side by side, their trials
	// interleaved: then what changed on the machine changed both.
	Against *rundir.Against `json:"against,omitempty"`
	// Alpha is the level of all tests together, and Tested how many there were.
	Alpha  float64 `json:"alpha"`
	Tested int     `json:"tested"`
	// MinTrials is how many trials a cell needs in each run to be tested.
	MinTrials int `json:"min_trials"`
	// Changed is how many cells differ.
	Changed   int        `json:"changed"`
	Workloads []Workload `json:"workloads"` // those of both runs
	// OnlyBase and OnlyHead are workloads of one run.
	OnlyBase []string `json:"only_base"`
	OnlyHead []string `json:"only_head"`
	// Differences are in how the two were measured. They are there only where
	// the comparison was forced.
	Differences []Difference       `json:"differences"`
	Warnings    []analyzer.Warning `json:"warnings"`
}

// A Source is a run as the comparison tells it.
type Source struct {
	Label   string      `json:"label"`
	ID      string      `json:"id"`
	Dir     string      `json:"dir"`
	Created time.Time   `json:"created"`
	Tool    rundir.Tool `json:"tool"`
}

// Workload is what changed of one workload.
type Workload struct {
	Name           string `json:"name"`
	Class          Change `json:"class"`
	Recommendation Change `json:"recommendation"`
	// Usual is the cell that stands for the workload: what the base recommends,
	// or sequential if it recommends nothing.
	Usual plan.Cell `json:"usual"`
	// Load is the rate at which ops arrive, nil without one. It gives the throughput,
	// so what is compared is p99, and whether the rate is held.
	Load *analyzer.Load `json:"load,omitempty"`
	// Gate are the answers to the conditions that were asked of the comparison.
	Gate []analyzer.Answer `json:"gate,omitempty"`
	// Floor is the larger noise floor of the two runs: what differs by less,
	// relative, is no difference. Where ops arrive at a rate it is of the p99s of
	// Usual or, where that does not hold it, of the first cell that does.
	Floor float64 `json:"noise_floor"`
	Cells []Cell  `json:"cells"` // measured in both runs
	// Only are cells that one run alone has numbers of.
	Only []OnlyCell `json:"only"`
}

// A Change is of something that is no number.
type Change struct {
	Base    string `json:"base"`
	Head    string `json:"head"`
	Changed bool   `json:"changed"`
	// Note says why a change may mean nothing.
	Note string `json:"note,omitempty"`
}

// A Verdict says what can be told of a cell.
type Verdict string

// The verdicts.
const (
	Same     Verdict = "indistinguishable"
	Faster   Verdict = "faster" // more ops a second or, where they arrive at a rate, a shorter p99
	Slower   Verdict = "slower"
	Untested Verdict = "untested" // too few trials or ops; Why says which
	// Of cells whose ops arrive at a rate:
	Behind  Verdict = "falls-behind"    // it held the rate in the base, and does not in the head
	Keeps   Verdict = "keeps-up"        // it holds the rate in the head, and did not in the base
	Neither Verdict = "held-by-neither" // it holds the rate in neither run, and nothing is compared
)

// BelowFloor is why a cell is not told apart whose medians differ by less than the
// noise floor.
const BelowFloor = "noise floor"

// A Cell is the throughput of one cell in both runs or, where ops arrive at a rate,
// what it made of that.
type Cell struct {
	Model       model.Model `json:"model"`
	Concurrency int         `json:"concurrency"`
	Base        Throughput  `json:"base_ops_per_sec"`
	Head        Throughput  `json:"head_ops_per_sec"`
	// Load is nil where ops do not arrive at a rate.
	Load *CellLoad `json:"load,omitempty"`
	// Change is head / base - 1, with its bootstrap interval: of ops per second, or
	// of the p99 of a cell that holds the rate in both runs.
	Change analyzer.Interval `json:"change"`
	// P is the p-value of the cell by itself, Corrected that over all cells of
	// the comparison. Both are 1 in a cell that is not tested.
	P         float64 `json:"p"`
	Corrected float64 `json:"p_corrected"`
	Verdict   Verdict `json:"verdict"`
	// Why says what keeps a cell from being told apart, "noise floor" where the
	// test alone would tell it, or from being tested.
	Why string `json:"why,omitempty"`
}

// Throughput is a median of ops per second with its interval.
type Throughput struct {
	analyzer.Quartile
	Trials int `json:"trials"`
}

// OnlyCell is a cell that one run alone has numbers of.
type OnlyCell struct {
	Model       model.Model `json:"model"`
	Concurrency int         `json:"concurrency"`
	In          string      `json:"in"`  // label of the run that has it
	Why         string      `json:"why"` // of the other
}

// The warnings of a comparison. Their IDs are a contract, as the analyzer's.
const (
	WarnForced     = "measured-differently" // forced though something differs
	WarnSameRun    = "same-run"             // a run compared with itself
	WarnIncomplete = "run-incomplete"       // one of them did not finish
	WarnControls   = "controls-failed"      // one of them had a bad day
	WarnPower      = "too-few-trials"       // no difference could be told
)

// Compare judges what changed from base to head. It returns a
// *DifferentError if the two were measured differently, unless o.Force is set.
func Compare(base, head Side, o Options) (*Comparison, error) {
	diffs := differences(base, head)
	if len(diffs) > 0 && !o.Force {
		return nil, &DifferentError{Base: base.Label, Head: head.Label, Differences: diffs}
	}
	c := &Comparison{
		Schema: Schema, Base: base.source(), Head: head.source(), Alpha: o.Alpha, MinTrials: o.MinTrials,
		Workloads: []Workload{}, OnlyBase: []string{}, OnlyHead: []string{}, Differences: diffs, Warnings: []analyzer.Warning{},
	}
	if c.Differences == nil {
		c.Differences = []Difference{}
	}
	if head.Run.Beside(base.Run) {
		c.Against = head.Run.Manifest.Against
	}
	for i := range base.Result.Workloads {
		b := &base.Result.Workloads[i]
		h := find(head.Result, b.Name)
		if h == nil {
			c.OnlyBase = append(c.OnlyBase, b.Name)
			continue
		}
		c.Workloads = append(c.Workloads, o.workload(base, head, b, h))
	}
	for i := range head.Result.Workloads {
		if name := head.Result.Workloads[i].Name; find(base.Result, name) == nil {
			c.OnlyHead = append(c.OnlyHead, name)
		}
	}
	o.test(c)
	c.doubts(base, head, o)
	return c, nil
}

// Alone is the comparison of a run with a base at which none of its workloads
// could run.
func Alone(head Side, base string, o Options) *Comparison {
	c := &Comparison{
		Schema: Schema, Base: Source{Label: base}, Head: head.source(), Against: head.Run.Manifest.Against, Alpha: o.Alpha, MinTrials: o.MinTrials,
		Workloads: []Workload{}, OnlyBase: []string{}, OnlyHead: []string{}, Differences: []Difference{}, Warnings: []analyzer.Warning{},
	}
	for i := range head.Result.Workloads {
		c.OnlyHead = append(c.OnlyHead, head.Result.Workloads[i].Name)
	}
	return c
}

func (s Side) source() Source {
	r := s.Result.Run
	return Source{Label: s.Label, ID: r.ID, Dir: r.Dir, Created: r.Created, Tool: r.Tool}
}

func find(res *analyzer.Result, name string) *analyzer.Workload {
	i := slices.IndexFunc(res.Workloads, func(w analyzer.Workload) bool { return w.Name == name })
	if i < 0 {
		return nil
	}
	return &res.Workloads[i]
}

// workload pairs what the runs say of one workload. Its cells are not tested
// yet: that takes all of them.
func (o Options) workload(base, head Side, b, h *analyzer.Workload) Workload {
	w := Workload{
		Name: b.Name, Load: cmp.Or(h.Load, b.Load), Floor: max(b.NoiseFloor, h.NoiseFloor), Cells: []Cell{}, Only: []OnlyCell{},
		Class:          Change{Base: string(b.Class), Head: string(h.Class), Changed: b.Class != h.Class},
		Recommendation: recommended(b, h),
		Usual:          plan.Cell{Workload: b.Name, Model: model.Sequential, Concurrency: 1},
	}
	if r := b.Recommendation; r != nil {
		w.Usual.Model, w.Usual.Concurrency = r.Model, r.Concurrency
	}
	if w.Load != nil {
		w.Floor = o.tailFloor(w.Usual, seed(w.Name, base, head, &analyzer.Cell{}), b, h)
	}
	if w.Class.Changed && (b.Class == analyzer.Inconclusive || h.Class == analyzer.Inconclusive) {
		w.Class.Note = "one of the runs does not decide it"
	}
	pair := func(from, to *analyzer.Workload, label string, both func(mine, other *analyzer.Cell)) {
		for i := range from.Cells {
			mine := &from.Cells[i]
			if !measured(mine) {
				continue
			}
			other := cellOf(to, mine)
			if other != nil && measured(other) {
				both(mine, other)
				continue
			}
			w.Only = append(w.Only, OnlyCell{Model: mine.Model, Concurrency: mine.Concurrency, In: label, Why: absence(other)})
		}
	}
	pair(b, h, base.Label, func(x, y *analyzer.Cell) { w.Cells = append(w.Cells, o.cell(w.Name, base, head, x, y)) })
	pair(h, b, head.Label, func(_, _ *analyzer.Cell) {})
	slices.SortStableFunc(w.Cells, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(a.Model.Rank(), b.Model.Rank()), cmp.Compare(a.Concurrency, b.Concurrency))
	})
	return w
}

// measured reports whether a cell has trials that count.
func measured(c *analyzer.Cell) bool {
	switch c.Status {
	case record.OK, record.Partial, record.Eliminated:
		return len(c.Samples) > 0 && c.OpsPerSec.Median > 0
	}
	return false
}

func cellOf(w *analyzer.Workload, c *analyzer.Cell) *analyzer.Cell {
	for i := range w.Cells {
		if x := &w.Cells[i]; x.Model == c.Model && x.Concurrency == c.Concurrency {
			return x
		}
	}
	return nil
}

// absence says why a run has no numbers of a cell.
func absence(c *analyzer.Cell) string {
	switch {
	case c == nil:
		return "not planned"
	case c.Status == record.OK || c.Reason == "":
		return string(c.Status) + ", no counted trial"
	}
	return fmt.Sprintf("%s: %s", c.Status, c.Reason)
}

// recommended tells whether the recommendation changed, and whether both runs
// would have been content with either.
func recommended(b, h *analyzer.Workload) Change {
	c := Change{Base: setup(b.Recommendation), Head: setup(h.Recommendation)}
	c.Changed = c.Base != c.Head
	if !c.Changed || b.Recommendation == nil || h.Recommendation == nil {
		return c
	}
	switch inBase, inHead := tied(b.Recommendation, h.Recommendation), tied(h.Recommendation, b.Recommendation); {
	case inBase && inHead:
		c.Note = "a tie in both runs"
	case inBase || inHead:
		c.Note = "a tie in one of the runs"
	}
	return c
}

// tied reports whether what another run recommends was a tie of r.
func tied(r, other *analyzer.Recommendation) bool {
	return slices.ContainsFunc(r.Ties, func(t analyzer.Tie) bool {
		return t.Model == other.Model && t.Concurrency == other.Concurrency
	})
}

func setup(r *analyzer.Recommendation) string {
	switch {
	case r == nil:
		return "none"
	case r.Model == model.Sequential:
		return string(r.Model)
	}
	return fmt.Sprintf("%s at %d", r.Model, r.Concurrency)
}
