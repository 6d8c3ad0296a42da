package starter

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

// maxReady and maxOther bound how many functions a file names: it is to be
// read, not searched.
const (
	maxReady = 3
	maxOther = 5
)

const head = `# What concprof is to judge. Every op below is run under each concurrency
# model, many times: take out what must not be.
#
#   concprof check workload.yaml      is this file right?
#   concprof plan workload.yaml       what would be measured, and how long does it take?
#   concprof analyze workload.yaml    measure, classify, recommend
#
# concprof schema --format markdown explains every key.
version: 1

workloads:
`

const tail = `
# models: [sequential, pool, goroutines]   # by default all that can run

measure:
  budget: 60s                   # a workload, all included
  # runs: 10                    # repetitions; a recommendation needs at least 6
  # concurrency: [1, 8, 64]     # ops in flight; by default 1 to 64, and up to 512 if that helps
  # max_rate: 50/s              # starts of ops, so that a real service is not flooded
`

const builtin = `  # An op can be a list of built-in steps: a model of your service to begin with.
  - name: fetch-then-hash
    steps:
      - http: {server: api}                # waits for the server below
      - cpu: {kind: sha256, for: 2ms}      # computes

  # Or a program, started once an op:
  # - name: compress
  #   command: [gzip, -9, -c, "{input}"]   # {input} is a line of the file
  #   inputs: files.txt
`

const servers = `
servers:                        # started before, stopped after, in processes of their own
  api: {http: {latency: 20ms}}
`

// An entry is what becomes a workload.
type entry interface {
	// ready reports whether it can be measured without more being said.
	ready() bool
	// write writes it with a name that is none of those that are taken.
	write(b *bytes.Buffer, indent string, names map[string]bool)
}

// split returns the functions that can be measured as they are, and those
// that need something said.
func (f *Found) split() (ready, other []entry) {
	var all []entry
	for _, fn := range f.Funcs {
		all = append(all, fn)
	}
	for _, c := range f.Callables {
		all = append(all, c)
	}
	for _, fn := range all {
		switch {
		case fn.ready() && len(ready) < maxReady:
			ready = append(ready, fn)
		case len(other) < maxOther:
			other = append(other, fn)
		}
	}
	return ready, other
}

// File returns the text of a workload file: it always parses, and what it
// does not comment out can be measured as it is.
func (f *Found) File() []byte {
	var b bytes.Buffer
	b.WriteString(head)
	ready, other := f.split()
	names := map[string]bool{}
	for i, fn := range ready {
		if i > 0 {
			b.WriteByte('\n')
		}
		fn.write(&b, "  ", names)
	}
	if len(ready) == 0 {
		b.WriteString(builtin)
	}
	if len(other) > 0 {
		b.WriteString("\n  # Functions that would fit too:\n")
		for _, fn := range other {
			fn.write(&b, "  # ", names)
		}
	}
	if len(ready) == 0 {
		b.WriteString(servers)
	}
	b.WriteString(tail)
	return b.Bytes()
}

// write writes the entry of one function.
func (f Func) write(b *bytes.Buffer, indent string, names map[string]bool) {
	why := fmt.Sprintf("%s:%d", f.File, f.Line)
	if f.Benchmark != "" {
		why += ", measured by " + f.Benchmark
	}
	fmt.Fprintf(b, "%s- name: %s\n", indent, f.unique(names))
	fmt.Fprintf(b, "%s  go: {package: %s, func: %s}   # %s\n", indent, f.Package, f.Name, clean(why))
	writeInput(b, indent, f.Input)
}

// writeInput says what a function is given.
func writeInput(b *bytes.Buffer, indent string, in Input) {
	switch in {
	case Number:
		fmt.Fprintf(b, "%s  inputs: {count: 1000}   # it is given the op's number, 0 to 999\n", indent)
	case Text:
		fmt.Fprintf(b, "%s  inputs: inputs.txt      # it is given a line of this file, which you have to write\n", indent)
	}
}

// unique names the function's workload: thumb.Render.
func (f Func) unique(names map[string]bool) string {
	if f.Package != "." {
		return unique(path.Base(f.Package)+"."+f.Name, names)
	}
	return unique(f.Name, names)
}

// unique makes a workload's name of any text: thumb.Render, and thumb.Render-2
// when there is one of that name.
func unique(base string, names map[string]bool) string {
	base = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, base)
	base = strings.TrimLeft(base, ".-_")
	base = base[:min(len(base), 60)]
	if base == "" {
		base = "workload"
	}
	name := base
	for n := 2; names[strings.ToLower(name)]; n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	names[strings.ToLower(name)] = true
	return name
}

// clean keeps a file's name within its comment.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufffd' {
			return '?'
		}
		return r
	}, s)
}

// Summary says in one line what was found.
func (f *Found) Summary() string {
	ready, other := f.split()
	switch {
	case len(ready) > 0 && len(other) > 0:
		return fmt.Sprintf("%s to measure as they are, %d more as comments", functions(len(ready)), len(other))
	case len(ready) > 0:
		return functions(len(ready)) + " to measure as they are"
	case len(other) > 0:
		return fmt.Sprintf("an example of built-in steps, and %s as comments", functions(len(other)))
	case f.Module && len(f.Callables) == 0:
		return "an example of built-in steps; no exported function of this module fits as it is"
	}
	return "an example of built-in steps; this folder is not in a Go module and has no Python callables"
}

func functions(n int) string {
	if n == 1 {
		return "1 function"
	}
	return fmt.Sprintf("%d functions", n)
}
