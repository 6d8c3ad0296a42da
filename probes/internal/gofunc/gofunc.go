// Package gofunc builds the probe binary for functions of the user's own Go
// module.
//
// Everything that the probe adds to the module is virtual: `go build
// -overlay` is told of a main package, of the harness and of what the harness
// needs, all with import paths inside the user's module. So the user's tree,
// go.mod, go.sum, vendor folder and versions stay as they are, rules about
// internal packages are kept, and nothing is fetched.
package gofunc

import (
	"context"
	"time"
)

// A Func is a function to build: a Go expression of function type, evaluated
// in a package.
type Func struct {
	Package string // as in the file: "./internal/thumb" or an import path
	Expr    string // "Render", "(*Index).Add", "func(s string) error { ... }"
	Line    int    // of the expression in the file, 1-based; 0 if unknown
}

// Key returns the name under which the probe binary registers the function.
func Key(pkg, expr string) string { return pkg + "." + expr }

// A Request is what one probe binary is built from.
type Request struct {
	// Funcs are all functions that the binary holds. They share a module or
	// a go.work, and tags.
	Funcs []Func
	// Workloads names the workloads that the binary is for.
	Workloads []string
	Tags      []string
	// Race builds with the race detector, which needs cgo and a C compiler.
	Race bool

	// Dir is the folder that relative package paths start at, File the
	// workload file's path as messages show it, "" if there is none.
	Dir  string
	File string
	// Out is a private folder, which the caller removes. The binary and
	// all generated sources are written there and nowhere else.
	Out string
	// Env is the environment of the go command, os.Environ() if it is nil.
	Env []string
}

// A Binary is a built probe.
type Binary struct {
	Path      string // of the executable
	Workloads []string
	Module    string // path of the user's module
	ModuleDir string // its folder, which probes run in
	GoVersion string // of the toolchain, as "go1.26.0"
	Took      time.Duration
}

// Build builds the binary of r. An error of type *Error lists faults of the
// user's file or code; any other means that building could not be tried.
func Build(ctx context.Context, r Request) (*Binary, error) {
	start := time.Now()
	b, err := build(ctx, r)
	if err != nil {
		return nil, err
	}
	b.Took = time.Since(start)
	return b, nil
}
