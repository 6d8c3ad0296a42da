package workload

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/model"
	"github.com/google/go-cmp/cmp"
)

// TestTypesMatchSchema holds the Go types and the schema to each other: a key
// that one has and the other has not, or of another type, fails it.
func TestTypesMatchSchema(t *testing.T) {
	w := newTypeWalk(t)
	w.walk("", reflect.TypeFor[File](), w.root)
	if len(w.visited) < 15 {
		t.Errorf("only %d struct types were reached: %v", len(w.visited), slices.Sorted(maps.Keys(w.visited)))
	}
}

// TestTypeWalkNotices shows that the test above can fail.
func TestTypeWalkNotices(t *testing.T) {
	type renamed struct {
		Runs int `json:"reps,omitempty"`
	}
	type retyped struct {
		Bytes   Duration `json:"bytes"`
		Objects int64    `json:"objects,omitempty"`
	}
	type optional struct {
		Bytes   Size  `json:"bytes,omitempty"`
		Objects int64 `json:"objects,omitempty"`
	}
	for _, tt := range []struct {
		name   string
		typ    reflect.Type
		schema string
	}{
		{"another key", reflect.TypeFor[renamed](), "#/$defs/measure"},
		{"another type", reflect.TypeFor[retyped](), "#/$defs/step/properties/alloc"},
		{"required here and not there", reflect.TypeFor[optional](), "#/$defs/step/properties/alloc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTypeWalk(t)
			w.walk("x", tt.typ, w.compiled.at(tt.schema))
			if len(w.faults) == 0 {
				t.Error("no difference was noticed")
			}
			w.faults = nil
		})
	}
}

// A typeWalk walks Go types and schema side by side.
type typeWalk struct {
	compiled *compiled
	root     map[string]any
	visited  map[string]bool
	faults   []string
}

func newTypeWalk(t *testing.T) *typeWalk {
	t.Helper()
	c, err := compileSchema()
	if err != nil {
		t.Fatal(err)
	}
	w := &typeWalk{compiled: c, root: c.doc.(map[string]any), visited: map[string]bool{}}
	t.Cleanup(func() {
		for _, f := range w.faults {
			t.Error(f)
		}
	})
	return w
}

func (w *typeWalk) errorf(path, format string, args ...any) {
	w.faults = append(w.faults, path+": "+fmt.Sprintf(format, args...))
}

// resolve follows $ref; what stands beside it goes before.
func (w *typeWalk) resolve(schema map[string]any) map[string]any {
	ref, ok := schema["$ref"].(string)
	if !ok {
		return schema
	}
	merged := maps.Clone(w.compiled.at(ref))
	if merged == nil {
		return nil
	}
	maps.Copy(merged, schema)
	return merged
}

// branch returns the alternative of an anyOf that has a type.
func (w *typeWalk) branch(schema map[string]any, typ string) map[string]any {
	for _, b := range schema["anyOf"].([]any) {
		if s := w.resolve(b.(map[string]any)); s["type"] == typ {
			return s
		}
	}
	return nil
}

func (w *typeWalk) walk(path string, t reflect.Type, schema map[string]any) {
	schema = w.resolve(schema)
	if schema == nil {
		w.errorf(path, "%v is not in the schema", t)
		return
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[Duration](), reflect.TypeFor[Size](), reflect.TypeFor[Rate]():
		want := map[reflect.Type]unit{reflect.TypeFor[Duration](): durationUnit, reflect.TypeFor[Size](): sizeUnit, reflect.TypeFor[Rate](): rateUnit}[t]
		if schema["pattern"] != want.shape.String() {
			w.errorf(path, "%v is read by %v, and the schema says %v", t, want.shape, schema["pattern"])
		}
		if schema["x-range"] == nil {
			w.errorf(path, "%v has no x-range", t)
		}
		return
	case reflect.TypeFor[Models]():
		w.enum(path, w.resolve(w.branch(schema, "array")["items"].(map[string]any)), model.All())
		w.enum(path, w.branch(schema, "string"), []string{"all"})
		return
	case reflect.TypeFor[Objective]():
		w.enum(path, schema, []Objective{Throughput, Latency, CPUTime, MemoryUse})
		return
	case reflect.TypeFor[State]():
		w.enum(path, schema, []State{Shared, Private})
		return
	case reflect.TypeFor[Sleep](), reflect.TypeFor[Inputs]():
		if w.branch(schema, "string") == nil {
			w.errorf(path, "the short form is not in the schema")
		}
		schema = w.branch(schema, "object")
	}
	switch t.Kind() {
	case reflect.Struct:
		w.object(path, t, schema)
	case reflect.Map:
		w.kind(path, schema, "object")
		w.walk(path+".*", t.Elem(), schema["additionalProperties"].(map[string]any))
	case reflect.Slice:
		w.kind(path, schema, "array")
		w.walk(path+"[]", t.Elem(), schema["items"].(map[string]any))
	case reflect.String:
		if schema["enum"] == nil && schema["type"] != "string" && !strings.Contains(fmt.Sprint(schema["type"]), "string") {
			w.errorf(path, "is text, and the schema says %v", schema["type"])
		}
	case reflect.Bool:
		w.kind(path, schema, "boolean")
	case reflect.Int, reflect.Int64, reflect.Uint64:
		if schema["const"] == nil {
			w.kind(path, schema, "integer")
			w.fits(path, t, schema)
		}
	default:
		w.errorf(path, "%v has no counterpart", t)
	}
}

