// Concprof says whether work is I/O-bound or CPU-bound, and which concurrency
// model it should use.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/concprof/concprof/cmd/concprof/internal/cli"
	"github.com/concprof/concprof/cmd/concprof/internal/decoder"
	"github.com/concprof/concprof/probes"
)

func main() {
	decoder.Main()
	probes.Main() // does not return in a keeper, a probe or a server
	os.Exit(run())
}

func run() int {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil { // the progress line has a terminal of its own then
		if width, _, err = term.GetSize(int(os.Stderr.Fd())); err != nil {
			width = 0
		}
	}
	return cli.Run(context.Background(), &cli.Env{
		Args:           os.Args[1:],
		Stdin:          os.Stdin,
		Stdout:         os.Stdout,
		Stderr:         os.Stderr,
		LookupEnv:      os.LookupEnv,
		Environ:        os.Environ(),
		Width:          width,
		StdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		StderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		Signals:        signals(),
		Now:            time.Now,
	})
}

// signals delivers the signals that should end the program. One that it was
// started with ignored, as by nohup, stays ignored. SIGPIPE is caught so that
// a closed pipe is an error of the write and not the end of a run.
func signals() <-chan os.Signal {
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	ends := make(chan os.Signal, 2)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(ends, s)
		}
	}
	return ends
}
