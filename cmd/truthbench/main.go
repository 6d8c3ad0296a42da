// Truthbench holds concprof against a suite of ops whose truth is known, and
// prints how often it is right, how steadily, at what cost and what its
// recommendations are worth.
//
//	go run ./cmd/truthbench                        # all of it, 70 minutes
//	go run ./cmd/truthbench -time 20m              # what is most worth having
//	go run ./cmd/truthbench -ops sleep,sha256      # some ops
//	go run ./cmd/truthbench -target python -sample 4 -seed 7 -sweep=false
//	go run ./cmd/truthbench -hogs 2 -repeat 1 -sweep=false -require class
//
// Each op is run once; then those of -repeated are swept and run again; then
// executors are set beside loops by hand; then the other ops are swept. Results
// are kept in the folder -cache, a line each, and what is there is not measured
// again: a run that was interrupted, or that -time ended, prints what is there
// and the same command goes on. A sweep serves until the host or the ops of its
// language change, a run until concprof does too.
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
