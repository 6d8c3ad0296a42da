package bench

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/concprof/concprof/probes/model"
)

// An Overhead is what an empty op costs under an executor and in the loop that
// one would write by hand.
type Overhead struct {
	Name  string  `json:"name"`  // "pool", "3.11.7/pool"
	Ratio float64 `json:"ratio"` // of the two
	Extra float64 `json:"extra"` // the difference, ns an op
}

// Overheads are those of the executors of each kind of target.
type Overheads map[model.Kind][]Overhead

// overheadKey is that of the build: executors are part of it.
func (b *bench) overheadKey() string { return "overhead " + b.build }

// overheadStep runs the benchmarks that compare executors with loops by hand,
// in the repository's root.
func (b *bench) overheadStep() step {
	return step{
		what:  "executors beside loops by hand",
		takes: 2 * time.Minute,
		known: func() bool { _, ok := b.overheads.values[b.overheadKey()]; return ok },
		do: func(ctx context.Context) error {
			all := make(Overheads)
			for kind, in := range map[model.Kind][]string{
				model.Go:     {"-count", "5", "./probes/harness"},
				model.Python: {"-count", "1", "./probes/internal/python"}, // every interpreter that is there
			} {
				args := append([]string{"test", "-run", "^$", "-bench", "^BenchmarkOverhead$", "-benchtime", "1x"}, in...)
				out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
				if err != nil {
					return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
				}
				all[kind] = overheadsIn(string(out))
			}
			return b.overheads.put(b.overheadKey(), all)
		},
	}
}

// overheadsIn reads Go's benchmark format: the medians of each name.
func overheadsIn(text string) []Overhead {
	ratios, extras := make(map[string][]float64), make(map[string][]float64)
	var names []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "BenchmarkOverhead/") {
			continue
		}
		name := strings.TrimPrefix(f[0], "BenchmarkOverhead/")
		if at := strings.LastIndexByte(name, '-'); at > 0 {
			if _, err := strconv.Atoi(name[at+1:]); err == nil { // GOMAXPROCS
				name = name[:at]
			}
		}
		got := make(map[string]float64)
		for i := 2; i+1 < len(f); i += 2 {
			if v, err := strconv.ParseFloat(f[i], 64); err == nil {
				got[f[i+1]] = v
			}
		}
		if got["ratio"] <= 0 {
			continue
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		extra, told := got["ns/extra"]
		if !told {
			extra = got["ns/harness-op"] - got["ns/hand-op"]
		}
		ratios[name] = append(ratios[name], got["ratio"])
		extras[name] = append(extras[name], extra)
	}
	var os []Overhead
	for _, name := range names {
		os = append(os, Overhead{name, median(ratios[name]), median(extras[name])})
	}
	return os
}

// executors judges the models that hand ops over by the worst ratio. The loop
// of sequential hands nothing over, and beside a bare call of an empty function
// every ratio is large: it is judged by the time that it adds to an op.
func executors(all Overheads, kinds []model.Kind) (ratio, extra row) {
	ratio = row{"executors' time for an empty op, of loops by hand: the worst", fmt.Sprintf("at most %.2f", maxOverhead), "", "no data"}
	extra = row{"what sequential adds to an op: the worst", fmt.Sprintf("at most %v", time.Duration(maxExtra)), "", "no data"}
	var worst, most Overhead
	for _, kind := range kinds {
		for _, o := range all[kind] {
			switch sequential := strings.Contains(o.Name, string(model.Sequential)); {
			case sequential && o.Extra > most.Extra:
				most = o
			case !sequential && o.Ratio > worst.Ratio:
				worst = o
			}
		}
	}
	if worst.Name != "" {
		ratio.measured, ratio.verdict = fmt.Sprintf("%.2f (%s)", worst.Ratio, worst.Name), judged(worst.Ratio <= maxOverhead)
	}
	if most.Name != "" {
		extra.measured, extra.verdict = fmt.Sprintf("%v (%s)", time.Duration(most.Extra).Round(10), most.Name), judged(most.Extra <= maxExtra)
	}
	return ratio, extra
}
