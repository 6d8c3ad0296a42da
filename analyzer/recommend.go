package analyzer

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// A contender is a cell that may be recommended, or why it may not.
type contender struct {
	*outcome
	cell   *Cell
	score  float64 // median by the objective; more is better
	barred string
}

// recommend chooses the cell to use, or says why none can be named.
func (j *judgement) recommend() {
	if reason := j.undecidable(); reason != "" {
		j.undecided(reason)
		return
	}
	all := j.contenders()
	fit := slices.DeleteFunc(slices.Clone(all), func(c contender) bool { return c.barred != "" })
	if len(fit) == 0 {
		j.settleLoad()
		j.undecided("no cell may be recommended: " + barredWhy(all))
		return
	}
	best := fit[0]
	for _, c := range fit[1:] {
		if c.score > best.score || c.score == best.score && simpler(&c, &best) {
			best = c
		}
	}
	if reason := j.shortOf(all, best); reason != "" {
		j.undecided(reason)
		return
	}
	margin := j.margin(j.load)
	var ties []contender
	for _, c := range fit {
		switch ratio, apart := j.against(&best, &c); {
		case c.outcome == best.outcome || ratio <= 1+margin:
			ties = append(ties, c)
		case ratio <= 1+j.o.SpreadTie*margin && !j.outweighs(&best, &c):
			ties = append(ties, c)
		case !apart && c.cell.Model == model.Sequential:
			j.undecided(fmt.Sprintf("%s reads %s sequential, but the interval of that ratio contains 1: the trials spread too much to tell", setupOf(best.cell), times(ratio)))
			j.settle("%s", j.settleSpread(&best, &c))
			return
		}
	}
	pick := j.simplest(ties)
	j.choose(&pick, &best, ties, all, margin)
}

// simplest returns which of equals to use. Sequential is not among them where
// the user's models leave it out, unless there is nothing else.
func (j *judgement) simplest(ties []contender) contender {
	asked := slices.DeleteFunc(slices.Clone(ties), func(c contender) bool {
		return j.load.w.BaselineAdded && c.cell.Model == model.Sequential
	})
	if len(asked) == 0 {
		asked = ties
	}
	pick := asked[0]
	for _, c := range asked[1:] {
		if simpler(&c, &pick) {
			pick = c
		}
	}
	return pick
}

func (x *outcome) n() int { return len(x.timing) }

// undecidable returns why nothing can be recommended whatever was measured.
func (j *judgement) undecidable() string {
	if reason, ended := j.load.ended(); ended {
		j.settle("mend the op, or what it needs: one op alone must succeed before anything is measured")
		return reason
	}
	base := j.result(j.load.baseline())
	switch {
	case base == nil || len(base.shown()) == 0:
		return j.unfinished(base)
	case base.n() < j.o.MinReps:
		j.settle("%s", j.settleReps(base))
		return fmt.Sprintf("the baseline needs %d trials, it has %d", j.o.MinReps, base.n())
	}
	if s := j.noisy(j.noise); s != "" {
		return s
	}
	if f := max(j.out.NoiseFloor, j.scoreFloor(j.load)); f > j.o.MaxFloor && !j.load.open() {
		j.settle("a quieter machine, or longer trials from a larger budget: the noise floor must come below %.0f %%", 100*j.o.MaxFloor)
		return fmt.Sprintf("sequential differs from itself by up to %.0f %%, which hides the differences between models", 100*f)
	}
	return ""
}

// unfinished says why no trial of the baseline counts, and what to mend.
func (j *judgement) unfinished(base *outcome) string {
	if base == nil || len(base.broken) == 0 {
		j.settle("a larger budget, so that sequential is run")
		return "no trial of sequential, which the others are compared with, was run"
	}
	b := &base.broken[len(base.broken)-1]
	what, mend := "", "mend what fails"
	switch s := brokenStatus(&b.Record); s {
	case record.Failed, record.Crashed:
		what = string(s)
	case record.TimedOut:
		what, mend = "timed out", "an op that ends, or a longer timeout (measure: timeout)"
	case record.NoResult:
		what, mend = "gave no result", "an op that returns to its caller: it must not end the process"
	case record.MemoryLimit:
		what, mend = "passed the memory limit", "an op that needs less memory, or a higher limit (limits: memory)"
	default:
		what = "ended as " + string(s)
	}
	j.settle("%s; its output is in trials/%s", mend, b.Trial.ID)
	return fmt.Sprintf("every trial of sequential %s: %s", what, j.o.reasonOf(&b.Record))
}

