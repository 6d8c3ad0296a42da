package rundir

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/record"
)

func trial(id string) plan.Trial {
	return plan.Trial{ID: id, Cell: plan.Cell{Workload: "w", Model: model.Pool, Concurrency: 8}, Pass: plan.Timing, Ops: 100}
}

func samples() []entry {
	return []entry{
		{Note: &Note{Kind: "server", Text: "up\nand \"running\""}},
		{Decision: &plan.Decision{Trials: []plan.Trial{trial("t0001"), trial("t0002")}, Why: "first look"}},
		{Trial: &plan.Finished{Trial: trial("t0001"), Record: record.Record{
			Status: record.OK, Ops: 100, WallNs: 5e8, Latency: &record.Histogram{Counts: map[int]int64{7: 100}, N: 100, Min: 7, Max: 7, Sum: 700},
		}}},
	}
}

func format(t testing.TB, entries []entry) []byte {
	t.Helper()
	var b []byte
	for _, e := range entries {
		line, err := formatLine(e)
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, line...)
	}
	return b
}

func TestJournalRoundTrip(t *testing.T) {
	want := samples()
	data := format(t, want)
	got, good := parseJournal(data)
	if good != len(data) {
		t.Errorf("%d of %d bytes are good", good, len(data))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries differ (-want +got):\n%s", diff)
	}
}

// However much of the tail is missing or wrong, the lines before it stay.
func TestJournalIsCutAtTheLastGoodLine(t *testing.T) {
	entries := samples()
	data := format(t, entries)
	ends := []int{0}
	for i, c := range data {
		if c == '\n' {
			ends = append(ends, i+1)
		}
	}
	whole := func(n int) (k int) { // entries that lie wholly in the first n bytes
		for k+1 < len(ends) && ends[k+1] <= n {
			k++
		}
		return k
	}
	for n := range data {
		got, good := parseJournal(data[:n])
		if len(got) != whole(n) || good != ends[whole(n)] {
			t.Fatalf("cut at %d: %d entries, %d good bytes", n, len(got), good)
		}
		flipped := bytes.Clone(data)
		flipped[n] ^= 1
		if got, good := parseJournal(flipped); len(got) != whole(n) || good != ends[whole(n)] {
			t.Fatalf("bit flipped at %d: %d entries, %d good bytes", n, len(got), good)
		}
	}
}

func FuzzJournal(f *testing.F) {
	data := format(f, samples())
	f.Add(data)
	f.Add(data[:len(data)-3])
	f.Add([]byte("00000000 {}\n"))
	f.Add([]byte("44136fa3 {}\n\n\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, good := parseJournal(data)
		if good < 0 || good > len(data) {
			t.Fatalf("%d good bytes of %d", good, len(data))
		}
		// What was read is written and read again as the same.
		again, n := parseJournal(format(t, entries))
		if diff := cmp.Diff(entries, again); diff != "" || n != len(format(t, entries)) {
			t.Fatalf("entries differ (-first +second):\n%s", diff)
		}
		r := new(Run)
		r.replay(data)
		if r.Torn != (good < len(data)) {
			t.Fatalf("torn: %t", r.Torn)
		}
	})
}

// The checksum hides most documents from FuzzJournal; here they all have a
// right one.
func FuzzEntry(f *testing.F) {
	for _, line := range bytes.SplitAfter(format(f, samples()), []byte{'\n'}) {
		if len(line) > 0 {
			f.Add(line[sumLen : len(line)-1])
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		line := fmt.Appendf(nil, "%08x %s", crc32.ChecksumIEEE(doc), doc)
		e, err := parseLine(line)
		if err != nil {
			return
		}
		again, err := parseLine(bytes.TrimSuffix(format(t, []entry{e}), []byte{'\n'}))
		if diff := cmp.Diff(e, again, cmpopts.EquateEmpty()); diff != "" || err != nil {
			t.Fatalf("%v, entries differ (-first +second):\n%s", err, diff)
		}
	})
}
