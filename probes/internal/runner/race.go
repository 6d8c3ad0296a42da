package runner

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/concprof/concprof/probes/record"
)

// raceOptions make the race detector report and go on, end with the program's
// own exit status, and not sleep for a second before that.
const raceOptions = "GORACE=halt_on_error=0 exitcode=0 atexit_sleep_ms=0"

// raceEnv is env with the race detector's options instead of the user's.
func raceEnv(env []string) []string {
	out := []string{raceOptions}
	for _, kv := range env {
		if !strings.HasPrefix(kv, "GORACE=") {
			out = append(out, kv)
		}
	}
	return out
}

// The lines of a report of Go's race detector (compiler-rt's
// tsan_report.cpp).
var (
	raceAccess = regexp.MustCompile(`^((?:Previous )?(?:[Aa]tomic )?(?:[Rr]ead|[Ww]rite)) at 0x[0-9a-f]+ by (?:goroutine \d+|main goroutine):$`)
	raceFound  = regexp.MustCompile(`^Found (\d+) data race\(s\)$`)
	racePlace  = regexp.MustCompile(`^      (.+):(\d+)(?: \+0x[0-9a-f]+)?$`)
)

const raceHeading = "WARNING: DATA RACE"

// parseRaces reads what the race detector wrote to standard error: how many
// races it found, and both stacks of the first.
func parseRaces(stderr []byte) *record.Race {
	race := &record.Race{}
	var stack *record.Access
	var said int64 // by the detector itself when the program ended
	ended := false // the op's part of the stack
	for _, line := range strings.Split(string(stderr), "\n") {
		line = strings.TrimRight(line, "\r")
		switch {
		case line == raceHeading:
			race.Found++
			continue
		case race.Found != 1:
		case raceAccess.MatchString(line) && len(race.Accesses) < 2:
			what := strings.ToLower(raceAccess.FindStringSubmatch(line)[1])
			race.Accesses = append(race.Accesses, record.Access{What: what, Frames: []record.Frame{}})
			stack, ended = &race.Accesses[len(race.Accesses)-1], false
			continue
		case strings.HasPrefix(line, "      ") && stack != nil && len(stack.Frames) > 0:
			if m := racePlace.FindStringSubmatch(line); m != nil && !ended {
				f := &stack.Frames[len(stack.Frames)-1]
				f.File = clip(m[1], maxText)
				f.Line, _ = strconv.Atoi(m[2])
			}
			continue
		case strings.HasPrefix(line, "  ") && stack != nil:
			function := strings.TrimSuffix(strings.TrimSpace(line), "()")
			// The harness calls the op; as the leaf it reads a result that ops share.
			own := strings.Contains(function, "zz_concprof_harness.") && len(stack.Frames) > 0
			ended = ended || own || strings.HasSuffix(function, "harness.runOp") || len(stack.Frames) == record.MaxRaceFrames
			if !ended {
				stack.Frames = append(stack.Frames, record.Frame{Function: clip(function, 256)})
			}
			continue
		default:
			stack = nil // "Goroutine 8 (running) created at:" and what follows
		}
		if m := raceFound.FindStringSubmatch(line); m != nil {
			said, _ = strconv.ParseInt(m[1], 10, 64)
		}
	}
	// The middle of a long output is not kept, and reports with it.
	race.Found = max(race.Found, said)
	return race
}
