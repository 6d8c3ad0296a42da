// Truthbench holds concprof against a suite of ops whose truth is known, and
// prints how often it is right, how steadily, at what cost and what its
// recommendations are worth.
//
//	go run ./cmd/truthbench                        # all of it, more than an hour
//	go run ./cmd/truthbench -ops sleep,sha256      # some ops
//	go run ./cmd/truthbench -sample 4 -seed 7 -sweep=false
//	go run ./cmd/truthbench -hogs 2 -sweep=false   # beside two busy processes
//
// Results are kept in the folder -cache, a line each, and what is there is not
// measured again: a run that was interrupted goes on, and a sweep serves until
// the host or the suite changes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/concprof/concprof/cmd/truthbench/internal/bench"
)

func main() {
	if bench.Hog(os.Getenv, os.Stdin) {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := bench.Run(ctx, os.Stdout, os.Stderr, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case errors.Is(err, bench.ErrNotMet):
		os.Exit(3)
	case err != nil:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
