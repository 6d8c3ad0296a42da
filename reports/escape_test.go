package reports

import (
	"bytes"
	"encoding/json"
	"html"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/analyzer"
)

// hostile returns the names of testdata/hostile.txt, which every package that
// shows names of a workload is tested with.
func hostile() []string {
	data, err := os.ReadFile("../testdata/hostile.txt")
	if err != nil {
		panic(err)
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		if name, err := strconv.Unquote(strings.TrimSpace(line)); err == nil {
			names = append(names, name)
		} else if line[0] != '#' {
			panic(line)
		}
	}
	return names
}

func TestPlain(t *testing.T) {
	for _, s := range hostile() {
		got := plain(s)
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("plain(%q) = %q holds %U", s, got, r)
			}
		}
		if got != plain(got) {
			t.Errorf("plain(%q) is not stable: %q, then %q", s, got, plain(got))
		}
	}
	for in, want := range map[string]string{
		"\x1b[1m": `\x1b[1m`, "a\nb": `a\nb`, "\u202e": `\u202e`, "\u009b": `\u009b`, "\xff": `\xff`, "\U000e0041": `\U000e0041`, "é 日本": "é 日本", "\u3164": `\u3164`,
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for _, s := range hostile() {
		for _, n := range []int{1, 3, 4, 20, 60} {
			if got := short(s, n); columns(got) > n {
				t.Errorf("short(%q, %d) = %q takes %d columns", s, n, got, columns(got))
			}
		}
	}
	if got, want := short("github.com/a/b.(*T).Method", 12), "git…T).Method"; columns(got) > 12 || !strings.HasSuffix(want, strings.TrimPrefix(got[strings.Index(got, "…"):], "…")) {
		t.Errorf("short keeps the wrong ends: %q", got)
	}
}

// markup is Markdown that would do something: a tag, an image, a link, a
// mention, a code fence, a row of a table.
var markup = regexp.MustCompile("(^|[^\\\\])(<[a-zA-Z/!]|!\\[|\\]\\(|\\||`)|@[a-zA-Z0-9]|#[0-9]|://|www\\.")