func (j *judgement) result(c plan.Cell) *outcome {
	for i := range j.results {
		if j.results[i].cell == c {
			return &j.results[i]
		}
	}
	return nil
}

// settleReps says what budget would give a cell its repetitions.
func (j *judgement) settleReps(x *outcome) string {
	missing := int64(j.o.MinReps - x.n())
	// Both this cell and the one it is compared with need them.
	budget := j.load.w.BudgetNs + 2*missing*j.trialCost(x)
	return fmt.Sprintf("need %d trials, have %d: a budget of about %s would settle it", j.o.MinReps, x.n(), setting(budget))
}

// trialCost is what one more timing trial of a cell costs, in ns.
func (j *judgement) trialCost(x *outcome) int64 {
	per := j.overhead(j.load, false)
	if r := j.rateOf(j.load, x.cell); r > 0 {
		ops := int64(x.cell.Concurrency)
		if t, ok := j.load.planned[x.cell]; ok {
			ops = t.Ops
		}
		per += j.lasts(j.load, ops, r)
	}
	return per
}

// settleSpread says how many trials and what budget would tell two cells
// apart. An interval narrows with the square root of the trials, so as many
// times more are needed as half its width is of the difference, squared.
func (j *judgement) settleSpread(a, b *contender) string {
	in := j.ratio(a, b)
	n := max(min(a.n(), b.n()), 1)
	times := (in.High - in.Low) / 2 / max(in.Value-1, 1e-3)
	need := max(int(math.Ceil(float64(n)*times*times)), n+1)
	budget := j.load.w.BudgetNs + int64(need-n)*(j.trialCost(a.outcome)+j.trialCost(b.outcome))
	return fmt.Sprintf("the difference is %.0f %%, known to %.0f points either way from %d trials: about %d of each would tell (--runs %d, a budget of about %s), or a quieter machine",
		100*(in.Value-1), 100*(in.High-in.Low)/2, n, need, need, setting(budget))
}

// settle adds what would settle what is undecided.
func (j *judgement) settle(format string, args ...any) {
	if j.out.Settle != "" {
		j.out.Settle += "; "
	}
	j.out.Settle += fmt.Sprintf(format, args...)
}

func (j *judgement) undecided(why string) {
	j.out.Recommendation = nil
	j.out.Undecided = why
	if s := j.noisy(j.noise); s != "" && j.noise.ControlTrials > 0 {
		j.settle("a machine on which nothing else runs: %s", s)
	}
	j.say(ofMeasurement, "no recommendation: %s", why)
}

// contenders returns all cells with trials, and why some may not win.
func (j *judgement) contenders() []contender {
	limits := j.constraints()
	cleanOK := hasStatus(j.out.Cells, record.OK)
	var cs []contender
	for i := range j.results {
		x, cell := &j.results[i], &j.out.Cells[i]
		if len(x.shown()) == 0 {
			continue
		}
		c := contender{outcome: x, cell: cell, score: stats.Median(x.scores)}
		if x.n() == 0 && j.load.open() && j.objective() == string(workload.Latency) {
			c.score = 0 // a pilot is too short for a p99, and its median is no better one
		}
		switch {
		case cell.Status == record.WrongResult:
			c.barred = "its results differ from sequential's"
		case j.load.racy() && sharesRaces(x.cell):
			c.barred = "its ops share memory, and the race detector found data races"
		// A baseline of which a trial broke is still what others are held against.
		case cell.Status == record.Partial && cleanOK && x.cell != j.load.baseline():
			c.barred = "not all of its trials finished"
		case cell.Status == record.Eliminated && !apart(cell.Model):
			c.barred = "it was eliminated: " + cell.Reason
		case cell.Status != record.OK && cell.Status != record.Partial && cell.Status != record.Eliminated:
			c.barred = string(cell.Status) + ": " + cell.Reason
		case !j.failsLikeBaseline(j.load, cell.FailedOps, cell.Ops):
			c.barred = fmt.Sprintf("%d of %d ops failed, more than under sequential", cell.FailedOps, cell.Ops)
		case cell.Model == model.EventLoop && j.load.w.Target.Kind != model.Python && j.stall() > j.o.LoopStall:
			c.barred = fmt.Sprintf("%.0f %% of an op's time is in blocking calls, which would stall a true event loop", 100*j.stall())
		case apart(cell.Model) && !j.load.w.Private:
			who := "children"
			if cell.Model == model.Subinterpreters {
				who = "interpreters"
			}
			c.barred = who + " share no state, and the workload does not declare state: private"
		case cell.Status == record.Eliminated:
			c.barred = "it was eliminated: " + cell.Reason
		case j.untold(cell) != "":
			c.barred = j.untold(cell)
		default:
			c.barred, _ = unmet(limits, cell)
		}
		if c.barred == "" && x.n() < j.o.MinReps {
			c.barred = fmt.Sprintf("it needs %d trials and has %d", j.o.MinReps, x.n())
		}
		cs = append(cs, c)
	}
	return cs
}

