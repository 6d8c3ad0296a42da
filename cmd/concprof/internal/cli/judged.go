package cli

import (
	"fmt"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/compare"
	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// A judged is a run and its verdict. Of a run that was measured against
// another revision it has what is said of that too.
type judged struct {
	run *rundir.Run
	res *analyzer.Result
	// base is the other revision's run, nil if there is none.
	base *compare.Side
	// comparison is of the two, nil if the run was measured by itself.
	comparison *compare.Comparison
}

// headLabel is what the user's own tree is called in a comparison.
const headLabel = "this tree"

// judgeAll judges a run and its base, and compares them.
func judgeAll(run *rundir.Run) (*judged, error) {
	res, err := judge(run)
	if err != nil {
		return nil, err
	}
	j := &judged{run: run, res: res}
	a := run.Manifest.Against
	if a == nil || a.Side != rundir.SideHead {
		return j, nil
	}
	base, err := run.OpenBase()
	if err != nil {
		return nil, err
	}
	head := compare.Side{Label: headLabel, Run: run, Result: res}
	label := baseLabel(a)
	if base == nil {
		j.comparison = compare.Alone(head, label, compare.DefaultOptions())
		j.comparison.Settle(res)
		return j, nil
	}
	j.base = &compare.Side{Label: label, Run: base}
	if j.base.Result, err = judge(base); err != nil {
		return nil, err
	}
	// Whatever differs in how they were measured is told, and withholds nothing.
	options := compare.DefaultOptions()
	options.Force = true
	j.comparison, err = compare.Compare(*j.base, head, options)
	if err != nil {
		return nil, fmt.Errorf("compare %s with its base: %w", run.Path, err)
	}
	j.comparison.Settle(res)
	return j, nil
}

// maxLabel is how many characters of a revision stand in a table.
const maxLabel = 32

// baseLabel is what the other revision is called: as the user did, unless that
// is long or a commit.
func baseLabel(a *rundir.Against) string {
	if a.Revision == a.Commit || len(a.Revision) > maxLabel {
		return shortCommit(a.Commit)
	}
	return a.Revision
}

// shortCommit is a commit as people tell them apart.
func shortCommit(commit string) string { return commit[:min(len(commit), 12)] }

// ask answers the conditions of the flags, if there are any, instead of those
// that the run began with.
func (j *judged) ask(o *gateOptions) error {
	if len(o.gates) == 0 {
		return nil
	}
	if j.comparison == nil {
		if err := needBaseline(o.gates, "compare two runs instead, or measure against a revision: concprof analyze --against main"); err != nil {
			return err
		}
	}
	if err := j.res.Ask(o.gates); err != nil {
		return err
	}
	if j.comparison != nil {
		j.comparison.Settle(j.res)
	}
	return nil
}

// needBaseline refuses conditions that only a comparison answers.
func needBaseline(gates []string, hint string) error {
	for _, text := range gates {
		if c, err := workload.ParseCondition(text); err == nil && c.Subject == workload.SubjectRegression {
			return usage(hint, "gate %s: there is no baseline to compare with", c)
		}
	}
	return nil
}

// again says how to complete a run.
func (j *judged) again() string {
	if a := j.run.Manifest.Against; a != nil {
		return "measure both again, for what is interleaved is not resumed: concprof analyze --against " + printable(a.Revision)
	}
	if j.run.IsArchive() {
		return "an archive is not resumed: finish the run that it was made of, and make it again"
	}
	return "to finish it: concprof analyze --resume " + j.run.Path
}
