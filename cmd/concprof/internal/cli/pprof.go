package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/concprof/concprof/analyzer/compare"
	"github.com/concprof/concprof/reports"
)

type pprofOptions struct {
	http      string
	noBrowser bool
	foreign   foreignOptions
	dir       string
}

// AddFlags adds the flags of pprof.
func (o *pprofOptions) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.http, "http", "127.0.0.1:0", "address to serve on, loopback only; port 0 takes a free one")
	fs.BoolVar(&o.noBrowser, "no-browser", false, "print the address only, open no browser")
	o.foreign.AddFlags(fs)
	addDirFlag(fs, &o.dir)
}

// Validate refuses addresses that other machines can reach.
func (o *pprofOptions) Validate() error {
	const hint = "as in --http 127.0.0.1:8080; for another machine use ssh -L"
	host, _, err := net.SplitHostPort(o.http)
	if err != nil {
		return usage(hint, "--http %s: %v", o.http, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return usage(hint, "--http %s: only loopback addresses are allowed", o.http)
	}
	return nil
}

func newPprofCommand(a *app) *cobra.Command {
	o := &pprofOptions{}
	cmd := &cobra.Command{
		Use:   "pprof [[LABEL=]RUN [[LABEL=]RUN2]]",
		Short: "Compare the profiles of a run, or of two, in the pprof web UI",
		Long: `pprof serves the pprof web UI on this machine for every workload, model and kind
of profile of a run, and for any two of a kind as a difference per op. Of two
runs it also shows the differences of each model between them; LABEL is what
they are called, "base" and "head" by default. It prints the address to standard
output and serves until it is interrupted. It writes no file and needs no
graphviz. RUN is as in concprof report; of one that was measured against another
revision (analyze --against) the base is shown beside it.`,
		Example: `  concprof pprof
  concprof pprof .concprof/quickstart --http 127.0.0.1:8080 --no-browser
  concprof pprof main=runs/main pull-7=runs/pull`,
		Args: arguments(cobra.MaximumNArgs(2), "concprof pprof takes one run, or two"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.Validate(); err != nil {
				return err
			}
			return a.servePprof(cmd.Context(), args, o)
		},
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

// profiledRuns opens and judges what pprof is to show, and says what speaks
// against comparing two runs. Of one that was measured against another revision
// the base is shown too.
func profiledRuns(args []string, dir string) (runs []reports.ProfiledRun, paths []string, doubt string, err error) {
	if len(args) == 0 {
		args = []string{latest}
	}
	var sides []compare.Side
	for i, arg := range args {
		s, err := openSide(arg, sideLabels[i], dir)
		if err != nil {
			return nil, nil, "", err
		}
		sides = append(sides, s)
	}
	if len(sides) == 1 {
		if sides, err = withBase(sides[0]); err != nil {
			return nil, nil, "", err
		}
	}
	for _, s := range sides {
		runs = append(runs, reports.ProfiledRun{Label: s.Label, Result: s.Result})
		paths = append(paths, s.Run.Path)
	}
	if len(sides) == 2 {
		if sides[0].Label == sides[1].Label {
			return nil, nil, "", usage("as in: concprof pprof main=RUN pull=RUN2", "both runs are called %s", sides[0].Label)
		}
		// What else compare may say against them it does not say of profiles.
		_, err := compare.Compare(sides[0], sides[1], compare.DefaultOptions())
		if different := (*compare.DifferentError)(nil); errors.As(err, &different) {
			doubt = different.Error()
		}
	}
	return runs, paths, doubt, nil
}

// sideLabels are what two runs are called.
var sideLabels = [...]string{"base", "head"}

// withBase returns a run behind its base, or alone if it has none.
func withBase(s compare.Side) ([]compare.Side, error) {
	run, err := s.Run.OpenBase()
	if err != nil || run == nil {
		return []compare.Side{s}, err
	}
	base := compare.Side{Label: sideLabels[0], Run: run}
	if base.Result, err = judge(run); err != nil {
		return nil, err
	}
	s.Label = sideLabels[1]
	return []compare.Side{base, s}, nil
}

func (a *app) servePprof(ctx context.Context, args []string, o *pprofOptions) error {
	if err := o.foreign.load(ctx, a.Environ); err != nil {
		return err
	}
	runs, paths, doubt, err := profiledRuns(args, o.dir)
	if err != nil {
		return err
	}
	if err := o.foreign.show(runs[len(runs)-1].Result); err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.http)
	if err != nil {
		return &hintedError{fmt.Errorf("cannot serve on %s: %w", o.http, err), "choose another port, or 0 for a free one"}
	}
	address := "http://" + ln.Addr().String() + "/"
	if _, err := fmt.Fprintln(a.Stdout, address); err != nil {
		return errors.Join(err, ln.Close())
	}
	a.notef("serving the profiles of %s until interrupted", strings.Join(paths, " and "))
	if doubt != "" {
		a.notef("%s", doubt)
	}
	if !o.noBrowser && a.StdoutTerminal {
		if err := openBrowser(address); err != nil {
			a.notef("no browser could be opened (%v): open %s", err, address)
		}
	}
	// An interrupt is how one leaves: no failure.
	err = reports.ServePprof(ctx, ln, runs, doubt)
	if err == nil && ctx.Err() == nil {
		a.notef("nobody has looked for half an hour: start it again to go on")
	}
	return err
}

// openBrowser opens an address in the user's browser and does not wait.
func openBrowser(address string) error {
	name := "xdg-open"
	if runtime.GOOS == "darwin" {
		name = "open"
	}
	cmd := exec.Command(name, address)
	if err := cmd.Start(); err != nil {
		return err
	}
	go cmd.Wait()
	return nil
}
