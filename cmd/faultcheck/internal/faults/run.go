package faults

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// module is the path of this module.
const module = "github.com/concprof/concprof"

// ErrFailed is returned by Run when a row is not as the table says.
var ErrFailed = errors.New("rows failed")

// Run checks the rows that args choose.
func Run(ctx context.Context, stdout, stderr io.Writer, args []string) error {
	fs := flag.NewFlagSet("faultcheck", flag.ContinueOnError)
	fs.SetOutput(stderr)
	root := fs.String("root", ".", "folder of the module")
	choice := fs.String("rows", "", "numbers of the rows to check, such as 1,24-34; default all")
	timeout := fs.Duration("timeout", 0, "how long the tests of a package may take, 0 for ever")
	if err := fs.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(*root, "docs", "faults.md"))
	if err != nil {
		return err
	}
	rows, err := Parse(string(text))
	if err != nil {
		return fmt.Errorf("docs/faults.md: %w", err)
	}
	chosen, err := ranges(*choice)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r Row) bool { return !chosen(r.Number) })
	if len(rows) == 0 {
		return fmt.Errorf("no row of docs/faults.md is in %q", *choice)
	}
	var tests []Test
	for _, r := range rows {
		tests = append(tests, r.Tests...)
	}
	s, err := runTests(ctx, *root, module, tests, []string{"-timeout", timeout.String()}, stderr)
	if err != nil {
		return err
	}
	return print(stdout, rows, s)
}

// ranges reads "1,24-34".
func ranges(s string) (func(int) bool, error) {
	if s == "" {
		return func(int) bool { return true }, nil
	}
	in := map[int]bool{}
	for part := range strings.SplitSeq(s, ",") {
		first, last, ok := strings.Cut(part, "-")
		if !ok {
			last = first
		}
		a, err1 := strconv.Atoi(first)
		b, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || a > b || b-a > 1000 {
			return nil, fmt.Errorf("rows %q: want numbers and ranges, such as 1,24-34", s)
		}
		for n := a; n <= b; n++ {
			in[n] = true
		}
	}
	return func(n int) bool { return in[n] }, nil
}
