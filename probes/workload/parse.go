package workload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/concprof/concprof/probes/model"
)

// Parse reads the text of a workload file. Its error is a *Faults with every
// fault of the file. Defaults are not filled in, and no file is looked at:
// path is for messages, and its folder is where relative paths start.
func Parse(path string, src []byte) (*File, error) {
	f, d, err := parse(path, src)
	if err != nil {
		return nil, err
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return f, nil
}

// parse decodes what can be decoded. Unless err is set, the faults are in the
// document, and more may be added.
func parse(path string, src []byte) (*File, *document, error) {
	schema, err := compileSchema()
	if err != nil {
		return nil, nil, err
	}
	d := &document{faultList: &faultList{file: path}}
	text, ok := d.readText(src)
	if !ok {
		return nil, nil, d.err()
	}
	if d.root, ok = d.readYAML(text); !ok {
		return nil, nil, d.err()
	}
	value := d.value(d.root, nil, false)
	if d.values > maxValues {
		return nil, nil, d.err()
	}
	if err := d.validate(schema, value); err != nil {
		return nil, nil, fmt.Errorf("check %s against the schema: %w", path, err)
	}
	if len(d.faulty) > maxFaults {
		return nil, nil, d.err() // more than will be told already
	}
	for _, p := range d.faulty {
		prune(value, p)
	}
	f := &File{}
	if err := decode(value, f); err != nil {
		if err := d.err(); err != nil {
			return nil, nil, err // so broken that nothing more can be said
		}
		return nil, nil, fmt.Errorf("decode %s, which fits the schema: %w", path, err)
	}
	f.Path, f.Dir, f.Source = path, filepath.Dir(path), bytes.Clone(src)
	d.setLines(f)
	d.check(f)
	return f, d, nil
}

// prune takes what is faulty out of v, so that the rest can be decoded and
// checked.
func prune(v any, p place) {
	for i, token := range p {
		last := i == len(p)-1
		switch t := v.(type) {
		case map[string]any:
			if last {
				delete(t, token)
			}
			v = t[token]
		case []any:
			n, err := strconv.Atoi(token)
			if err != nil || n < 0 || n >= len(t) {
				return
			}
			if last {
				t[n] = nil
			}
			v = t[n]
		}
	}
}

func decode(v any, f *File) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(f)
}

// setLines notes where entries begin, for messages of later stages.
func (d *document) setLines(f *File) {
	line := func(p place) int {
		key, value := d.find(p)
		if key != nil {
			return key.Line
		}
		return value.Line
	}
	for i := range f.Workloads {
		w := &f.Workloads[i]
		at := place{}.in("workloads", i)
		w.Line = line(at)
		if w.Go != nil {
			w.Go.Line = line(at.in("go", "func"))
		}
		if w.Python != nil {
			w.Python.Line = line(at.in("python"))
		}
		for j := range w.Steps {
			if w.Steps[j].Go != nil {
				w.Steps[j].Go.Line = line(at.in("steps", j, "go", "func"))
			}
			if w.Steps[j].Python != nil {
				w.Steps[j].Python.Line = line(at.in("steps", j, "python"))
			}
		}
	}
}

// UnmarshalJSON reads "all" or a list of models.
func (m *Models) UnmarshalJSON(data []byte) error {
	var word string
	if json.Unmarshal(data, &word) == nil && word == "all" {
		*m = model.All()
		return nil
	}
	return json.Unmarshal(data, (*[]model.Model)(m))
}

// UnmarshalJSON reads "20ms" or {"for": "20ms"}.
func (s *Sleep) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &s.For)
	}
	type plain Sleep
	return json.Unmarshal(data, (*plain)(s))
}

// UnmarshalJSON reads "FILE" or {"file": "FILE"}.
func (in *Inputs) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &in.File)
	}
	type plain Inputs
	return json.Unmarshal(data, (*plain)(in))
}
