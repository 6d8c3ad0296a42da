package analyzer

import (
	"github.com/concprof/concprof/analyzer/internal/stats"
	"github.com/concprof/concprof/probes/plan"
)

// steps judges each step of an op by itself, from the classifying trials.
func (o Options) steps(fs []plan.Finished, s scale) []Step {
	type sum struct{ wall, cpu, runnable float64 }
	var names []string
	var sums []sum
	var whole float64
	for _, f := range fs {
		for i, st := range f.Record.Steps {
			if i == len(sums) {
				sums, names = append(sums, sum{}), append(names, st.Name)
			}
			sums[i].wall += float64(st.WallNs)
			sums[i].cpu += float64(st.CPUNs)
			sums[i].runnable += float64(st.RunnableNs)
			whole += float64(st.WallNs)
		}
	}
	steps := make([]Step, 0, len(sums))
	for i, x := range sums {
		d := 0.0
		if x.wall > 0 {
			d = x.cpu / max(x.wall-x.runnable, 1)
		}
		st := Step{Name: names[i], Demand: d, Class: o.classAt(s.at(d))}
		if whole > 0 {
			st.Share = x.wall / whole
		}
		// Not on the controls' scale: the controls are measured again later, and
		// hybrid must do the same in all of its trials.
		st.Offload = len(sums) > 1 && o.classAt(d) == CPUBound
		steps = append(steps, st)
	}
	return steps
}

// scale returns the scale between the run's two controls; without both, or
// where they did not come out as what they are, demands are not rescaled.
func (v *view) scale() scale {
	cpu, wait, _, ok := v.controlDemands()
	if !ok {
		return scale{wait: 0, cpu: 1}
	}
	return scale{wait: wait, cpu: cpu}
}

// controlDemands returns the median demands of the controls, of how many trials
// of each at least, and whether both came out as what they are.
func (v *view) controlDemands() (cpu, wait float64, trials int, ok bool) {
	read := func(c plan.Control) (float64, int) {
		s := controlSlot(c, plan.ControlRun, 0)
		fs := v.controls.countedAs(s.cell, plan.ControlRun, c, v.o)
		return stats.Median(values(fs, demandOf)), len(fs)
	}
	cpu, nc := read(plan.ControlCPU)
	wait, nw := read(plan.ControlWait)
	return cpu, wait, min(nc, nw), nc > 0 && nw > 0 && cpu >= v.o.ControlCPUMin && wait <= v.o.ControlWaitMax
}
