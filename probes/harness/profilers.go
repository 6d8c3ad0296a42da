package harness

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/concprof/concprof/probes/record"
	"github.com/felixge/fgprof"
)

// The names that the profiles get in the trial's folder.
const (
	cpuFile  = "cpu.pb.gz"
	wallFile = "wall.pb.gz"
)

const (
	// minProfileWindow is how long the profilers run at least. fgprof, which
	// samples 99 times a second, divides by zero if it is stopped before its
	// first sample; under load, the first comes late.
	minProfileWindow = 150 * time.Millisecond
	// minWallHz is the rate under which a wall profile is doubted: a sampler
	// of 99 Hz that reaches half of it was kept from running.
	minWallHz = 50
	// stopTimeout bounds the wait for a profiler to stop. Stopping the CPU
	// profile can hang (golang/go#52912); the timing is then kept without it.
	stopTimeout = 10 * time.Second
)

// profilers owns the CPU profile and fgprof of a trial.
type profilers struct {
	cpuOut, wallOut *os.File
	cpu, wall       bytes.Buffer
	began           time.Time
	cpuErr          error // why the CPU profile did not start
	stopWall        func() error
	quit            chan struct{} // ends the metronome

	once     sync.Once // they are stopped
	profiles []record.Profile
	labelled time.Duration
}

// takeProfilers takes the descriptors for the profiles.
func takeProfilers() (*profilers, error) {
	cpu, err := takeFD(record.CPUProfileFD, "CPU profile")
	if err != nil {
		return nil, err
	}
	wall, err := takeFD(record.WallProfileFD, "wall profile")
	if err != nil {
		return nil, err
	}
	return &profilers{cpuOut: cpu, wallOut: wall}, nil
}

// metronome waits until quit is closed. Every sample of fgprof sees the one
// goroutine that is parked in it, so its count is the number of samples; the
// rate in fgprof's own header is rounded.
//
//go:noinline
func metronome(quit <-chan struct{}) {
	<-quit
}

func (p *profilers) start() {
	p.quit = make(chan struct{})
	go metronome(p.quit)
	p.began = time.Now()
	p.cpuErr = pprof.StartCPUProfile(&p.cpu)
	p.stopWall = fgprof.Start(&p.wall, fgprof.FormatPprof)
}

// The profilers of a trial that does not end by itself stop before it is ended:
// by a quarter of its time, and not more than salvageLead.
const (
	salvageLead = 2 * time.Second
	salvagePart = 4
)

// salvageAt returns how long after its start a process that is ended after
// timeout stops its profilers.
func salvageAt(timeout time.Duration) time.Duration {
	lead := timeout / salvagePart
	if lead > salvageLead {
		lead = salvageLead
	}
	return timeout - lead
}

// salvage stops the profilers after a time, unless they have been stopped by
// then. If the ops are running still, that is what is known of them; if they end
// all the same, their profiles say that they are cut.
func (p *profilers) salvage(after time.Duration) {
	time.AfterFunc(after, func() {
		p.once.Do(func() {
			p.profiles, p.labelled = p.end()
			for i := range p.profiles {
				if r := &p.profiles[i]; r.Problem == "" {
					r.Problem = "stopped before the end of the ops, as the trial's time was nearly up"
				}
			}
		})
	})
}

// stop ends the profilers, writes what they saw and describes it. labelled
// is the CPU time of ops by the CPU profile.
func (p *profilers) stop() (profiles []record.Profile, labelled time.Duration) {
	p.once.Do(func() { p.profiles, p.labelled = p.end() })
	return p.profiles, p.labelled
}

func (p *profilers) end() (profiles []record.Profile, labelled time.Duration) {
	// If the ops ended sooner, the profilers watch an idle process.
	if rest := minProfileWindow - time.Since(p.began); rest > 0 {
		time.Sleep(rest)
	}
	cpu := record.Profile{Kind: record.CPUProfile, File: cpuFile}
	wall := record.Profile{Kind: record.WallProfile, File: wallFile}

	// The CPU profile stops first, or it would show fgprof writing.
	cpu.WindowNs = int64(time.Since(p.began))
	cpuErr := p.cpuErr
	if cpuErr == nil {
		cpuErr = within(stopTimeout, func() error { pprof.StopCPUProfile(); return nil })
	}
	wall.WindowNs = int64(time.Since(p.began))
	wallErr := within(stopTimeout, p.stopWall)
	close(p.quit)

	var cpuData, wallData []byte
	if cpuErr == nil {
		cpuData = p.cpu.Bytes()
		cpu.Samples, labelled, cpuErr = countCPU(cpuData)
	}
	if wallErr == nil {
		wallData = p.wall.Bytes()
		wall.Samples, wallErr = countWall(wallData)
	}
	deliver(&cpu, p.cpuOut, cpuData, cpuErr)
	deliver(&wall, p.wallOut, wallData, wallErr)
	if wall.Problem == "" && wall.AchievedHz < minWallHz {
		wall.Problem = fmt.Sprintf("sampled %.0f times a second, less than %d: what was busy then was missed", wall.AchievedHz, minWallHz)
	}
	return []record.Profile{cpu, wall}, labelled
}

// deliver writes a profile to its descriptor, or notes why there is none.
func deliver(r *record.Profile, out *os.File, data []byte, err error) {
	defer out.Close()
	if err == nil {
		_, err = out.Write(data)
	}
	if err != nil {
		r.Problem = clip(err.Error(), maxReasonBytes)
		return
	}
	r.AchievedHz = float64(r.Samples) / time.Duration(r.WindowNs).Seconds()
}

var errStopHangs = errors.New("the profiler did not stop in time")

// within calls f, which may panic or never return. After a timeout nothing
// that f writes to may be read.
func within(timeout time.Duration, f func() error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("the profiler failed: %v", v)
			}
		}()
		done <- f()
	}()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return errStopHangs
	}
}
