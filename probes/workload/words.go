package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// validate checks v, which was read from d, against the schema, and says in
// plain words what does not fit.
func (d *document) validate(c *compiled, v any) error {
	err := c.schema.Validate(v)
	if err == nil {
		return nil
	}
	var failed *jsonschema.ValidationError
	if !errors.As(err, &failed) {
		return err
	}
	w := &words{document: d, schema: c, value: v}
	w.tell(failed)
	return nil
}

// words turns what a validator says into what a person would.
type words struct {
	*document
	schema *compiled
	value  any
}

// at returns the value at p.
func (w *words) at(p place) any {
	v := w.value
	for _, token := range p {
		switch t := v.(type) {
		case map[string]any:
			v = t[token]
		case []any:
			var i int
			if _, err := fmt.Sscan(token, &i); err != nil || i >= len(t) {
				return nil
			}
			v = t[i]
		}
	}
	return v
}

func (w *words) tell(e *jsonschema.ValidationError) {
	p := place(e.InstanceLocation)
	schema := w.schema.at(e.SchemaURL)
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf:
		branch := nearestBranch(e)
		if branch == nil {
			title, _ := schema["title"].(string)
			w.faultAt(p, expected(described(w.at(p)), title), typeHint(w.at(p), title))
			return
		}
		w.tell(branch)
	case *kind.OneOf:
		w.exactlyOne(p, schema, k)
	case *kind.AdditionalProperties:
		w.unknownKeys(p, schema, k.Properties)
	case *kind.PropertyNames:
		// The validator leaves the location of this one error to chance, so it
		// is taken from the schema's own structure.
		w.faultAtKey(instancePlace(e.SchemaURL).in(k.Property), expected(quoted(k.Property), w.causeTitle(e)), "")
	case *kind.UniqueItems:
		if again := p.in(k.Duplicates[1]); !w.known(again) {
			w.faultAt(again, fmt.Sprintf("the list has %v twice", w.at(again)), "remove one of them")
		}
	case *kind.Required:
		for _, key := range k.Missing {
			w.missing(p, schema, key)
		}
	default:
		if len(e.Causes) > 0 {
			for _, cause := range w.unknownFirst(e.Causes) {
				w.tell(cause)
			}
			return
		}
		if !w.known(p) {
			message, hint := w.scalar(e.ErrorKind, w.at(p), schema)
			w.faultAt(p, message, hint)
		}
	}
}

// unknownFirst orders causes so that an unknown key is told before what is
// missing because of it.
func (w *words) unknownFirst(causes []*jsonschema.ValidationError) []*jsonschema.ValidationError {
	rank := func(e *jsonschema.ValidationError) int {
		switch e.ErrorKind.(type) {
		case *kind.AdditionalProperties:
			return 0
		case *kind.OneOf, *kind.Required:
			return 2
		}
		return 1
	}
	causes = slices.Clone(causes)
	slices.SortStableFunc(causes, func(a, b *jsonschema.ValidationError) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(strings.Join(a.InstanceLocation, "/"), strings.Join(b.InstanceLocation, "/"))
	})
	return causes
}

// instancePlace returns where the value is that a schema checks which is
// reached from the root by properties alone.
func instancePlace(url string) place {
	_, pointer, _ := strings.Cut(url, "#")
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	var p place
	for i := 0; i+1 < len(tokens) && tokens[i] == "properties"; i += 2 {
		p = p.in(tokens[i+1])
	}
	return p
}

// nearestBranch returns the alternative that has the type of what was
// written: what it says is what the writer wants to know. It returns nil when
// there is none.
func nearestBranch(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	for _, c := range e.Causes {
		if !wrongType(c, e.InstanceLocation) {
			return c
		}
	}
	return nil
}

func wrongType(e *jsonschema.ValidationError, at []string) bool {
	if _, ok := e.ErrorKind.(*kind.Type); ok {
		return slices.Equal(e.InstanceLocation, at)
	}
	return slices.ContainsFunc(e.Causes, func(c *jsonschema.ValidationError) bool { return wrongType(c, at) })
}

