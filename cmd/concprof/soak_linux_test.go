package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/rundir"
)

var (
	soakRounds = flag.Int("soak", 2, "rounds of TestSoak")
	soakSeed   = flag.Uint64("soak-seed", 1, "seed of the faults of TestSoak")
	soakState  = flag.String("soak-state", "", "file that keeps the rounds that went well, so that TestSoak goes on where it ended")
)

// A soakRound is a run of 1 ms ops under two models, with one fault.
type soakRound struct {
	*bench
	t     *testing.T
	rand  *rand.Rand
	mark  string
	tmp   string
	fault string
	cmd   *exec.Cmd
	seen  map[process]bool // all that the tool has started
}

// soakPatience bounds the waits for what has to end at once: with it a round takes
// two minutes at most, and five seconds as a rule.
const soakPatience = 30 * time.Second

// soakFaults are what is done to a run once it is under way, by name. What
// does not end the tool is followed by an interrupt.
var soakFaults = map[string]func(*soakRound){
	"killed tool":    func(r *soakRound) { r.signal(r.cmd.Process.Pid, syscall.SIGKILL) },
	"terminated":     func(r *soakRound) { r.signal(r.cmd.Process.Pid, syscall.SIGTERM) },
	"killed child":   func(r *soakRound) { r.signalOne("concprof-probe", syscall.SIGKILL) },
	"killed keeper":  func(r *soakRound) { r.signalOne("concprof-keeper", syscall.SIGKILL) },
	"stopped child":  func(r *soakRound) { r.signalOne("concprof-probe", syscall.SIGSTOP) },
	"stopped keeper": func(r *soakRound) { r.signalOne("concprof-keeper", syscall.SIGSTOP) },
	"stopped tool": func(r *soakRound) {
		r.signal(r.cmd.Process.Pid, syscall.SIGSTOP)
		time.Sleep(300 * time.Millisecond) // what is tested is that it passes
		r.signal(r.cmd.Process.Pid, syscall.SIGCONT)
	},
	"full disk":      func(*soakRound) {}, // from the beginning
	"hostile output": func(*soakRound) {}, // by every op
}

// TestSoak runs rounds with a random fault in each. After each nothing of it is
// alive, no temporary file is left, its run directory opens, every trial that
// had finished is still there, also after the run went on, and no number of its
// report is an impossible one.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: it takes seconds a round")
	}
	done := soaked(t)
	for n := range *soakRounds {
		if done[n] {
			continue
		}
		t.Run(fmt.Sprintf("round %d of seed %d", n, *soakSeed), func(t *testing.T) {
			t.Parallel() // a round mostly waits; go test -parallel says how many run at once
			soak(t, n)
			if !t.Failed() {
				keepRound(t, n)
			}
		})
	}
}

// keepRound notes that a round went well.
func keepRound(t *testing.T, n int) {
	if *soakState == "" {
		return
	}
	f, err := os.OpenFile(*soakState, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, *soakSeed, n); err != nil {
		t.Fatal(err)
	}
}

// soaked returns the rounds of this seed that went well before.
func soaked(t *testing.T) map[int]bool {
	done := map[int]bool{}
	f, err := os.Open(*soakState)
	if err != nil {
		return done
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var seed uint64
		var n int
		if _, err := fmt.Sscan(lines.Text(), &seed, &n); err == nil && seed == *soakSeed {
			done[n] = true
		}
	}
	t.Logf("%d rounds were done before", len(done))
	return done
}

func soak(t *testing.T, n int) {
	r := &soakRound{bench: newBench(t), t: t, rand: rand.New(rand.NewPCG(*soakSeed, uint64(n))), tmp: t.TempDir(), seen: map[process]bool{}}
	r.mark = fmt.Sprintf("soak-%d-%d-%d.", os.Getpid(), *soakSeed, n) // none begins another, for rounds run at once
	r.env = append(r.env, "TMPDIR="+r.tmp, "SOAK_MARK="+r.mark)
	names := make([]string, 0, len(soakFaults))
	for name := range soakFaults {
		names = append(names, name)
	}
	slices.Sort(names)
	r.fault = names[r.rand.IntN(len(names))]
	if r.fault == "full disk" {
		r.mount(t, "runs", fmt.Sprintf("size=%dk", 64+r.rand.IntN(200)))
	}
	step := "sleep: 1ms"
	if r.fault == "hostile output" {
		step = `exec: [sh, -c, 'printf "\033]52;c;aGk=\a\n::error::x\n{\"event\":\"end\",\"record\":{\"ops\":99}}\n"; echo noise >&2; [ -e stray ] || { touch stray; setsid sleep 1000 >/dev/null 2>&1 & }']`
	}
	source := "version: 1\nworkloads:\n  - name: soak\n    steps: [{" + step + "}]\n    env: [SOAK_MARK]\n"
	if err := os.WriteFile(filepath.Join(r.dir, "soak.yaml"), []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	r.begin("analyze", "soak.yaml", "-m", "sequential,pool", "-c", "1,2", "--budget", "7s", "--dir", "runs")
	after := 100*time.Millisecond + time.Duration(r.rand.Int64N(int64(3*time.Second)))
	t.Logf("%s after %v", r.fault, after)
	r.watch(after)
	soakFaults[r.fault](r)
	r.watch(500 * time.Millisecond)
	r.signal(r.cmd.Process.Pid, syscall.SIGINT)
	r.end()
	before := r.finished()

	if r.fault != "full disk" {
		r.begin("analyze", "--resume", "latest", "--dir", "runs")
		r.watch(time.Second)
		r.signal(r.cmd.Process.Pid, syscall.SIGTERM)
		r.end()
		after := r.finished()
		for id, record := range before {
			if diff := cmp.Diff(record, after[id]); diff != "" {
				t.Errorf("trial %s (-before +after it went on):\n%s", id, diff)
			}
		}
		for _, pattern := range []string{".concprof-*", "trials/*/.concprof-*", "profiles/*/.concprof-*"} {
			if left, _ := filepath.Glob(filepath.Join(r.dir, "runs", "soak", "*", pattern)); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		}
	}
}

func (r *soakRound) begin(args ...string) {
	r.t.Helper()
	r.cmd = r.command("concprof", args...)
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { r.cmd.Process.Kill() })
}

