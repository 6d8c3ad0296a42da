package rundir

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func files(t *testing.T, sets ...map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for _, set := range sets {
		for name, text := range set {
			path := filepath.Join(root, name)
			must(t, os.MkdirAll(filepath.Dir(path), 0o777))
			must(t, os.WriteFile(path, []byte(text), 0o666))
		}
	}
	return root
}

func TestDescribe(t *testing.T) {
	machine := map[string]string{
		"proc/cpuinfo":              "processor\t: 0\nmodel name\t: Fast CPU @ 3 GHz\nflags\t\t: fpu hypervisor sse\n\nprocessor\t: 1\nmodel name\t: other\n",
		"proc/meminfo":              "MemTotal:       16384000 kB\nMemFree: 1 kB\n",
		"proc/sys/kernel/osrelease": "6.1.0\n",
		"proc/stat":                 "cpu 1\n",
		"proc/self/schedstat":       "1 2 3\n",
	}
	tests := []struct {
		name   string
		cgroup map[string]string
		cores  int
		memory int64
	}{
		{"no cgroup", nil, 8, 16384000 << 10},
		{"version 2", map[string]string{
			"proc/self/cgroup":           "0::/a/b\n",
			"sys/fs/cgroup/a/b/cpu.max":  "150000 100000\n",
			"sys/fs/cgroup/a/memory.max": "1\n",
			"sys/fs/cgroup/memory.max":   "1073741824\n",
		}, 2, 1 << 30},
		{"version 2 without limits", map[string]string{
			"proc/self/cgroup":         "0::/\n",
			"sys/fs/cgroup/cpu.max":    "max 100000\n",
			"sys/fs/cgroup/memory.max": "max\n",
		}, 8, 16384000 << 10},
		{"version 1", map[string]string{
			"proc/self/cgroup":                               "4:memory:/x\n2:cpu,cpuacct:/x\n",
			"sys/fs/cgroup/cpu/x/cpu.cfs_quota_us":           "50000\n",
			"sys/fs/cgroup/cpu/x/cpu.cfs_period_us":          "100000\n",
			"sys/fs/cgroup/memory/x/memory.limit_in_bytes":   "536870912\n",
			"sys/fs/cgroup/memory/other/nothing-to-see-here": "",
		}, 1, 512 << 20},
		{"version 1 without limits", map[string]string{
			"proc/self/cgroup":                           "4:memory:/\n1:cpu:/\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us":         "-1\n",
			"sys/fs/cgroup/cpu/cpu.cfs_period_us":        "100000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 8, 16384000 << 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := describe(files(t, machine, tt.cgroup), 8)
			if h.CPU != "Fast CPU @ 3 GHz" || !h.Virtual || h.Kernel != "6.1.0" {
				t.Errorf("%+v", h)
			}
			if h.Cores != tt.cores || h.MemoryBytes != tt.memory {
				t.Errorf("%d cores, %d bytes; want %d, %d", h.Cores, h.MemoryBytes, tt.cores, tt.memory)
			}
			if !slices.Contains(h.Unenforced, "CPU pressure") || slices.Contains(h.Unenforced, "run-queue delay") {
				t.Errorf("unenforced: %v", h.Unenforced)
			}
		})
	}
}

func TestCurrentHostNamesNobody(t *testing.T) {
	h := CurrentHost()
	if h.Cores < 1 || len(h.Fingerprint) != 16 || h.Fingerprint != CurrentHost().Fingerprint {
		t.Errorf("%+v", h)
	}
	name, err := os.Hostname()
	if err != nil || len(name) < 4 {
		t.Skip("SKIPPED: the host has no name to leak")
	}
	if text := strings.Join(append(h.Unenforced, h.CPU, h.Kernel, h.Fingerprint), " "); strings.Contains(text, name) {
		t.Errorf("%q names the host %q", text, name)
	}
}
