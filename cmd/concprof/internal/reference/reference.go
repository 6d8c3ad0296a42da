// Package reference writes the reference of workload.yaml: a page of Markdown
// whose first part is prose and whose second, a section for each mapping with
// all of its keys, is taken from the JSON Schema that concprof holds a file to.
package reference

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"strings"
)

//go:embed guide.md
var guide string

// Write returns the page for a schema. It returns an error for a schema that
// uses what the page has no words for: a key without a description, say.
func Write(schema []byte) ([]byte, error) {
	root, err := parse(schema)
	if err != nil {
		return nil, err
	}
	if root.at("properties") == nil {
		return nil, errors.New("the schema describes no keys")
	}
	p := &page{root: root}
	var b bytes.Buffer
	b.WriteString(guide)
	p.write(&b, p.collect())
	if len(p.faults) > 0 {
		return nil, fmt.Errorf("the schema cannot be told: %s", strings.Join(p.faults, "; "))
	}
	return b.Bytes(), nil
}

// A section tells of one mapping.
type section struct {
	title string
	also  []string // where else it stands
	node  *node    // the mapping, with $ref followed
	about string   // the description of the key that it belongs to
	below []*section
}

type page struct {
	root   *node
	known  map[*node]*section // of each mapping
	faults []string
}

// write writes a section and those below it.
func (p *page) write(b *bytes.Buffer, s *section) {
	p.section(b, s)
	for _, child := range s.below {
		p.write(b, child)
	}
}

func (p *page) faultf(format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

// collect finds every mapping below the file. One that stands in several
// places has one section, under the place nearest to the top.
func (p *page) collect() *section {
	top := &section{title: fileTitle, node: p.root, about: p.root.text("description")}
	p.known = map[*node]*section{p.root: top}
	for queue := []*section{top}; len(queue) > 0; queue = queue[1:] {
		s := queue[0]
		props := s.node.at("properties")
		for _, key := range props.keys {
			property := props.at(key)
			for _, m := range p.mappings(property) {
				title := key + m.suffix
				if s != top {
					title = lastWord(s.title) + "." + title
				}
				if first := p.known[m.node]; first != nil {
					first.also = append(first.also, title)
					continue
				}
				about := property.text("description")
				if about == "" {
					about = m.node.text("description")
				}
				child := &section{title: title, node: m.node, about: about}
				p.known[m.node] = child
				s.below = append(s.below, child)
				queue = append(queue, child)
			}
		}
	}
	return top
}

// fileTitle is the title of the section of the whole file.
const fileTitle = "The file"

// lastWord cuts a path to its last key: sections are called as they are
// written in a file, step.sleep, not by the whole way from the top.
func lastWord(title string) string {
	title = strings.TrimSuffix(strings.TrimSuffix(title, ".NAME"), "[]")
	return strings.TrimSuffix(title[strings.LastIndexByte(title, '.')+1:], "s")
}

// A mapping is one found in a property: the property's own, that of the
// items of a list, "[]", or that of every name, ".NAME".
type mapping struct {
	node   *node
	suffix string
}

func (p *page) mappings(property *node) []mapping {
	n := p.follow(property)
	if n.at("properties") != nil {
		return []mapping{{n, ""}}
	}
	var all []mapping
	for _, inner := range []mapping{{n.at("items"), "[]"}, {n.at("additionalProperties"), ".NAME"}} {
		if inner.node == nil {
			continue
		}
		if inner.node = p.follow(inner.node); inner.node.at("properties") != nil {
			all = append(all, inner)
		}
	}
	for _, branch := range n.list("anyOf") {
		all = append(all, p.mappings(branch)...)
	}
	return all
}

// follow returns what $ref points to.
func (p *page) follow(n *node) *node {
	ref := n.text("$ref")
	if ref == "" {
		return n
	}
	target := p.root
	for _, word := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		if target = target.at(word); target == nil {
			p.faultf("%s points to nothing", ref)
			return n
		}
	}
	return target
}
