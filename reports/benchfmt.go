package reports

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/concprof/concprof/analyzer"
)

// benchmarks is the result in Go's benchmark format, so that `benchstat -col
// /model` compares the models: a line per counted trial of a cell. Latency,
// CPU and memory are known per cell only and stand on each of its lines.
//
// See https://golang.org/design/14313-benchmark-format and, for the Unit lines,
// golang.org/x/perf/benchfmt.
func benchmarks(res *analyzer.Result) []byte {
	var b bytes.Buffer
	h := res.Run.Host
	for _, kv := range [][2]string{{"goos", h.OS}, {"goarch", h.Arch}, {"cpu", h.CPU}, {"run", res.Run.ID}} {
		if kv[1] != "" {
			fmt.Fprintf(&b, "%s: %s\n", kv[0], Inert(plain(kv[1])))
		}
	}
	b.WriteString("Unit op/s better=higher\n")
	for _, u := range []string{"p50-ns", "p95-ns", "p99-ns", "cpu-ns/op", "peak-rss-B"} {
		fmt.Fprintf(&b, "Unit %s better=lower\n", u)
	}
	for i := range res.Workloads {
		w := &res.Workloads[i]
		for _, c := range ordered(w) {
			if counted(c) {
				benchmark(&b, w.Name, c, max(h.Cores, 1))
			}
		}
	}
	return b.Bytes()
}

func benchmark(b *bytes.Buffer, name string, c *analyzer.Cell, cores int) {
	rates := c.Samples
	if len(rates) == 0 {
		rates = []float64{c.OpsPerSec.Median}
	}
	ops := max(c.Ops/int64(len(rates)), 1)
	for _, r := range rates {
		if r <= 0 {
			continue
		}
		fmt.Fprintf(b, "BenchmarkConcprof/workload=%s/model=%s/conc=%d-%d %d %s ns/op %s op/s",
			nameValue(name), nameValue(string(c.Model)), c.Concurrency, cores, ops, number(1e9/r), number(r))
		for _, v := range []struct {
			value float64
			unit  string
		}{
			{float64(c.Latency.P50), "p50-ns"}, {float64(c.Latency.P95), "p95-ns"}, {float64(c.Latency.P99), "p99-ns"},
			{c.CPUNsPerOp, "cpu-ns/op"}, {float64(c.PeakRSSBytes), "peak-rss-B"},
		} {
			if v.value > 0 {
				fmt.Fprintf(b, " %s %s", number(v.value), v.unit)
			}
		}
		b.WriteByte('\n')
	}
}

// number is v without an exponent, to six significant digits at least.
func number(v float64) string {
	if v >= 1e6 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	if v < 1 {
		return strconv.FormatFloat(v, 'f', 9, 64)
	}
	return strconv.FormatFloat(v, 'f', 6-min(6, len(strconv.FormatInt(int64(v), 10))), 64)
}
