package cli

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/probes/workload"
)

// defaultFile is the workload file that commands look for when none is named.
const defaultFile = "workload.yaml"

// defaultRoot is the folder that runs are kept in.
const defaultRoot = ".concprof"

// latest stands for the newest run.
const latest = "latest"

// A target is what the arguments of analyze name: a run to judge again, or a
// file of workloads to run. Exactly one of run and file is set.
type target struct {
	run  string // path of a run directory, of an archive of one, or of a folder of runs
	file *workload.File
	name string // of the file or target: the folder that its runs are kept in
}

// findTarget reads the arguments of analyze. dash is the number of arguments
// before "--", -1 if there is none.
func (a *app) findTarget(args []string, dash int, root string) (target, error) {
	const hint = `name one of these:
  workload.yaml            a workload file; concprof init writes one
  ./internal/thumb.Render  a Go function of the module you stand in
  scraper:fetch            a Python callable
  -- gzip -9 -c big.log    a command, after two dashes
  latest                   a recorded run, to judge it again`
	if dash >= 0 {
		if dash > 0 {
			return target{}, usage("leave out "+args[0]+", or the command", "give either a target or a command after --")
		}
		if len(args) == 0 {
			return target{}, usage("as in: concprof analyze -- gzip -9 -c big.log", "no command after --")
		}
		file, err := workload.FromCommand(args)
		if err != nil {
			return target{}, &usageError{err: err}
		}
		return target{file: file, name: runName(file.Workloads[0].Name)}, nil
	}
	if len(args) > 1 {
		return target{}, usage("put -- before a command with arguments", "expected one target, have %d", len(args))
	}
	arg := defaultFile
	if len(args) == 1 {
		arg = args[0]
	} else if _, err := os.Stat(arg); err != nil {
		return target{}, usage(hint, "nothing to analyse: there is no %s here", defaultFile)
	}
	if arg == latest {
		return target{run: root}, nil
	}
	info, err := os.Stat(arg)
	switch {
	case isPython(arg) && (err != nil || !info.IsDir()):
		return findPython(arg)
	case err == nil && (info.IsDir() || rundir.IsArchive(arg)):
		return target{run: arg}, nil
	case strings.HasSuffix(arg, ".go"):
		return target{}, usage("name the function and not its file, as in: concprof analyze "+goFunc(filepath.Dir(arg)), "%s is a file of Go code", arg)
	case err == nil || isYAML(arg):
		file, err := workload.Load(arg)
		return target{file: file, name: runName(strings.TrimSuffix(filepath.Base(arg), filepath.Ext(arg)))}, err
	case !strings.Contains(arg, "."):
		return target{}, usage(hint, "cannot find %s", arg)
	}
	file, err := workload.FromGo(arg)
	if err != nil {
		return target{}, &usageError{err, hint}
	}
	return target{file: file, name: runName(file.Workloads[0].Name)}, nil
}

// goFunc is how a function of the Go package in a folder is named.
func goFunc(dir string) string {
	dir = filepath.ToSlash(filepath.Clean(dir))
	switch {
	case dir == ".":
		dir = "" // .Func
	case !strings.HasPrefix(dir, ".") && !filepath.IsAbs(dir):
		dir = "./" + dir
	}
	return dir + ".Func"
}

func isYAML(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".yaml" || ext == ".yml"
}

// runName turns a name into one that a run's folder may have: letters,
// digits, dots, underscores and hyphens, a letter or digit first, at most 64.
func runName(s string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, s)
	name = strings.Trim(name, ".-_")
	if name == "" {
		return "run"
	}
	return name[:min(len(name), 64)]
}
