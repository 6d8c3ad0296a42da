package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes"
)

// TestMain lets the test binary be the keeper that tries for a PID namespace.
func TestMain(m *testing.M) {
	probes.Main()
	os.Exit(m.Run())
}

func missing(string) (string, error) { return "", errors.New("not found") }

// fake makes a host whose /proc and /sys hold only the given files.
func fake(t *testing.T, files map[string]string) Host {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Host{Root: root, LookPath: missing, Thresholds: DefaultThresholds()}
}

// governors are the files of a host whose cores have these, in their order.
func governors(of ...string) map[string]string {
	files := make(map[string]string)
	for i, g := range of {
		files[fmt.Sprintf("sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", i)] = g + "\n"
	}
	return files
}

func TestFiles(t *testing.T) {
	tests := []struct {
		name   string
		files  map[string]string
		check  func(Host) Check
		status Status
		find   string
	}{
		{"run queue", map[string]string{"proc/self/schedstat": "123 45 6\n"}, Host.runQueue, OK, "schedstat"},
		{"no run queue", nil, Host.runQueue, Warn, "looks like waiting for I/O"},
		{"run queue of a kernel without it", map[string]string{"proc/self/schedstat": "0"}, Host.runQueue, Warn, ""},
		{"pressure", map[string]string{"proc/pressure/cpu": "some avg10=1.00\nfull avg10=0.00"}, Host.pressure, OK, "in 1.00 % of the last 10 s"},
		{"no pressure", nil, Host.pressure, Warn, "not recorded"},
		{"no quota", map[string]string{"sys/fs/cgroup/cpu.max": "max 100000"}, Host.quota, OK, "none"},
		{"half a core", map[string]string{"proc/self/cgroup": "0::/box\n", "sys/fs/cgroup/box/cpu.max": "50000 100000"}, Host.quota, Warn, "0.50 of"},
		{"unreadable quota", map[string]string{"sys/fs/cgroup/cpu.max": "x y"}, Host.quota, OK, "no limit"},
		{"throttling", map[string]string{"proc/self/cgroup": "0::/box\n", "sys/fs/cgroup/box/cpu.stat": "usage_usec 9\nthrottled_usec 42\n"}, Host.throttling, OK, "box/cpu.stat: 42 us so far"},
		{"throttling of version 1", map[string]string{"proc/self/cgroup": "5:cpu,cpuacct:/box\n0::/\n", "sys/fs/cgroup/cpu/cpu.stat": "throttled_time 42\n"}, Host.throttling, OK, "/sys/fs/cgroup/cpu/cpu.stat: 42 ns so far"},
		{"throttling without a quota", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.stat": "usage_usec 9\n"}, Host.throttling, OK, "none so far"},
		{"no throttling", map[string]string{"proc/self/cgroup": "0::/\n"}, Host.throttling, Warn, "no cpu.stat"},
		{"steady clock", governors("performance", "performance"), Host.governor, OK, "performance"},
		{"clock follows the load", governors("powersave", "powersave"), Host.governor, Warn, "powersave: the clock"},
		{"cores differ", governors("powersave", "performance"), Host.governor, Warn, "differ: performance, powersave"},
		{"no governor", nil, Host.governor, OK, "not readable"},
		{"no group", nil, Host.memoryLimit, OK, "watching"},
		{"perf", map[string]string{"proc/sys/kernel/perf_event_paranoid": "3"}, Host.perf, OK, "is 3"},
		{"no graphviz", nil, Host.graphviz, OK, "not needed"},
		{"no git", nil, func(h Host) Check { return h.git(context.Background()) }, Warn, "--against cannot"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.check(fake(t, tt.files))
			if c.Status != tt.status || !strings.Contains(c.Finding, tt.find) {
				t.Errorf("%+v, want %s with %q", c, tt.status, tt.find)
			}
			if c.Status == Warn && c.Remedy == "" {
				t.Error("a warning without a remedy")
			}
		})
	}
}

func TestStat(t *testing.T) {
	h := fake(t, map[string]string{"proc/stat": "cpu  100 10 50 800 20 5 5 10 7 0\ncpu0 1 1\n"})
	got, err := h.stat()
	if want := (ticks{busy: 170, steal: 10, total: 1000}); err != nil || got != want {
		t.Errorf("stat = %+v, %v; want %+v", got, err, want)
	}
	for _, text := range []string{"", "cpu 1 2", "intr 1 2 3 4 5 6 7 8 9", "cpu 1 2 3 4 5 6 7 x"} {
		if _, err := fake(t, map[string]string{"proc/stat": text}).stat(); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// TestPython covers what is said of the interpreters that there are.
func TestPython(t *testing.T) {
	interpreter := func(version, path string, notes ...string) *probes.Interpreter {
		i := &probes.Interpreter{}
		i.Implementation, i.Version, i.Path, i.Found, i.Notes = "cpython", version, path, "PATH", notes
		return i
	}
	a, b := interpreter("3.11.2", "/usr/bin/python3"), interpreter("3.10.1", "/opt/python3", "CPython 3.10.1: clocks only")
	tests := []struct {
		name  string
		first *probes.Interpreter
		all   []*probes.Interpreter
		err   error
		want  []Check
	}{
		{"one", a, []*probes.Interpreter{a}, nil, []Check{{Name: "python", Status: OK, Finding: "CPython 3.11.2 (/usr/bin/python3, by PATH)"}}},
		{"others", a, []*probes.Interpreter{a, b}, nil, []Check{
			{Name: "python", Status: OK, Finding: "CPython 3.11.2 (/usr/bin/python3, by PATH)"},
			{Name: "python-others", Status: OK, Finding: "CPython 3.10.1 (/opt/python3, by PATH), clocks only"},
		}},
		{"one that is not read", b, []*probes.Interpreter{b}, nil, []Check{
			{Name: "python", Status: Warn, Finding: "CPython 3.10.1 (/opt/python3, by PATH), clocks only"},
		}},
		{"none", nil, nil, errors.New("no Python found\nhint: install it"), []Check{
			{Name: "python", Status: Warn, Finding: "no Python found: Python callables cannot be analysed"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := Host{Interpreters: func(context.Context) (*probes.Interpreter, []*probes.Interpreter, error) {
				return tt.first, tt.all, tt.err
			}}
			got := h.python(t.Context())
			for i := range got {
				if (got[i].Status == Warn) != (got[i].Remedy != "") {
					t.Errorf("%+v: a remedy goes with a warning", got[i])
				}
				got[i].Remedy = ""
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestThisHost runs every check for real: what they find differs, but each
// has a name of its own and each warning a remedy.
func TestThisHost(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range This().Checks(t.Context()) {
		if c.Name == "" || seen[c.Name] || c.Finding == "" || c.Status == Warn && c.Remedy == "" {
			t.Errorf("%+v", c)
		}
		seen[c.Name] = true
		t.Logf("%-4s %-16s %s", c.Status, c.Name, c.Finding)
	}
	if len(seen) < 12 {
		t.Errorf("%d checks only", len(seen))
	}
}
