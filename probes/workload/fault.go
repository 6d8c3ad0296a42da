package workload

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFaults is how many faults of one file are kept; more would not be read.
const maxFaults = 50

// maxSource is the longest line, in bytes, that is shown with a fault.
const maxSource = 4096

// A Fault is one thing that is wrong with a workload file.
type Fault struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line"`   // 1-based
	Column int    `json:"column"` // 1-based, in characters
	// Length is how many characters of the line the fault covers, at least 1.
	Length int `json:"length"`
	// Path is the place in the document, "workloads[0].measure.runs"; empty
	// for what concerns the file as a whole.
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to do about it
	// Source is the line itself, unless it is longer than anybody would read.
	Source string `json:"source,omitempty"`
}

// Error returns the fault in one line.
func (f Fault) Error() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(printable(f.File) + ":")
	}
	fmt.Fprintf(&b, "%d:%d: ", f.Line, f.Column)
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// Faults is everything that is wrong with a workload file, in the order of the
// file. Parse and Load return it.
type Faults struct {
	List []Fault `json:"faults"`
	// More counts the faults beyond those in List.
	More int `json:"more,omitempty"`
}

// Error renders all faults to 80 columns.
func (f *Faults) Error() string {
	var b strings.Builder
	_ = f.Render(&b, 80) // a strings.Builder cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}

// Render writes every fault with its source line, a caret below it, and the
// hint. Source lines are cut to width columns around the caret; messages are
// left to the terminal to wrap, so that they can be searched for. Nothing of
// the file reaches w but printable characters.
func (f *Faults) Render(w io.Writer, width int) error {
	var b strings.Builder
	for i, fault := range f.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		fault.render(&b, width)
	}
	if f.More > 0 {
		fmt.Fprintf(&b, "\nand %d more\n", f.More)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f Fault) render(b *strings.Builder, width int) {
	b.WriteString(f.Error() + "\n")
	if strings.TrimSpace(f.Source) != "" {
		gutter := fmt.Sprintf("%5d | ", f.Line)
		text, at, length := excerpt(f.Source, f.Column, f.Length, max(width-len(gutter), 20))
		b.WriteString(gutter + text + "\n")
		b.WriteString("      | " + strings.Repeat(" ", at) + strings.Repeat("^", length) + "\n")
	}
	if f.Hint != "" {
		b.WriteString("      hint: " + f.Hint + "\n")
	}
}

// excerpt returns the part of a line that fits into width columns and shows
// the given column, with the place and length of the carets below it.
func excerpt(line string, column, length, width int) (text string, at, carets int) {
	runes := []rune(line)
	start := min(max(column-1, 0), len(runes))
	cells := make([]string, len(runes))
	total := 0
	for i, r := range runes {
		cells[i] = printableRune(r)
		total += utf8.RuneCountInString(cells[i])
	}
	const dots = "..."
	from, to, room := 0, len(cells), width
	if total > width {
		// A third of the room goes to what stands before the column.
		room -= 2 * len(dots)
		from = start
		for before := 0; from > 0; from-- {
			if before += utf8.RuneCountInString(cells[from-1]); before > room/3 {
				break
			}
		}
		used := 0
		for to = from; to < len(cells) && used+utf8.RuneCountInString(cells[to]) <= room; to++ {
			used += utf8.RuneCountInString(cells[to])
		}
	}
	text = strings.Join(cells[from:to], "")
	if from > 0 {
		text = dots + text
		at = len(dots)
	}
	if to < len(cells) {
		text += dots
	}
	end := min(start+max(length, 1), to)
	at += columns(cells[from:start])
	return strings.TrimRight(text, " "), at, max(columns(cells[min(start, end):end]), 1)
}

func columns(cells []string) (n int) {
	for _, c := range cells {
		n += utf8.RuneCountInString(c)
	}
	return n
}

// printable makes text safe to show: what could move the cursor, change
// colours or reverse the direction of writing is shown as an escape.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteString(printableRune(r))
	}
	return b.String()
}

func printableRune(r rune) string {
	switch {
	case r == '\t':
		return "    "
	case unicode.IsPrint(r):
		return string(r)
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// quoted shows a piece of the file within a message: short, printable, in
// quotes.
func quoted(s string) string { return `"` + printable(cut(s)) + `"` }

// cut bounds a piece of text for a message.
func cut(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "..."
}

// faultList collects faults.
type faultList struct {
	file  string
	lines []string
	list  []Fault
	more  int
}

func (l *faultList) add(f Fault) {
	if len(l.list) >= 20*maxFaults {
		l.more++
		return
	}
	f.File = l.file
	f.Line, f.Column, f.Length = max(f.Line, 1), max(f.Column, 1), max(f.Length, 1)
	if f.Line <= len(l.lines) && len(l.lines[f.Line-1]) <= maxSource {
		f.Source = l.lines[f.Line-1]
	}
	l.list = append(l.list, f)
}

// err returns the faults in the order of the file, one for each place and
// message, or nil when there are none.
func (l *faultList) err() error {
	if len(l.list) == 0 {
		return nil
	}
	slices.SortStableFunc(l.list, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	l.list = slices.CompactFunc(l.list, func(a, b Fault) bool {
		return a.Line == b.Line && a.Column == b.Column && a.Message == b.Message
	})
	f := &Faults{List: l.list, More: l.more}
	if n := len(f.List); n > maxFaults {
		f.List, f.More = f.List[:maxFaults], f.More+n-maxFaults
	}
	return f
}