// fits holds the range of an integer to that of its Go type.
func (w *typeWalk) fits(path string, t reflect.Type, schema map[string]any) {
	for _, key := range []string{"minimum", "maximum"} {
		bound, ok := schema[key].(json.Number)
		if !ok {
			w.errorf(path, "an integer without a %s", key)
		} else if err := json.Unmarshal([]byte(bound), reflect.New(t).Interface()); err != nil {
			w.errorf(path, "%s %v does not fit into %v", key, bound, t)
		}
	}
}

func (w *typeWalk) kind(path string, schema map[string]any, want string) {
	if schema["type"] != want {
		w.errorf(path, "want type %s, and the schema says %v", want, schema["type"])
	}
}

func (w *typeWalk) enum(path string, schema map[string]any, want any) {
	a, _ := json.Marshal(schema["enum"])
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		w.errorf(path, "want the words %s, and the schema says %s", b, a)
	}
}

func (w *typeWalk) object(path string, t reflect.Type, schema map[string]any) {
	w.visited[t.Name()] = true
	w.kind(path, schema, "object")
	if schema["additionalProperties"] != false {
		w.errorf(path, "unknown keys are not refused")
	}
	properties, _ := schema["properties"].(map[string]any)
	var keys, required []string
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		keys = append(keys, name)
		if options == "" {
			required = append(required, name)
		}
		property, ok := properties[name].(map[string]any)
		if !ok {
			w.errorf(path+"."+name, "is not in the schema")
			continue
		}
		if d, _ := w.resolve(property)["description"].(string); d == "" || !strings.HasSuffix(d, ".") {
			w.errorf(path+"."+name, "has no description, or not a sentence: %q", d)
		}
		w.walk(path+"."+name, t.Field(i).Type, property)
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if !slices.Contains(keys, name) {
			w.errorf(path+"."+name, "is in the schema, and %v has no such field", t)
		}
	}
	var there []string
	list, _ := schema["required"].([]any)
	for _, r := range list {
		there = append(there, r.(string))
	}
	slices.Sort(required)
	slices.Sort(there)
	if d := cmp.Diff(required, there); d != "" {
		w.errorf(path, "required keys differ (Go -, schema +):\n%s", d)
	}
}

// TestDefaults holds the defaults that the schema documents to those that are
// used.
func TestDefaults(t *testing.T) {
	c, err := compileSchema()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"runs":        DefaultRuns,
		"warmup":      DefaultWarmup,
		"concurrency": DefaultConcurrency(),
	} {
		a, _ := json.Marshal(c.at("#/$defs/measure/properties/" + key)["default"])
		b, _ := json.Marshal(want)
		if string(a) != string(b) {
			t.Errorf("%s: the default is %s, and the schema says %s", key, b, a)
		}
	}
	for key, want := range map[string]Duration{"budget": Duration(DefaultBudget), "timeout": Duration(DefaultTimeout)} {
		text, _ := c.at("#/$defs/measure/properties/" + key)["default"].(string)
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: the default is %v, and the schema says %q", key, want, text)
		}
	}
}

// TestStepKinds holds Step.Kind to the schema's kinds of step.
func TestStepKinds(t *testing.T) {
	c, err := compileSchema()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range c.at("#/$defs/step")["oneOf"].([]any) {
		kind := b.(map[string]any)["required"].([]any)[0].(string)
		text := map[string]string{"exec": `["x"]`}[kind]
		if text == "" {
			text = "{}"
		}
		var s Step
		if err := json.Unmarshal(fmt.Appendf(nil, `{%q: %s}`, kind, text), &s); err != nil {
			t.Fatal(err)
		}
		if s.Kind() != kind {
			t.Errorf("a step of kind %s says it is %q", kind, s.Kind())
		}
	}
}

func TestSchemaIsACopy(t *testing.T) {
	Schema()[0] = 'x'
	if !json.Valid(Schema()) {
		t.Error("a caller can change the schema")
	}
}
