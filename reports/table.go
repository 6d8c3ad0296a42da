package reports

import (
	"strings"
)

// A column of a text table. Strings in it are printable text already.
type column struct {
	title string
	right bool // aligned right, as numbers are
	// drop is the order in which columns leave a table that is too wide:
	// the lowest above 0 goes first, 0 stays.
	drop int
}

// A table is laid out for a width.
type table struct {
	columns []column
	rows    [][]string
	// style returns the style of a row.
	style func(row int) style
}

// write lays the table out: columns as wide as their widest cell, two spaces
// apart. Columns without any value are left out. While the table is wider
// than width, the column that is next in the order of dropping goes; at last
// lines are cut.
func (t *table) write(b *strings.Builder, p palette, indent string, width int) {
	widths := make([]int, len(t.columns))
	shown := make([]bool, len(t.columns))
	for i, c := range t.columns {
		for _, row := range t.rows {
			if n := columns(row[i]); n > 0 {
				widths[i] = max(widths[i], n)
				shown[i] = shown[i] || row[i] != dash
			}
		}
		widths[i] = max(widths[i], columns(c.title))
	}
	room := width - columns(indent)
	for total(widths, shown) > room {
		next := -1
		for i, c := range t.columns {
			if shown[i] && c.drop > 0 && (next < 0 || c.drop < t.columns[next].drop) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		shown[next] = false
	}
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
	}
	b.WriteString(indent + p.dim(fit(t.line(titles, widths, shown), room)) + "\n")
	for i, row := range t.rows {
		s := plainStyle
		if t.style != nil {
			s = t.style(i)
		}
		b.WriteString(indent + p.paint(s, fit(t.line(row, widths, shown), room)) + "\n")
	}
}

func (t *table) line(cells []string, widths []int, shown []bool) string {
	var b strings.Builder
	for i, c := range t.columns {
		if !shown[i] {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("  ")
		}
		pad := strings.Repeat(" ", widths[i]-columns(cells[i]))
		if c.right {
			b.WriteString(pad + cells[i])
		} else {
			b.WriteString(cells[i] + pad)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

func total(widths []int, shown []bool) int {
	n := -2
	for i, w := range widths {
		if shown[i] {
			n += w + 2
		}
	}
	return n
}

// wrap breaks s at spaces into lines of at most width columns; a word that is
// wider is broken where the line ends.
func wrap(s string, width int) []string {
	width = max(width, 8)
	var lines []string
	var line strings.Builder
	at := 0
	end := func() {
		if at > 0 {
			lines = append(lines, line.String())
			line.Reset()
			at = 0
		}
	}
	for _, word := range words(s) {
		n := columns(word)
		if at > 0 && at+1+n > width {
			end()
		}
		if at > 0 {
			line.WriteByte(' ')
			at++
		}
		if n <= width {
			line.WriteString(word)
			at += n
			continue
		}
		for _, r := range word {
			c := runeColumns(r)
			if at+c > width {
				end()
			}
			line.WriteRune(r)
			at += c
		}
	}
	if line.Len() > 0 {
		lines = append(lines, line.String())
	}
	return lines
}

// words splits s at spaces, but not between a number and its percent sign.
func words(s string) []string {
	var out []string
	for _, f := range strings.Fields(s) {
		if n := len(out); n > 0 && strings.HasPrefix(f, "%") && len(f) <= 2 {
			out[n-1] += " " + f
			continue
		}
		out = append(out, f)
	}
	return out
}

// style is how a piece of text is set off on a terminal with colours.
type style string

const (
	plainStyle style = ""
	boldStyle  style = "1"
	dimStyle   style = "2"
	goodStyle  style = "1;32"
	doubtStyle style = "33"
	badStyle   style = "31"
)

// palette paints, or does not.
type palette struct{ on bool }

func (p palette) paint(s style, text string) string {
	if !p.on || s == plainStyle || strings.TrimSpace(text) == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

func (p palette) bold(s string) string { return p.paint(boldStyle, s) }
func (p palette) dim(s string) string  { return p.paint(dimStyle, s) }