func TestProse(t *testing.T) {
	for _, s := range hostile() {
		got := prose(s)
		// Entities are text; ours hold a number sign.
		bare := strings.ReplaceAll(got, "&#8203;", "\u200b")
		if m := markup.FindString(strings.ReplaceAll(bare, `\\`, "")); m != "" {
			t.Errorf("prose(%q) = %q still holds %q", s, got, m)
		}
		if strings.ContainsAny(got, "\n\r") {
			t.Errorf("prose(%q) = %q has lines", s, got)
		}
	}
	for in, want := range map[string]string{
		"use pool with 16 workers": "use pool with 16 workers", "15.2x": "15.2x", "12. item": `12\. item`, "- item": `\- item`, "a*b_c": `a\*b\_c`,
	} {
		if got := prose(in); got != want {
			t.Errorf("prose(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCode(t *testing.T) {
	for _, s := range hostile() {
		checkCode(t, s)
	}
}

// checkCode holds that s as inline code of Markdown is text, and is all there.
func checkCode(t *testing.T, s string) {
	t.Helper()
	got := code(s)
	switch {
	case s == "":
		if got != "" {
			t.Errorf("code of nothing is %q", got)
		}
	case strings.HasPrefix(got, "<code>"):
		inner := strings.TrimSuffix(strings.TrimPrefix(got, "<code>"), "</code>")
		if strings.ContainsAny(inner, "<>`|*_[]()!\\@\n") {
			t.Errorf("code(%q) = %q holds markup", s, got)
		}
		if html.UnescapeString(inner) != plain(s) {
			t.Errorf("code(%q) = %q does not read as %q", s, got, plain(s))
		}
	default:
		if got != "`"+plain(s)+"`" || strings.Count(got, "`") != 2 || strings.Contains(got, "|") {
			t.Errorf("code(%q) = %q", s, got)
		}
	}
}

// FuzzMarkdown holds that a name in the Markdown report is text, wherever it
// stands: in code, in a fenced block, in prose, in a whole report.
func FuzzMarkdown(f *testing.F) {
	for _, s := range hostile() {
		f.Add(s)
	}
	known := markdownElements(render(f, Markdown, named(f, "plain"), Options{}))
	known["<code>"], known["</code>"] = true, true
	f.Fuzz(func(t *testing.T, s string) {
		checkCode(t, s)
		block := strings.Split(strings.TrimSuffix(fence("", []string{s, "`", s}), "\n"), "\n")
		bar := block[0]
		if len(block) != 5 || block[4] != bar || strings.Trim(bar, "`") != "" {
			t.Errorf("a block of %d lines: %q", len(block), block)
		}
		for _, l := range block[1:4] {
			if strings.HasPrefix(strings.TrimLeft(l, " \t"), bar) {
				t.Errorf("line %q ends the block", l)
			}
		}
		out := render(t, Markdown, named(t, s), Options{})
		if m := command.Find(out); m != nil {
			t.Errorf("%q would be a command of a CI runner: %q", s, m)
		}
		for e := range markdownElements(out) {
			if !known[e] {
				t.Errorf("%q holds an element %s", s, e)
			}
		}
		for _, r := range string(out) {
			if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
				t.Errorf("%q: holds %U", s, r)
			}
		}
	})
}

// markdownElements returns the HTML elements of a Markdown page, outside of
// fenced blocks and of code.
func markdownElements(page []byte) map[string]bool {
	found := map[string]bool{}
	end := "" // of the fenced block that l is in
	span := regexp.MustCompile("`[^`]*`")
	tag := regexp.MustCompile(`(^|[^\\])(<[a-zA-Z!/][^>]*>?)`)
	for l := range strings.Lines(string(page)) {
		l = strings.TrimSuffix(l, "\n")
		switch {
		case end != "":
			if l == end {
				end = ""
			}
			continue
		case strings.HasPrefix(l, "```"):
			end = strings.TrimRight(l, "abcdefghijklmnopqrstuvwxyz")
			continue
		}
		for _, m := range tag.FindAllStringSubmatch(span.ReplaceAllString(l, ""), -1) {
			found[m[2]] = true
		}
	}
	return found
}

func TestFence(t *testing.T) {
	got := fence("go", hostile())
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	bar := strings.TrimSuffix(lines[0], "go")
	if strings.Trim(bar, "`") != "" || lines[len(lines)-1] != bar {
		t.Fatalf("fences %q and %q", lines[0], lines[len(lines)-1])
	}
	for _, l := range lines[1 : len(lines)-1] {
		if strings.Contains(l, bar) {
			t.Errorf("line %q ends the block", l)
		}
	}
	if len(lines) != len(hostile())+2 {
		t.Errorf("%d lines for %d", len(lines)-2, len(hostile()))
	}
}

func TestNameValue(t *testing.T) {
	seen := map[string]string{}
	for _, s := range hostile() {
		got := nameValue(s)
		if strings.ContainsAny(got, " /=\t\n") || got == "" {
			t.Errorf("nameValue(%q) = %q", s, got)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q are both %q", other, s, got)
		}
		seen[got] = s
	}
}

// named is a result in which every string that a workload could choose is s.
func named(t testing.TB, s string) *analyzer.Result {
	res := withFlames(t, fixture(t, "hostile"))
	old := res.Workloads[0].Name
	src, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	was, _ := json.Marshal(old)
	now, _ := json.Marshal(s)
	out := new(analyzer.Result)
	if err := json.Unmarshal(bytes.ReplaceAll(src, was, now), out); err != nil {
		t.Fatal(err)
	}
	out.Run.Dir, out.Run.ID, out.Run.Host.CPU, out.Run.Command = s, s, s, []string{s}
	out.Workloads[0].Profiles[0].Path = s
	out.Workloads[0].Limits[0].File = s
	out.Workloads[0].Foreign = []analyzer.ForeignProfile{foreignNamed(s)}
	return out
}

// command is what GitHub's runner obeys in a step's output.
var command = regexp.MustCompile(`(?m)^[ \t]*::.*$|##\[`)

// TestHostile renders every format with every name: what reaches a terminal or
// a browser is text.
func TestHostile(t *testing.T) {
	tag := regexp.MustCompile(`<[a-zA-Z!/][^>]*>`)
	known := map[string]bool{}
	for _, m := range tag.FindAll(render(t, HTML, named(t, "plain"), Options{}), -1) {
		known[element(m)] = true
	}
	for _, s := range hostile() {
		res := named(t, s)
		for _, f := range All() {
			out := render(t, f, res, Options{Width: 60})
			for _, r := range string(out) {
				if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
					t.Errorf("%s of %.40q holds %U", f, s, r)
					break
				}
			}
			if m := command.Find(out); m != nil && f != HTML {
				t.Errorf("%s of %.40q would be a command of a CI runner: %q", f, s, m)
			}
			if f == HTML {
				for _, m := range tag.FindAll(out, -1) {
					if !known[element(m)] {
						t.Errorf("HTML of %.40q has an element %s", s, m)
					}
				}
				if bytes.Contains(out, []byte("ZgotmplZ")) {
					t.Errorf("HTML of %.40q: the template refused a value", s)
				}
			}
			if f == JSON {
				back := new(analyzer.Result)
				if err := json.Unmarshal(out, back); err != nil {
					t.Errorf("JSON of %.40q: %v", s, err)
				} else if diff := cmp.Diff(string([]rune(s)), back.Workloads[0].Name); diff != "" {
					t.Errorf("JSON changed a name (-want +got):\n%s", diff)
				}
			}
		}
	}
}

// element is a tag's name and the names of its attributes.
func element(tag []byte) string {
	values := regexp.MustCompile(`"[^"]*"`)
	return string(values.ReplaceAll(tag, nil))
}

func FuzzPlain(f *testing.F) {
	for _, s := range hostile() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range plain(s) + short(s, 20) + strings.Join(wrap(plain(s), 20), "") {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q: %U", s, r)
			}
		}
		for _, l := range wrap(plain(s), 20) {
			if columns(l) > 20 {
				t.Fatalf("%q: line of %d columns", s, columns(l))
			}
		}
		// An escaped backslash is a character that escapes nothing; another stands for it.
		if m := markup.FindString(strings.ReplaceAll(strings.ReplaceAll(prose(s), "&#8203;", "\u200b"), `\\`, "\u29f5")); m != "" {
			t.Fatalf("prose(%q) = %q holds %q", s, prose(s), m)
		}
	})
}
