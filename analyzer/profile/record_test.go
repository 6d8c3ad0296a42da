package profile_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/analyzer/profile/internal/harness"
)

// With -update the tests run the ops of ops_test.go under the real profilers
// and keep what those wrote under testdata:
//
//	go test ./analyzer/profile -run TestWaitsRecorded -update
var update = flag.Bool("update", false, "record the profiles in testdata anew")

// recorded returns the profiles in testdata of the op of that name.
func recorded(t testing.TB, name string) (cpu, wall *pprof.Profile) {
	t.Helper()
	read := func(kind string) *pprof.Profile {
		data, err := os.ReadFile(filepath.Join("testdata", name+"."+kind+".pb.gz"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := profile.Read(data)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	return read("cpu"), read("wall")
}

// rerecord runs the op and writes its profiles to testdata.
func rerecord(t *testing.T, o op) {
	t.Helper()
	r, err := harness.Record(o.run(t), o.n, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for kind, data := range map[string][]byte{"cpu": r.CPU, "wall": r.Wall} {
		p, err := pprof.ParseData(data)
		if err != nil {
			t.Fatal(err)
		}
		anonymise(p)
		var b bytes.Buffer
		if err := p.Write(&b); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("testdata", o.name+"."+kind+".pb.gz"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// anonymise takes off what is of the recording machine: folders, addresses,
// the time.
func anonymise(p *pprof.Profile) {
	p.TimeNanos = 0
	for _, m := range p.Mapping {
		m.File, m.BuildID = "profile.test", ""
	}
	for _, f := range p.Function {
		for _, root := range []string{"/src/", "/analyzer/", "/pkg/mod/"} {
			if i := strings.Index(f.Filename, root); i >= 0 {
				f.Filename = "/go" + f.Filename[i:]
				break
			}
		}
	}
}
