package faults

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// A Seen is how a test ended. The zero value says that it did not run.
type Seen struct {
	Action string   // "pass", "skip", "fail"
	Skips  []string // why it, or a part of it, was skipped
}

// An event is a line of go test -json.
type event struct {
	Action, Package, Test, Output string
}

// seen collects the ends of tests from events. Parts of a test report their
// skips to it; of scripts, each is a test of its own.
type seen map[Test]*Seen

// testOf returns the test that an event tells of, and whether it tells of a
// part of it.
func testOf(module string, e event) (t Test, part bool) {
	t.Folder = strings.TrimPrefix(strings.TrimPrefix(e.Package, module), "/")
	name, sub, part := strings.Cut(e.Test, "/")
	t.Name = name
	if part && t.Folder == scriptFolder && name == "TestScript" {
		t.Script, _, part = strings.Cut(sub, "/")
	}
	return t, part
}

var (
	skipAt   = regexp.MustCompile(`^\s+\w+_test\.go:\d+: (.*)`)
	scriptAt = regexp.MustCompile(`^\s+\S+\.go:\d+: ?(.*)`)
)

// read takes the events of a run. What is no event is what the go command says
// of a package that does not compile: it goes to errs.
func (s seen) read(module string, in io.Reader, errs io.Writer) error {
	said := map[string]string{} // the last line that each test or part of one said
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(errs, lines.Text())
			continue
		}
		if e.Test == "" {
			if e.Action == "build-output" {
				fmt.Fprint(errs, e.Output)
			}
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output":
			if m := skipAt.FindStringSubmatch(e.Output); m != nil {
				said[key] = strings.TrimSpace(m[1])
			} else if m := scriptAt.FindStringSubmatch(e.Output); m != nil {
				said[key] = strings.TrimSpace(m[1])
			}
		case "pass", "fail", "skip":
			t, part := testOf(module, e)
			if s[t] == nil {
				s[t] = new(Seen)
			}
			if e.Action == "skip" {
				s[t].Skips = append(s[t].Skips, said[key])
			}
			if !part {
				s[t].Action = e.Action
			}
		}
	}
	return lines.Err()
}

// runTests runs tests, the functions of all packages with one command and the
// scripts with another.
func runTests(ctx context.Context, root, module string, tests []Test, args []string, errs io.Writer) (seen, error) {
	names, folders, scripts := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, t := range tests {
		if t.Script != "" {
			scripts[regexp.QuoteMeta(t.Script)] = true
			continue
		}
		names[t.Name], folders["./"+t.Folder] = true, true
	}
	s := seen{}
	alternatives := func(set map[string]bool) string {
		return "^(" + strings.Join(slices.Sorted(maps.Keys(set)), "|") + ")$"
	}
	if len(names) > 0 {
		if err := s.goTest(ctx, root, module, slices.Concat(args, []string{"-run", alternatives(names)}, slices.Sorted(maps.Keys(folders))), errs); err != nil {
			return nil, err
		}
	}
	if len(scripts) > 0 {
		if err := s.goTest(ctx, root, module, slices.Concat(args, []string{"-run", "^TestScript$/" + alternatives(scripts), "./" + scriptFolder}), errs); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// goTest runs go test once. That tests fail is no error here: their events
// tell.
func (s seen) goTest(ctx context.Context, root, module string, args []string, errs io.Writer) error {
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"test", "-json", "-count=1"}, args)...)
	cmd.Dir, cmd.Stderr = root, errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = s.read(module, out, errs)
	if e := cmd.Wait(); err == nil && ctx.Err() != nil {
		err = e
	}
	return err
}
