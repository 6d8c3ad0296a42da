// Faultcheck runs the tests of every row of docs/faults.md and prints a table:
// the row, what was tried, what is expected and what was seen.
//
//	go run ./cmd/faultcheck               # all rows, some minutes
//	go run ./cmd/faultcheck -rows 24-34   # some of them
//
// It ends with 1 if a test failed, did not run, or a row has neither a test nor
// the reason why there is none. What a test skipped, it says with the reason.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/concprof/concprof/cmd/faultcheck/internal/faults"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := faults.Run(ctx, os.Stdout, os.Stderr, os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
