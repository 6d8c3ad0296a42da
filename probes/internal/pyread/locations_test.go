package pyread

import "testing"

// TestDecodeLocations decodes each form of entry.
func TestDecodeLocations(t *testing.T) {
	table := []byte{
		0x80 | 3<<3 | 1, 0x25, // short: columns 26 to 31, two units
		0x80 | 11<<3, 4, 9, // the next line, columns 4 to 9
		0x80 | 13<<3, 5, // two lines up, no columns
		0x80 | 14<<3 | 7, 0x40 | 4, 1, 2, 1, 30, // long: 34 lines down, two lines, columns 0 to 29
		0x80 | 15<<3, // none
	}
	want := []span{
		{end: 2, line: 10, endLine: 10, col: 26, endCol: 31},
		{end: 3, line: 11, endLine: 11, col: 4, endCol: 9},
		{end: 4, line: 9, endLine: 9, col: -1, endCol: -1},
		{end: 12, line: 43, endLine: 45, col: 0, endCol: 29},
		{end: 13, col: -1, endCol: -1},
	}
	got := decodeLocations(table, 10)
	if len(got) != len(want) {
		t.Fatalf("%d spans: %+v", len(got), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("span %d = %+v, want %+v", i, got[i], want[i])
		}
	}
	for unit, i := range map[int]int{0: 0, 1: 0, 2: 1, 3: 2, 4: 3, 11: 3, 12: 4} {
		if s, ok := at(got, unit); !ok || s != want[i] {
			t.Errorf("unit %d at %+v, want span %d", unit, s, i)
		}
	}
	for _, unit := range []int{-1, 13, 1 << 30} {
		if s, ok := at(got, unit); ok {
			t.Errorf("unit %d at %+v", unit, s)
		}
	}
}

func FuzzDecodeLocations(f *testing.F) {
	f.Add([]byte{0x99, 0x25, 0xd8, 4, 9, 0xe8, 5, 0xf7, 0x44, 1, 2, 1, 30, 0xf8}, 10)
	f.Fuzz(func(t *testing.T, table []byte, first int) {
		spans := decodeLocations(table, first)
		if len(spans) > len(table) || len(spans) > maxSpans {
			t.Fatalf("%d spans of %d bytes", len(spans), len(table))
		}
		end := 0
		for i, s := range spans {
			if s.end <= end {
				t.Fatalf("span %d ends at %d, the one before at %d", i, s.end, end)
			}
			if got, ok := at(spans, end); !ok || got != s {
				t.Fatalf("span %d is not found at %d", i, end)
			}
			end = s.end
		}
	})
}
