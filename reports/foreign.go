package reports

import (
	"fmt"
	"path"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/analyzer/profile/foreign"
)

// A foreignView is a profile of another program, as reports tell it. Its
// strings are as they came; each format makes them plain.
type foreignView struct {
	Title string
	Note  string // what its numbers are, and that nothing rests on them
	Top   []foreignRow
	// Compared says of which time the shares are that Top and this list tell.
	Compared []besideRow
	Against  string // "" without a comparison
	Said     []string
}

// A foreignRow is a function and what is spent in itself. Calls and PerCall
// are "" where nobody counted.
type foreignRow struct{ Share, Self, Calls, PerCall, Function, Place string }

// A besideRow is a function's share by the other program and by the run.
type besideRow struct {
	Theirs, Sampled, Calls, Function, Place string
	Differs                                 bool
}

// foreignRows is how many functions of a profile of another program are told.
const foreignRows = 5

// foreignOf arranges what a profile of another program says.
func foreignOf(f *analyzer.ForeignProfile) foreignView {
	v := foreignView{
		Title: fmt.Sprintf("%s (%s)", f.Name, programOf(f.Kind)),
		Note:  f.Note + ". It is shown as it was given; nothing in the verdict rests on it",
	}
	amount := foreignAmount(f)
	for i, t := range f.Top {
		if i == foreignRows {
			break
		}
		r := foreignRow{Share: share(t.Share), Self: amount(t.Self), Function: t.Function, Place: foreignPlace(t.Place)}
		if f.Kind == foreign.CProfile && t.Calls > 0 {
			r.Calls, r.PerCall = count(t.Calls), duration(float64(t.Self)/float64(t.Calls))
		}
		v.Top = append(v.Top, r)
	}
	if f.CompareWith == "" {
		return v
	}
	v.Against = fmt.Sprintf("shares of the %s time in functions that both hold, what they call in C included, by %s and by the sampling of this run's sequential trials, which ran at another time: load and inputs move shares too", f.CompareWith, programOf(f.Kind))
	for i, c := range f.Compared {
		if c.Differs {
			v.Said = append(v.Said, differs(f.Kind, &c))
		}
		if i < foreignRows {
			r := besideRow{Theirs: share(c.Share), Sampled: share(c.Sampled) + " ±" + strings.TrimSpace(share(c.Margin)), Function: c.Function, Place: foreignPlace(c.Place), Differs: c.Differs}
			if c.Calls > 0 {
				r.Calls = count(c.Calls)
			}
			v.Compared = append(v.Compared, r)
		}
	}
	return v
}

// differs tells of a function about which the two programs disagree. That
// tracing costs by the call is known of cProfile; of this function it may
// explain the difference, which is not to say that it was shown to.
func differs(kind foreign.Kind, c *analyzer.ForeignShare) string {
	s := fmt.Sprintf("%s: %s says %s, sampling %s (±%s)", c.Function, programOf(kind), share(c.Share), share(c.Sampled), share(c.Margin))
	if c.Traced {
		s += fmt.Sprintf("; tracing adds its cost to each call, and it got or made %s of them, %s of its time each", count(c.Calls), duration(float64(c.SelfNs)/float64(c.Calls)))
	}
	return s
}

// programOf is what people call the program or format that a profile is of.
func programOf(k foreign.Kind) string {
	switch k {
	case foreign.CProfile:
		return "cProfile"
	case foreign.Folded:
		return "folded stacks"
	case foreign.Austin:
		return "Austin"
	case foreign.Pprof:
		return "pprof"
	}
	return plain(string(k))
}

// foreignAmount says a number of a profile in its unit.
func foreignAmount(f *analyzer.ForeignProfile) func(int64) string {
	switch f.Unit {
	case "nanoseconds":
		return func(n int64) string { return duration(float64(n)) }
	case "count":
		return func(n int64) string { return plural(n, strings.TrimSuffix(f.SampleType, "s")) }
	}
	return func(n int64) string { return count(n) + " " + f.Unit }
}

