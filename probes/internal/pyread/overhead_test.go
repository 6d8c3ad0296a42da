//go:build linux && (amd64 || arm64)

package pyread

import (
	"slices"
	"testing"
	"time"
)

// BenchmarkOverhead measures what the reader costs the program that it looks
// at: its CPU time for each round of work with the reader over that without.
// Each iteration is one pair of runs, with and without, in turn first:
//
//	go test -bench Overhead -benchtime 10x ./probes/internal/pyread
//
// It reports the median ratio, and the reader's own share of a core.
func BenchmarkOverhead(b *testing.B) {
	for _, bb := range []struct{ name, mode, argument string }{
		{"threads", "cpu", "4"},
		{"tasks", "tasks", "1000"},
	} {
		for _, python := range find() {
			if !slices.Contains(known, python.minor) {
				continue
			}
			b.Run(bb.name+"/"+python.full, func(b *testing.B) {
				const run = 2 * time.Second
				cost := func(read bool) (perRound, share float64) {
					p := start(b, python, bb.mode, bb.argument)
					if read {
						r := watch(b, p.pid, run, Options{})
						share = float64(r.Seen.ReaderCPUNs) / float64(r.Seen.WindowNs)
					} else {
						time.Sleep(run)
					}
					result := p.stop()
					return float64(result["cpu"]) / float64(max(result["rounds"], 1)), share
				}
				var ratios, shares []float64
				for i := range b.N {
					var with, without, share float64
					if i%2 == 0 {
						without, _ = cost(false)
						with, share = cost(true)
					} else {
						with, share = cost(true)
						without, _ = cost(false)
					}
					ratios, shares = append(ratios, with/without), append(shares, share)
				}
				slices.Sort(ratios)
				slices.Sort(shares)
				b.ReportMetric(ratios[len(ratios)/2], "cpu-ratio")
				b.ReportMetric(shares[len(shares)/2], "reader-share")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
