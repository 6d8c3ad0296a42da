package cli

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/workload"
)

// gateOptions are conditions on the verdict: they decide the exit code.
type gateOptions struct{ gates []string }

// AddFlags adds --gate.
func (o *gateOptions) AddFlags(fs *pflag.FlagSet) {
	fs.StringArrayVar(&o.gates, "gate", nil, "`condition` on the verdict of each workload, such as \"speedup(pool) >= 4\"; repeatable, instead of the file's gate")
}

// Validate reports conditions that cannot be read, before anything runs.
func (o *gateOptions) Validate() error {
	for _, text := range o.gates {
		if _, err := workload.ParseCondition(text); err != nil {
			return usage(`as in --gate "class == io-bound"`, "--gate %s: %v", text, err)
		}
	}
	return nil
}

// A gateError says that a condition on the verdict was not met, or could not
// be decided.
type gateError struct {
	message, hint string
	code          int
}

func (e *gateError) Error() string   { return e.message }
func (e *gateError) exitCode() int   { return e.code }
func (e *gateError) hints() []string { return nonEmpty(e.hint) }

// gateErrors returns the error of conditions that are not met, and that of
// those which are undecided; nil where there are none.
func gateErrors(res *analyzer.Result) (notMet, undecided error) {
	var unmet, open []string
	hint := ""
	for i := range res.Workloads {
		w := &res.Workloads[i]
		for _, a := range w.Gate {
			switch a.Outcome {
			case analyzer.NotMet:
				unmet = append(unmet, fmt.Sprintf("%s: %s, found %s", w.Name, a.Condition, a.Found))
			case analyzer.Undecided:
				open = append(open, fmt.Sprintf("%s: %s, %s", w.Name, a.Condition, a.Why))
				if hint == "" && w.Settle != "" {
					hint = "to settle it: " + w.Settle
				}
			}
		}
	}
	if len(unmet) > 0 {
		notMet = &gateError{message: count(len(unmet), "gate") + " not met: " + some(unmet), code: exitGate}
	}
	if len(open) > 0 {
		undecided = &gateError{message: count(len(open), "gate") + " undecided: " + some(open), hint: hint, code: exitInconclusive}
	}
	return notMet, undecided
}
