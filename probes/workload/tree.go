package workload

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// A place is a position in a document: the keys and indices that lead to it.
type place []string

// in returns the place one step further in.
func (p place) in(tokens ...any) place {
	next := append(place{}, p...)
	for _, t := range tokens {
		next = append(next, fmt.Sprint(t))
	}
	return next
}

// within reports whether p is q or lies inside it.
func (p place) within(q place) bool {
	if len(p) < len(q) {
		return false
	}
	for i := range q {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}

// plainKey is a key that needs no quotes in a path.
var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// A document is a file's tree of nodes, with what was found wrong in it.
type document struct {
	*faultList
	root *yaml.Node
	// faulty are places at which something is wrong already, so that nothing
	// more is said of them.
	faulty []place
	values int
}

// find returns the nodes of the key and the value at p. The value is the
// nearest enclosing one when there is none at p; the key is nil for an item of
// a list.
func (d *document) find(p place) (key, value *yaml.Node) {
	value = d.root
	for _, token := range p {
		k, v := child(value, token)
		if v == nil {
			return key, value
		}
		key, value = k, v
	}
	return key, value
}

func child(n *yaml.Node, token string) (key, value *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == token {
				return n.Content[i], n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(n.Content) {
			return nil, n.Content[i]
		}
	}
	return nil, nil
}

// path writes p as people do: workloads[0].measure.runs.
func (d *document) path(p place) string {
	var b strings.Builder
	n := d.root
	for _, token := range p {
		switch {
		case n != nil && n.Kind == yaml.SequenceNode:
			b.WriteString("[" + token + "]")
		case plainKey.MatchString(token):
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(token)
		default:
			b.WriteString("[" + quoted(token) + "]")
		}
		if n != nil {
			_, n = child(n, token)
		}
	}
	return b.String()
}

// faultAt adds a fault at the value at p, or at its key when the value is a
// mapping or list (whose first line says little).
func (d *document) faultAt(p place, message, hint string) {
	key, value := d.find(p)
	n := value
	if value.Kind != yaml.ScalarNode && key != nil {
		n = key
	}
	d.faultOn(n, p, message, hint)
}

// faultAtKey adds a fault at the key at p.
func (d *document) faultAtKey(p place, message, hint string) {
	key, value := d.find(p)
	if key == nil {
		key = value
	}
	d.faultOn(key, p, message, hint)
}

func (d *document) faultOn(n *yaml.Node, p place, message, hint string) {
	d.faulty = append(d.faulty, p)
	d.add(Fault{Line: n.Line, Column: n.Column, Length: d.width(n), Path: d.path(p), Message: message, Hint: hint})
}

// width is how many characters of its first line a node covers, as far as a
// caret should go.
func (d *document) width(n *yaml.Node) int {
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.ContainsAny(n.Value, "\r\n") {
		return 1
	}
	w := utf8.RuneCountInString(n.Value)
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		w += 2
	}
	return w
}

// known reports whether something wrong was already said of p, of what it
// lies in, or of something in it.
func (d *document) known(p place) bool {
	for _, f := range d.faulty {
		if p.within(f) || f.within(p) {
			return true
		}
	}
	return false
}

// number is how numbers may be written. Octal (010), underscores (1_000),
// other bases, exponents, infinities and NaN are refused, because readers of
// YAML differ on them.
var number = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,23})(\.[0-9]{1,24})?$`)

// literal are the keys whose lists are the arguments of programs: what looks
// like a number there is text all the same ("gzip -9").
var literal = map[string]bool{"command": true, "exec": true, "prepare": true, "cleanup": true}

// value turns a node into what encoding/json would have decoded, and says
// what is wrong on the way: anchors, aliases, tags, merge keys, duplicate
// keys, odd numbers.
func (d *document) value(n *yaml.Node, p place, isLiteral bool) any {
	if d.values++; d.values > maxValues {
		if d.values == maxValues+1 {
			d.faultOn(n, nil, fmt.Sprintf("the file has more than %d values", maxValues), "split it")
		}
		return nil
	}
	switch {
	case n.Kind == yaml.AliasNode:
		d.faultOn(n, p, "an alias (*"+printable(cut(n.Value))+") is not supported", "write the value out")
		return nil
	case n.Anchor != "":
		d.faultOn(n, p, "an anchor (&"+printable(cut(n.Anchor))+") is not supported", "remove it, and write the value out where it is used")
	case n.Style&yaml.TaggedStyle != 0:
		d.faultOn(n, p, "a tag ("+printable(cut(n.Tag))+") is not supported", "remove it")
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		return d.mapping(n, p)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for i, item := range n.Content {
			list = append(list, d.value(item, p.in(i), isLiteral))
		}
		return list
	case yaml.ScalarNode:
		return d.scalar(n, p, isLiteral)
	}
	return nil
}

func (d *document) mapping(n *yaml.Node, p place) any {
	m := make(map[string]any, len(n.Content)/2)
	first := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := key.Value
		switch {
		case key.Kind == yaml.AliasNode || key.Anchor != "" || key.Style&yaml.TaggedStyle != 0:
			d.faultOn(key, p, "anchors, aliases and tags are not supported", "write the key out")
			continue
		case key.Kind != yaml.ScalarNode:
			d.faultOn(key, p, "a key must be text", "")
			continue
		case key.ShortTag() == "!!merge":
			d.faultOn(key, p, `a merge key ("<<") is not supported`, "write the keys out")
			continue
		}
		if before := first[name]; before != nil {
			d.faultOn(key, p.in(name), fmt.Sprintf("duplicate key %s: line %d has it already", quoted(name), before.Line), "remove one of them")
			continue
		}
		first[name] = key
		m[name] = d.value(value, p.in(name), literal[name])
	}
	return m
}

func (d *document) scalar(n *yaml.Node, p place, isLiteral bool) any {
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return n.Value
	}
	tag := n.ShortTag()
	if isLiteral && n.Value != "" {
		return n.Value
	}
	switch tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		if !number.MatchString(n.Value) {
			d.faultOn(n, p, quoted(n.Value)+" is not a plain decimal number", numberHint(n.Value))
			return nil
		}
		return json.Number(n.Value)
	}
	return n.Value
}

func numberHint(s string) string {
	plain := strings.ReplaceAll(s, "_", "")
	if !strings.HasPrefix(plain, "0x") && !strings.HasPrefix(plain, "0b") && !strings.HasPrefix(plain, "0o") {
		plain = strings.TrimLeft(plain, "+0")
		if strings.HasPrefix(plain, ".") {
			plain = "0" + plain
		}
		if number.MatchString(plain) {
			return fmt.Sprintf("write %s, or '%s' in quotes if it is text", plain, printable(cut(s)))
		}
	}
	return "write it in decimal digits, or in quotes if it is text"
}

// nodeAt returns the value at p, or the nearest enclosing one.
func (d *document) nodeAt(p place) *yaml.Node {
	_, n := d.find(p)
	return n
}

// exists reports whether there is a value at p.
func (d *document) exists(p place) bool {
	n := d.root
	for _, token := range p {
		if _, n = child(n, token); n == nil {
			return false
		}
	}
	return true
}
