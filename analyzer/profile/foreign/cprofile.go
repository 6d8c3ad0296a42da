package foreign

import (
	"cmp"
	"fmt"
	"slices"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
)

// cprofileNote marks profiles that come from cProfile.
const cprofileNote = "from a cProfile file: call counts and times, no samples; a function's own time is exact, " +
	"the stacks are inferred: each caller's share of a callee is known, the callers' callers are taken to share alike"

// A call is a function of a cProfile table, or what one of its callers has of
// it: how often it was called, and the seconds in itself and with all that it
// called.
type call struct {
	calls    int64
	own, all float64
}

// A called is a function of the table with its callers, sorted by their
// places.
type called struct {
	at profile.Frame
	call
	callers []caller
}

type caller struct {
	of int // index in the table
	call
}

// cprofile reads what cProfile.Profile.dump_stats writes: a dict from (file,
// line, name) to (primitive calls, calls, own time, cumulative time, callers),
// where callers is a dict from such a key to (calls, primitive calls, own
// time, cumulative time). Those of the pure Python profiler are from a key to
// a number of calls (Lib/pstats.py).
func (l Limits) cprofile(data []byte) (*Profile, error) {
	v, err := l.readMarshal(data)
	if err != nil {
		return nil, err
	}
	d, ok := v.(dict)
	if !ok || len(d) == 0 {
		return nil, &SyntaxError{Kind: CProfile, What: "a table without a function"}
	}
	t := table{limits: l, index: make(map[profile.Frame]int, len(d))}
	for _, e := range d {
		if err := t.function(e); err != nil {
			return nil, err
		}
	}
	// A fixed order, whatever that of the file.
	order := make([]int, len(t.functions))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compare(t.functions[a].at, t.functions[b].at) })
	for i := range t.functions {
		slices.SortFunc(t.functions[i].callers, func(a, b caller) int {
			return compare(t.functions[a.of].at, t.functions[b.of].at)
		})
	}
	calls, wall := &pprof.ValueType{Type: "calls", Unit: "count"}, &pprof.ValueType{Type: "time", Unit: "nanoseconds"}
	b := newBuilder(l, calls, wall)
	b.starts = true
	if err := t.paths(order, b); err != nil {
		return nil, fmt.Errorf("%s file: %w", CProfile, err)
	}
	return marked(CProfile, cprofileNote, b.profile(wall, 0)), nil
}

// A table is all functions, found by their places.
type table struct {
	limits    Limits
	functions []called
	index     map[profile.Frame]int
}

func compare(a, b profile.Frame) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Function, b.Function))
}

func (t *table) fault(at profile.Frame, format string, args ...any) error {
	where := ""
	if at != (profile.Frame{}) {
		where = fmt.Sprintf("function %s (%s:%d): ", profile.CleanName(at.Function), profile.CleanFile(at.File), at.Line)
	}
	return fmt.Errorf("%s file: %s%s", CProfile, where, fmt.Sprintf(format, args...))
}

// of returns the index of the function at a place, a new one if need be.
func (t *table) of(at profile.Frame) int {
	i, ok := t.index[at]
	if !ok {
		i = len(t.functions)
		t.index[at] = i
		t.functions = append(t.functions, called{at: at})
	}
	return i
}

// function takes an entry of the table.
func (t *table) function(e entry) error {
	at, err := t.place(e.key)
	if err != nil {
		return err
	}
	v, ok := e.value.(tuple)
	if !ok || len(v) != 5 {
		return t.fault(at, "want (calls, calls, time, time, callers)")
	}
	callers, ok := v[4].(dict)
	if !ok {
		return t.fault(at, "its callers are no dict")
	}
	c, err := t.call(at, v[1], v[2], v[3])
	if err != nil {
		return err
	}
	i := t.of(at)
	if t.functions[i].calls > 0 || t.functions[i].callers != nil {
		return t.fault(at, "it is there twice")
	}
	t.functions[i].call = c
	list := make([]caller, 0, len(callers))
	for _, e := range callers {
		from, err := t.place(e.key)
		if err != nil {
			return err
		}
		var c call
		switch v := e.value.(type) {
		case int64:
			c, err = t.call(at, v, 0.0, 0.0)
		case tuple:
			if len(v) != 4 {
				return t.fault(at, "a caller without (calls, calls, time, time)")
			}
			c, err = t.call(at, v[0], v[2], v[3])
		default:
			err = t.fault(at, "a caller without numbers")
		}
		if err != nil {
			return err
		}
		list = append(list, caller{t.of(from), c})
	}
	t.functions[i].callers = list
	return nil
}

// place reads a key: (file, line, name). Built-in functions have "~" for a
// file.
func (t *table) place(key any) (profile.Frame, error) {
	v, ok := key.(tuple)
	if ok && len(v) == 3 {
		file, isText := v[0].(string)
		line, isNumber := v[1].(int64)
		name, isName := v[2].(string)
		if isText && isNumber && isName && line >= 0 {
			if file == "~" {
				file = ""
			}
			return profile.Frame{Function: name, File: file, Line: line}, nil
		}
	}
	return profile.Frame{}, t.fault(profile.Frame{}, "a key that is not (file, line, function)")
}

// call checks a count and two times in seconds.
func (t *table) call(at profile.Frame, calls, own, all any) (call, error) {
	n, ok := calls.(int64)
	if !ok || n < 0 {
		return call{}, t.fault(at, "its number of calls is not one")
	}
	c := call{calls: n}
	for _, f := range []struct {
		from any
		to   *float64
	}{{own, &c.own}, {all, &c.all}} {
		switch v := f.from.(type) {
		case float64:
			*f.to = v
		case int64: // a profile whose times are whole numbers
			*f.to = float64(v)
		default:
			return call{}, t.fault(at, "its time is no number")
		}
		// Clocks that step back have given functions times just under 0.
		if *f.to < 0 && *f.to > -1 {
			*f.to = 0
		}
		if !(*f.to >= 0 && *f.to <= t.limits.Seconds) {
			return call{}, t.fault(at, "a time of %g s", *f.to)
		}
	}
	return c, nil
}
