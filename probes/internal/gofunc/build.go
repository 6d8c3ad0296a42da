package gofunc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

func build(ctx context.Context, r Request) (*Binary, error) {
	if len(r.Funcs) == 0 {
		return nil, errors.New("build a probe: no functions")
	}
	for _, fn := range r.Funcs {
		if err := r.checkExpr(fn); err != nil {
			return nil, err
		}
	}
	home, err := r.home()
	if err != nil {
		return nil, err
	}
	g, err := newGocmd(ctx, home, r.Env)
	if err != nil {
		return nil, err
	}
	switch {
	case g.mod == "" || g.mod == os.DevNull:
		return nil, r.fault(r.Funcs[0], "run go mod init there", "%s is in no Go module: there is no go.mod in it or above it", home)
	case tooOld(g.version):
		return nil, r.fault(r.Funcs[0], "", "the go command is %s; building a probe needs go1.%d or newer", g.version, minGo)
	}
	g.chdir(filepath.Dir(g.mod))
	pkgs, err := r.locate(ctx, g)
	if err != nil {
		return nil, err
	}
	root := pkgs[0].Module
	g.chdir(root.Dir)

	files, err := r.files(pkgs, root)
	if err != nil {
		return nil, err
	}
	overlay, err := writeOverlay(r.Out, files)
	if err != nil {
		return nil, err
	}
	bin := filepath.Join(r.Out, "probe")
	args := []string{"build", "-buildvcs=false", "-overlay=" + overlay, "-o", bin}
	args = append(args, r.tagFlags()...)
	if r.Race {
		args = append(args, "-race")
	}
	if profile := pgoProfile(pkgs, root); profile != "" {
		args = append(args, "-pgo="+profile)
	}
	args = append(args, "./"+prefix+"main")
	if _, err := g.run(ctx, args...); err != nil {
		var failed *goError
		if errors.As(err, &failed) {
			e := r.goFault(r.Funcs[0], g, failed)
			r.addHints(e, pkgs)
			return nil, e
		}
		return nil, fmt.Errorf("run go build: %w", err)
	}
	return &Binary{Path: bin, Workloads: r.Workloads, Module: root.Path, ModuleDir: root.Dir, GoVersion: g.version}, nil
}

// files returns all that is put into the user's tree, by absolute path there.
func (r *Request) files(pkgs []*pkg, root *module) (map[string][]byte, error) {
	files, err := r.generate(pkgs, root)
	if err != nil {
		return nil, err
	}
	bundled, err := sources(root.Path)
	if err != nil {
		return nil, err
	}
	for name, text := range bundled {
		files[filepath.Join(root.Dir, filepath.FromSlash(name))] = text
	}
	for file := range files {
		if err := r.checkFree(file); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// checkFree refuses to hide something of the user's that has a name of ours.
func (r *Request) checkFree(file string) error {
	for _, name := range []string{file, filepath.Dir(file)} {
		if !strings.HasPrefix(filepath.Base(name), prefix) {
			continue
		}
		if _, err := os.Lstat(name); err == nil {
			return r.fault(r.Funcs[0], "rename it", "%s exists: names that begin with %s are the probe's", name, prefix)
		}
	}
	return nil
}

// writeOverlay writes the files and the overlay that puts them in place, and
// returns the overlay's path.
func writeOverlay(out string, files map[string][]byte) (string, error) {
	dir := filepath.Join(out, "src")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for i, name := range names {
		if files[name] == nil {
			overlay.Replace[name] = "" // how an overlay says absent
			continue
		}
		file := filepath.Join(dir, fmt.Sprintf("%03d_%s", i, filepath.Base(name)))
		if err := os.WriteFile(file, files[name], 0o600); err != nil {
			return "", err
		}
		overlay.Replace[name] = file
	}
	data, err := json.MarshalIndent(overlay, "", "\t")
	if err != nil {
		return "", err
	}
	file := filepath.Join(out, "overlay.json")
	return file, os.WriteFile(file, data, 0o600)
}

// pgoProfile returns the profile that the user's own build would be optimised
// with, "" if there is none. The go command looks for it beside the main
// package, which is ours here; so it is looked for in the packages of the
// targets, in the module's root, and beside its only command.
func pgoProfile(pkgs []*pkg, root *module) string {
	dirs := make([]string, 0, len(pkgs)+1)
	for _, p := range pkgs {
		dirs = append(dirs, p.Dir)
	}
	for _, dir := range append(dirs, root.Dir) {
		file := filepath.Join(dir, "default.pgo")
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	if found, err := filepath.Glob(filepath.Join(root.Dir, "cmd", "*", "default.pgo")); err == nil && len(found) == 1 {
		return found[0]
	}
	return ""
}

// maxSource bounds a file of the user's that is read, in bytes.
const maxSource = 64 << 20

func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSource {
		return nil, fmt.Errorf("%s: longer than %d bytes", name, maxSource)
	}
	return os.ReadFile(name)
}
