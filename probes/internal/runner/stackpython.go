package runner

import (
	"regexp"
	"strings"

	"github.com/concprof/concprof/probes/record"
)

// pythonFrame is a frame in a dump of faulthandler, which begins with the
// innermost one.
var pythonFrame = regexp.MustCompile(`^  File "(.+)", line (\d+) in (.+)$`)

// pythonUserFrame returns the innermost frame of the user's code, as "function
// file:line", in what Python's faulthandler printed before the end: of the
// thread that crashed, else of the first thread that has any. It returns ""
// if there is none. Files below dir are named relative to it.
func pythonUserFrame(stderr []byte, dir string) string {
	var first string
	for _, thread := range pythonThreads(string(stderr)) {
		for _, line := range thread {
			m := pythonFrame.FindStringSubmatch(line)
			if m == nil || foreignPython(m[1]) {
				continue
			}
			frame := clip(m[3]+" "+strings.TrimPrefix(m[1], strings.TrimSuffix(dir, "/")+"/")+":"+m[2], 1024)
			if strings.HasPrefix(thread[0], "Current thread ") {
				return frame
			}
			if first == "" {
				first = frame
			}
			break
		}
	}
	return first
}

// pythonThreads splits a dump into its threads' lines.
func pythonThreads(text string) [][]string {
	var all [][]string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasSuffix(line, "(most recent call first):"):
			all = append(all, []string{line})
		case len(all) > 0:
			all[len(all)-1] = append(all[len(all)-1], line)
		}
	}
	return all
}

// foreignPython reports whether a file is the probe, the standard library or
// an installed package rather than the user's.
func foreignPython(file string) bool {
	return strings.HasPrefix(file, "<frozen ") || record.PythonProbe(file) || strings.Contains(file, "/concprof-build-") ||
		strings.Contains(file, "/site-packages/") || strings.Contains(file, "/dist-packages/") || libFolder.MatchString(file)
}

// libFolder is where an interpreter keeps its standard library.
var libFolder = regexp.MustCompile(`/lib(64)?/(python|pypy)\d+\.\d+t?/`)
