package reports

import (
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/rundir"
)

// TestWhatTheHostLacks: facts of the host are said once in each report, beside the
// host and not among the doubts about a verdict.
func TestWhatTheHostLacks(t *testing.T) {
	const what, why = "memory limits by the kernel", "no cgroup"
	for _, tt := range []struct {
		name   string
		format Format
		o      Options
		beside string
		why    int // how often the reason is said
	}{
		{"text", Text, Options{Width: 100}, "\nlacks  ", 0},
		{"verbose", Text, Options{Width: 100, Verbose: true}, "\nlacks  ", 1},
		{"markdown", Markdown, Options{}, "<br>It lacks: ", 0},
		{"html", HTML, Options{}, "<dt>Host lacks</dt><dd>", 1},
		{"json", JSON, Options{}, `"unenforced": [`, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := fixture(t, "io")
			res.Run.Host.Unenforced = []string{what + " (" + why + ")"}
			out := string(render(t, tt.format, res, tt.o))
			if strings.Count(out, what) != 1 || strings.Count(out, why) != tt.why {
				t.Errorf("%q is said %d times, its reason %d times:\n%s", what, strings.Count(out, what), strings.Count(out, why), out)
			}
			_, rest, found := strings.Cut(out, tt.beside)
			if found = found && strings.HasPrefix(strings.TrimLeft(rest, " \n\""), what); !found {
				t.Errorf("it does not follow %q:\n%s", tt.beside, out)
			}
			res.Run.Host.Unenforced = nil
			if out := string(render(t, tt.format, res, tt.o)); strings.Contains(out, tt.beside) {
				t.Errorf("%q without anything that lacks", tt.beside)
			}
		})
	}
}

// TestForeignCPUUnknown: a share that nobody measured is not 0.
func TestForeignCPUUnknown(t *testing.T) {
	res := fixture(t, "io")
	res.Run.Host.Unenforced = []string{rundir.ForeignCPU}
	if s := noiseLine(&res.Run); strings.Contains(s, "of the cores") || !strings.Contains(s, "was not measured") {
		t.Error(s)
	}
}
