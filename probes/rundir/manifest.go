// Package rundir is the run directory: the only channel between measuring and
// judging.
//
//	manifest.json   what was planned, on which host, with which versions and seed
//	workload.yaml   as it was when the run began
//	journal.jsonl   one checksummed line per finished trial and per decision
//	excerpts.json   the lines of the user's source around each limit
//	trials/<id>/    what the probe wrote: cpu.pb.gz, wall.pb.gz, stdout, stderr
//	profiles/       derived, as are verdict.json, report.html, report.md, bench.txt:
//	                deleting them loses nothing
//
// An archive is the same evidence in one file, which is read in place.
package rundir

import (
	"time"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// ManifestSchema names the version of manifest.json.
const ManifestSchema = "concprof-run/1"

// Manifest is what was fixed when a run began.
type Manifest struct {
	Schema  string    `json:"schema"`
	ID      string    `json:"id"`
	Name    string    `json:"name"` // of the file or target, the folder above the run
	Created time.Time `json:"created"`
	Tool    Tool      `json:"tool"`
	Host    Host      `json:"host"`
	Command []string  `json:"command"` // the arguments of this run
	Plan    plan.Plan `json:"plan"`
	// Interpreters are what ran the Python targets, none if there are none.
	Interpreters []Interpreter `json:"interpreters,omitempty"`
	// SourceDigest is the SHA-256 of workload.yaml, in hexadecimal.
	SourceDigest string `json:"source_digest"`
	// SourceDir is the folder that relative paths in workload.yaml start at,
	// and SourcePath the file's path; both for resuming only.
	SourceDir  string `json:"source_dir"`
	SourcePath string `json:"source_path,omitempty"`
	// Against is set in both runs of a measurement against another revision.
	Against *Against `json:"against,omitempty"`
}

// Tool is the concprof that measured.
type Tool struct {
	Version string `json:"version"`
	Go      string `json:"go"` // the toolchain that built it
}

// An Interpreter is what ran the Python targets of some workloads.
type Interpreter struct {
	record.Interpreter
	Workloads []string `json:"workloads"`
	// Path is what was executed, Found where it was found: "$VIRTUAL_ENV".
	Path  string `json:"path"`
	Found string `json:"found"`
	// Notes tell what could not be measured with it, one sentence each.
	Notes []string `json:"notes,omitempty"`
}

// Host is the machine, without anything that names it or its user.
type Host struct {
	OS          string `json:"os"`
	Arch        string `json:"arch"`
	Kernel      string `json:"kernel,omitempty"`
	CPU         string `json:"cpu,omitempty"`
	Cores       int    `json:"cores"` // processors that this process may use
	MemoryBytes int64  `json:"memory_bytes,omitempty"`
	Virtual     bool   `json:"virtual,omitempty"`
	// Fingerprint is a hash of the above: runs are comparable only on like
	// hosts.
	Fingerprint string `json:"fingerprint"`
	// Unenforced names the limits and measurements that this host cannot
	// provide and others can, "CPU pressure".
	Unenforced []string `json:"unenforced,omitempty"`
}
