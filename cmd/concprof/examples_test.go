package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

const repository = "../.."

// TestExamples runs the examples of the README and of the pages in docs. An
// example is a block of "console" whose commands begin with "$ ":
//
//	```console
//	$ concprof models
//	sequential       runs here: yes  stands for: the baseline
//	```
//
// Each line that a command is shown to print must be printed, in that order;
// numbers, units of time and size, and run names may differ, and lines may be
// left out. A comment on the line above the block changes that:
//
//	<!-- example: exit 4 -->          the last command's exit code
//	<!-- example: any output -->      only the exit code is looked at
//	<!-- example: not run, REASON --> nothing is
//
// Above a block of any other language the comment "example: file NAME" writes
// the block to that file, for the commands that follow.
func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: the examples take a minute")
	}
	path := searchPath(t)
	for _, page := range pages(t) {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			dir := workingCopy(t)
			for _, e := range examples(string(text)) {
				if e.file != "" {
					if err := os.WriteFile(filepath.Join(dir, e.file), []byte(e.content), 0o644); err != nil {
						t.Fatal(err)
					}
					continue
				}
				if e.reason != "" {
					t.Logf("line %d: not run: %s", e.line, e.reason)
					continue
				}
				e.run(t, dir, path)
			}
		})
	}
}

// workingCopy makes a folder that shows the repository's content and takes
// what examples write.
func workingCopy(t *testing.T) string {
	dir := t.TempDir()
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if err := os.Symlink(filepath.Join(root, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// An example is one block.
type example struct {
	line     int // of the fence, 1-based
	commands []command
	reason   string // why it is not run
	code     string // exit code of the last command
	any      bool   // whatever it prints

	file, content string // of a block that is a file
}

type command struct {
	line   int
	text   string
	output []string
}

// directive is the comment above a block.
var directive = regexp.MustCompile(`^<!-- example: (?:exit (\d+)|(any output)|not run, (.+)|file ([A-Za-z0-9._-]+)) -->$`)

// examples finds the blocks of a page.
func examples(page string) []example {
	var found []example
	var current *example
	other := false // within a block that is no example
	last := ""
	for i, line := range strings.Split(page, "\n") {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		m := directive.FindStringSubmatch(last)
		switch {
		case current == nil && other && fence:
			other = false
		case current == nil && other:
		case current == nil && strings.TrimSpace(line) == "```console":
			current = &example{line: i + 1, code: "0"}
			if m != nil {
				current.any, current.reason = m[2] != "", m[3]
				if m[1] != "" {
					current.code = m[1]
				}
			}
		case current == nil && fence && m != nil && m[4] != "":
			current = &example{line: i + 1, file: m[4]}
		case current == nil:
			other = fence
		case strings.TrimSpace(line) == "```":
			found = append(found, *current)
			current = nil
		case current.file != "":
			current.content += line + "\n"
		case strings.HasPrefix(line, "$ "):
			current.commands = append(current.commands, command{line: i + 1, text: line[2:]})
		case len(current.commands) > 0:
			c := &current.commands[len(current.commands)-1]
			if strings.HasSuffix(c.text, `\`) {
				c.text += "\n" + line
			} else if strings.TrimSpace(line) != "" {
				c.output = append(c.output, line)
			}
		}
		if strings.TrimSpace(line) != "" {
			last = strings.TrimSpace(line)
		}
	}
	return found
}

func (e example) run(t *testing.T, dir, path string) {
	for i, c := range e.commands {
		want := "0"
		if i == len(e.commands)-1 {
			want = e.code
		}
		stdout, stderr, code := c.run(t, dir, path)
		if code != want {
			t.Fatalf("line %d: $ %s: exit code %s, want %s\n%s%s", c.line, c.text, code, want, stdout, stderr)
		}
		if e.any {
			continue
		}
		if missing := notPrinted(c.output, stdout, stderr); missing != "" {
			t.Errorf("line %d: $ %s does not print\n%s\nbut\n%s%s", c.line, c.text, missing, stdout, stderr)
		}
	}
}

// run runs a command as the shell would. One that serves is interrupted once
// it has said where.
func (c command) run(t *testing.T, dir, path string) (stdout, stderr, code string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	text := strings.ReplaceAll(c.text, "go run ./cmd/concprof", "concprof")
	serves := strings.HasPrefix(text, "concprof pprof")
	if serves {
		text = "exec " + text
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", text)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+path)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for lines := bufio.NewReader(pipe); ; {
		line, err := lines.ReadString('\n')
		out.WriteString(line)
		if serves && strings.HasPrefix(line, "http://") {
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			break
		}
	}
	err = cmd.Wait()
	code = "0"
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		code = strings.TrimPrefix(failed.String(), "exit status ")
	} else if err != nil {
		t.Fatalf("line %d: $ %s: %v", c.line, c.text, err)
	}
	return out.String(), errs.String(), code
}

// notPrinted returns the first expected line that neither stream has after the
// one before it, "" if there is none.
func notPrinted(expected []string, streams ...string) string {
	lines := make([][]string, len(streams))
	for i, s := range streams {
		lines[i] = strings.Split(s, "\n")
	}
next:
	for _, want := range expected {
		if strings.TrimSpace(want) == "..." {
			continue
		}
		for i := range lines {
			for j, line := range lines[i] {
				if shape(line) == shape(want) {
					lines[i] = lines[i][j+1:]
					continue next
				}
			}
		}
		return want
	}
	return ""
}

// shape takes out of a line what differs from run to run.
func shape(line string) string {
	for _, r := range varying {
		line = r.pattern.ReplaceAllString(line, r.with)
	}
	return strings.TrimSpace(line)
}

var varying = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\d{8}T\d{6}Z-[0-9a-f]+`), "RUN"},
	{regexp.MustCompile(`[▏▎▍▌▋▊▉█▐░▒▓─]+`), ""},
	{regexp.MustCompile(`[<~]?\d[\d.,]*`), "0"},
	{regexp.MustCompile(`0 ?(ns|µs|us|ms|s|min|h|B|KiB|MiB|GiB)\b`), "0"},
	{regexp.MustCompile(`(0[hms]?)+\b`), "0"},
	{regexp.MustCompile(`\s+`), " "},
}

func TestNotPrinted(t *testing.T) {
	const out = "fetch: io-bound (demand 0.01): use pool, 16 workers: 15.9x\n\n  timer  98%  ██████▏\nrun .concprof/a/20240101T000000Z-abcdef (12 trials, 1.5 s)\n"
	tests := []struct {
		name, expected, missing string
	}{
		{"the same", out, ""},
		{"other numbers", "fetch: io-bound (demand 0.5): use pool, 8 workers: 2x\ntimer 1% ▏", ""},
		{"other run and unit", "run .concprof/a/20250101T000000Z-123456 (9 trials, 15 ms)", ""},
		{"another word", "fetch: cpu-bound (demand 0.01): use pool, 16 workers: 15.9x", "fetch: cpu-bound"},
		{"another order", "timer 98%\nfetch: io-bound (demand 0.01): use pool, 16 workers: 15.9x", "fetch: io-bound"},
		{"left out", "...\ntimer 98%\n...", ""},
		{"on standard error", "error: no", ""},
	}
	for _, tt := range tests {
		var expected []string
		for _, line := range strings.Split(tt.expected, "\n") {
			if line != "" {
				expected = append(expected, line)
			}
		}
		got := notPrinted(expected, out, "error: no\n")
		if (got == "") != (tt.missing == "") || !strings.HasPrefix(got, tt.missing) {
			t.Errorf("%s: %q is missing, want %q", tt.name, got, tt.missing)
		}
	}
}

// A command that a page shows and no test runs is one that will be wrong some
// day: outside of blocks of "console", pages show none.
func TestCommandsAreExamples(t *testing.T) {
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range strayCommands(string(text)) {
			t.Errorf("%s:%s is a command outside of a block of console: no test runs it", page, found)
		}
	}
	const page = "    concprof plan\n```\n$ go test\n```\n```console\n$ concprof plan\n```\n```yaml\n#   concprof analyze x.yaml\n```\n`concprof plan`\n    benchstat -col /model x\n"
	if got := strings.Join(strayCommands(page), ", "); got != "1: concprof plan, 3: go test, 12: benchstat -col /model x" {
		t.Errorf("found %s", got)
	}
}

var commandLine = regexp.MustCompile(`^(?: {4,}|\t)?(?:\$ )?((?:concprof|go|python3?|benchstat|make|curl|pip|npm) .*)$`)

// strayCommands returns the lines of a page that look like commands and that
// no example is made of, each with its number: those of blocks of no language,
// and those that are set off by spaces.
func strayCommands(page string) []string {
	var found []string
	language, in := "", false
	for i, line := range strings.Split(page, "\n") {
		if rest, fence := strings.CutPrefix(strings.TrimSpace(line), "```"); fence {
			in, language = !in, rest
			continue
		}
		m := commandLine.FindStringSubmatch(line)
		indented := strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t")
		if m != nil && (in && language == "" || !in && indented) {
			found = append(found, fmt.Sprintf("%d: %s", i+1, m[1]))
		}
	}
	return found
}

// pages returns the README and the pages of docs.
func pages(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	if err != nil || len(all) < 5 {
		t.Fatalf("pages: %v, %v", all, err)
	}
	return append([]string{filepath.Join(repository, "README.md")}, all...)
}

func TestExampleBlocks(t *testing.T) {
	const page = "text\n<!-- example: file a.yaml -->\n```yaml\na: 1\n\nb: 2\n```\n```console\n$ a \\\n  b\nout\n\n$ c\n```\n```\n$ not console\n```\n<!-- example: exit 4 -->\n```console\n$ d\n```\n" +
		"<!-- example: not run, it needs a database -->\n\n```console\n$ e\n```\n<!-- example: any output -->\n```console\n$ f\nx\n```\n"
	got := examples(page)
	if len(got) != 5 {
		t.Fatalf("%d blocks: %+v", len(got), got)
	}
	if f := got[0]; f.file != "a.yaml" || f.content != "a: 1\n\nb: 2\n" {
		t.Errorf("%+v", f)
	}
	got = got[1:]
	if c := got[0].commands; got[0].line != 8 || len(c) != 2 || c[0].text != "a \\\n  b" || len(c[0].output) != 1 || c[1].text != "c" {
		t.Errorf("%+v", got[0])
	}
	if got[1].code != "4" || got[2].reason != "it needs a database" || !got[3].any || got[3].code != "0" {
		t.Errorf("%+v", got[1:])
	}
}