func (w *words) unknownKeys(p place, schema map[string]any, keys []string) {
	known := propertyNames(schema)
	slices.Sort(keys)
	if most := 2 * maxFaults; len(keys) > most {
		w.more += len(keys) - most
		keys = keys[:most]
	}
	for _, key := range keys {
		hint := ""
		if near := Nearest(key, known); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		} else {
			hint = "known here: " + strings.Join(known, ", ")
		}
		w.unknownKey(p, key, hint)
	}
}

// unknownKey adds a fault at a key whose path is that of its mapping: the
// message has the key already.
func (w *words) unknownKey(p place, key, hint string) {
	n, _ := w.find(p.in(key))
	if n == nil {
		return // it was not read
	}
	w.faulty = append(w.faulty, p.in(key))
	w.add(Fault{Line: n.Line, Column: n.Column, Length: w.width(n), Path: w.path(p), Message: "unknown key " + quoted(key), Hint: hint})
}

// missing tells that a key is not there, unless the mapping has an unknown
// key that was meant for it.
func (w *words) missing(p place, schema map[string]any, key string) {
	if w.misspelt(p, []string{key}) {
		return
	}
	hint := ""
	if schema == nil {
		schema = map[string]any{}
	}
	if part, ok := property(schema, key); ok {
		if value, ok := part["const"]; ok {
			hint = fmt.Sprintf("add %q", fmt.Sprintf("%s: %v", key, value))
		}
	}
	w.faultAtKeyOf(p, fmt.Sprintf("missing key %q", key), hint)
}

// faultAtKeyOf adds a fault at a mapping: at its own key, or at its first line
// when it is an item of a list or the file itself.
func (w *words) faultAtKeyOf(p place, message, hint string) {
	key, value := w.find(p)
	n := value
	if key != nil {
		n = key
	}
	w.add(Fault{Line: n.Line, Column: n.Column, Length: w.width(n), Path: w.path(p), Message: message, Hint: hint})
}

// misspelt reports whether the mapping at p has a faulty key that is near one
// of names.
func (w *words) misspelt(p place, names []string) bool {
	for _, f := range w.faulty {
		if len(f) == len(p)+1 && f.within(p) && (Nearest(f[len(p)], names) != "" || slices.Contains(names, f[len(p)])) {
			return true
		}
	}
	return false
}

// exactlyOne tells of a mapping that has none or several of the keys of which
// it must have one.
func (w *words) exactlyOne(p place, schema map[string]any, _ *kind.OneOf) {
	branches, _ := schema["oneOf"].([]any)
	var names, have []string
	value, _ := w.at(p).(map[string]any)
	for _, b := range branches {
		branch, _ := b.(map[string]any)
		required, _ := branch["required"].([]any)
		for _, r := range required {
			name, _ := r.(string)
			names = append(names, name)
			if _, ok := value[name]; ok {
				have = append(have, name)
			}
		}
	}
	if len(have) == 0 {
		if !w.misspelt(p, names) && !w.known(p) {
			w.faultAtKeyOf(p, "exactly one of "+listed(names, "and")+" is needed, and there is none", "")
		}
		return
	}
	w.faultAtKey(p.in(have[1]), fmt.Sprintf("%s cannot stand together: exactly one of %s is needed", listed(have, "and"), listed(names, "and")), "remove all but one")
}

// scalar says what is wrong with one value.
func (w *words) scalar(k jsonschema.ErrorKind, value any, schema map[string]any) (message, hint string) {
	title, _ := schema["title"].(string)
	got := described(value)
	switch k := k.(type) {
	case *kind.Type:
		if title == "" {
			title = strings.Join(k.Want, " or ")
			title = map[string]string{"object": "a mapping", "array": "a list", "string": "text", "integer": "a whole number"}[title]
		}
		return expected(got, title), typeHint(value, title)
	case *kind.Enum:
		if strings.Contains(title, "or a list") {
			return expected(got, title), typeHint(value, "a list")
		}
		return w.unknownWord(value, k.Want)
	case *kind.Const:
		return fmt.Sprintf("expected %v; got %s", k.Want, got), fmt.Sprintf("this concprof reads version %v only", k.Want)
	case *kind.Pattern:
		return expected(got, title), patternHint(value, title)
	case *outOfRange:
		return k.LocalizedString(nil), ""
	case *kind.Minimum, *kind.Maximum:
		return fmt.Sprintf("%v is out of range: want %v to %v", value, schema["minimum"], schema["maximum"]), ""
	case *kind.MinItems:
		return "the list is empty", ""
	case *kind.MaxItems:
		return fmt.Sprintf("the list has %d items; the most is %d", k.Got, k.Want), ""
	case *kind.MaxProperties:
		return fmt.Sprintf("the mapping has %d keys; the most is %d", k.Got, k.Want), ""
	case *kind.MinLength:
		return "the text is empty", ""
	case *kind.MaxLength:
		return fmt.Sprintf("the text has %d characters; the most is %d", k.Got, k.Want), ""
	}
	return expected(got, title), ""
}

