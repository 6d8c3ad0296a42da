package workload

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSchemaExamples holds the examples and defaults that the schema gives to
// the schema itself, and every key to having an example.
func TestSchemaExamples(t *testing.T) {
	checkExamples(t, schemaJSON)
}

// TestSchemaExamplesNotice shows that the test above can fail.
func TestSchemaExamplesNotice(t *testing.T) {
	for _, tt := range []struct{ name, from, to string }{
		{"a word that is none", `"examples": ["latency"]`, `"examples": ["speed"]`},
		{"out of range", `"x-range": ["1s", "24h"], "default": "60s"`, `"x-range": ["1s", "24h"], "default": "60h"`},
		{"no example", `"enum": ["none"], "examples": ["none"]`, `"enum": ["none"]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !bytes.Contains(schemaJSON, []byte(tt.from)) {
				t.Fatalf("the schema has no %s any more", tt.from)
			}
			var found recorder
			checkExamples(&found, bytes.ReplaceAll(schemaJSON, []byte(tt.from), []byte(tt.to)))
			if len(found) == 0 {
				t.Error("was not noticed")
			}
		})
	}
}

// A complainer is the part of testing.TB that checkExamples needs.
type complainer interface{ Errorf(string, ...any) }

type recorder []string

func (r *recorder) Errorf(format string, args ...any) { *r = append(*r, fmt.Sprintf(format, args...)) }

func checkExamples(t complainer, schema []byte) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{})
	c.RegisterVocabulary(&jsonschema.Vocabulary{URL: "urn:concprof:vocabulary", Compile: compileRange})
	c.AssertVocabs()
	if err := c.AddResource(schemaID, doc); err != nil {
		t.Errorf("%v", err)
		return
	}
	whole := compiled{doc: doc}
	given := 0
	var walk func(pointer string, v any)
	walk = func(pointer string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if strings.HasSuffix(pointer, "/properties") {
				for key, property := range v {
					if !exemplified(&whole, property.(map[string]any)) {
						t.Errorf("%s/%s has no example", pointer, key)
					}
				}
			}
			values, _ := v["examples"].([]any)
			if d, ok := v["default"]; ok {
				values = append(values, d)
			}
			for _, value := range values {
				given++
				s, err := c.Compile(schemaID + "#" + pointer)
				if err == nil {
					err = s.Validate(value)
				}
				if err != nil {
					t.Errorf("%s: %v: %v", pointer, value, err)
				}
			}
			for key, child := range v {
				if key != "examples" && key != "default" {
					walk(pointer+"/"+key, child)
				}
			}
		case []any:
			for i, child := range v {
				walk(fmt.Sprintf("%s/%d", pointer, i), child)
			}
		}
	}
	walk("", doc)
	if given < 80 {
		t.Errorf("only %d examples were found", given)
	}
}

// exemplified reports whether a key has an example: its own, that of what it
// refers to or lists, or one in its title.
func exemplified(c *compiled, property map[string]any) bool {
	if ref, ok := property["$ref"].(string); ok && property["examples"] == nil {
		return exemplified(c, c.at(ref))
	}
	if items, ok := property["items"].(map[string]any); ok && items["examples"] != nil {
		return true
	}
	title, _ := property["title"].(string)
	return property["examples"] != nil || strings.Contains(title, ", such as {")
}
