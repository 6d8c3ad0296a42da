package layout

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/concprof/concprof/probes/model"
)

// TestModelsAreDocumented holds that docs/method.md has every model, in the order
// in which ties go to the simplest.
func TestModelsAreDocumented(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "docs", "method.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n## The models\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var got []model.Model
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(section, -1) {
		got = append(got, model.Model(m[1]))
	}
	if diff := cmp.Diff(model.All(), got); diff != "" {
		t.Errorf("the table of models (-want +got):\n%s", diff)
	}
}
