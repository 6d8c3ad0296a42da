package reports

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/compare"
	"github.com/concprof/concprof/probes/rundir"
)

// What says where something is, in a text. The last element of a path stays.
var (
	urlText      = regexp.MustCompile(`\b([a-z][a-z0-9+.-]*)://[^\s"'<>)\]]+`)
	absolutePath = regexp.MustCompile(`(^|[^\w./])~?(?:/[^\s/:"'()<>|,;` + "`" + `]+)+/([^\s/:"'()<>|,;` + "`" + `]+)`)
	domainPath   = regexp.MustCompile(`\b[\w-]+(?:\.[\w-]+)+/(?:[\w.~-]+/)*`)
	importPath   = regexp.MustCompile(`(^|[^\w./])\.{0,2}/?(?:[\w.~-]+/)+([\w~-]+\.[\w(*])`)
)

// An anonymiser takes names out of texts.
type anonymiser struct {
	names []*regexp.Regexp
	done  map[any]reflect.Value // copies by the pointer to what they are of: profiles share much
}

// Anonymous returns copies of res and of its comparison with a base, which may
// be nil, that do not say who measured what and where:
// of the host are left its system, cores and fingerprint, of paths of files and
// packages their last elements, of addresses their schemes. The command, what
// ops returned, the messages of errors and lines of source are left out, also
// of sentences that quote them, and names, whole words such as a user's or a
// host's, are replaced. The names that the workload file gives stay, as do those
// of functions.
func Anonymous(res *analyzer.Result, c *compare.Comparison, names []string) (*analyzer.Result, *compare.Comparison) {
	a := &anonymiser{done: map[any]reflect.Value{}}
	names = slices.Clone(names)
	slices.SortFunc(names, func(x, y string) int { return len(y) - len(x) })
	for _, n := range names {
		if n != "" {
			a.names = append(a.names, regexp.MustCompile(`(^|\W)`+regexp.QuoteMeta(n)+`($|\W)`))
		}
	}
	out := a.copied(reflect.ValueOf(res)).Interface().(*analyzer.Result)
	run := &out.Run
	run.Dir, run.Command = "", nil
	run.Host = rundir.Host{OS: run.Host.OS, Arch: run.Host.Arch, Cores: run.Host.Cores, Fingerprint: run.Host.Fingerprint, Unenforced: run.Host.Unenforced}
	for i := range out.Workloads {
		leaveOut(&out.Workloads[i])
	}
	c = a.copied(reflect.ValueOf(c)).Interface().(*compare.Comparison)
	if c != nil {
		c.Base.Dir, c.Head.Dir = "", ""
		for i := range c.Workloads {
			for k := range c.Workloads[i].Only {
				why := &c.Workloads[i].Only[k].Why
				*why, _ = cutMessage(*why)
			}
		}
	}
	return out, c
}

// text takes out of s what says where.
func (a *anonymiser) text(s string) string {
	for _, n := range a.names {
		for { // two that share the character between them
			next := n.ReplaceAllString(s, "${1}…${2}")
			if next == s {
				break
			}
			s = next
		}
	}
	s = urlText.ReplaceAllString(s, "$1://…")
	s = absolutePath.ReplaceAllString(s, "$1$2")
	s = importPath.ReplaceAllString(s, "$1$2")
	return domainPath.ReplaceAllString(s, "")
}

// copied copies everything that v leads to, with its texts changed.
func (a *anonymiser) copied(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.String:
		return reflect.ValueOf(a.text(strings.ToValidUTF8(v.String(), "\uFFFD"))).Convert(v.Type())
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		if p, ok := a.done[v.Interface()]; ok {
			return p
		}
		p := reflect.New(v.Type().Elem())
		a.done[v.Interface()] = p
		p.Elem().Set(a.copied(v.Elem()))
		return p
	case reflect.Struct:
		s := reflect.New(v.Type()).Elem()
		s.Set(v)
		if v.Type() == reflect.TypeFor[time.Time]() {
			return s
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				s.Field(i).Set(a.copied(v.Field(i)))
			}
		}
		return s
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		s := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			s.Index(i).Set(a.copied(v.Index(i)))
		}
		return s
	case reflect.Array:
		s := reflect.New(v.Type()).Elem()
		for i := range v.Len() {
			s.Index(i).Set(a.copied(v.Index(i)))
		}
		return s
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		m := reflect.MakeMapWithSize(v.Type(), v.Len())
		for _, key := range v.MapKeys() {
			m.SetMapIndex(a.copied(key), a.copied(v.MapIndex(key)))
		}
		return m
	}
	return v
}
