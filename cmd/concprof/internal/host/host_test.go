package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDescribe(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"proc/cpuinfo":              "processor\t: 0\nmodel name\t: Fast CPU @ 3 GHz\nflags\t\t: fpu hypervisor sse\n\nprocessor\t: 1\nmodel name\t: other\n",
		"proc/meminfo":              "MemTotal:       16384000 kB\nMemFree: 1 kB\n",
		"proc/sys/kernel/osrelease": "6.1.0\n",
		"proc/self/schedstat":       "1 2 3\n",
		"proc/sys/kernel/hostname":  "secret-name\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h := describe(root)
	if h.CPU != "Fast CPU @ 3 GHz" || !h.Virtual || h.MemoryBytes != 16384000<<10 || h.Kernel != "6.1.0" {
		t.Errorf("%+v", h)
	}
	if len(h.Unenforced) != 1 || h.Unenforced[0] != "CPU pressure" {
		t.Errorf("unenforced: %v", h.Unenforced)
	}
	if len(h.Fingerprint) != 16 || h.Fingerprint != describe(root).Fingerprint {
		t.Errorf("fingerprint %q", h.Fingerprint)
	}
}

func TestDescribeNamesNobody(t *testing.T) {
	h := Describe()
	name, err := os.Hostname()
	if err != nil || len(name) < 4 {
		t.Skip("the host has no name to leak")
	}
	if text := strings.Join([]string{h.CPU, h.Kernel, h.Fingerprint}, " "); strings.Contains(text, name) {
		t.Errorf("%q names the host %q", text, name)
	}
}
