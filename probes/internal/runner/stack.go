package runner

import (
	"regexp"
	"strings"
)

// A crash is what a Go program printed about its own end.
type crash struct {
	// reason is the first line, "panic: boom", "fatal error: stack overflow".
	reason string
	// signal is set when the operating system sent one, "SIGSEGV".
	signal string
	frame  string
}

var (
	crashLine  = regexp.MustCompile(`^(panic: |fatal error: |runtime: goroutine stack exceeds|SIG[A-Z]+: )`)
	signalLine = regexp.MustCompile(`^(?:\[signal |)(SIG[A-Z]+): `)
	frameLine  = regexp.MustCompile(`^\t(.+:\d+)(?: \+0x[0-9a-f]+.*)?$`)
)

// parseCrash looks for the end of a Go program in what it printed on standard
// error. It reports false if there is none. Files below dir are named relative
// to it.
func parseCrash(stderr []byte, dir string) (crash, bool) {
	lines := strings.Split(string(stderr), "\n")
	var c crash
	at := -1
	for i, line := range lines {
		if crashLine.MatchString(line) {
			at = i
			break
		}
	}
	if at < 0 {
		return c, false
	}
	c.reason = clip(strings.TrimSpace(lines[at]), 512)
	for _, line := range lines[at:min(at+6, len(lines))] {
		if strings.HasPrefix(line, "fatal error: ") && !strings.HasPrefix(c.reason, "panic: ") {
			c.reason = clip(line, 512) // more telling than the runtime's preamble
		}
		// A nil pointer is a SIGSEGV too, but one that Go made a panic of.
		if m := signalLine.FindStringSubmatch(line); m != nil && !strings.HasPrefix(c.reason, "panic: ") {
			c.signal = m[1]
		}
	}
	c.frame = userFrame(lines[at:], dir)
	return c, true
}

// userFrame returns the innermost frame of the user's code, as "function
// file:line", in the first goroutine that has any. Goroutines that run an op
// come first: in the stacks of a program that hangs, the op is what hangs.
func userFrame(lines []string, dir string) string {
	var first string
	for _, g := range goroutines(lines) {
		inOp, frame := false, ""
		for i := 0; i+1 < len(g); i++ {
			place := frameLine.FindStringSubmatch(g[i+1])
			if place == nil {
				continue
			}
			fn := function(g[i])
			inOp = inOp || strings.HasSuffix(fn, "harness.runOp")
			if frame == "" && fn != "" && !foreign(fn) && !strings.Contains(place[1], "zz_concprof") {
				frame = clip(fn+" "+strings.TrimPrefix(place[1], strings.TrimSuffix(dir, "/")+"/"), 1024)
			}
		}
		if frame != "" && inOp {
			return frame
		}
		if first == "" {
			first = frame
		}
	}
	return first
}

// goroutines splits a traceback into its goroutines' lines.
func goroutines(lines []string) [][]string {
	var all [][]string
	for _, line := range lines {
		if strings.HasPrefix(line, "goroutine ") {
			all = append(all, nil)
		}
		if n := len(all); n > 0 {
			all[n-1] = append(all[n-1], line)
		}
	}
	return all
}

// function returns the name in the first line of a frame, "" for the line
// that says where a goroutine was created.
func function(line string) string {
	if strings.HasPrefix(line, "created by ") || strings.HasPrefix(line, "goroutine ") {
		return ""
	}
	// The arguments are in the last parentheses: names may have some, too.
	if i := strings.LastIndexByte(line, '('); i > 0 {
		return line[:i]
	}
	return line
}

// foreign reports whether a function belongs to the standard library or to
// the harness rather than to the user.
func foreign(fn string) bool {
	pkg := fn
	slash := strings.LastIndexByte(pkg, '/')
	if dot := strings.IndexByte(pkg[slash+1:], '.'); dot >= 0 {
		pkg = pkg[:slash+1+dot]
	} else {
		return true // panic, which has no package
	}
	base := pkg[slash+1:]
	if base == "harness" || strings.Contains(pkg, "zz_concprof") || strings.HasPrefix(pkg, "github.com/concprof/concprof/") {
		return true
	}
	root, _, _ := strings.Cut(pkg, "/")
	return strings.Contains(standardRoots, " "+root+" ")
}

// standardRoots are the first elements of the import paths of the standard
// library. File names do not tell it apart: they depend on -trimpath.
const standardRoots = " archive arena bufio builtin bytes cmp compress container context crypto database debug" +
	" embed encoding errors expvar flag fmt go hash html image index internal io iter log maps math mime net os" +
	" path plugin reflect regexp runtime slices sort strconv strings structs sync syscall testing text time" +
	" unicode unique unsafe vendor weak "
