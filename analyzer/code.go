package analyzer

import (
	"fmt"

	"github.com/concprof/concprof/probes/model"
)

// code returns lines that can be pasted, with the level that was measured.
func (j *judgement) code(c *Cell) []string {
	n := c.Concurrency
	if j.load.w.Target.Kind == model.Python {
		return j.pythonCode(c.Model, n)
	}
	if j.load.w.Target.Kind == model.Command {
		if c.Model == model.Sequential {
			return []string{"for f in *; do command \"$f\"; done"}
		}
		return []string{
			fmt.Sprintf("xargs -P %d -n 1 command < inputs", n),
			fmt.Sprintf("g.SetLimit(%d) // around exec.CommandContext(ctx, ...).Run()", n),
		}
	}
	switch c.Model {
	case model.Sequential:
		return []string{"for _, in := range inputs {", "\tif err := op(ctx, in); err != nil {", "\t\treturn err", "\t}", "}"}
	case model.Pool:
		return []string{
			"g, ctx := errgroup.WithContext(ctx) // golang.org/x/sync/errgroup",
			fmt.Sprintf("for range %d { // workers", n),
			"\tg.Go(func() error {",
			"\t\tfor in := range inputs { // a channel, closed by its sender",
			"\t\t\tif err := op(ctx, in); err != nil {",
			"\t\t\t\treturn err",
			"\t\t\t}",
			"\t\t}",
			"\t\treturn nil",
			"\t})",
			"}",
			"return g.Wait()",
		}
	case model.Goroutines:
		return limited(fmt.Sprintf("g.SetLimit(%d)", n), "\t\treturn op(ctx, in)")
	case model.EventLoop:
		return append([]string{"runtime.GOMAXPROCS(1) // one thread of Go code: of the whole process"},
			limited(fmt.Sprintf("g.SetLimit(%d)", n), "\t\treturn op(ctx, in)")...)
	case model.Threads:
		return limited(fmt.Sprintf("g.SetLimit(%d)", n), "\t\truntime.LockOSThread() // the thread ends with the goroutine", "\t\treturn op(ctx, in)")
	case model.Hybrid:
		return j.hybridCode(n)
	case model.Processes:
		return []string{
			"// each child has memory, locks and caches of its own",
			fmt.Sprintf("for i := range %d {", n),
			"\tcmd := exec.CommandContext(ctx, os.Args[0], \"-worker\", strconv.Itoa(i))",
			"\tcmd.Stdin, cmd.Stdout = shares[i], results[i] // its part of the inputs",
			"\tif err := cmd.Start(); err != nil {",
			"\t\treturn err",
			"\t}",
			"}",
		}
	}
	return nil
}

func limited(limit string, body ...string) []string {
	lines := []string{
		"g, ctx := errgroup.WithContext(ctx) // golang.org/x/sync/errgroup",
		limit,
		"for _, in := range inputs {",
		"\tg.Go(func() error {",
	}
	lines = append(lines, body...)
	return append(lines, "\t})", "}", "return g.Wait()")
}

// hybridCode puts a semaphore around the steps that are CPU-bound.
func (j *judgement) hybridCode(n int) []string {
	var body []string
	last := "in"
	for i, st := range j.out.Steps {
		call := fmt.Sprintf("\t\tv%d, err := step%d(ctx, %s) // %s", i, i+1, last, st.Name)
		if st.Offload {
			body = append(body, "\t\tcores <- struct{}{} // CPU-bound: as many at once as there are cores", call, "\t\t<-cores")
		} else {
			body = append(body, call)
		}
		body = append(body, "\t\tif err != nil {", "\t\t\treturn err", "\t\t}")
		last = fmt.Sprintf("v%d", i)
	}
	if n := len(j.out.Steps); n > 0 {
		body = append(body, fmt.Sprintf("\t\treturn use(v%d)", n-1))
	}
	return append([]string{"cores := make(chan struct{}, runtime.GOMAXPROCS(0))"}, limited(fmt.Sprintf("g.SetLimit(%d)", n), body...)...)
}