// barredWhy names the first few reasons, those of cells that were measured to the
// end before those of cells that were eliminated.
func barredWhy(cs []contender) string {
	cs = slices.Clone(cs)
	slices.SortStableFunc(cs, func(a, b contender) int {
		return btoi(a.cell.Status == record.Eliminated) - btoi(b.cell.Status == record.Eliminated)
	})
	var parts []string
	seen := make(map[string]bool)
	for _, c := range cs {
		if !seen[c.barred] && len(parts) < 4 {
			seen[c.barred] = true
			parts = append(parts, setupOf(c.cell)+": "+c.barred)
		}
	}
	return strings.Join(parts, "; ")
}

// shortOf returns a doubt about the best cell: another one may be better, but
// has too few trials to say so.
func (j *judgement) shortOf(all []contender, best contender) string {
	margin := j.margin(j.load)
	for _, c := range all {
		open := c.cell.Status == record.OK && c.n() < j.o.MinReps && strings.HasPrefix(c.barred, "it needs")
		if open && c.score > best.score*(1+margin) {
			j.settle("%s", j.settleReps(c.outcome))
			return fmt.Sprintf("%s reads %s the best cell that has its %d trials, but has only %d", setupOf(c.cell), times(c.score/best.score), j.o.MinReps, c.n())
		}
	}
	return ""
}

// against returns how much better a scores than b, and whether the interval
// of that ratio lies wholly above 1.
func (j *judgement) against(a, b *contender) (ratio float64, apart bool) {
	in := j.ratio(a, b)
	return in.Value, in.Level > 0 && in.Low > 1
}

// ratio is how much better a scores than b. There is one draw for each pair of
// cells: what else was measured does not matter.
func (j *judgement) ratio(a, b *contender) stats.Interval {
	return j.bootstrap("tie "+a.outcome.cell.String()+" "+b.outcome.cell.String()).Ratio(a.scores, b.scores)
}

// simpler reports whether a should be used rather than b if both are equally
// good: the simpler model, then the lower concurrency.
func simpler(a, b *contender) bool {
	return cmp.Or(
		cmp.Compare(a.cell.Model.Rank(), b.cell.Model.Rank()),
		cmp.Compare(a.cell.Concurrency, b.cell.Concurrency),
	) < 0
}

