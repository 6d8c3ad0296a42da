package harness

import (
	"math"
	"time"

	"github.com/concprof/concprof/probes/record"
)

// stepShare is the most that measuring steps one by one may add to the time
// of ops.
const stepShare = 0.02

// A stepClock measures the steps of some ops one by one.
type stepClock struct {
	sampler sampler
	thread  *threadReader
	// One reading of the clocks costs so much of their own time. It falls
	// into the step that it ends, and is taken off again.
	readWall, readCPU time.Duration
	cost              time.Duration // of all readings of an op
	sums              []record.Step

	last  threadReading
	begun time.Time
}

func newStepClock(r *threadReader, steps int) *stepClock {
	c := &stepClock{thread: r, sums: make([]record.Step, steps)}
	c.readWall, c.readCPU = math.MaxInt64, math.MaxInt64
	const rounds = 50
	for i := 0; i < rounds; i++ {
		a, b := r.read(), r.read()
		c.readWall = min(c.readWall, b.at.Sub(a.at))
		c.readCPU = min(c.readCPU, b.cpu-a.cpu)
	}
	c.cost = c.readWall * time.Duration(steps+1)
	c.sampler.fix(0)
	return c
}

// begin reads the clocks before the first step.
func (c *stepClock) begin() {
	c.last = c.thread.read()
	c.begun = c.last.at
}

// end reads the clocks after a step and adds what it took.
func (c *stepClock) end(step int) {
	now := c.thread.read()
	sum := &c.sums[step]
	sum.Ops++
	sum.WallNs += int64(max(0, now.at.Sub(c.last.at)-c.readWall))
	sum.CPUNs += int64(max(0, now.cpu-c.last.cpu-c.readCPU) + now.children - c.last.children)
	sum.RunnableNs += int64(now.runnable - c.last.runnable)
	c.last = now
}

// done tells the sampler how long the op took, until it has chosen how many
// ops to measure.
func (c *stepClock) done() {
	if !c.sampler.decided.Load() {
		c.sampler.note(c.last.at.Sub(c.begun), c.cost, stepShare)
	}
}

// steps returns the sums under the names of the steps.
func (c *stepClock) steps(built []builtStep) []record.Step {
	for i, b := range built {
		c.sums[i].Name = b.name
	}
	return c.sums
}
