package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// A node is a JSON value that remembers the order of its keys.
type node struct {
	keys   []string // of an object, in order
	object map[string]*node
	array  []*node
	value  any // of anything else: string, json.Number, bool, nil
}

func parse(doc []byte) (*node, error) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	n, err := read(dec)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	return n, nil
}

func read(dec *json.Decoder) (*node, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		n := &node{object: map[string]*node{}}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			child, err := read(dec)
			if err != nil {
				return nil, err
			}
			name, _ := key.(string)
			n.keys, n.object[name] = append(n.keys, name), child
		}
		_, err = dec.Token()
		return n, err
	case json.Delim('['):
		n := &node{array: []*node{}}
		for dec.More() {
			child, err := read(dec)
			if err != nil {
				return nil, err
			}
			n.array = append(n.array, child)
		}
		_, err = dec.Token()
		return n, err
	}
	return &node{value: token}, nil
}

// at returns the value of a key, nil if there is none.
func (n *node) at(key string) *node {
	if n == nil {
		return nil
	}
	return n.object[key]
}

// text returns the text of a key, "" if there is none.
func (n *node) text(key string) string {
	if v := n.at(key); v != nil {
		s, _ := v.value.(string)
		return s
	}
	return ""
}

// list returns the values of a key that is a list.
func (n *node) list(key string) []*node {
	if v := n.at(key); v != nil {
		return v.array
	}
	return nil
}

// flow returns the value as YAML in one line.
func (n *node) flow() string {
	switch {
	case n.object != nil:
		var parts []string
		for _, key := range n.keys {
			parts = append(parts, key+": "+n.object[key].flow())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case n.array != nil:
		var parts []string
		for _, v := range n.array {
			parts = append(parts, v.flow())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if s, ok := n.value.(string); ok {
		return scalar(s)
	}
	out, err := json.Marshal(n.value)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// plainStart begins a text that YAML reads as text without quotes.
const plainStart = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ./_"

// scalar returns a text as YAML, in quotes where it could be read as something
// else, within lists and mappings too.
func scalar(s string) string {
	plain := s != "" && (strings.ContainsRune(plainStart, rune(s[0])) || quantity(s) || len(s) > 1 && s[0] == '-' && s[1] != ' ') &&
		!strings.ContainsAny(s, "{}[],&*!|<>'\"%@`#") && !strings.Contains(s, ": ")
	switch s {
	case "true", "false", "null", "yes", "no", "on", "off":
		plain = false
	}
	if plain {
		return s
	}
	out, err := json.Marshal(s)
	if err != nil {
		return err.Error()
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(out))
}

// quantity reports whether s is a number with its unit, 20ms or 200/s.
func quantity(s string) bool {
	rest := strings.TrimLeft(s, "0123456789.")
	return rest != "" && rest != s && !strings.Contains(rest, ":") && strings.ContainsRune(plainStart, rune(rest[0])) && rest[0] != '.'
}
