//go:build linux && (amd64 || arm64)

package pyread

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// peers returns the profilers and the interpreter that all of them look at:
// that of the virtual environment in $CONCPROF_PEERS, if there is one.
func peers(t *testing.T) (interpreter, []peer) {
	t.Helper()
	folder := os.Getenv("CONCPROF_PEERS")
	python := interpreter{path: filepath.Join(folder, "bin", "python")}
	full, err := exec.Command(python.path, "-c", "import platform; print(platform.python_version())").Output()
	python.full = strings.TrimSpace(string(full))
	if folder == "" || err != nil {
		python = one(t)
	}

	yappi, yappiMissing := "yappi", ""
	if version, err := exec.Command(python.path, "-c", "import yappi, importlib.metadata as m; print(m.version('yappi'))").Output(); err != nil {
		yappiMissing = "not installed"
	} else {
		yappi += " " + strings.TrimSpace(string(version))
	}
	spy, spyPath, spyMissing := "py-spy", filepath.Join(folder, "bin", "py-spy"), ""
	if version, err := exec.Command(spyPath, "--version").Output(); folder == "" || err != nil {
		spyMissing = "not installed"
	} else {
		spy = strings.TrimSpace(string(version))
		// A parent may look at its child, unless the system forbids even that.
		out, err := exec.Command(spyPath, "record", "--format", "raw", "-o", filepath.Join(t.TempDir(), "try"),
			"--", python.path, "-c", "import time; time.sleep(0.5)").CombinedOutput()
		switch {
		case err != nil && strings.Contains(strings.ToLower(string(out)), "permi"):
			spyMissing = "no permission"
		case err != nil:
			spyMissing = "does not run"
			t.Logf("py-spy: %v\n%s", err, out)
		}
	}
	plain, gil := spied(python, spyPath), spied(python, spyPath, "--gil")
	return python, []peer{
		{name: "the frame reader", threads: true, look: read(python)},
		{name: "cProfile", look: wrapped(python, "cProfile")},
		{name: yappi + ", CPU clock", missing: yappiMissing, threads: true, look: wrapped(python, "yappi")},
		{name: spy + ", by line", missing: spyMissing, threads: true, look: plain},
		{name: spy + ", by line, `--nonblocking`", missing: spyMissing, threads: true, look: spied(python, spyPath, "--nonblocking")},
		{name: spy + ", all less `--gil`", missing: spyMissing, threads: true, cost: gil,
			look: func(t *testing.T, mode, argument string) (parts, map[string]int64) {
				all, own := plain(t, mode, argument)
				with, more := gil(t, mode, argument)
				for name := range own {
					own[name] += more[name]
				}
				// What has the GIL has it whatever its line.
				return parts{with[0], with[1] + with[2], max(0, all[0]+all[1]+all[2]-with[0]-with[1]-with[2])}, own
			}},
	}
}

// bare runs the program without a profiler.
func bare(python interpreter) look {
	return func(t *testing.T, mode, argument string) (parts, map[string]int64) {
		p := start(t, python, mode, argument)
		time.Sleep(peerRun)
		return parts{}, p.stop()
	}
}

// read looks with this package's reader.
func read(python interpreter) look {
	return func(t *testing.T, mode, argument string) (parts, map[string]int64) {
		p := start(t, python, mode, argument)
		s := watch(t, p.pid, peerRun, Options{}).Seen
		return parts{float64(s.PythonNs), float64(s.NativeGILNs), float64(s.NativeNs)}, p.stop()
	}
}

// wrapped runs the program under a profiler in its interpreter, and takes the
// time of each function. What runs with the GIL is known of the functions, not
// from the profiler.
func wrapped(python interpreter, profiler string) look {
	return func(t *testing.T, mode, argument string) (parts, map[string]int64) {
		path := filepath.Join(t.TempDir(), "profile.json")
		p := begin(t, mode, exec.Command(python.path, "testdata/peers.py", profiler, path, mode, argument))
		time.Sleep(peerRun)
		own := p.stop()
		text, err := os.ReadFile(path)
		seen := map[string]float64{}
		if err == nil {
			err = json.Unmarshal(text, &seen)
		}
		if err != nil {
			t.Errorf("%s, %s: %v", profiler, mode, err)
		}
		return parts{seen["python"], seen["native_gil"], seen["native"]}, own
	}
}

// spied runs the program as a child of py-spy, and counts samples by the line
// at their leaf. What runs with the GIL is known of the lines.
func spied(python interpreter, spy string, options ...string) look {
	return func(t *testing.T, mode, argument string) (parts, map[string]int64) {
		path := filepath.Join(t.TempDir(), "raw")
		arguments := append([]string{"record", "--format", "raw", "--rate", "100", "-o", path}, options...)
		arguments = append(arguments, "--", python.path, "testdata/concprof_probe.py", mode, argument)
		p := begin(t, mode, exec.Command(spy, arguments...))
		time.Sleep(peerRun)
		own := p.stop()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("py-spy, %s: %v", mode, err)
		}
		source, err := os.ReadFile("testdata/concprof_probe.py")
		if err != nil {
			t.Fatal(err)
		}
		return count(string(text), string(source)), own
	}
}

// count adds up py-spy's raw samples, one stack with a number a line, by the
// part of the mix that the leaf belongs to; other leaves belong to none.
func count(raw, source string) (p parts) {
	part := map[string]int{}
	for i, line := range strings.Split(source, "\n") {
		place := fmt.Sprintf("mix (concprof_probe.py:%d)", i+1)
		switch strings.TrimSpace(line) {
		case "sorted(NUMBERS)":
			part[place] = 1
		case "hashlib.sha256(BLOCK)":
			part[place] = 2
		}
	}
	for line := range strings.Lines(raw) {
		stack, n := line, 0.0
		if i := strings.LastIndexByte(line, ' '); i >= 0 {
			stack = line[:i]
			fmt.Sscan(line[i:], &n)
		}
		leaf := strings.TrimPrefix(stack[strings.LastIndexByte(stack, ';')+1:], "Truth.")
		if i, ok := part[leaf]; ok {
			p[i] += n
		} else if strings.HasPrefix(leaf, "spin (") {
			p[0] += n
		}
	}
	return p
}

// TestCount: samples go to the part of the mix that their leaf belongs to.
func TestCount(t *testing.T) {
	source := "def mix():\n    spin(1)\n    sorted(NUMBERS)\n    sorted(NUMBERS)\n    hashlib.sha256(BLOCK)\n"
	raw := "loop (a.py:1);Truth.mix (concprof_probe.py:2);spin (concprof_probe.py:9) 4\n" +
		"loop (a.py:1);Truth.mix (concprof_probe.py:3) 2\n" +
		"loop (a.py:1);mix (concprof_probe.py:4) 1\n" +
		"loop (a.py:1);Truth.mix (concprof_probe.py:5) 16\n" +
		"loop (a.py:1);Truth.mix (concprof_probe.py:2) 32\n 1\n"
	if got, want := count(raw, source), (parts{4, 3, 16}); got != want {
		t.Errorf("counted %v, want %v", got, want)
	}
}
