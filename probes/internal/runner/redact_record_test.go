package runner

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// TestRedactRecord holds that a secret is taken out of every text of a record but
// those that concprof itself writes.
func TestRedactRecord(t *testing.T) {
	const secret = "c4n4ry-value"
	own := []string{"Profiles.File", "Profiles.SHA256", "Missing", "Python.Approximate", "Exit.Signal"}
	var rec record.Record
	fill(reflect.ValueOf(&rec).Elem(), secret)
	redact(workload.NewRedactor([]string{secret}), &rec)
	var left []string
	texts(reflect.ValueOf(rec), "", func(path, s string) {
		if strings.Contains(s, secret) && !slices.Contains(own, path) {
			left = append(left, path)
		}
	})
	if len(left) > 0 {
		t.Errorf("left in %v", left)
	}
	if rec.Frame != "[redacted]" || rec.Loop.Tasks.Awaits[0].Frames[0].File != "[redacted]" {
		t.Errorf("%q, %+v", rec.Frame, rec.Loop.Tasks.Awaits)
	}
}

// fill sets every text below v to s, with one element in each slice and map.
func fill(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeOf(s) { // others are enumerations
			v.SetString(s)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), s)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), s)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), s)
			}
		}
	}
}

// texts calls f with every text below v and the names of its fields.
func texts(v reflect.Value, path string, f func(path, s string)) {
	switch v.Kind() {
	case reflect.String:
		f(path, v.String())
	case reflect.Pointer:
		if !v.IsNil() {
			texts(v.Elem(), path, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(v.Index(i), path, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			texts(v.Field(i), strings.TrimPrefix(path+"."+v.Type().Field(i).Name, "."), f)
		}
	}
}
