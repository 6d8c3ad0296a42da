package foreign

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
)

// The notes of profiles that come from Austin, by what it sampled.
const (
	austinWallNote = "from an Austin file: wall-clock time between samples of each thread"
	austinCPUNote  = "from an Austin file: time between samples of threads that were not idle"
	austinFullNote = "from an Austin file: wall-clock time between samples, and the part of it in which the thread was not idle; memory is left out"
)

// austinLine begins a sample: process, and thread with or without its
// interpreter.
var austinLine = regexp.MustCompile(`^P[0-9]+;T[0-9a-fx:]+[; ]`)

// isAustin reports whether a text is Austin's: a header of its own, or a
// sample.
func isAustin(data []byte) bool {
	return bytes.HasPrefix(data, []byte("# austin:")) || austinLine.Match(data[:min(len(data), 128)])
}

// austin reads the text that Austin writes, or that mojo2austin makes of its
// binary format: a line per sample, "P<process>;T<thread>;<file>:<function>:<line>;...",
// root first, then a space and the microseconds since the last one; in full
// mode these, whether the thread was idle, and the change of memory.
func (l Limits) austin(data []byte) (*Profile, error) {
	r := &austinReader{limits: l, mode: "wall"}
	if err := l.lines(Austin, data, r.line); err != nil {
		return nil, err
	}
	if r.b == nil || len(r.b.order) == 0 {
		return nil, fmt.Errorf("%s file: no sample in it", Austin)
	}
	main := r.b.types[0]
	period := r.interval
	if period <= 0 || period > maxTotal/1000 {
		period = 0
	}
	return marked(Austin, r.note, r.b.profile(main, 1000*period)), nil
}

type austinReader struct {
	limits   Limits
	mode     string
	interval int64 // microseconds
	note     string
	b        *builder
	metrics  int // on each line
	frames   []profile.Frame
}

func (r *austinReader) line(line string) error {
	if line[0] == '#' {
		return r.header(line)
	}
	if !austinLine.MatchString(line) {
		return fmt.Errorf("%s does not begin with a process and a thread", quote(line))
	}
	stack, number, err := lastField(line)
	if err != nil {
		return err
	}
	metrics := strings.Split(number, ",")
	if r.b == nil {
		if err := r.begin(len(metrics)); err != nil {
			return err
		}
	}
	if len(metrics) != r.metrics {
		return fmt.Errorf("%d numbers, but %d on the lines before", len(metrics), r.metrics)
	}
	us, err := strconv.ParseInt(metrics[0], 10, 64)
	if err != nil || us < 0 || us > maxTotal/1000 {
		return fmt.Errorf("%s is no time in microseconds", quote(metrics[0]))
	}
	values := []int64{1000 * us}
	if r.metrics == 3 {
		busy := 1000 * us
		switch metrics[1] {
		case "0":
		case "1":
			busy = 0
		default:
			return fmt.Errorf("%s is not whether the thread was idle, 0 or 1", quote(metrics[1]))
		}
		values = append(values, busy)
	}
	if r.frames, err = r.limits.frames(stack, r.frames[:0], austinFrame); err != nil {
		return err
	}
	return r.b.add(r.frames, values...)
}

// header takes a line of metadata, "# mode: wall".
func (r *austinReader) header(line string) error {
	key, value, _ := strings.Cut(strings.TrimPrefix(line, "# "), ":")
	value = strings.TrimSpace(value)
	switch key {
	case "mode":
		if r.mode = value; value == "memory" {
			return errors.New("a file of memory mode, which says nothing of time")
		}
	case "interval":
		r.interval, _ = strconv.ParseInt(value, 10, 64) // of display only
	}
	return nil
}

// begin fixes what the file holds, at its first sample.
func (r *austinReader) begin(metrics int) error {
	wall := &pprof.ValueType{Type: "wall", Unit: "nanoseconds"}
	cpu := &pprof.ValueType{Type: "cpu", Unit: "nanoseconds"}
	r.metrics = metrics
	switch {
	case metrics == 3:
		r.b, r.note = newBuilder(r.limits, wall, cpu), austinFullNote
	case metrics != 1:
		return fmt.Errorf("%d numbers, where one or three are", metrics)
	case r.mode == "cpu":
		r.b, r.note = newBuilder(r.limits, cpu), austinCPUNote
	default:
		r.b, r.note = newBuilder(r.limits, wall), austinWallNote
	}
	return nil
}

// austinFrame reads "file:function:line"; columns may follow the line. What is
// not of that form, as the process, the thread and ":GC:", is a name.
func austinFrame(s string) profile.Frame {
	parts := strings.Split(s, ":")
	for i := 2; i < len(parts); i++ {
		// A file may hold a colon, as on Windows: the line is the first number
		// behind a function.
		n, err := strconv.ParseInt(parts[i], 10, 32)
		if err == nil && n >= 0 && parts[i-1] != "" {
			file := strings.Join(parts[:i-1], ":")
			if file == "" {
				break
			}
			return profile.Frame{Function: parts[i-1], File: file, Line: n}
		}
	}
	return profile.Frame{Function: s}
}
