package profile_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer/profile"
)

// message appends a field of wire type bytes to a protobuf message.
func message(to []byte, field uint64, body []byte) []byte {
	to = binary.AppendUvarint(to, field<<3|2)
	to = binary.AppendUvarint(to, uint64(len(body)))
	return append(to, body...)
}

func zipped(data []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = z.Write(data)
	_ = z.Close()
	return b.Bytes()
}

// lying makes gzipped data say that it holds one byte.
func lying(data []byte) []byte {
	binary.LittleEndian.PutUint32(data[len(data)-4:], 1)
	return data
}

// hostile returns files that cost pprof's own parser gigabytes or minutes, by
// name.
func hostile() map[string][]byte {
	many := func(n int, field uint64, body []byte) []byte {
		data := message(nil, 1, []byte{8, 1, 16, 1}) // a sample type
		one := message(nil, field, body)
		return append(data, bytes.Repeat(one, n)...)
	}
	label := message(nil, 3, []byte{8, 1, 16, 1})
	packed := message(nil, 1, bytes.Repeat([]byte{1}, 1000)) // location ids
	lines := bytes.Repeat(message(nil, 4, []byte{8, 1}), 1000)
	return map[string][]byte{
		"16 KB of gzip, 16 MB of zeros": zipped(make([]byte, 16<<20)),
		"0.5 MB of zeros":               make([]byte, 1<<19),
		"0.5 MB of text":                bytes.Repeat([]byte("goroutine 1 @ 0x1 0x2\n"), 1<<19/22),
		"zeros after a profile's start": zipped(append(many(1, 6, nil), make([]byte, 16<<20)...)),
		"a million labels":              many(1, 2, bytes.Repeat(label, 1_000_000)),
		"a label in a million samples":  zipped(many(1_000_000, 2, label)),
		"a million samples":             zipped(many(1_000_000, 2, nil)),
		"a million strings":             zipped(many(1_000_000, 6, nil)),
		"a million locations":           zipped(many(1_000_000, 4, []byte{8, 1})),
		"a million functions":           zipped(many(1_000_000, 5, []byte{8, 1})),
		"a million mappings":            zipped(many(1_000_000, 3, nil)),
		"a million sample types":        zipped(many(1_000_000, 1, nil)),
		"a million comments":            many(1, 13, bytes.Repeat([]byte{1}, 1_000_000)),
		"3 million location ids":        zipped(many(3_000, 2, packed)),
		"3 million lines":               zipped(many(3_000, 4, lines)),
		"more than the bound":           zipped(many(66, 6, make([]byte, 1<<20))),
		"more than it says it holds":    lying(zipped(many(60, 6, make([]byte, 1<<20)))),
		"a huge length":                 {0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		"nothing":                       {},
		"an empty gzip":                 zipped(nil),
		"a cut gzip":                    zipped(many(100, 6, []byte("name")))[:40],
		"a tag without end":             bytes.Repeat([]byte{0xff}, 100),
	}
}

// TestReadRefuses counts what each refusal allocates, which bounds its memory
// and, because allocating is what took the time, its time.
func TestReadRefuses(t *testing.T) {
	for name, data := range hostile() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := profile.Read(data)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatal("was read")
			}
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 190 {
				t.Errorf("refusing it took %d MB in all", used)
			}
			if errors.Is(err, profile.ErrNotProfile) && !strings.HasPrefix(err.Error(), "not a profile: ") {
				t.Errorf("error %q", err)
			}
			t.Log(err)
		})
	}
}

