package runner

import (
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/record"
)

// raceReport is what Go 1.26's race detector writes, with another program's
// output around it.
const raceReport = `starting
==================
WARNING: DATA RACE
Write at 0x00c000012098 by goroutine 9:
  runtime.mapassign_fast64()
      /usr/local/go/src/internal/runtime/maps/runtime_fast64.go:203 +0x0
  example.com/racy.(*counter).add()
      /home/u/racy/op.go:12 +0x44
  example.com/racy/zz_concprof_harness.directInput[go.shape.int].func7()
      /home/u/racy/zz_concprof_harness/funcdirect.go:88 +0x1b
  example.com/racy/zz_concprof_harness.runOp()
      /home/u/racy/zz_concprof_harness/slot.go:80 +0x30
  example.com/racy/zz_concprof_harness.(*slot).perform()
      /home/u/racy/zz_concprof_harness/slot.go:91 +0x30

Previous read at 0x00c000012098 by goroutine 8:
  example.com/racy.Op()
      /home/u/racy/op.go:20 +0x84

Goroutine 9 (running) created at:
  example.com/racy/zz_concprof_harness.runGoroutines()
      /home/u/racy/zz_concprof_harness/goroutines.go:20 +0x11
==================
==================
WARNING: DATA RACE
Read at 0x00c000012098 by goroutine 9:
  example.com/racy.other()
      /home/u/racy/op.go:99 +0x44

Previous write at 0x00c000012098 by main goroutine:
  [failed to restore the stack]
==================
Found 7 data race(s)
`

func TestParseRaces(t *testing.T) {
	r := parseRaces([]byte(raceReport))
	if r.Found != 7 || len(r.Accesses) != 2 {
		t.Fatalf("%+v", r)
	}
	write, read := r.Accesses[0], r.Accesses[1]
	if write.What != "write" || !slices.Equal(write.Frames, []record.Frame{
		{Function: "runtime.mapassign_fast64", File: "/usr/local/go/src/internal/runtime/maps/runtime_fast64.go", Line: 203},
		{Function: "example.com/racy.(*counter).add", File: "/home/u/racy/op.go", Line: 12},
	}) {
		t.Errorf("%+v", write)
	}
	if read.What != "previous read" || !slices.Equal(read.Frames, []record.Frame{{Function: "example.com/racy.Op", File: "/home/u/racy/op.go", Line: 20}}) {
		t.Errorf("%+v", read)
	}
	for _, text := range []string{"", "\n\n", "WARNING: DATA", "Write at 0x1 by goroutine 1:\n  a()\n      b:1\n"} {
		if r := parseRaces([]byte(text)); r.Found != 0 || len(r.Accesses) != 0 {
			t.Errorf("%q: %+v", text, r)
		}
	}
	// Deep and endless stacks are bounded.
	deep := raceHeading + "\nWrite at 0x1 by goroutine 1:\n" + strings.Repeat("  f()\n      /x.go:1 +0x1\n", 1000)
	if r := parseRaces([]byte(deep)); len(r.Accesses) != 1 || len(r.Accesses[0].Frames) != record.MaxRaceFrames {
		t.Errorf("%d accesses", len(r.Accesses))
	}
}

func TestRaceEnv(t *testing.T) {
	got := raceEnv([]string{"A=1", "GORACE=halt_on_error=1", "B=2"})
	if !slices.Equal(got, []string{raceOptions, "A=1", "B=2"}) {
		t.Errorf("%v", got)
	}
}
