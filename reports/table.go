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
	// least is the width that is kept free for it, whatever it holds, so that
	// the choice of columns depends on the width of the terminal only.
	least int
	// spare columns are left out where they hold nothing.
	spare bool
}

// A table is rows under columns.
type table struct {
	columns []column
	rows    [][]string
	// style returns the style of a row.
	style func(row int) style
	// aside is the first row that stands under a line of its own, and over that
	// line what it says; 0 for none.
	aside int
	said  string
}

// A grid is the layout of the tables of one report: the same columns, equally
// wide, in each of them.
type grid struct {
	widths []int
	shown  []bool
}

// newGrid lays tables of the same columns out: each column as wide as its
// widest cell, two spaces apart. While that is wider than room, the column
// that is next in the order of dropping goes.
func newGrid(tables []table, room int) grid {
	if len(tables) == 0 {
		return grid{}
	}
	cols := tables[0].columns
	g := grid{widths: make([]int, len(cols)), shown: make([]bool, len(cols))}
	for i, c := range cols {
		g.widths[i] = max(columns(c.title), c.least)
		g.shown[i] = !c.spare
		for _, t := range tables {
			for _, row := range t.rows {
				g.widths[i] = max(g.widths[i], columns(row[i]))
				g.shown[i] = g.shown[i] || row[i] != "" && row[i] != dash
			}
		}
	}
	for total(g.widths, g.shown) > room {
		next := -1
		for i, c := range cols {
			if g.shown[i] && c.drop > 0 && (next < 0 || c.drop < cols[next].drop) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		g.shown[next] = false
	}
	return g
}

// write writes the table; lines that are too wide even so are cut.
func (t *table) write(b *strings.Builder, p palette, indent string, width int, g grid) {
	room := width - columns(indent)
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
	}
	b.WriteString(indent + p.dim(fit(t.line(titles, g.widths, g.shown), room)) + "\n")
	for i, row := range t.rows {
		if i == t.aside && t.said != "" {
			b.WriteString(indent + p.dim(fit(t.said, room)) + "\n")
		}
		s := plainStyle
		if t.style != nil {
			s = t.style(i)
		}
		b.WriteString(indent + p.paint(s, fit(t.line(row, g.widths, g.shown), room)) + "\n")
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