// TestReadAtTheLimits reads a profile with a quarter of what is let through
// in each table, and counts what it takes.
func TestReadAtTheLimits(t *testing.T) {
	l := profile.DefaultLimits()
	l.Functions, l.Samples = l.Functions/4, l.Samples/4
	p := &pprof.Profile{SampleType: []*pprof.ValueType{{Type: "cpu", Unit: "nanoseconds"}}, PeriodType: &pprof.ValueType{Type: "cpu", Unit: "nanoseconds"}}
	for i := range l.Functions {
		f := &pprof.Function{ID: uint64(i + 1), Name: "f" + string(rune('a'+i%26))}
		p.Function = append(p.Function, f)
		p.Location = append(p.Location, &pprof.Location{ID: uint64(i + 1), Line: []pprof.Line{{Function: f, Line: 1}}})
	}
	for i := range l.Samples {
		p.Sample = append(p.Sample, &pprof.Sample{Location: p.Location[i : i+1], Value: []int64{1}, Label: map[string][]string{"k": {"v"}}})
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	p = nil
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	got, err := l.Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if len(got.Sample) != l.Samples {
		t.Errorf("%d samples", len(got.Sample))
	}
	used := (after.TotalAlloc - before.TotalAlloc) >> 20
	if used > 100 {
		t.Errorf("it took %d MB in all", used)
	}
	t.Logf("%d MB in all, %d MB kept", used, (after.HeapAlloc-before.HeapAlloc)>>20)
}

func TestReadCleans(t *testing.T) {
	fn := &pprof.Function{ID: 1, Name: "main.\x1b[31mred\u202e" + strings.Repeat("x", 400), SystemName: "\x00", Filename: "a\nb.go"}
	loc := &pprof.Location{ID: 1, Line: []pprof.Line{{Function: fn, Line: 7}}}
	p := &pprof.Profile{
		SampleType: []*pprof.ValueType{{Type: "cpu\x1b", Unit: "nanoseconds"}},
		Sample: []*pprof.Sample{{Location: []*pprof.Location{loc}, Value: []int64{1}, Label: map[string][]string{
			"model": {`x" URL="javascript:alert(1)`}, `k"`: {"v"},
		}}},
		Location: []*pprof.Location{loc}, Function: []*pprof.Function{fn},
		Comments: []string{"<script>"}, DropFrames: "(a+)+$", DocURL: "javascript:alert(1)",
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := profile.Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	f := got.Function[0]
	if want := `main.\x1b[31mred\u202e` + strings.Repeat("x", 400); !strings.HasPrefix(want, strings.TrimSuffix(f.Name, "…")) || len([]rune(f.Name)) > 300 {
		t.Errorf("name %q", f.Name)
	}
	if f.SystemName != f.Name || f.Filename != `a\x0ab.go` {
		t.Errorf("system name %q, file %q", f.SystemName, f.Filename)
	}
	if l := got.Sample[0].Label; len(l) != 1 || l["model"][0] != "x_ URL__javascript:alert_1_" {
		t.Errorf("labels %q", l)
	}
	if len(got.Comments) != 0 || got.DropFrames != "" || got.DocURL != "" || got.SampleType[0].Type != "cpu_" {
		t.Errorf("kept %q %q %q %q", got.Comments, got.DropFrames, got.DocURL, got.SampleType[0].Type)
	}
}

func TestReadRefusesEndlessStacks(t *testing.T) {
	fn := &pprof.Function{ID: 1, Name: "f"}
	loc := &pprof.Location{ID: 1, Line: make([]pprof.Line, 20_000)}
	for i := range loc.Line {
		loc.Line[i].Function = fn
	}
	p := &pprof.Profile{SampleType: []*pprof.ValueType{{Type: "cpu", Unit: "nanoseconds"}}, Location: []*pprof.Location{loc}, Function: []*pprof.Function{fn},
		Sample: []*pprof.Sample{{Location: []*pprof.Location{loc}, Value: []int64{1}}}}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := profile.Read(b.Bytes()); err == nil || !strings.Contains(err.Error(), "20000 frames") {
		t.Errorf("error %v", err)
	}
}

// Values that add up to more than 64 bits hold would turn into negative times.
func TestReadRefusesOverflow(t *testing.T) {
	for _, tt := range []struct {
		name, unit string
		values     []int64
		period     int64
		want       string // part of the error, "" for none
	}{
		{"two halves", "nanoseconds", []int64{math.MaxInt64 / 2, math.MaxInt64/2 + 2}, 1, "more than can be true"},
		{"both signs", "nanoseconds", []int64{math.MaxInt64, math.MinInt64}, 1, "more than can be true"},
		{"a long period", "count", []int64{1 << 40}, 1 << 40, "more than can be true"},
		{"a negative period", "count", []int64{1 << 40}, -1 << 40, "more than can be true"},
		{"no period", "count", []int64{5}, 0, ""},
		{"negative", "nanoseconds", []int64{-5, 7}, 0, ""},
		{"a day", "nanoseconds", []int64{24 * 3600 * 1e9}, 10_000_000, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fn := &pprof.Function{ID: 1, Name: "harness.runOp"}
			loc := &pprof.Location{ID: 1, Line: []pprof.Line{{Function: fn, Line: 1}}}
			p := &pprof.Profile{SampleType: []*pprof.ValueType{{Type: "x", Unit: tt.unit}}, Period: tt.period, Location: []*pprof.Location{loc}, Function: []*pprof.Function{fn}}
			for _, v := range tt.values {
				p.Sample = append(p.Sample, &pprof.Sample{Location: p.Location, Value: []int64{v}})
			}
			var b bytes.Buffer
			if err := p.Write(&b); err != nil {
				t.Fatal(err)
			}
			_, err := profile.Read(b.Bytes())
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// FuzzRead reads any bytes, and derives everything from what could be read.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.pb.gz")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds: ", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		if z, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
			var raw bytes.Buffer
			if _, err := raw.ReadFrom(z); err == nil {
				f.Add(raw.Bytes())
			}
		}
	}
	small := profile.DefaultLimits()
	small.Bytes = 1 << 20
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := small.Read(data)
		if err != nil {
			return
		}
		profile.Waits(p, "")
		set := profile.Derive([]profile.Raw{{CPU: p, Wall: p, Ops: 3}}, "")
		for _, q := range []*pprof.Profile{set.CPU, set.Wall, set.OffCPU, set.Merged} {
			if q == nil {
				continue
			}
			if err := q.CheckValid(); err != nil {
				t.Errorf("derived profile is invalid: %v", err)
			}
			for _, s := range q.Sample {
				if slices.Min(s.Value) < 0 {
					t.Errorf("derived values %v", s.Value)
				}
			}
			if per := profile.PerOp(q, set.Ops); per.CheckValid() != nil {
				t.Errorf("profile per op is invalid: %v", per.CheckValid())
			}
			profile.Tree(q, q.SampleType[0].Type).Prune(0.01, 100)
		}
	})
}