func foreignPlace(p analyzer.Place) string {
	if p.File == "" {
		return ""
	}
	at := path.Base(strings.ReplaceAll(p.File, `\`, "/"))
	if p.Line > 0 {
		at += fmt.Sprintf(":%d", p.Line)
	}
	return at
}

// foreign writes the profiles of other programs.
func (t *terminal) foreign(w *analyzer.Workload) {
	for i := range w.Foreign {
		v := foreignOf(&w.Foreign[i])
		t.heading("profile of another program: " + plain(v.Title))
		t.hang(indent, plain(v.Note)+".", dimStyle)
		rows := make([][]string, len(v.Top))
		for j, r := range v.Top {
			rows[j] = []string{r.Share, r.Self, r.Calls, r.PerCall, short(where(r.Function, r.Place), max(t.width-42, 24))}
		}
		t.columns([]column{
			{title: "share", right: true}, {title: "in itself", right: true}, {title: "calls", right: true, drop: 1, spare: true},
			{title: "per call", right: true, drop: 2, spare: true}, {title: "function"},
		}, rows)
		if v.Against == "" {
			continue
		}
		t.b.WriteString("\n")
		t.hang(indent, plain(v.Against)+":", plainStyle)
		rows = make([][]string, len(v.Compared))
		for j, r := range v.Compared {
			rows[j] = []string{r.Theirs, r.Sampled, r.Calls, short(where(r.Function, r.Place), max(t.width-42, 24))}
		}
		t.columns([]column{
			{title: programOf(w.Foreign[i].Kind), right: true}, {title: "sampled", right: true},
			{title: "calls", right: true, drop: 1, spare: true}, {title: "function"},
		}, rows)
		t.items(v.Said)
	}
}

// columns writes a table of its own.
func (t *terminal) columns(cols []column, rows [][]string) {
	for _, r := range rows {
		for i := range r {
			r[i] = plain(r[i])
		}
	}
	tab := table{columns: cols, rows: rows, style: func(int) style { return plainStyle }}
	tab.write(&t.b, t.palette, indent, t.width, newGrid([]table{tab}, t.width-len(indent)))
}

func where(function, place string) string {
	if place == "" {
		return function
	}
	return function + " (" + place + ")"
}

// foreignSections are the profiles of other programs in Markdown.
func foreignSections(w *analyzer.Workload) []section {
	var out []section
	for i := range w.Foreign {
		v := foreignOf(&w.Foreign[i])
		var b strings.Builder
		b.WriteString("\n<details><summary>Profile of another program: " + prose(v.Title) + "</summary>\n\n**Its numbers**: " + prose(v.Note) + ".\n")
		b.WriteString("\n| function | share | in itself | calls |\n|---|--:|--:|--:|\n")
		for _, r := range v.Top {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(where(r.Function, r.Place)), r.Share, prose(r.Self), r.Calls)
		}
		if v.Against != "" {
			fmt.Fprintf(&b, "\n%s:\n\n| function | %s | sampled | calls |\n|---|--:|--:|--:|\n", prose(v.Against), programOf(w.Foreign[i].Kind))
			for _, r := range v.Compared {
				fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", code(where(r.Function, r.Place)), r.Theirs, r.Sampled, r.Calls)
			}
			b.WriteString("\n")
			for _, s := range v.Said {
				b.WriteString("- " + prose(s) + "\n")
			}
		}
		b.WriteString("\n</details>\n")
		out = append(out, section{rankDetails, b.String()})
	}
	return out
}

// A foreignFlame is a profile of another program on the page.
type foreignFlame struct {
	foreignView
	Flame flameView
	Name  string
	Kind  string
	Calls bool // it knows of calls
}

// foreignFlames draws the profiles of other programs. No graph has more boxes
// than most.
func foreignFlames(w *analyzer.Workload, id string, most int) []foreignFlame {
	var out []foreignFlame
	for i := range w.Foreign {
		f := &w.Foreign[i]
		v := foreignFlame{foreignView: foreignOf(f), Kind: programOf(f.Kind), Calls: f.Kind == foreign.CProfile}
		v.plain()
		v.Name = v.Title
		tree := profile.Tree(f.Data, f.SampleType)
		if tree == nil || tree.Total <= 0 {
			continue
		}
		amount := foreignAmount(f)
		v.Flame = flameView{
			ID: fmt.Sprintf("%s-foreign-%d", id, i+1), amount: amount, Total: plain(amount(tree.Total)),
			Desc: plain(fmt.Sprintf("%s of the whole profile, by call path.", f.SampleType)),
		}
		v.Flame.draw(tree, 1, most)
		out = append(out, v)
	}
	return out
}

// plain makes all of a view safe to be put into a page.
func (v *foreignView) plain() {
	v.Title, v.Note, v.Against = plain(v.Title), plain(v.Note), plain(v.Against)
	for i := range v.Top {
		r := &v.Top[i]
		r.Self, r.Function, r.Place = plain(r.Self), short(r.Function, 90), plain(r.Place)
	}
	for i := range v.Compared {
		r := &v.Compared[i]
		r.Function, r.Place = short(r.Function, 90), plain(r.Place)
	}
	for i := range v.Said {
		v.Said[i] = plain(v.Said[i])
	}
}
