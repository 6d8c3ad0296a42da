package workload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/concprof/concprof/probes/model"
	"go.yaml.in/yaml/v4"
)

// Encode writes f as a workload file that Parse reads back to the same.
// Comments and the order of keys are not kept.
func Encode(f *File) ([]byte, error) {
	data, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode the workload: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	root, err := node(dec)
	if err != nil {
		return nil, fmt.Errorf("encode the workload: %w", err)
	}
	// Small mappings and lists read better on one line.
	for i := 0; i+1 < len(root.Content); i += 2 {
		compact(root.Content[i+1], 1)
	}
	out, err := yaml.Dump(root, yaml.WithIndent(2), yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fmt.Errorf("encode the workload: %w", err)
	}
	return out, nil
}

// node turns the next JSON value into YAML, keeping the order of keys, which
// is the order of the Go types' fields.
func node(dec *json.Decoder) (*yaml.Node, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if t == '{' {
			n = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		}
		for dec.More() {
			child, err := node(dec)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, child)
		}
		_, err := dec.Token() // the closing bracket
		return n, err
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: t.String()}, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(t)}, nil
	case string:
		n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: t}
		if !plainText.MatchString(t) || looksOdd(t) {
			n.Style = yaml.DoubleQuotedStyle
		}
		return n, nil
	}
	return nil, fmt.Errorf("unexpected %v", token)
}

// compact sets what lies deeper than the given number of levels on one line,
// and lists of scalars always.
func compact(n *yaml.Node, levels int) {
	if n.Kind == yaml.ScalarNode {
		return
	}
	flat := !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Kind != yaml.ScalarNode })
	if levels <= 0 && flat || n.Kind == yaml.SequenceNode && flat {
		n.Style = yaml.FlowStyle
	}
	for _, c := range n.Content {
		compact(c, levels-1)
	}
}

// MarshalJSON writes "all" for the full list.
func (m Models) MarshalJSON() ([]byte, error) {
	if slices.Equal([]model.Model(m), model.All()) {
		return json.Marshal("all")
	}
	return json.Marshal([]model.Model(m))
}

// plainText is text that needs no quotes anywhere, also within [ ] and { }.
var plainText = regexp.MustCompile(`^[A-Za-z0-9_./(*-][A-Za-z0-9_./()*=<>+@%^~|-]*( [A-Za-z0-9_./()*=<>+@%^~|-]+)*$`)

// looksOdd reports whether text without quotes would be read as something
// else than text, here or by another reader of YAML.
func looksOdd(s string) bool {
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n", "-", "<<", "=":
		return true
	}
	switch s[0] {
	case '*', '-', '.':
		// An alias, an item of a list, a number.
		return s[0] != '.' || len(s) > 1 && s[1] >= '0' && s[1] <= '9' || strings.HasPrefix(strings.ToLower(s), ".inf") || strings.HasPrefix(strings.ToLower(s), ".nan")
	}
	return odd.MatchString(s)
}

// odd is text that some readers of YAML take for a number, a date or a time.
var odd = regexp.MustCompile(`^[-+]?[0-9][0-9_.,:eExXoObBa-fA-F+-]*$`)
