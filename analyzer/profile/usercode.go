package profile

import "strings"

// UserCode reports whether a frame is of the user's own code: not of Go's
// standard library, of a module in the module cache or a vendor folder, or of
// concprof's harness. It goes by the package's path, because builds with
// -trimpath leave no root to recognise files by. A frame of Python goes by its
// file: neither the standard library nor installed packages are the user's.
func UserCode(f Frame) bool {
	if PythonFrame(f) {
		return pythonUser(f)
	}
	pkg := packageOf(f.Function)
	first, _, _ := strings.Cut(pkg, "/")
	switch {
	case f.Function == "" || f.Function == "?" || standard[first]:
		return false
	case strings.Contains(f.File, "/pkg/mod/"), strings.Contains(f.File, "/vendor/"), strings.Contains(f.File, "@v"):
		return false
	case harness(f):
		return false
	case strings.HasPrefix(pkg, "_cgo"), strings.HasPrefix(pkg, "_Cfunc"), strings.HasPrefix(base(f.Function), "main._Cfunc"):
		return false
	case !strings.Contains(f.Function, "."):
		return false // assembly, C, pseudo-functions such as gogo and memmove
	}
	return true
}

// harness reports whether a frame is of concprof's harness.
func harness(f Frame) bool {
	pkg := packageOf(f.Function)
	return strings.HasSuffix(pkg, "concprof/probes/harness") || strings.Contains(pkg, ownPrefix)
}

// BuiltInStep reports whether a function is of concprof's harness, and returns
// the kind of the built-in step that it belongs to, "http" for
// harness.httpStep.func1; "" for what several kinds share.
func BuiltInStep(function string) (kind string, ok bool) {
	if !harness(Frame{Function: function}) {
		return "", false
	}
	_, name, _ := strings.Cut(base(function), ".")
	name, _, _ = strings.Cut(name, ".")
	kind, is := strings.CutSuffix(name, "Step")
	if !is {
		kind = ""
	}
	return kind, true
}

// innermost returns the index of the innermost frame of the user's code, -1
// if there is none.
func (o Options) innermost(frames []Frame) int {
	for i, f := range frames {
		if o.User(f) && !is(f.Function, o.Anchor) {
			return i
		}
	}
	return -1
}

// place returns the index of the frame that stands for a stack of an op in
// reports: the innermost one of the user's code; where there is none, as in
// built-in steps, the innermost of the harness; else the outermost frame that
// the op has.
func (o Options) place(frames []Frame) int {
	if i := o.innermost(frames); i >= 0 {
		return i
	}
	for i, f := range frames {
		if harness(f) && !is(f.Function, o.Anchor) {
			return i
		}
	}
	if n := len(frames); n > 1 && is(frames[n-1].Function, o.Anchor) {
		return n - 2
	}
	return len(frames) - 1
}

// standard holds the first elements of the paths of Go's standard library.
var standard = map[string]bool{
	"archive": true, "arena": true, "bufio": true, "bytes": true, "cmp": true, "compress": true, "container": true,
	"context": true, "crypto": true, "database": true, "debug": true, "embed": true, "encoding": true,
	"errors": true, "expvar": true, "flag": true, "fmt": true, "go": true, "hash": true, "html": true,
	"image": true, "index": true, "internal": true, "io": true, "iter": true, "log": true, "maps": true,
	"math": true, "mime": true, "net": true, "os": true, "path": true, "plugin": true, "reflect": true,
	"regexp": true, "runtime": true, "simd": true, "slices": true, "sort": true, "strconv": true,
	"strings": true, "structs": true, "sync": true, "syscall": true, "testing": true, "text": true,
	"time": true, "type:": true, "unicode": true, "unique": true, "unsafe": true, "vendor": true, "weak": true,
}
