package reports

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/probes/model"
)

// A sentence is a link of the evidence chain with the rows of the table of
// cells that its numbers came from.
type sentence struct {
	Parts []piece
	// From are the cells that the sentence rests on without naming them.
	From []piece
}

// A piece of a sentence leads to a row of the table where it names one.
type piece struct{ Text, Row string }

// anchors are the IDs of the rows that a page shows of a workload, by cell.
type anchors map[cellKey]string

type cellKey struct {
	model model.Model
	level int
}

// anchor is the ID of a cell's row.
func anchor(section string, c *analyzer.Cell) string {
	return section + "-" + attributeID(string(c.Model)) + "-" + strconv.Itoa(c.Concurrency)
}

// attributeID keeps of s what needs no care in an ID: models are words, but a
// result may come from anywhere.
func attributeID(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, s)
}

// namedCell is a cell as sentences name it: "sequential", "pool at 16".
var namedCell = regexp.MustCompile(`\b(sequential|pool|goroutines|event-loop|threads|hybrid|subinterpreters|processes)(?: at ([0-9]{1,6}))?\b`)

// ofBaseline reports whether the sentences of a stage rest on the baseline's
// trials.
func ofBaseline(stage string) bool {
	return slices.Contains([]string{"split", "waits", "class", "steps", "noise"}, stage)
}

// evidence returns the chain from the split to the recommendation, each
// sentence with the cells that it came from.
func evidence(w *analyzer.Workload, rows anchors) []sentence {
	stages := map[string]string{}
	for i, s := range w.Evidence {
		if i < len(w.EvidenceStages) {
			stages[s] = w.EvidenceStages[i]
		}
	}
	var out []sentence
	for _, text := range reasons(w) {
		s, named := pieces(plain(text), rows)
		add := func(m model.Model, level int) {
			k := cellKey{m, level}
			if row := rows[k]; row != "" && !named[k] {
				s.From = append(s.From, piece{cellWords(m, level), row})
				named[k] = true
			}
		}
		switch stage, told := stages[text]; {
		case ofBaseline(stage):
			add(model.Sequential, 1)
		case !told && w.Recommendation != nil && slices.Contains(w.Recommendation.Why, text):
			add(w.Recommendation.Model, w.Recommendation.Concurrency)
		}
		out = append(out, s)
	}
	return out
}

func cellWords(m model.Model, level int) string {
	if m == model.Sequential {
		return string(m)
	}
	return string(m) + " at " + strconv.Itoa(level)
}

// pieces cuts a sentence at the names of cells that have rows; of each only the
// first is a link.
func pieces(text string, rows anchors) (sentence, map[cellKey]bool) {
	var s sentence
	named := map[cellKey]bool{}
	at := 0
	for _, m := range namedCell.FindAllStringSubmatchIndex(text, -1) {
		k := cellKey{model.Model(text[m[2]:m[3]]), 1}
		if m[4] >= 0 {
			k.level, _ = strconv.Atoi(text[m[4]:m[5]])
		} else if k.model != model.Sequential {
			continue
		}
		row := rows[k]
		if row == "" || named[k] {
			continue
		}
		named[k] = true
		if m[0] > at {
			s.Parts = append(s.Parts, piece{Text: text[at:m[0]]})
		}
		s.Parts = append(s.Parts, piece{text[m[0]:m[1]], row})
		at = m[1]
	}
	if at < len(text) || len(s.Parts) == 0 {
		s.Parts = append(s.Parts, piece{Text: text[at:]})
	}
	return s, named
}
