package reports

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnits(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{duration(0), "-"}, {duration(950), "950 ns"}, {duration(999.9), "1.00 µs"}, {duration(20_512_000), "20.5 ms"}, {duration(999_950_000), "1.00 s"}, {duration(61e9), "61.0 s"}, {duration(-5e6), "-5.00 ms"},
		{rate(0), "-"}, {rate(0.0512), "0.0512"}, {rate(48.9), "48.9"}, {rate(749.4), "749"}, {rate(9994), "9994"}, {rate(12345), "12.3k"}, {rate(1.236e6), "1.24M"}, {rate(math.NaN()), "-"},
		{size(0), "-"}, {size(1023), "1023 B"}, {size(1<<20 - 100), "1.00 MiB"}, {size(14 << 20), "14.0 MiB"}, {size(8 << 30), "8.00 GiB"},
		{share(0), "0 %"}, {share(0.001), "<1 %"}, {share(0.974), "97 %"}, {share(0.997), ">99 %"}, {share(1), "100 %"}, {share(math.NaN()), "-"},
		{percent(0.018), "1.8 %"}, {percent(0.19), "19 %"}, {percent(0.996), "99.6 %"}, {percent(1), "100 %"}, {percent(math.Inf(1)), "-"},
		{ratio(0), "-"}, {ratio(15.23), "15.2x"}, {ratio(1), "1.00x"},
		{span(14.8, 15.61), "14.8-15.6"}, {span(9.5, 10.5), "9.5-10.5"}, {span(0.98, 1.02), "0.98-1.02"}, {span(90, 110), "90-110"},
		{demand(0.0155), "0.02"}, {demand(-0.0001), "0.00"}, {demand(1.5), "1.50"},
		{count(0), "0"}, {count(999), "999"}, {count(1234567), "1,234,567"}, {count(-1234), "-1,234"},
		{plural(1, "trial"), "1 trial"}, {plural(1200, "trial"), "1,200 trials"},
		{number(20595201), "20595201"}, {number(48.555), "48.5550"}, {number(0.25), "0.250000000"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestColumns(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "±µ█▏": 4, "日本": 4, "e\u0301": 1} {
		if got := columns(s); got != want {
			t.Errorf("columns(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  []string
	}{
		{"", 10, nil},
		{"one two three", 9, []string{"one two", "three"}},
		{"abcdefghijklmnop", 10, []string{"abcdefghij", "klmnop"}},
		{"a abcdefghijklmnop b", 10, []string{"a", "abcdefghij", "klmnop b"}},
		{"takes 12345 97 %, so", 16, []string{"takes 12345", "97 %, so"}},
		{"日本語日本語", 8, []string{"日本語日", "本語"}},
	} {
		if diff := cmp.Diff(c.want, wrap(c.in, c.width)); diff != "" {
			t.Errorf("wrap(%q, %d) (-want +got):\n%s", c.in, c.width, diff)
		}
	}
}

// TestTextWidth lays every fixture out for many widths: nothing but code to
// paste, commands and what has no space is wider than the terminal.
func TestTextWidth(t *testing.T) {
	for _, name := range fixtures(t) {
		for _, width := range []int{40, 57, 80, 100, 132, 200} {
			for _, verbose := range []bool{false, true} {
				out := string(render(t, Text, fixture(t, name), Options{Width: width, Verbose: verbose}))
				code := false
				for _, l := range strings.Split(out, "\n") {
					switch {
					case strings.TrimSpace(l) == "code":
						code = true
					case l != "" && !strings.HasPrefix(l, "    "):
						code = false
					}
					if n := columns(l); n > width && !code && !strings.Contains(l, "concprof report") && !strings.Contains(l, "concprof pprof") {
						t.Errorf("%s at %d: a line of %d columns: %q", name, width, n, l)
					}
				}
			}
		}
	}
}

// TestColumnsLeave narrows the table of cells: the columns go in the order
// that cellColumns documents, and the best cell stays marked.
func TestColumnsLeave(t *testing.T) {
	order := map[string]int{}
	for _, c := range cellColumns() {
		order[c.title] = c.drop
	}
	before := len(order) + 1
	for width := 160; width >= MinWidth; width -= 4 {
		out := string(render(t, Text, fixture(t, "io"), Options{Width: width, Verbose: true}))
		_, table, _ := strings.Cut(out, "\n  cells\n")
		head, rows, _ := strings.Cut(table, "\n")
		shown, gone := 0, 0
		for title, drop := range order {
			if title == "" {
				continue
			}
			if strings.Contains(" "+head+" ", " "+title+" ") {
				shown++
				if drop > 0 && drop < gone {
					t.Errorf("at %d %q is shown, but not a column that leaves after it", width, title)
				}
			} else {
				gone = max(gone, drop)
			}
		}
		for title, drop := range order {
			if drop > gone && !strings.Contains(" "+head+" ", " "+title+" ") && title != "" {
				t.Errorf("at %d %q has left before its turn", width, title)
			}
			if drop > 0 && drop < gone && strings.Contains(" "+head+" ", " "+title+" ") {
				t.Errorf("at %d %q is shown, though a column that leaves after it has left", width, title)
			}
		}
		if shown > before {
			t.Errorf("at %d more columns than on a wider terminal", width)
		}
		before = shown
		if width >= 60 && !strings.Contains(rows, "\n  *  pool") {
			t.Errorf("at %d the recommendation is not marked", width)
		}
	}
}

func TestColorOnlyAdds(t *testing.T) {
	for _, name := range fixtures(t) {
		bare := string(render(t, Text, fixture(t, name), Options{Width: 100}))
		out := string(render(t, Text, fixture(t, name), Options{Width: 100, Color: true}))
		for _, s := range []style{boldStyle, dimStyle, goodStyle, doubtStyle, badStyle, "0"} {
			out = strings.ReplaceAll(out, "\x1b["+string(s)+"m", "")
		}
		if diff := cmp.Diff(bare, out); diff != "" {
			t.Errorf("%s: colour changes the text (-bare +coloured):\n%s", name, diff)
		}
	}
}

func TestFormats(t *testing.T) {
	for _, f := range All() {
		if got, err := Parse(string(f)); err != nil || got != f {
			t.Errorf("Parse(%q) = %q, %v", f, got, err)
		}
		for _, ext := range f.Extensions() {
			if got, err := FromExtension("a.b/report" + strings.ToUpper(ext)); err != nil || got != f {
				t.Errorf("FromExtension(%q) = %q, %v", ext, got, err)
			}
		}
	}
	for _, bad := range []string{"", "pdf", "Text"} {
		if f, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) = %q", bad, f)
		}
	}
	for _, bad := range []string{"report", "report.", "report.pdf", ""} {
		if f, err := FromExtension(bad); err == nil {
			t.Errorf("FromExtension(%q) = %q", bad, f)
		}
	}
	if err := Write(nil, HTML, nil, Options{}); err == nil {
		t.Error("a report of nothing")
	}
	if err := Write(nil, "pdf", fixture(t, "io"), Options{}); err == nil {
		t.Error("a report in no format")
	}
}
