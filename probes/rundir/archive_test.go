package rundir

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

// archivedRun makes a run with one trial that left a profile and output.
func archivedRun(t testing.TB) *Run {
	t.Helper()
	d, err := Create(t.TempDir(), Manifest{ID: "run", Name: "w", Plan: plan.Plan{Seed: 7, Cores: 2}}, []byte("version: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	trial := plan.Trial{ID: "t0001"}
	dir, err := d.TrialDir(trial.ID)
	for name, text := range map[string]string{"cpu.pb.gz": "profile", "stderr": "noise\n"} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666))
	}
	err = errors.Join(err,
		d.AppendDecision(plan.Decision{Trials: []plan.Trial{trial}, Done: true}),
		d.AppendTrial(plan.Finished{Trial: trial, Record: record.Record{Status: record.OK, Ops: 3}}),
		WriteExcerpts(d.Path(), []Excerpt{{Workload: "w", File: "a.go", Line: 1}}),
		os.MkdirAll(filepath.Join(d.Path(), "profiles"), 0o777),
		os.WriteFile(filepath.Join(d.Path(), "report.html"), []byte("derived"), 0o666),
		os.Symlink("/etc/passwd", filepath.Join(dir, "link")))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func archiveOf(t testing.TB, r *Run) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := WriteArchive(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openBytes(data []byte) (*Run, error) {
	a, err := newArchive(bytes.NewReader(data), int64(len(data)), "run.zip")
	if err != nil {
		return nil, err
	}
	r, err := open("run.zip", a)
	if err == nil {
		r.Edited = a.edited("")
	}
	return r, err
}

func TestArchive(t *testing.T) {
	r := archivedRun(t)
	var b bytes.Buffer
	done, err := WriteArchive(&b, r)
	must(t, err)
	if done.Files != 6 || done.Bytes == 0 || !slices.Equal(done.Others, []string{"trials/t0001/link"}) {
		t.Errorf("wrote %+v", done)
	}
	file := filepath.Join(t.TempDir(), "run.zip")
	must(t, os.WriteFile(file, b.Bytes(), 0o666))
	again, err := Open(file)
	must(t, err)
	if !again.IsArchive() || r.IsArchive() {
		t.Errorf("archives: %t, %t", again.IsArchive(), r.IsArchive())
	}
	if diff := cmp.Diff(r, again, cmpopts.IgnoreUnexported(Run{}), cmpopts.IgnoreFields(Run{}, "Path")); diff != "" {
		t.Errorf("the archive is another run (-folder +archive):\n%s", diff)
	}
	if data, err := again.ReadProfile("t0001", "cpu.pb.gz"); string(data) != "profile" {
		t.Errorf("profile %q, %v", data, err)
	}
	for _, name := range []string{"wall.pb.gz", "link"} {
		if _, err := again.ReadProfile("t0001", name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := Resume(file); err == nil || !strings.Contains(err.Error(), "is an archive") {
		t.Errorf("resumed an archive: %v", err)
	}
	// The same evidence gives the same bytes, from the folder and from itself.
	if !bytes.Equal(b.Bytes(), archiveOf(t, r)) || !bytes.Equal(b.Bytes(), archiveOf(t, again)) {
		t.Error("two archives of one run differ")
	}
	if !IsArchive(file) || IsArchive(r.Path) || IsArchive(filepath.Join(r.Path, manifestFile)) || IsArchive("/dev/zero") {
		t.Error("IsArchive tells files wrongly")
	}
}

// A file of a run that is all zeros is no bomb: the archive is read again.
func TestArchiveOfMonotony(t *testing.T) {
	r := archivedRun(t)
	must(t, os.WriteFile(filepath.Join(r.Path, "trials", "t0001", "stdout"), make([]byte, 8<<20), 0o666))
	again, err := openBytes(archiveOf(t, r))
	must(t, err)
	if data, err := again.ReadProfile("t0001", "stdout"); len(data) != 8<<20 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

// An entry of a zip file that is made by hand.
type zipped struct {
	zip.FileHeader
	data []byte
	raw  bool // the header as it is, data as it stands in the file
}

// entriesOf takes an archive apart.
func entriesOf(t testing.TB, data []byte) []zipped {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var out []zipped
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, zipped{zip.FileHeader{Name: f.Name, Method: zip.Deflate}, body, false})
	}
	return out
}

func zipOf(t testing.TB, entries []zipped) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		make := z.CreateHeader
		if e.raw {
			make = z.CreateRaw
		}
		w, err := make(&e.FileHeader)
		if err == nil {
			_, err = w.Write(e.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestArchiveRefuses holds that an archive which could lead anywhere, cost
// much, or is not what was archived is refused with a word on what it is,
// and that this takes little memory.
func TestArchiveRefuses(t *testing.T) {
	good := archiveOf(t, archivedRun(t))
	add := func(name string, change func(*zipped)) func() []byte {
		return func() []byte {
			e := zipped{zip.FileHeader{Name: name, Method: zip.Deflate}, []byte("evil"), false}
			if change != nil {
				change(&e)
			}
			return zipOf(t, append(entriesOf(t, good), e))
		}
	}
	mode := func(m fs.FileMode) func(*zipped) { return func(e *zipped) { e.SetMode(m) } }
	list := func(change func(*archiveList)) func() []byte {
		return func() []byte {
			entries := entriesOf(t, good)
			var l archiveList
			must(t, json.Unmarshal(entries[0].data, &l))
			change(&l)
			var err error
			entries[0].data, err = json.Marshal(l)
			must(t, err)
			return zipOf(t, entries)
		}
	}
	edit := func(name, from, to string) func() []byte {
		return func() []byte {
			entries := entriesOf(t, good)
			for i := range entries {
				if entries[i].Name == name {
					entries[i].data = bytes.Replace(entries[i].data, []byte(from), []byte(to), 1)
				}
			}
			return zipOf(t, entries)
		}
	}
	patch := func(at int, b ...byte) func() []byte {
		return func() []byte {
			data := bytes.Clone(good)
			copy(data[len(data)+at:], b)
			return data
		}
	}
	tests := []struct {
		name string
		make func() []byte
		want string
	}{
		{"climbing", add("../../etc/cron.d/x", nil), "leads elsewhere"},
		{"climbing within", add("trials/../../x", nil), "leads elsewhere"},
		{"absolute", add("/etc/passwd", nil), "an absolute name"},
		{"of Windows", add(`trials\t0001\cpu.pb.gz`, nil), "of another system"},
		{"a drive", add("C:/x", nil), "of another system"},
		{"a device of Windows", add("trials/CON/x", nil), "a device on Windows"},
		{"a device with an extension", add("trials/t0001/nul.txt", nil), "a device on Windows"},
		{"a folder", add("trials/t0002/", func(e *zipped) { e.data = nil }), "leads elsewhere"},
		{"deeper", add("trials/t0001/a/b", nil), "no file of a run"},
		{"derived", add("report.html", nil), "no file of a run"},
		{"nested", add("inner.zip", nil), "no file of a run"},
		{"a name that steers terminals", add("\x1b[2J", nil), "no file of a run"},
		{"a symlink", add("trials/t0001/l", mode(0o777|fs.ModeSymlink)), "not a regular file"},
		{"a device", add("trials/t0001/d", mode(0o666|fs.ModeDevice)), "not a regular file"},
		{"a FIFO", add("trials/t0001/p", mode(0o666|fs.ModeNamedPipe)), "not a regular file"},
		{"twice", add("trials/t0001/stderr", nil), "there twice"},
		{"by case only", add("trials/T0001/stderr", nil), "by case only"},
		{"encrypted", add("trials/t0001/x", func(e *zipped) {
			e.Flags |= 1
			e.raw = true
			e.Method = zip.Store
			e.CompressedSize64, e.UncompressedSize64 = 4, 4
		}), "encrypted"},
		{"another method", add("trials/t0001/x", func(e *zipped) { e.raw, e.Method, e.CompressedSize64, e.UncompressedSize64 = true, 93, 4, 4 }), "method 93"},
		{"not in the list", add("trials/t0001/x", nil), "its list says nothing of it"},
		{"a bomb", add("trials/t0001/x", func(e *zipped) { e.data = make([]byte, 32<<20) }), "expands more than 100-fold"},
		{"huge", add("trials/t0001/x", func(e *zipped) { e.raw, e.CompressedSize64, e.UncompressedSize64 = true, 4, 1<<40 }), "more than 67108864 bytes"},
		{"a second directory, of zip64", func() []byte {
			end := bytes.Clone(good[len(good)-22:])
			binary.LittleEndian.PutUint32(end[12:], binary.LittleEndian.Uint32(end[12:])+20)
			return slices.Concat(good[:len(good)-22], []byte("PK\x06\x07"), make([]byte, 16), end)
		}, "zip64"},
		{"a size that is a lie", func() []byte {
			entries := entriesOf(t, good)
			for i := range entries {
				if e := &entries[i]; e.Name == manifestFile {
					e.raw, e.Method, e.CompressedSize64, e.UncompressedSize64 = true, zip.Store, uint64(len(e.data)), uint64(len(e.data))
					e.CompressedSize64 += 1 << 20
					e.UncompressedSize64 += 1 << 20
				}
			}
			return zipOf(t, entries)
		}, "larger than the archive"},
		{"stored in two sizes", add("trials/t0001/x", func(e *zipped) { e.raw, e.Method, e.CompressedSize64, e.UncompressedSize64 = true, zip.Store, 4, 5 }), "of two sizes"},
		{"more than can be checked", func() []byte {
			entries, data := entriesOf(t, good), make([]byte, 700_000)
			for i := range 17 {
				entries = append(entries, zipped{zip.FileHeader{Name: fmt.Sprintf("trials/t0001/f%d", i), Method: zip.Deflate, CompressedSize64: 700_000, UncompressedSize64: 64 << 20}, data, true})
			}
			return zipOf(t, entries)
		}, "holds more than 1024 MiB"},
		{"sizes that overlap", func() []byte {
			entries := entriesOf(t, good)
			for i := range 100 {
				entries = append(entries, zipped{zip.FileHeader{Name: fmt.Sprintf("trials/t0001/f%d", i), Method: zip.Store, CompressedSize64: 3000, UncompressedSize64: 3000}, []byte("x"), true})
			}
			return zipOf(t, entries)
		}, "lie on one another"},
		{"a hundred thousand entries", func() []byte {
			entries := entriesOf(t, good)
			for i := range 100_000 {
				entries = append(entries, zipped{zip.FileHeader{Name: fmt.Sprintf("trials/t%d/x", i), Method: zip.Store}, nil, true})
			}
			return zipOf(t, entries)
		}, "more than 50000 files"},
		{"as many, hidden", func() []byte {
			entries := entriesOf(t, good)
			for i := range 65_000 {
				entries = append(entries, zipped{zip.FileHeader{Name: fmt.Sprint(i), Method: zip.Store}, nil, true})
			}
			data := zipOf(t, entries)
			copy(data[len(data)-14:], []byte{7, 0, 7, 0})
			return data
		}, "not an archive of a run"},
		{"no list", func() []byte { return zipOf(t, entriesOf(t, good)[1:]) }, "its first entry is not archive.json"},
		{"empty", func() []byte { return nil }, "not an archive of a run"},
		{"an empty zip file", func() []byte { return zipOf(t, nil) }, "not an archive of a run"},
		{"cut short", func() []byte { return good[:len(good)-30] }, "cut short"},
		{"cut in the middle", func() []byte { return good[:len(good)/2] }, "cut short"},
		{"something before it", func() []byte { return append([]byte("#!/bin/sh\n"), good...) }, "not an archive of a run"},
		{"something behind it", func() []byte { return append(bytes.Clone(good), "more"...) }, "something was added"},
		{"a directory elsewhere", patch(-6, 1, 0, 0, 0), "not where it should be"},
		{"another disk", patch(-18, 1), "not where it should be"},
		{"of a newer version", list(func(l *archiveList) { l.Schema = "concprof-archive/9" }), `its schema is "concprof-archive/9"`},
		{"listed twice", list(func(l *archiveList) { l.Files = append(l.Files, l.Files[0]) }), "twice"},
		{"listed and not there", list(func(l *archiveList) {
			l.Files = append(l.Files, archivedFile{"trials/t0001/wall.pb.gz", 7, "00"})
		}), `trials/t0001/wall.pb.gz is not what was archived: found no such file, its list says 7 bytes`},
		{"a list that is none", func() []byte {
			entries := entriesOf(t, good)
			entries[0].data = []byte("[]")
			return zipOf(t, entries)
		}, "archive.json"},
		{"an edited journal", edit(journalFile, `"ops":3`, `"ops":9`), "run.zip: journal.jsonl is not what was archived: found SHA-256 "},
		{"an edited manifest", edit(manifestFile, `"seed": 7`, `"seed": 8`), "run.zip: manifest.json is not what was archived: found SHA-256 "},
		{"a longer workload file", edit(sourceFile, "1", "10"), "workload.yaml is not what was archived: found 12 bytes, its list says 11"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := tt.make()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r, err := openBytes(data)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("opened %v, error %v, want one with %q", r, err, tt.want)
			}
			if err != nil && strings.ContainsAny(strings.ReplaceAll(err.Error(), "\x1b[2J", "X"), "\x1b") {
				t.Errorf("the error steers a terminal: %q", err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
				t.Errorf("refusing it took %d MB", took>>20)
			}
		})
	}
}

// A profile that was edited is noticed when it is read: the rest of the run
// stays what it is.
func TestArchiveWithEditedProfile(t *testing.T) {
	entries := entriesOf(t, archiveOf(t, archivedRun(t)))
	for i := range entries {
		if entries[i].Name == "trials/t0001/cpu.pb.gz" {
			entries[i].data = []byte("forged!")
		}
	}
	r, err := openBytes(zipOf(t, entries))
	must(t, err)
	_, err = r.ReadProfile("t0001", "cpu.pb.gz")
	var edited *EditedError
	if !errors.As(err, &edited) || edited.File != "trials/t0001/cpu.pb.gz" || edited.Want != hexDigest([]byte("profile")) || edited.Found != "SHA-256 "+hexDigest([]byte("forged!")) {
		t.Errorf("error %v", err)
	}
	if _, err := r.ReadProfile("t0001", "stderr"); err != nil {
		t.Error(err)
	}
	if len(r.Edited) != 1 || r.Edited[0].Error() != edited.Error() {
		t.Errorf("edited are %v", r.Edited)
	}
}

// FuzzArchive opens any bytes as an archive, and reads all that it lists: it
// may be refused, no more.
func FuzzArchive(f *testing.F) {
	good := archiveOf(f, archivedRun(f))
	f.Add(good)
	f.Add(good[:len(good)-9])
	f.Add(good[len(good)/2:])
	entries := entriesOf(f, good)
	f.Add(zipOf(f, append(entries, zipped{zip.FileHeader{Name: "../x", Method: zip.Deflate}, []byte("x"), false})))
	f.Add(zipOf(f, append(entries, zipped{zip.FileHeader{Name: "trials/t0001/z", Method: zip.Deflate}, make([]byte, 2<<20), false})))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := newArchive(bytes.NewReader(data), int64(len(data)), "run.zip")
		if err != nil {
			return
		}
		for _, name := range a.names {
			if limitOf(name) == 0 {
				t.Errorf("it lists %q", name)
			}
			body, err := a.read(name)
			if err == nil && hexDigest(body) != a.listed[name].SHA256 {
				t.Errorf("%s does not fit its digest", name)
			}
		}
		edited := a.edited("")
		if r, err := open("run.zip", a); err == nil && len(edited) == 0 {
			if _, err := WriteArchive(io.Discard, r); err != nil {
				for _, name := range a.names { // one of them must be why
					if _, bad := a.read(name); bad != nil {
						return
					}
				}
				t.Errorf("cannot be archived again: %v", err)
			}
		}
	})
}
