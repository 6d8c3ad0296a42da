package workload

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/message"
)

//go:embed schema.json
var schemaJSON []byte

// Schema returns the JSON Schema (draft 2020-12) of workload.yaml: the same
// bytes that Parse checks a file against.
//
// Two keywords are our own and mean nothing to other validators: x-range, the
// least and greatest value of a time, size or rate that is written as text.
// Title completes the sentence "expected ...", description is for people.
func Schema() []byte { return bytes.Clone(schemaJSON) }

// schemaID is the schema's own address; nothing is ever fetched from it.
const schemaID = "urn:concprof:workload:1"

// compiled is the schema, ready to validate, and as a plain document, from
// which the words of messages are taken.
type compiled struct {
	schema *jsonschema.Schema
	doc    any
}

var compileSchema = sync.OnceValues(func() (*compiled, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaJSON))
	if err != nil {
		return nil, fmt.Errorf("read the embedded schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // loads nothing, from nowhere
	c.RegisterVocabulary(&jsonschema.Vocabulary{URL: "urn:concprof:vocabulary", Compile: compileRange})
	c.AssertVocabs()
	if err := c.AddResource(schemaID, doc); err != nil {
		return nil, fmt.Errorf("read the embedded schema: %w", err)
	}
	s, err := c.Compile(schemaID)
	if err != nil {
		return nil, fmt.Errorf("compile the embedded schema: %w", err)
	}
	return &compiled{schema: s, doc: doc}, nil
})

// at returns the part of the schema that url points to, following $ref.
func (c *compiled) at(url string) map[string]any {
	_, pointer, _ := strings.Cut(url, "#")
	var v any = c.doc
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if token == "" {
			continue
		}
		token = strings.NewReplacer("~1", "/", "~0", "~", "%25", "%").Replace(token)
		switch t := v.(type) {
		case map[string]any:
			v = t[token]
		case []any:
			i, err := json.Number(token).Int64()
			if err != nil || i < 0 || i >= int64(len(t)) {
				return nil
			}
			v = t[i]
		}
	}
	m, _ := v.(map[string]any)
	return m
}

// A textRange is the x-range keyword.
type textRange struct {
	unit      unit
	low, high float64
	text      [2]string
}

func compileRange(_ *jsonschema.CompilerContext, obj map[string]any) (jsonschema.SchemaExt, error) {
	raw, ok := obj["x-range"]
	if !ok {
		return nil, nil
	}
	pair, ok := raw.([]any)
	if !ok || len(pair) != 2 {
		return nil, fmt.Errorf("x-range: want a pair, have %v", raw)
	}
	r := &textRange{}
	for i := range pair {
		r.text[i], _ = pair[i].(string)
	}
	var err error
	if r.unit, r.low, err = parseAny(r.text[0]); err != nil {
		return nil, fmt.Errorf("x-range: %w", err)
	}
	if r.high, err = r.unit.parse(r.text[1]); err != nil {
		return nil, fmt.Errorf("x-range: %w", err)
	}
	return r, nil
}

// Validate implements jsonschema.SchemaExt. Text that is no quantity at all
// is left to the pattern.
func (r *textRange) Validate(ctx *jsonschema.ValidatorContext, v any) {
	s, ok := v.(string)
	if !ok || !r.unit.shaped(s) {
		return
	}
	q, err := r.unit.parse(s)
	if err != nil || q < r.low || q > r.high {
		ctx.AddError(&outOfRange{got: s, low: r.text[0], high: r.text[1]})
	}
}

// outOfRange says that a time, size or rate is too small or too great.
type outOfRange struct{ got, low, high string }

// KeywordPath implements jsonschema.ErrorKind.
func (*outOfRange) KeywordPath() []string { return []string{"x-range"} }

// LocalizedString implements jsonschema.ErrorKind.
func (k *outOfRange) LocalizedString(*message.Printer) string {
	return fmt.Sprintf("%s is out of range: want %s to %s", k.got, k.low, k.high)
}
