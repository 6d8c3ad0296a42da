package analyzer

import (
	"fmt"
	"math"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// basePasses are the passes whose sequential trials ran the workload's ops.
var basePasses = []plan.Pass{plan.Classify, plan.Pilot, plan.Timing}

// reference returns the digest that results are compared with: that of the
// baseline's trial with the most ops. It is nil where there is none to compare
// with, and not stable where sequential disagrees with itself.
func (v *view) reference(l *load) (longest *record.Digest, stable bool) {
	if l.w.NoDigest {
		return nil, true
	}
	var digests []*record.Digest
	for _, p := range basePasses {
		for _, f := range l.counted(l.baseline(), p, v.o) {
			if d := f.Record.Digest; d != nil && d.Ops > 0 {
				digests = append(digests, d)
				if longest == nil || d.Ops > longest.Ops {
					longest = d
				}
			}
		}
	}
	for _, d := range digests {
		if agree, _ := d.Compare(longest); !agree {
			return nil, false
		}
	}
	return longest, true
}

// wrong reports whether results of a cell's trials differ from the baseline's.
// A trial in which more ops failed differs on that account, which is judged by
// itself.
func (v *view) wrong(l *load, c plan.Cell, reference *record.Digest) (string, bool) {
	f, n, wrong := v.wrongTrial(l, c, reference)
	if !wrong {
		return "", false
	}
	return fmt.Sprintf("the results of the first %d ops differ from sequential's (trial %s)", n, f.Trial.ID), true
}

// wrongTrial returns the first trial of a cell whose results differ, and over
// how many ops they were compared.
func (v *view) wrongTrial(l *load, c plan.Cell, reference *record.Digest) (plan.Finished, int64, bool) {
	if reference == nil || c == l.baseline() {
		return plan.Finished{}, 0, false
	}
	for _, p := range []plan.Pass{plan.Pilot, plan.Timing} {
		for _, f := range l.counted(c, p, v.o) {
			if f.Record.FailedOps > 0 && !v.failsLikeBaseline(l, f.Record.FailedOps, f.Record.Ops) {
				continue
			}
			if agree, n := f.Record.Digest.Compare(reference); !agree {
				return f, n, true
			}
		}
	}
	return plan.Finished{}, 0, false
}

// failures are how many of how many ops failed.
type failures struct{ failed, ops int64 }

// baseFailures counts the failures of the baseline.
func (v *view) baseFailures(l *load) failures {
	if l.memo.failures == nil {
		var n failures
		for _, p := range basePasses {
			for _, t := range l.counted(l.baseline(), p, v.o) {
				n.failed += t.Record.FailedOps
				n.ops += t.Record.Ops
			}
		}
		l.memo.failures = &n
	}
	return *l.memo.failures
}

// failsLikeBaseline reports whether so many failures are no more than the
// baseline's rate of them and chance explain.
func (v *view) failsLikeBaseline(l *load, failed, ops int64) bool {
	base := v.baseFailures(l)
	if base.ops == 0 || ops == 0 {
		return failed == 0
	}
	// The standard deviation of a difference of two binomial counts.
	expected := float64(base.failed) / float64(base.ops) * float64(ops)
	sd := math.Sqrt(expected * (1 + float64(ops)/float64(base.ops)))
	return float64(failed) <= expected+v.o.FailureSigmas*sd
}
