package cli

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/rundir"
	"github.com/concprof/concprof/reports"
)

// FuzzForeignRun opens a run directory whose manifest, workload file and
// journal may hold anything, judges it and writes everything that is derived
// from it: nothing panics, nothing is written outside of the directory and
// nothing in it but what is derived. The journal's lines get right checksums,
// which would else hide them all. testdata/run is of a run on a busy machine.
func FuzzForeignRun(f *testing.F) {
	seed := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", "run", name))
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	manifest, source, journal := seed("manifest.json"), seed("workload.yaml"), seed("journal.jsonl")
	f.Add(manifest, source, journal)
	f.Add(manifest, source, journal[:4000])
	f.Add(manifest, []byte{}, []byte{})
	for _, r := range [][2]string{
		{`"mix"`, `"../../../outside"`}, {`"mix"`, `"<b>\u001b[2J"`}, {`"pool"`, `"nosuch"`}, {`"concurrency":2`, `"concurrency":-9223372036854775808`},
		{`"concurrency":2`, `"concurrency":9223372036854775807`}, {`_ns":1`, `_ns":-1`}, {`"ops":`, `"ops":9`}, {`"counts":{`, `"counts":{"9999":9223372036854775807,`},
		{`"cores":2`, `"cores":0`}, {`"file":"`, `"file":"../`}, {`"done":true`, `"done":false`}, {`"status":"ok"`, `"status":"wrong"`},
	} {
		spaced := strings.Replace(r[0], ":", ": ", 1)
		f.Add(bytes.ReplaceAll(bytes.ReplaceAll(manifest, []byte(r[0]), []byte(r[1])), []byte(spaced), []byte(r[1])), source, bytes.ReplaceAll(journal, []byte(r[0]), []byte(r[1])))
	}
	f.Fuzz(func(t *testing.T, manifest, source, journal []byte) {
		root := t.TempDir()
		dir := filepath.Join(root, "run")
		var lines []byte
		for line := range bytes.Lines(journal) {
			doc := bytes.TrimSuffix(line, []byte("\n"))
			lines = append(fmt.Appendf(lines, "%08x ", crc32.ChecksumIEEE(doc)), append(doc, '\n')...)
		}
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{"manifest.json": manifest, "workload.yaml": source, "journal.jsonl": lines} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		run, err := rundir.Open(dir)
		if err != nil {
			return
		}
		res, err := judge(run)
		if err != nil {
			return
		}
		for _, format := range reports.All() {
			if err := reports.Write(io.Discard, format, res, reports.Options{Width: 80, Verbose: true}); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
		_ = writeDerived(dir, res, nil)
		_ = complain(&judged{run: run, res: res})
		sourceOf(run) //nolint:errcheck // it may refuse, no more
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			rel, _ := filepath.Rel(root, path)
			switch strings.Split(rel, string(filepath.Separator))[0] {
			case ".", "run":
			default:
				t.Errorf("wrote %s", rel)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
