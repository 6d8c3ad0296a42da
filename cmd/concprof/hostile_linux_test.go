package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hostileProfiles are small files that cost much to decode, by name.
var hostileProfiles = []struct {
	name  string
	write func(w io.Writer) error
	says  string // what is said of it
}{
	{"bomb.pb.gz", func(w io.Writer) error { // 16 KB: a sample takes two bytes, of which gzip makes nearly none
		z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := z.Write([]byte{0x0a, 4, 8, 1, 16, 1}); err != nil { // a sample type
			return err
		}
		if err := repeat(z, []byte{0x12, 0}, 8_000_000); err != nil {
			return err
		}
		return z.Close()
	}, "profile has more than 200000 samples"},
	{"zeros.pb", func(w io.Writer) error { return repeat(w, []byte{0}, 1<<19) }, "neither a pprof nor a cProfile file"},
	{"labels.pb", func(w io.Writer) error { // one sample with a million labels of six bytes
		head := []byte{0x0a, 4, 8, 1, 16, 1, 0x12}
		for n := 6_000_000; ; n >>= 7 {
			if n < 0x80 {
				head = append(head, byte(n))
				break
			}
			head = append(head, byte(n&0x7f|0x80))
		}
		if _, err := w.Write(head); err != nil {
			return err
		}
		return repeat(w, []byte{0x1a, 4, 8, 1, 16, 1}, 1_000_000)
	}, "profile has more than 200000 labels"},
}

func repeat(w io.Writer, b []byte, n int) error {
	out := bufio.NewWriter(w)
	chunk := bytes.Repeat(b, 1000)
	for ; n >= 1000; n -= 1000 {
		out.Write(chunk) //nolint:errcheck // Flush says it
	}
	out.Write(bytes.Repeat(b, n)) //nolint:errcheck // as above
	return out.Flush()
}

// writeHostile writes the files into a new folder.
func writeHostile(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, h := range hostileProfiles {
		f, err := os.Create(filepath.Join(dir, h.name))
		if err == nil {
			err = h.write(f)
		}
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// cost runs a command and returns the processor time that it and what it
// started took, and the most memory that one of them had.
func cost(t testing.TB, cmd *exec.Cmd) (cpu time.Duration, rss int64, output string) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), usage.Maxrss << 10, string(out)
}

// TestHostileProfilesAreCheap holds that files which take pprof gigabytes are
// refused in a second of processor time and 128 MB, by all processes together,
// with a word on why.
func TestHostileProfilesAreCheap(t *testing.T) {
	if raceDetector {
		t.Skip("SKIPPED: the race detector takes memory of its own")
	}
	dir := writeHostile(t)
	for _, h := range hostileProfiles {
		t.Run(h.name, func(t *testing.T) {
			cmd := exec.Command(lookIn([]string{"PATH=" + searchPath(t)}, "concprof"), "export", h.name, "--to", "folded")
			cmd.Dir = dir
			cpu, rss, out := cost(t, cmd)
			if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(out, h.says) {
				t.Errorf("exit code %d, %s", code, out)
			}
			if cpu > time.Second || rss > 128<<20 {
				t.Errorf("it took %v and %d MB", cpu, rss>>20)
			}
		})
	}
}

// BenchmarkHostileProfiles holds concprof against go tool pprof -top on the
// same files, each as a command. It builds concprof first.
//
//	go test ./cmd/concprof -run '^$' -bench HostileProfiles -benchtime 1x
func BenchmarkHostileProfiles(b *testing.B) {
	dir := writeHostile(b)
	concprof := filepath.Join(dir, "concprof")
	pprof, err := exec.Command("go", "tool", "-n", "pprof").Output()
	if err != nil {
		b.Skipf("SKIPPED: no go tool pprof: %v", err)
	}
	if out, err := exec.Command("go", "build", "-o", concprof, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for _, h := range hostileProfiles {
		info, err := os.Stat(filepath.Join(dir, h.name))
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range []struct {
			name string
			args []string
		}{
			{"concprof", []string{concprof, "export", h.name, "--to", "folded"}},
			{"pprof", []string{strings.TrimSpace(string(pprof)), "-symbolize=none", "-top", h.name}},
		} {
			b.Run(fmt.Sprintf("%s,%dB/%s", h.name, info.Size(), c.name), func(b *testing.B) {
				var cpu time.Duration
				var most int64
				for b.Loop() {
					cmd := exec.Command(c.args[0], c.args[1:]...)
					cmd.Dir = dir
					one, rss, _ := cost(b, cmd)
					cpu, most = cpu+one, max(most, rss)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s")
				b.ReportMetric(float64(most)/1e6, "peak-MB")
			})
		}
	}
}
