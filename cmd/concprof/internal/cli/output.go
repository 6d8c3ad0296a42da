package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/reports"
)

// outputOptions say in which format a report goes where.
type outputOptions struct {
	format  formatFlag
	output  string
	reports []string
	// anonymous leaves out who measured what and where.
	anonymous bool
}

// AddFlags adds --format and --output.
func (o *outputOptions) AddFlags(fs *pflag.FlagSet) {
	fs.VarP(&o.format, "format", "f", "format of the report: "+strings.Join(formatNames(), ", ")+" (default by the extension of --output, else text)")
	fs.StringVarP(&o.output, "output", "o", "", "write the report to a `file` instead of standard output (\"-\")")
	fs.StringArrayVar(&o.reports, "report", nil, "write one more report to a `file`, in the format of its extension; repeatable")
	fs.BoolVar(&o.anonymous, "anonymous", false, "leave out of reports the host, the command, folders, addresses, package paths, results and messages of errors")
}

// Validate reports files whose format is not known, before anything runs.
func (o *outputOptions) Validate() error {
	for _, name := range o.reports {
		if _, err := reports.FromExtension(name); err != nil {
			return usage("give the file one of these extensions", "--report %s: %v", name, err)
		}
		if err := writable(name); err != nil {
			return err
		}
	}
	if o.output == "" || o.output == "-" {
		return nil
	}
	if o.format == "" {
		if _, err := reports.FromExtension(o.output); err != nil {
			return usage("add --format to choose one", "--output %s: %v", o.output, err)
		}
	}
	return writable(o.output)
}

// writable refuses a file in a folder that is not there: an hour of measuring
// should not end with that.
func writable(name string) error {
	if _, err := os.Stat(filepath.Dir(name)); errors.Is(err, fs.ErrNotExist) {
		return usage("make it first: mkdir -p "+filepath.Dir(name), "cannot write %s: there is no folder %s", name, filepath.Dir(name))
	}
	return nil
}

// write writes the report to where the flags say. Files first, so that the
// text, which people read, comes last.
func (o *outputOptions) write(a *app, j *judged) error {
	if o.anonymous {
		hidden := *j
		hidden.res, hidden.comparison = reports.Anonymous(j.res, j.comparison, a.ownNames())
		j = &hidden
	}
	for _, name := range o.reports {
		format, err := reports.FromExtension(name)
		if err != nil {
			return err
		}
		if err := a.writeReport(name, format, j); err != nil {
			return err
		}
	}
	format := reports.Format(o.format)
	if o.output != "" && o.output != "-" {
		if format == "" {
			var err error
			if format, err = reports.FromExtension(o.output); err != nil {
				return err
			}
		}
		return a.writeReport(o.output, format, j)
	}
	if format == "" {
		format = reports.Text
	}
	width := 0
	if a.StdoutTerminal {
		width = a.Width
	}
	return reports.Write(a.Stdout, format, j.res, reports.Options{
		Against: j.comparison,
		Width:   width,
		Color:   a.useColor(a.StdoutTerminal),
		Verbose: a.verbose,
	})
}

// ownNames are those of the host, the user and the user's folder, as far as they
// are not words that anything could be called by.
func (a *app) ownNames() []string {
	host, _ := os.Hostname() // if it has none there is nothing to leave out
	names := []string{a.lookup("HOME"), host}
	for _, user := range []string{a.lookup("USER"), a.lookup("LOGNAME")} {
		if user != "root" && user != "user" {
			names = append(names, user)
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return len(n) < minName || n == "localhost" })
}

// minName is the least length of a name that is looked for in texts.
const minName = 3

// writeReport writes a report to a file, whole or not at all.
func (a *app) writeReport(name string, format reports.Format, j *judged) error {
	err := writeFile(name, func(w io.Writer) error {
		return reports.Write(w, format, j.res, reports.Options{Against: j.comparison, Verbose: a.verbose})
	})
	if err != nil {
		return err
	}
	a.notef("wrote %s", name)
	return nil
}

// writeFile replaces a file by what write writes, once that is whole. A
// device or a pipe, as /dev/null or >(program), is written to and not replaced.
func writeFile(name string, write func(io.Writer) error) error {
	if info, err := os.Stat(name); err != nil || info.Mode().IsRegular() {
		return rundir.WriteFile(filepath.Dir(name), filepath.Base(name), write)
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return &writeError{name, err}
	}
	err = write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return &writeError{name, err}
	}
	return nil
}

// formatFlag is a reports.Format on the command line, "" if none was given.
type formatFlag reports.Format

func (f *formatFlag) String() string { return string(*f) }
func (f *formatFlag) Type() string   { return "format" }
func (f *formatFlag) Set(s string) error {
	v, err := reports.Parse(s)
	*f = formatFlag(v)
	return err
}

func formatNames() []string {
	names := make([]string, 0, len(reports.All()))
	for _, f := range reports.All() {
		names = append(names, string(f))
	}
	return names
}
