package reports

import (
	"fmt"
	"io"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/analyzer/profile/foreign"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/reports/internal/export"
)

// ExportFormat names a format of another tool.
type ExportFormat string

// The formats. The first four are of profiles, the others of a whole run.
const (
	ExportPprof      ExportFormat = "pprof"
	ExportFolded     ExportFormat = "folded"
	ExportSpeedscope ExportFormat = "speedscope"
	ExportPstats     ExportFormat = "pstats"
	ExportBenchfmt   ExportFormat = "benchfmt"
	// ExportBenchmarkAction and ExportBenchmarkActionSmaller are what
	// github-action-benchmark reads with its tools customBiggerIsBetter and
	// customSmallerIsBetter.
	ExportBenchmarkAction        ExportFormat = "github-action-benchmark"
	ExportBenchmarkActionSmaller ExportFormat = "github-action-benchmark-smaller"
	ExportSARIF                  ExportFormat = "sarif"
	ExportChromeTrace            ExportFormat = "chrome-trace"
)

// Exports returns every format.
func Exports() []ExportFormat {
	return []ExportFormat{
		ExportPprof, ExportFolded, ExportSpeedscope, ExportPstats,
		ExportBenchfmt, ExportBenchmarkAction, ExportBenchmarkActionSmaller, ExportSARIF, ExportChromeTrace,
	}
}

// ParseExport returns the format of that name.
func ParseExport(s string) (ExportFormat, error) {
	names := make([]string, 0, len(Exports()))
	for _, f := range Exports() {
		if string(f) == s {
			return f, nil
		}
		names = append(names, string(f))
	}
	return "", fmt.Errorf("unknown format %q: want one of %s", s, strings.Join(names, ", "))
}

// OfProfiles reports whether f is a format of profiles, not of a whole run.
func (f ExportFormat) OfProfiles() bool {
	switch f {
	case ExportPprof, ExportFolded, ExportSpeedscope, ExportPstats:
		return true
	}
	return false
}

// Binary reports whether f is no text.
func (f ExportFormat) Binary() bool { return f == ExportPprof || f == ExportPstats }

// A Selection says what of a run to export. Its zero value leaves the choice:
// the recommended cell, else sequential; all workloads where the format holds
// several.
type Selection struct {
	Workload    string
	Model       model.Model
	Concurrency int
	Kind        record.ProfileKind
	PerOp       bool
}

// A SelectionError says that a run does not have what was selected, and what
// it has.
type SelectionError struct{ Message, Hint string }

func (e *SelectionError) Error() string { return e.Message }

func notThere(hint, format string, args ...any) error {
	return &SelectionError{fmt.Sprintf(format, args...), hint}
}

// An Export is something chosen to be written in a format.
type Export struct {
	// What says in words what was chosen, "fetch, pool at 64, wall time".
	What  string
	write func(io.Writer) error
}

// Write writes the export. The same export gives the same bytes.
func (e *Export) Write(w io.Writer) error { return e.write(w) }

// NewExport chooses what to export of a run. It returns a *SelectionError if
// the run has no such thing.
func NewExport(res *analyzer.Result, f ExportFormat, s Selection) (*Export, error) {
	workloads, err := selected(res, s.Workload)
	if err != nil {
		return nil, err
	}
	if f.OfProfiles() {
		if f == ExportSpeedscope {
			return exportAll(res, workloads, s)
		}
		return exportOne(res, workloads, f, s)
	}
	if s.Model != "" || s.Concurrency != 0 || s.Kind != "" || s.PerOp {
		return nil, notThere("of a run, --workload alone can be chosen", "%s is of a whole run, not of one profile", f)
	}
	part := *res
	part.Workloads = workloads
	e := &Export{What: plural(int64(len(workloads)), "workload")}
	var out []byte
	switch f {
	case ExportBenchfmt:
		out = benchmarks(&part)
	case ExportBenchmarkAction:
		out, err = benchmarkAction(&part, true)
	case ExportBenchmarkActionSmaller:
		out, err = benchmarkAction(&part, false)
	case ExportSARIF:
		e.What = plural(int64(limitsOf(workloads)), "limit") + " of " + e.What
		out, err = sarif(&part)
	case ExportChromeTrace:
		e.What = "the time line of " + e.What
		out, err = chromeTrace(&part)
	default:
		_, err = ParseExport(string(f))
	}
	if err != nil {
		return nil, err
	}
	e.write = func(w io.Writer) error {
		_, err := w.Write(out)
		return err
	}
	return e, nil
}

// NewForeignExport exports a profile that another program made. It knows no
// models and no ops, so that only formats of profiles can have it.
func NewForeignExport(p *foreign.Profile, name string, f ExportFormat) (*Export, error) {
	data := p.Data
	col := 0
	for i, t := range data.SampleType {
		if t.Type == data.DefaultSampleType {
			col = i
		}
	}
	v := export.View{Name: profile.CleanName(name), Profile: data, Column: col}
	e := &Export{What: p.Note}
	switch f {
	case ExportPprof:
		e.write = func(w io.Writer) error { return profile.Write(w, portable(data)) }
	case ExportFolded:
		e.write = func(w io.Writer) error { return export.Folded(w, v) }
	case ExportSpeedscope:
		e.write = func(w io.Writer) error {
			return export.Speedscope(w, v.Name+" ("+p.Note+")", exporter, []export.View{v}, 0)
		}
	default:
		return nil, notThere("choose pprof, folded or speedscope", "%s needs a run of concprof, and this is a profile %s", f, strings.SplitN(p.Note, ":", 2)[0])
	}
	return e, nil
}

// exporter names what wrote a file, without a version: the same run gives the
// same bytes.
const exporter = "concprof"
