//go:build linux && (amd64 || arm64)

package pyread

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var peersFlag = flag.Bool("peers", false, "compare the reader with cProfile, py-spy and yappi; takes some minutes")

const (
	peerRounds = 5
	peerRun    = 2 * time.Second
)

// A peer is a profiler in one of its modes of operation.
type peer struct {
	name    string
	missing string // why there is nothing to compare with
	threads bool   // sees threads that the program starts
	look    look
	cost    look // that the cost is measured with, if it is another
}

// A look runs the program for peerRun. It returns what the profiler gave to
// the parts of the mix, in any unit, and what the program printed.
type look func(t *testing.T, mode, argument string) (parts, map[string]int64)

// parts are those of the mix: Python, C with the GIL, C without it.
type parts [3]float64

// shares returns the parts in percent; there are none without any time.
func (p parts) shares() (parts, bool) {
	all := p[0] + p[1] + p[2]
	return parts{100 * p[0] / all, 100 * p[1] / all, 100 * p[2] / all}, all > 0
}

// off returns how far the worst share is from the other's, in points.
func (p parts) off(q parts) (worst float64) {
	for i := range p {
		worst = max(worst, math.Abs(p[i]-q[i]))
	}
	return worst
}

func truthOf(own map[string]int64) parts {
	return parts{float64(own["python"]), float64(own["native_gil"]), float64(own["native"])}
}

// TestPeers prints, as Markdown, what this reader and other profilers say of
// the mix of TestTruth, and what each costs the program. It asserts no number.
//
//	make peers
func TestPeers(t *testing.T) {
	if !*peersFlag {
		t.Skip("SKIPPED: it measures other profilers for eight minutes and asserts nothing: make peers")
	}
	python, all := peers(t)
	modes := []string{"mix_sequential", "mix_loop", "mix_pool"}
	costs := [][2]string{{"cpu", "4"}, {"tasks", "1000"}}
	seen, ratios := map[string][]parts{}, map[string][]float64{}
	// The distance from the truth of the same run, and from that of the
	// program alone, which a profiler may have changed.
	off, offAlone := map[string][]float64{}, map[string][]float64{}
	before := load()
	for round := range peerRounds {
		// Another one is the first in each round.
		turn := slices.Concat(all[round%len(all):], all[:round%len(all)])
		for _, mode := range modes {
			_, own := bare(python)(t, mode, "")
			alone, ok := truthOf(own).shares()
			if !ok {
				t.Fatalf("%s did nothing", mode)
			}
			seen[mode] = append(seen[mode], alone)
			for _, p := range turn {
				if p.missing != "" || mode == "mix_pool" && !p.threads {
					continue
				}
				got, own := p.look(t, mode, "")
				want, ok := truthOf(own).shares()
				shares, saw := got.shares()
				if !ok || !saw {
					t.Logf("%s, %s: nothing seen", p.name, mode)
					continue
				}
				seen[p.name+mode] = append(seen[p.name+mode], shares)
				off[p.name+mode] = append(off[p.name+mode], shares.off(want))
				offAlone[p.name+mode] = append(offAlone[p.name+mode], shares.off(alone))
			}
		}
		for _, c := range costs {
			perRound := map[string]float64{}
			for _, p := range slices.Insert(slices.Clone(turn), round%len(turn), peer{threads: true, look: bare(python)}) {
				if p.missing != "" || c[0] == "cpu" && !p.threads {
					continue
				}
				look := p.look
				if p.cost != nil {
					look = p.cost
				}
				_, own := look(t, c[0], c[1])
				perRound[p.name] = float64(own["cpu"]) / float64(max(own["rounds"], 1))
			}
			for name, cpu := range perRound {
				ratios[name+c[0]] = append(ratios[name+c[0]], cpu/perRound[""])
			}
		}
	}

	var b strings.Builder
	fmt.Fprintf(&b, "CPython %s, %d processors, %d rounds of %s, load %s before and %s after\n\n", python.full, runtime.NumCPU(), peerRounds, peerRun, before, load())
	b.WriteString("| profiler | sequential | event loop | pool of 8 | CPU ratio, 4 threads | CPU ratio, 1,000 tasks |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- |\n| threads' own clocks (truth)")
	for _, mode := range modes {
		b.WriteString(" | " + cell(seen[mode], nil, nil))
	}
	b.WriteString(" | 1 | 1 |\n")
	for _, p := range all {
		if p.missing != "" {
			fmt.Fprintf(&b, "| %s | %s | | | | |\n", p.name, p.missing)
			continue
		}
		b.WriteString("| " + p.name)
		for _, mode := range modes {
			b.WriteString(" | " + cell(seen[p.name+mode], off[p.name+mode], offAlone[p.name+mode]))
		}
		for _, c := range costs {
			if r := ratios[p.name+c[0]]; len(r) > 0 {
				fmt.Fprintf(&b, " | %.2f", median(r))
			} else {
				b.WriteString(" | -")
			}
		}
		b.WriteString(" |\n")
	}
	fmt.Println(b.String())
}

// cell shows medians of shares, and of how far the worst share is off.
func cell(seen []parts, off, offAlone []float64) string {
	if len(seen) == 0 {
		return "-"
	}
	var m parts
	for i := range m {
		var one []float64
		for _, s := range seen {
			one = append(one, s[i])
		}
		m[i] = median(one)
	}
	text := fmt.Sprintf("%.0f / %.0f / %.0f", m[0], m[1], m[2])
	if len(off) > 0 {
		text += fmt.Sprintf(" (%.0f, %.0f)", median(off), median(offAlone))
	}
	return text
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	return cmp.Or(first, "unknown")
}
