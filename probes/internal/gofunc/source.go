package gofunc

import (
	"embed"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"sort"
	"strconv"
	"strings"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

// The third-party packages that the harness needs, as text: fgprof and
// pprof/profile, which import nothing but the standard library and each other.
// A test holds them to the versions in go.mod.
//
//go:embed third_party
var thirdParty embed.FS

const (
	// prefix begins the name of everything that is put into a user's module.
	prefix = "zz_concprof_"
	// languageVersion lifts the files of the probe, and only those, to the
	// language they are written in, whatever the user's go.mod says.
	// (Go 1.21 would bring back loop variables that are shared.)
	languageVersion = "go1.22"
)

// A bundle is a package that is put into the user's module.
type bundle struct {
	importPath string // in its home
	name       string // of its folder in the user's module, without prefix
	files      fs.FS
	pattern    string // of its sources in files
}

// bundles returns the packages that a probe consists of.
func bundles() []bundle {
	const home = "github.com/concprof/concprof/probes/"
	return []bundle{
		{home + "record", "record", record.Source, "*.go"},
		{home + "model", "model", model.Source, "*.go"},
		{home + "harness", "harness", harness.Source, "*.go"},
		{"github.com/felixge/fgprof", "fgprof", thirdParty, "third_party/fgprof/*.go.txt"},
		{"github.com/google/pprof/profile", "profile", thirdParty, "third_party/pprof/*.go.txt"},
	}
}

// sources returns the text of the bundles by path below the root of a module
// whose import path is root, rewritten to import each other from there.
func sources(root string) (map[string][]byte, error) {
	moved := map[string]string{}
	for _, b := range bundles() {
		moved[b.importPath] = path.Join(root, prefix+b.name)
	}
	out := map[string][]byte{}
	for _, b := range bundles() {
		names, err := b.sourceFiles()
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			text, err := fs.ReadFile(b.files, name)
			if err != nil {
				return nil, err
			}
			base := strings.TrimSuffix(path.Base(name), ".txt")
			text, err = rewrite(base, text, moved)
			if err != nil {
				return nil, fmt.Errorf("package %s: %w", b.importPath, err)
			}
			out[path.Join(prefix+b.name, base)] = text
		}
	}
	return out, nil
}

// sourceFiles lists the files of b that are compiled into a probe.
func (b bundle) sourceFiles() ([]string, error) {
	names, err := fs.Glob(b.files, b.pattern)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("package %s has no sources", b.importPath)
	}
	return names, nil
}

// An edit replaces the bytes from start to end.
type edit struct {
	start, end int
	text       string
}

// apply returns src with the edits made, which must not overlap.
func apply(src []byte, edits []edit) []byte {
	sort.Slice(edits, func(i, j int) bool { return edits[i].start < edits[j].start })
	var out []byte
	at := 0
	for _, e := range edits {
		out = append(out, src[at:e.start]...)
		out = append(out, e.text...)
		at = e.end
	}
	return append(out, src[at:]...)
}

// rewrite changes the imports of a Go file as moved says and adds the
// language version to its build constraint.
func rewrite(name string, src []byte, moved map[string]string) ([]byte, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	offset := func(p token.Pos) int { return fset.Position(p).Offset }
	var edits []edit
	for _, spec := range f.Imports {
		from, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if to, ok := moved[from]; ok {
			edits = append(edits, edit{offset(spec.Path.Pos()), offset(spec.Path.End()), strconv.Quote(to)})
		}
	}
	e, err := constrain(f, offset)
	if err != nil {
		return nil, err
	}
	return apply(src, append(edits, e)), nil
}

// constrain returns the edit that makes f's build constraint ask for the
// language version too.
func constrain(f *ast.File, offset func(token.Pos) int) (edit, error) {
	for _, group := range f.Comments {
		for _, c := range group.List {
			if c.Pos() > f.Package || !constraint.IsGoBuild(c.Text) {
				continue
			}
			x, err := constraint.Parse(c.Text)
			if err != nil {
				return edit{}, err
			}
			x = &constraint.AndExpr{X: &constraint.TagExpr{Tag: languageVersion}, Y: x}
			return edit{offset(c.Pos()), offset(c.End()), "//go:build " + x.String()}, nil
		}
	}
	return edit{text: "//go:build " + languageVersion + "\n\n"}, nil
}
