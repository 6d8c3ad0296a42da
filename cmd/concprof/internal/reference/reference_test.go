package reference

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/probes/workload"
)

var update = flag.Bool("update", false, "write docs/workload.md anew")

const docs = "../../../../docs/workload.md"

// The page in docs is what the schema says.
func TestPage(t *testing.T) {
	got, err := Write(workload.Schema())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(docs, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s is not what the schema says; write it with go test ./cmd/concprof/internal/reference -update (-page +schema):\n%s", docs, diff)
	}
}

// Every row is whole: a key has a value, a default, an example and a meaning.
func TestRows(t *testing.T) {
	page, err := Write(workload.Schema())
	if err != nil {
		t.Fatal(err)
	}
	_, reference, _ := strings.Cut(string(page), "\n## Every key\n")
	rows := 0
	for line := range strings.Lines(reference) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		rows++
		cells := strings.Split(strings.ReplaceAll(strings.TrimSpace(line), `\|`, ""), " | ")
		if len(cells) != 5 {
			t.Errorf("%d cells: %s", len(cells), line)
		}
		for i, c := range cells {
			if strings.Trim(c, "| ") == "" {
				t.Errorf("cell %d is empty: %s", i, line)
			}
		}
	}
	if rows < 80 {
		t.Errorf("%d keys", rows)
	}
}

// Links of the page lead to its sections.
func TestLinks(t *testing.T) {
	page, err := Write(workload.Schema())
	if err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	for line := range bytes.Lines(page) {
		if title := strings.TrimLeft(string(line), "#"); len(title) < len(line) {
			a := anchor(strings.TrimSpace(title))
			if anchors[a] {
				t.Errorf("two sections at #%s", a)
			}
			anchors[a] = true
		}
	}
	for _, part := range strings.Split(string(page), "](#")[1:] {
		to, _, _ := strings.Cut(part, ")")
		if !anchors[to] {
			t.Errorf("#%s leads nowhere", to)
		}
	}
}

// A schema that cannot be told is an error, not a page with holes.
func TestHoles(t *testing.T) {
	for _, tt := range []struct{ name, schema, want string }{
		{"no description", `{"description": "A file.", "properties": {"a": {"type": "boolean"}}}`, "The file.a has no description"},
		{"a reference to nothing", `{"properties": {"a": {"description": "A.", "$ref": "#/$defs/b"}}}`, "#/$defs/b points to nothing"},
		{"a text of no kind", `{"properties": {"a": {"description": "A.", "type": "string"}}}`, "no title"},
		{"no schema", `{`, "read the schema"},
		{"not a mapping", `[]`, "no keys"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Write([]byte(tt.schema)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestFlow(t *testing.T) {
	const doc = `{"a": ["x", "20ms", "1", "no", "a: b", "", "{input}", "-9", "- x", "p99 <= 50ms", "#", "f(x)", "200/s", 7, true, null], "b": {"c": "d"}}`
	n, err := parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{a: [x, 20ms, "1", "no", "a: b", "", "{input}", -9, "- x", "p99 <= 50ms", "#", f(x), 200/s, 7, true, null], b: {c: d}}`
	if got := n.flow(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