// choose writes the recommendation.
func (j *judgement) choose(pick, best *contender, ties, all []contender, margin float64) {
	r := &Recommendation{Model: pick.cell.Model, Concurrency: pick.cell.Concurrency, Speedup: pick.cell.Speedup, Ties: []Tie{}}
	slices.SortFunc(ties, func(a, b contender) int {
		return cmp.Or(-cmp.Compare(a.score, b.score), cmp.Compare(a.cell.Model.Rank(), b.cell.Model.Rank()), cmp.Compare(a.cell.Concurrency, b.cell.Concurrency))
	})
	for _, c := range ties {
		if c.outcome != pick.outcome {
			r.Ties = append(r.Ties, Tie{Model: c.cell.Model, Concurrency: c.cell.Concurrency, Ratio: c.score / best.score})
		}
	}
	why := func(format string, args ...any) { r.Why = append(r.Why, fmt.Sprintf(format, args...)) }
	objective := j.objective()
	switch {
	case pick.cell.Model == model.Sequential && pick.outcome == best.outcome:
		why("by %s no model is better than sequential", objective)
	case pick.cell.Model == model.Sequential:
		why("by %s the best, %s, is %.1f %% better than sequential, %s",
			objective, setupOf(best.cell), 100*(best.score/pick.score-1), j.toldTie(best, pick, margin))
	case j.load.open(): // told below
	default:
		why("it reaches %s the throughput of sequential (%s to %s at %.0f %%, %d trials each)",
			times(r.Speedup.Value), times(r.Speedup.Low), times(r.Speedup.High), 100*r.Speedup.Level, r.Speedup.N)
	}
	if j.load.open() {
		why("%s", j.held(pick.cell))
	}
	if pick.outcome != best.outcome && pick.cell.Model != model.Sequential {
		why("%s reads %.1f %% better, %s; of equals the simplest model and the lowest concurrency win",
			setupOf(best.cell), 100*(best.score/pick.score-1), j.toldTie(best, pick, margin))
	}
	if pick.cell.Model != model.Sequential && slices.ContainsFunc(ties, func(c contender) bool { return c.cell.Model == model.Sequential }) {
		why("no model beats running sequentially, which is only the baseline here: models leaves it out")
	}
	for _, c := range betterButBarred(all, best.score*(1+margin)) {
		in := ""
		if c.n() == 0 {
			in = " in its pilot, one trial,"
		}
		why("%s reads%s %s of it, but %s", setupOf(c.cell), in, times(c.score/pick.score), c.barred)
		// One trial shows only what is far better.
		told := c.n() > 0 || c.score > best.score*j.o.PilotFactor
		r.Barred = r.Barred || told
		if told && j.undeclared(&c) && !j.load.open() {
			// Of those that are as good the lowest concurrency.
			for _, x := range all {
				if x.cell.Model == c.cell.Model && x.n() > 0 && j.undeclared(&x) && x.cell.Concurrency < c.cell.Concurrency && x.score*(1+margin) >= c.score {
					c = x
				}
			}
			b := Better{Model: c.cell.Model, Concurrency: c.cell.Concurrency, Speedup: c.cell.Speedup, Declare: "state: private"}
			if base := j.result(j.load.baseline()); b.Speedup.Value == 0 && base.rate() > 0 {
				b.Speedup.Value = c.outcome.rate() / base.rate()
				b.Speedup.Low, b.Speedup.High = b.Speedup.Value, b.Speedup.Value
			}
			r.Better = append(r.Better, b)
			own := "its own locks and caches"
			if j.load.hasGIL() {
				own = "an interpreter with a GIL, locks and caches of its own"
			}
			j.warnOnce(WarnSemantics, "declare state: private if ops need not share memory, locks or caches",
				"%s reads %s of what is recommended, because each worker has %s: that changes semantics", setupOf(c.cell), times(c.score/pick.score), own)
		}
	}
	r.Code = j.code(pick.cell)
	if len(r.Better) > 0 && j.load.w.Target.Kind == model.Python {
		b := r.Better[0]
		r.Code = append(r.Code, "", fmt.Sprintf("# %s, once ops share nothing (%s):", times(b.Speedup.Value), b.Declare))
		r.Code = append(r.Code, j.pythonCode(b.Model, b.Concurrency)...)
	}
	j.out.Recommendation = r
	j.out.Undecided = ""
	j.sameOnBothSides(r)
}

// undeclared reports whether a cell is barred only because the workload does
// not declare that its ops share no state.
func (j *judgement) undeclared(c *contender) bool {
	switch c.cell.Status {
	case record.OK, record.Partial, record.Eliminated:
		return apart(c.cell.Model) && !j.load.w.Private && j.failsLikeBaseline(j.load, c.cell.FailedOps, c.cell.Ops)
	}
	return false
}

// objective is what the recommendation is chosen by.
func (j *judgement) objective() string {
	return cmp.Or(j.load.w.Objective, string(workload.Throughput))
}

// betterButBarred returns, of each model, the best cell that scores more than
// what is needed but may not be recommended, the simplest model first.
func betterButBarred(all []contender, more float64) []contender {
	byModel := make(map[model.Model]contender)
	for _, c := range all {
		if c.barred != "" && c.score > more && c.score > byModel[c.cell.Model].score {
			byModel[c.cell.Model] = c
		}
	}
	var cs []contender
	for _, m := range model.All() {
		if c, ok := byModel[m]; ok {
			cs = append(cs, c)
		}
	}
	return cs
}

// setupOf names a cell in words.
func setupOf(c *Cell) string {
	if c.Model == model.Sequential {
		return string(c.Model)
	}
	return fmt.Sprintf("%s at %d", c.Model, c.Concurrency)
}
