package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
)

// sarifSchema is that of SARIF 2.1.0, an OASIS standard.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// The parts of SARIF that limits need. A result is a limit of one workload.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		Bases   map[string]sarifBase `json:"originalUriBaseIds,omitempty"`
		Results []sarifResult        `json:"results"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		URI     string      `json:"informationUri"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
		Full  sarifText `json:"fullDescription"`
		Help  sarifText `json:"help"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifBase struct {
		Description sarifText `json:"description"`
	}
	sarifResult struct {
		Rule         string            `json:"ruleId"`
		Index        int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Properties   sarifProperties   `json:"properties"`
	}
	sarifProperties struct {
		Workload string  `json:"workload"`
		Share    float64 `json:"share"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId"`
	}
	sarifRegion struct {
		Line int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
)

// moduleRoot is the base of the paths in a SARIF log. Whoever shows the log
// knows where that is; the log does not.
const moduleRoot = "MODULEROOT"

// sarifRules are the limits that a log can hold, in this order.
var sarifRules = []struct {
	kind                analyzer.LimitKind
	short, full, remedy string
}{
	{analyzer.LimitLock, "Ops wait for a lock",
		"With several ops in flight most of their time is spent waiting for one lock: more of them gain nothing.",
		"Hold the lock for less, split it, or stay sequential."},
	{analyzer.LimitLoopStall, "A blocking call would stall an event loop",
		"The op blocks its thread in a call that an event loop cannot wait for: every other op of the loop would wait with it.",
		"Use a call that the loop can wait for, or run it in threads or a pool."},
	{analyzer.LimitGIL, "Ops wait for the interpreter's lock",
		"Threads of one CPython interpreter compute one after the other.",
		"Use processes, or an interpreter without the lock."},
	{analyzer.LimitGC, "Garbage collection takes a large share of the CPU",
		"The collector uses processors that ops could use.",
		"Allocate less in an op, reuse buffers, or raise GOGC."},
	{analyzer.LimitMemory, "Ops exceed the memory limit",
		"With more ops in flight trials passed their memory limit.",
		"Bound the ops in flight, or raise the limit."},
	{analyzer.LimitDownstream, "What ops wait for is saturated",
		"Throughput stops growing while latency grows and processors idle: what the ops call is the limit.",
		"Bound the ops in flight to what it serves, or give it more capacity."},
	{analyzer.LimitOversubscription, "More ops in flight than processors lose throughput",
		"Processors are busy, and further ops in flight cost more than they gain.",
		"Bound the ops in flight to the number of processors."},
}

// sarif is the result's limits as a SARIF log, which code scanning shows at
// the line where the time goes. A place outside of the user's module, in a
// library or a built-in step, is named but has no file: there is none to
// annotate.
func sarif(res *analyzer.Result) ([]byte, error) {
	var run sarifRun
	d := &run.Tool.Driver
	d.Name, d.Version, d.URI = "concprof", plain(res.Run.Tool.Version), "https://github.com/concprof/concprof"
	d.Rules = []sarifRule{}
	index := map[analyzer.LimitKind]int{}
	for _, r := range sarifRules {
		if hasLimit(res.Workloads, r.kind) {
			index[r.kind] = len(d.Rules)
			d.Rules = append(d.Rules, sarifRule{string(r.kind), sarifText{r.short}, sarifText{r.full}, sarifText{r.remedy}})
		}
	}
	run.Results = []sarifResult{}
	for i := range res.Workloads {
		w := &res.Workloads[i]
		for _, l := range w.Limits {
			at, known := index[l.Kind]
			if !known {
				continue
			}
			r := sarifResult{
				Rule: string(l.Kind), Index: at, Level: "warning",
				Message:      sarifText{plain(fmt.Sprintf("%s: %s", w.Name, limitLine(l, true)))},
				Fingerprints: map[string]string{"limit/v1": fingerprint(w.Name, string(l.Kind), l.Function, l.File)},
				Properties:   sarifProperties{plain(w.Name), l.Share},
			}
			if loc, ok := sarifPlace(l); ok {
				r.Locations = []sarifLocation{loc}
				if loc.Physical != nil {
					run.Bases = map[string]sarifBase{moduleRoot: {sarifText{"The folder of the go.mod of the measured module."}}}
				}
			}
			run.Results = append(run.Results, r)
		}
	}
	out, err := json.MarshalIndent(sarifLog{sarifSchema, "2.1.0", []sarifRun{run}}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the limits: %w", err)
	}
	return visible(out), nil
}

// sarifPlace returns where a limit is.
func sarifPlace(l analyzer.Limit) (sarifLocation, bool) {
	var loc sarifLocation
	if l.Function != "" {
		loc.Logical = []sarifLogical{{plain(l.Function), "function"}}
	}
	if inModule(l) {
		loc.Physical = &sarifPhysical{Artifact: sarifArtifact{uriPath(l.File), moduleRoot}}
		if l.Line > 0 {
			loc.Physical.Region = &sarifRegion{l.Line}
		}
	}
	return loc, loc.Logical != nil || loc.Physical != nil
}

// inModule reports whether the file of a limit is one of the user's module.
// The analyzer tells these relative to the module's root, those of other
// modules by their import path, which has a version or begins with a domain,
// and those of Go itself by their package.
func inModule(l analyzer.Limit) bool {
	file := l.File
	if strings.HasSuffix(file, ".go") && !profile.UserCode(profile.Frame{Function: l.Function, File: file}) {
		return false
	}
	clean := path.Clean(file)
	if file == "" || path.IsAbs(file) || strings.ContainsAny(file, "\\:") || clean == ".." || strings.HasPrefix(clean, "../") {
		return false
	}
	first, rest, folder := strings.Cut(clean, "/")
	if strings.Contains(clean, "@") || folder && strings.Contains(first, ".") && !strings.HasPrefix(first, ".") {
		return false
	}
	return first != "vendor" || rest == ""
}

// uriPath returns a path as the URI reference that SARIF wants: what is not
// unreserved is spelled in percent signs.
func uriPath(file string) string {
	parts := strings.Split(path.Clean(file), "/")
	for i, p := range parts {
		parts[i] = nameValue(p)
	}
	return strings.Join(parts, "/")
}

// fingerprint tells results of different runs for the same one. The line is
// not in it: it moves with every edit above.
func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}