// watch notes for a time what the tool starts.
func (r *soakRound) watch(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, p := range descendants(r.cmd.Process.Pid) {
			r.seen[p] = true
		}
	}
}

func (r *soakRound) signal(pid int, s syscall.Signal) {
	if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		r.t.Error(err)
	}
}

// signalOne sends a signal to one of the tool's processes of a name, if there
// is one just then.
func (r *soakRound) signalOne(name string, s syscall.Signal) {
	for _, p := range descendants(r.cmd.Process.Pid) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
		if strings.HasPrefix(string(line), name+"\x00") {
			r.signal(p.pid, s)
			return
		}
	}
}

// end waits for the tool, then for all that it started, and looks for what
// must not be left.
func (r *soakRound) end() {
	r.t.Helper()
	hangs := time.AfterFunc(soakPatience, func() {
		r.t.Errorf("concprof did not end within %v of a signal", soakPatience)
		r.cmd.Process.Kill() //nolint:errcheck // it may have ended just now
	})
	r.cmd.Wait() //nolint:errcheck // any end will do
	hangs.Stop()
	patience := time.Now().Add(soakPatience)
	for {
		left := marked(r.mark)
		for p := range r.seen {
			if now, ok := processOf(p.pid); ok && now.begun == p.begun {
				left = append(left, p.pid)
			}
		}
		if len(left) == 0 {
			break
		}
		if time.Now().After(patience) {
			r.t.Fatalf("processes %v are left", left)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if files, err := os.ReadDir(r.tmp); err != nil || len(files) > 0 {
		r.t.Errorf("temporary files %v are left, %v", files, err)
	}
}

// finished opens the run and its report and returns the trials that have
// finished, as they are in the journal.
func (r *soakRound) finished() map[string]string {
	r.t.Helper()
	dir := filepath.Join(r.dir, "runs", "soak")
	if runs, err := filepath.Glob(filepath.Join(dir, "*", "manifest.json")); err != nil || len(runs) == 0 {
		return nil // it ended before there was a run
	}
	run, err := rundir.Open(dir)
	if err != nil {
		r.t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range run.Finished {
		data, err := json.Marshal(f)
		if err != nil {
			r.t.Fatal(err)
		}
		all[f.Trial.ID] = string(data)
	}
	r.checkReport(run)
	r.t.Logf("%d trials have finished", len(all))
	return all
}

// checkReport judges the run and holds every number of it against what cannot
// be otherwise: an op sleeps for 1 ms, at most as many ops are in flight as the
// cell says, and a cell has no more trials than have finished under it.
func (r *soakRound) checkReport(run *rundir.Run) {
	r.t.Helper()
	code, stdout, stderr := r.concprof(r.t, "report", "latest", "--dir", "runs", "--format", "json")
	var verdict struct {
		Workloads []struct {
			Class string `json:"class"`
			Cells []struct {
				Model       string `json:"model"`
				Concurrency int    `json:"concurrency"`
				Trials      int    `json:"trials"`
				OpsPerSec   struct {
					Median, Low, High float64
				} `json:"ops_per_sec"`
				Latency struct{ P50, P95, P99 int64 } `json:"latency_ns"`
			} `json:"cells"`
		} `json:"workloads"`
	}
	if err := json.Unmarshal([]byte(stdout), &verdict); err != nil || code != 0 && code != 1 && code != 4 {
		r.t.Errorf("report: exit code %d, %v:\n%s", code, err, stderr)
	}
	finished := map[string]int{}
	for _, f := range run.Finished {
		if f.Record.Status == record.OK {
			finished[fmt.Sprint(f.Trial.Cell.Model, f.Trial.Cell.Concurrency)]++
		}
	}
	opTime := time.Millisecond
	if r.fault == "hostile output" {
		opTime = 100 * time.Microsecond // a shell has to start
	}
	for _, w := range verdict.Workloads {
		if r.fault != "hostile output" && w.Class == "cpu-bound" {
			r.t.Errorf("a sleep is called %s", w.Class)
		}
		for _, c := range w.Cells {
			most := float64(max(c.Concurrency, 1)) * float64(time.Second/opTime)
			if most *= 1.001; c.OpsPerSec.Low > c.OpsPerSec.High || c.OpsPerSec.Median > most || c.OpsPerSec.High > most || c.OpsPerSec.Low < 0 {
				r.t.Errorf("%s at %d: %+v ops/s, more than %g or out of order", c.Model, c.Concurrency, c.OpsPerSec, most)
			}
			if c.Latency.P50 != 0 && c.Latency.P50 < int64(opTime)*98/100 {
				r.t.Errorf("%s at %d: p50 of %d ns", c.Model, c.Concurrency, c.Latency.P50)
			}
			if n := finished[fmt.Sprint(c.Model, c.Concurrency)]; c.Trials > n {
				r.t.Errorf("%s at %d: %d trials, %d have finished", c.Model, c.Concurrency, c.Trials, n)
			}
		}
	}
}
