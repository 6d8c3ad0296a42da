package reference

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// section writes the section of a mapping: what it is, which keys it needs,
// and a table of all of them.
func (p *page) section(b *bytes.Buffer, s *section) {
	fmt.Fprintf(b, "\n### %s\n\n", heading(s.title))
	var says []string
	if s.about != "" {
		says = append(says, s.about)
	}
	for _, other := range s.also {
		says = append(says, code(other)+" is written the same way.")
	}
	if one := choices(s.node); len(one) > 0 {
		says = append(says, "Exactly one of "+and(one, "and")+" is needed.")
	}
	if len(says) > 0 {
		fmt.Fprintf(b, "%s\n\n", strings.Join(says, " "))
	}
	b.WriteString("| key | value | default | example | meaning |\n| --- | --- | --- | --- | --- |\n")
	props := s.node.at("properties")
	for _, key := range props.keys {
		property := props.at(key)
		about := property.text("description")
		if about == "" {
			about = p.follow(property).text("description")
		}
		if about == "" {
			p.faultf("%s.%s has no description", s.title, key)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", key,
			cell(p.value(property)), cell(p.fallback(s.node, key, property)), cell(p.example(key, property)), cell(about))
	}
}

// heading is a section's title: keys as code, the file's own as words.
func heading(title string) string {
	if title == fileTitle {
		return title
	}
	return code(title)
}

// value says in words what may be written, with its bounds.
func (p *page) value(property *node) string {
	n := p.follow(property)
	if ref := property.text("$ref"); ref != "" {
		if kind := strings.TrimPrefix(ref, "#/$defs/"); slices.Contains(quantities, kind) {
			return fmt.Sprintf("[%s](#values)%s", kind, p.bounds(property))
		}
	}
	if to := p.known[n]; to != nil {
		return fmt.Sprintf("[a mapping](#%s)", anchor(to.title))
	}
	if branches := n.list("anyOf"); branches != nil {
		if title, _, _ := strings.Cut(n.text("title"), ", or a mapping"); title != n.text("title") {
			title, _, _ = strings.Cut(title, ", such as ")
			return title + ", or " + p.value(branches[len(branches)-1])
		}
		var ways []string
		for _, branch := range branches {
			ways = append(ways, p.value(branch))
		}
		return and(ways, "or")
	}
	if words := n.list("enum"); words != nil {
		var all []string
		for _, w := range words {
			all = append(all, code(w.flow()))
		}
		return and(all, "or")
	}
	if c := n.at("const"); c != nil {
		return code(c.flow())
	}
	switch n.text("type") {
	case "boolean":
		return "`true` or `false`"
	case "integer":
		return "a whole number" + p.bounds(n)
	case "array":
		return p.listValue(n)
	case "object":
		if item := n.at("additionalProperties"); item != nil && item.value == nil {
			return "names, at most " + n.at("maxProperties").flow() + ", and for each " + p.value(item)
		}
	}
	return p.textValue(property, n)
}

// listValue says what a list holds, and how much of it.
func (p *page) listValue(n *node) string {
	much := ""
	if n.at("maxItems") != nil {
		much = fmt.Sprintf(", at most %s", grouped(n.at("maxItems").flow()))
	}
	if title, _, _ := strings.Cut(n.text("title"), ", such as "); strings.HasPrefix(title, "a list of ") && n.at("items").list("enum") == nil {
		if item := p.follow(n.at("items")); item.text("type") == "integer" {
			return title + p.bounds(item) + much
		}
		return title
	}
	return "a list" + much + ", each " + p.value(n.at("items"))
}

// quantities are the values that the guide explains under "Values".
var quantities = []string{"duration", "size", "rate"}

// textValue says what a text is: the title of the schema completes "expected
// ...", and its length is bounded.
func (p *page) textValue(property, n *node) string {
	title := property.text("title")
	if title == "" {
		title = n.text("title")
	}
	if title == "" {
		p.faultf("a text has no title: %s", property.text("description"))
	}
	if before, _, found := strings.Cut(title, ", such as "); found {
		title = before // the example stands in a column of its own
	}
	if at := n.at("maxLength"); at != nil && !strings.Contains(title, "at most") {
		title += fmt.Sprintf(", at most %s characters", grouped(at.flow()))
	}
	return title
}

// bounds says between which values a number, time, size or rate may be.
func (p *page) bounds(n *node) string {
	if r := n.list("x-range"); len(r) == 2 {
		return fmt.Sprintf(", %s to %s", scalarText(r[0]), scalarText(r[1]))
	}
	return bounds(n, "minimum", "maximum", ",")
}

func scalarText(n *node) string {
	s, _ := n.value.(string)
	return s
}

func bounds(n *node, low, high, comma string) string {
	least, most := n.at(low), n.at(high)
	switch {
	case least != nil && most != nil:
		return fmt.Sprintf("%s %s to %s", comma, least.flow(), grouped(most.flow()))
	case most != nil:
		return fmt.Sprintf("%s at most %s", comma, grouped(most.flow()))
	case least != nil:
		return fmt.Sprintf("%s at least %s", comma, least.flow())
	}
	return ""
}

// grouped sets commas into a long number, for people to count its digits.
func grouped(number string) string {
	if len(number) < 5 {
		return number
	}
	head := (len(number)-1)%3 + 1
	out := number[:head]
	for ; head < len(number); head += 3 {
		out += "," + number[head:head+3]
	}
	return out
}

// fallback says what holds where a key is left out.
func (p *page) fallback(parent *node, key string, property *node) string {
	for _, r := range parent.list("required") {
		if scalarText(r) == key {
			return "required"
		}
	}
	if slices.Contains(choices(parent), code(key)) {
		return "one of them"
	}
	for _, n := range []*node{property, p.follow(property)} {
		if d := n.at("default"); d != nil {
			return code(d.flow())
		}
	}
	if about := property.text("description"); strings.Contains(about, "y default ") {
		return "see there"
	}
	return "none"
}

// example shows the key as a file has it.
func (p *page) example(key string, property *node) string {
	for _, n := range []*node{property, p.follow(property)} {
		if list := n.list("examples"); len(list) > 0 {
			return code(key + ": " + list[0].flow())
		}
		// "a mapping, such as {runs: 10}"
		if _, such, found := strings.Cut(n.text("title"), ", such as {"); found {
			return code(key + ": {" + such)
		}
	}
	if n := p.follow(property); n.text("type") == "array" {
		if list := n.at("items").list("examples"); len(list) > 0 {
			return code(key + ": [" + list[0].flow() + "]")
		}
	}
	return ""
}

// choices are the keys of which exactly one is needed.
func choices(n *node) []string {
	var keys []string
	for _, branch := range n.list("oneOf") {
		for _, r := range branch.list("required") {
			keys = append(keys, code(scalarText(r)))
		}
	}
	return keys
}

// and joins words as a sentence does.
func and(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}

func code(s string) string { return "`" + s + "`" }

// cell keeps a text within its cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// anchor is where a heading of code can be linked to, as GitHub makes it.
func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == ' ':
			return '-'
		}
		return -1
	}, title)
}
