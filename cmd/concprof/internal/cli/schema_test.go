package cli

import (
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/concprof/concprof/cmd/concprof/internal/reference"
	"github.com/concprof/concprof/probes/workload"
)

// The examples of the reference are YAML, each a mapping with the key that it
// is an example of.
func TestReferenceExamples(t *testing.T) {
	page, err := reference.Write(workload.Schema())
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|.*\\| `([a-z_]+: .*?)` \\|[^|]*\\|$").FindAllStringSubmatch(string(page), -1)
	if len(rows) < 80 {
		t.Fatalf("%d examples", len(rows))
	}
	for _, row := range rows {
		var got map[string]any
		if err := yaml.Unmarshal([]byte(strings.ReplaceAll(row[2], `\|`, "|")), &got); err != nil {
			t.Errorf("%s: %v", row[2], err)
		} else if _, ok := got[row[1]]; !ok || len(got) != 1 {
			t.Errorf("%s is no example of %s", row[2], row[1])
		}
	}
}
