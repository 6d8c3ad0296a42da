package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/rundir"
)

// Bounds of an excerpt: the limiting line with two on either side, each cut
// where no screen is wider, from a file that may be generated but not any size.
const (
	excerptAround   = 2
	excerptWidth    = 200 // bytes of a line
	excerptMaxBytes = 8 << 20
	excerptMaxFiles = 200 // limits of a run that get one
)

// keepExcerpts reads the lines around each limit of a run that this process
// has just measured, and keeps them in the run directory: a report of the run
// shows them wherever it is made, and reads no source. root returns the folder of
// the module that a workload was built from. It is known from building it, and
// not from the run directory, which could name any folder.
func keepExcerpts(dir string, res *analyzer.Result, root func(workload string) string) error {
	var all []rundir.Excerpt
	for _, w := range res.Workloads {
		folder := root(w.Name)
		if folder == "" {
			continue // built-in, or of no module: no line of the user's
		}
		for _, l := range w.Limits {
			if l.File == "" || l.Line < 1 || len(all) == excerptMaxFiles {
				continue
			}
			e := rundir.Excerpt{Workload: w.Name, File: l.File, Line: l.Line}
			var err error
			if e.First, e.Lines, err = excerpt(folder, l); err != nil {
				e.Problem = err.Error()
			}
			all = append(all, e)
		}
	}
	if len(all) == 0 {
		return nil
	}
	res.Illustrate(all)
	return rundir.WriteExcerpts(dir, all)
}

// Why there is no excerpt.
var (
	errOutside = errors.New("outside the module")
	errNoText  = errors.New("not a text file")
)

// excerpt returns the lines around a limit and the number of the first of
// them, from a file within the module in folder. A name that leads out of it, by
// itself or through a link, is refused by os.Root.
func excerpt(folder string, l analyzer.Limit) (first int, lines []string, err error) {
	if !filepath.IsLocal(filepath.FromSlash(l.File)) {
		return 0, nil, errOutside
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return 0, nil, errors.New("the module's folder cannot be read")
	}
	defer root.Close()
	if !ofModule(root, l) {
		return 0, nil, errOutside
	}
	// Opening does not block, so that a FIFO stops nobody.
	f, err := root.OpenFile(filepath.FromSlash(l.File), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil, errors.New("the file is gone")
	case errors.Is(err, fs.ErrPermission):
		return 0, nil, errors.New("the file cannot be read")
	case err != nil:
		return 0, nil, errOutside // os.Root does not say so in a value
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return 0, nil, errors.New("not a regular file")
	}
	return linesAround(f, l.Line)
}

// linesAround reads the lines around one. The text before them must be text
// too.
func linesAround(r io.Reader, line int) (first int, lines []string, err error) {
	in := bufio.NewScanner(io.LimitReader(r, excerptMaxBytes))
	in.Buffer(make([]byte, 0, 64<<10), excerptMaxBytes)
	first = max(line-excerptAround, 1)
	n := 0
	for n < line+excerptAround && in.Scan() {
		n++
		text := in.Bytes()
		if bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) {
			return 0, nil, errNoText
		}
		if n >= first {
			lines = append(lines, cut(text))
		}
	}
	if n < line {
		return 0, nil, fmt.Errorf("the file has no line %d within its first %d MiB", line, excerptMaxBytes>>20)
	}
	return first, lines, nil
}

// cut returns a line of at most excerptWidth bytes of whole characters.
func cut(line []byte) string {
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) <= excerptWidth {
		return string(line)
	}
	n := excerptWidth
	for n > 0 && !utf8.RuneStart(line[n]) {
		n--
	}
	return string(line[:n]) + "…"
}

// ofModule reports whether a limit's function is of the module in root. Of
// files elsewhere a limit has what looks like a path within the module, as
// sync/mutex.go, which some module may have too.
func ofModule(root *os.Root, l analyzer.Limit) bool {
	if path.Ext(l.File) != ".go" {
		return true
	}
	f, err := root.Open("go.mod")
	if err != nil {
		return false
	}
	defer f.Close()
	in := bufio.NewScanner(io.LimitReader(f, 1<<20))
	for in.Scan() {
		name, ok := strings.CutPrefix(strings.TrimSpace(in.Text()), "module ")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(name, "//")
		name = strings.TrimSpace(name)
		if quoted, err := strconv.Unquote(name); err == nil {
			name = quoted
		}
		rest, ok := strings.CutPrefix(l.Function, name)
		return ok && (strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, ".")) || strings.HasPrefix(l.Function, "main.")
	}
	return false
}