// BenchmarkRead compares reading with what pprof's own parser, which go tool
// pprof uses, takes for the same bytes.
func BenchmarkRead(b *testing.B) {
	data, err := os.ReadFile("testdata/http.wall.pb.gz")
	if err != nil {
		b.Fatal(err)
	}
	large := zipped(largeProfile(b))
	for _, bb := range []struct {
		name string
		data []byte
	}{{"trial", data}, {"5000-stacks", large}} {
		b.Run(bb.name+"/read", func(b *testing.B) {
			for b.Loop() {
				if _, err := profile.Read(bb.data); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(bb.name+"/pprof", func(b *testing.B) {
			for b.Loop() {
				if _, err := pprof.ParseData(bb.data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// largeProfile returns 5,000 stacks of 30 frames.
func largeProfile(t testing.TB) []byte {
	p := &pprof.Profile{SampleType: []*pprof.ValueType{{Type: "cpu", Unit: "nanoseconds"}}, PeriodType: &pprof.ValueType{}}
	for i := range 3000 {
		f := &pprof.Function{ID: uint64(i + 1), Name: "example.com/module/package.(*Type).Method" + strings.Repeat("x", i%17), Filename: "/src/module/package/file.go"}
		p.Function = append(p.Function, f)
		p.Location = append(p.Location, &pprof.Location{ID: uint64(i + 1), Line: []pprof.Line{{Function: f, Line: int64(i)}}})
	}
	for i := range 5000 {
		s := &pprof.Sample{Value: []int64{int64(i)}, Label: map[string][]string{"concprof": {"op"}}}
		for j := range 30 {
			s.Location = append(s.Location, p.Location[(i*7+j*13)%len(p.Location)])
		}
		p.Sample = append(p.Sample, s)
	}
	var b bytes.Buffer
	if err := p.WriteUncompressed(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