func (w *words) unknownWord(value any, want []any) (message, hint string) {
	names := make([]string, 0, len(want))
	for _, v := range want {
		names = append(names, fmt.Sprint(v))
	}
	s, isText := value.(string)
	if !isText {
		return fmt.Sprintf("expected %s, got %s", listed(names, "or"), described(value)), ""
	}
	if near := Nearest(s, names); near != "" {
		hint = fmt.Sprintf("did you mean %s?", near)
	}
	return fmt.Sprintf("unknown value %s: want %s", quoted(s), listed(names, "or")), hint
}

// causeTitle returns the title of the schema that the innermost cause failed.
func (w *words) causeTitle(e *jsonschema.ValidationError) string {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	title, _ := w.schema.at(e.SchemaURL)["title"].(string)
	return title
}

func expected(got, title string) string { return "expected " + title + "; got " + got }

// described names a value in a message.
func described(v any) string {
	switch t := v.(type) {
	case nil:
		return "nothing"
	case bool:
		return fmt.Sprintf("the truth value %v", t)
	case json.Number:
		return "the number " + t.String()
	case string:
		return quoted(t)
	case []any:
		return "a list"
	case map[string]any:
		return "a mapping"
	}
	return fmt.Sprintf("%v", v)
}

// typeHint tells how to write what was meant, where that can be guessed.
func typeHint(value any, title string) string {
	switch t := value.(type) {
	case json.Number:
		switch {
		case strings.HasPrefix(title, "a time"):
			return fmt.Sprintf("did you mean %ss, or %sms?", t, t)
		case strings.HasPrefix(title, "a size"):
			return fmt.Sprintf("did you mean %sB, or %sKiB?", t, t)
		case strings.HasPrefix(title, "a rate"):
			return fmt.Sprintf("did you mean %s/s?", t)
		case strings.HasPrefix(title, "text"), strings.HasPrefix(title, "a name"):
			return fmt.Sprintf("in quotes it is text: '%s'", t)
		}
	case bool:
		if !strings.HasPrefix(title, "a list") && !strings.HasPrefix(title, "a mapping") {
			return fmt.Sprintf("in quotes it is text: '%v'", t)
		}
	case string:
		if strings.HasPrefix(title, "a list of a program") {
			return "write a list: [" + printable(cut(strings.Join(strings.Fields(t), ", "))) + "]"
		}
		if strings.HasPrefix(title, "a list") {
			return "write a list: [" + printable(cut(t)) + "]"
		}
	}
	return ""
}

// patternHint knows the ways in which quantities are often written.
func patternHint(value any, title string) string {
	s, _ := value.(string)
	plain := strings.ReplaceAll(s, " ", "")
	switch {
	case strings.HasPrefix(title, "a time"):
		if plain != s && durationUnit.shaped(plain) {
			return "write it without a space: " + plain
		}
		return "the units are ns, us, ms, s, m and h"
	case strings.HasPrefix(title, "a size"):
		if plain != s && sizeUnit.shaped(plain) {
			return "write it without a space: " + plain
		}
		return "the units are B, KB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB (powers of 1024)"
	case strings.HasPrefix(title, "a rate"):
		return "the units are /s, /m and /h"
	}
	return ""
}

func property(schema map[string]any, key string) (map[string]any, bool) {
	properties, _ := schema["properties"].(map[string]any)
	part, ok := properties[key].(map[string]any)
	return part, ok
}

func propertyNames(schema map[string]any) []string {
	properties, _ := schema["properties"].(map[string]any)
	return slices.Sorted(maps.Keys(properties))
}

// listed joins names as in a sentence: a, b and c.
func listed(names []string, last string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " " + last + " " + names[len(names)-1]
}
