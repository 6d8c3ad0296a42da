// Package cli is concprof's command line: one file per command.
//
// Each command is an options struct with AddFlags and Validate, and a
// function that does the work. Commands take everything that they touch from
// an Env, so that a test can interrupt them, and return an error that decides
// the exit code (exit.go).
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/workload"
	"github.com/concprof/concprof/reports"
)

// Run executes the command line in e.Args and returns the exit code.
//
// A first signal cancels the command's context, with the signal as the cause,
// and waits for it. A second one returns at once: what the command started is
// taken down by its keepers when the process ends.
func Run(ctx context.Context, e *Env) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out := &watchedWriter{w: e.Stdout}
	watched := *e
	watched.Stdout = out

	done := make(chan error, 1)
	go func() { done <- execute(ctx, &watched) }()
	for signals := 0; ; {
		select {
		case err := <-done:
			return finish(ctx, e, out, err)
		case s := <-e.Signals:
			if signals++; signals > 1 {
				return (&interruptError{signal: s}).exitCode()
			}
			cancel(&interruptError{signal: s})
		}
	}
}

// finish prints err and turns it into the exit code.
func finish(ctx context.Context, e *Env, out *watchedWriter, err error) int {
	// A reader that has seen enough ("| head") is no fault.
	if errors.Is(out.err, syscall.EPIPE) {
		return exitOK
	}
	if out.err != nil && exitCode(err) != exitWrite {
		err = &writeError{"the result to standard output", out.err}
	}
	// What a command returns because it was interrupted is an interruption.
	if interrupt := (*interruptError)(nil); errors.Is(err, context.Canceled) && errors.As(context.Cause(ctx), &interrupt) {
		err = interrupt
	}
	printError(e.Stderr, err, e.Width)
	return exitCode(err)
}

// printError writes "error: ..." and then a line "hint: ..." for each thing
// that one can do about it, for each of several errors. The faults of a file follow
// their error, each with its place.
func printError(w io.Writer, err error, width int) {
	hinted := ""
	for _, err := range each(err) {
		if faults := (*workload.Faults)(nil); errors.As(err, &faults) {
			n := len(faults.List) + faults.More
			fmt.Fprintf(w, "error: %s, nothing ran\n", count(n, "fault"))
			faults.Render(w, cmp.Or(width, reports.DefaultWidth))
			continue
		}
		if text := strings.TrimRight(err.Error(), "\n"); text != "" {
			fmt.Fprintf(w, "error: %s\n", printable(text))
		}
		for _, hint := range hintsOf(err) {
			if hint != hinted {
				fmt.Fprintf(w, "hint: %s\n", printable(hint))
			}
			hinted = hint
		}
	}
}

// each returns the errors that err was joined of: those that it says, line by line,
// and nothing else.
func each(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	var said []string
	for _, e := range joined.Unwrap() {
		all = append(all, each(e)...)
		said = append(said, e.Error())
	}
	if strings.Join(said, "\n") != err.Error() {
		return []error{err}
	}
	return all
}

// hintsOf returns what one can do about err.
func hintsOf(err error) []string {
	if h := (interface{ hints() []string })(nil); errors.As(err, &h) {
		return h.hints()
	}
	if e := (*workload.FileError)(nil); errors.As(err, &e) {
		return nonEmpty(e.Hint)
	}
	if e := (*plan.SettingError)(nil); errors.As(err, &e) {
		return nonEmpty(e.Hint)
	}
	return nil
}

// count says how many: "1 fault", "2 faults".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// printable returns s such that it cannot steer a terminal: names of files and
// functions may hold anything.
func printable(s string) string { return reports.Printable(s) }

// A watchedWriter remembers the first error of its writer, which formatters
// and cobra ignore.
type watchedWriter struct {
	w   io.Writer
	err error
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.w.Write(p)
	w.err = err
	return n, err
}
