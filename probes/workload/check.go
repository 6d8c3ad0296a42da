package workload

import (
	"fmt"
	"go/parser"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/concprof/concprof/probes/model"
)

// check finds what a schema cannot: names that refer to nothing, keys that
// contradict each other.
func (d *document) check(f *File) {
	d.checkServers(f)
	d.checkMeasure(place{"measure"}, &f.Measure)
	d.checkRecommend(place{"recommend"}, &f.Recommend)
	for i, text := range f.Gate {
		d.checkCondition(place{"gate"}.in(i), text)
	}
	names := map[string]int{}
	for i := range f.Workloads {
		w := &f.Workloads[i]
		at := place{}.in("workloads", i)
		lower := strings.ToLower(w.Name)
		if j, ok := names[lower]; ok && w.Name != "" {
			d.say(at.in("name"), fmt.Sprintf("duplicate workload name %s: line %d has %q already", quoted(w.Name), d.line(place{}.in("workloads", j, "name")), f.Workloads[j].Name),
				"names must differ in more than case: they become folders")
		} else {
			names[lower] = i
		}
		d.checkWorkload(f, w, at)
	}
}

// say adds a fault at p, unless there is one at this place already.
func (d *document) say(p place, message, hint string) {
	if !d.known(p) {
		d.faultAt(p, message, hint)
	}
}

func (d *document) line(p place) int {
	_, n := d.find(p)
	return n.Line
}

func (d *document) checkWorkload(f *File, w *Workload, at place) {
	if w.Go != nil {
		d.checkGo(at.in("go"), w.Go)
	}
	names := map[string]int{}
	for j := range w.Steps {
		s := &w.Steps[j]
		here := at.in("steps", j)
		if k, ok := names[s.Name]; ok && s.Name != "" {
			d.say(here.in("name"), fmt.Sprintf("duplicate step name %s: line %d has it already", quoted(s.Name), d.line(at.in("steps", k, "name"))), "")
		}
		names[s.Name] = j
		d.checkStep(f, s, here)
	}
	d.checkCallables(w, at)
	for key, value := range map[string]string{"setup": w.Setup, "teardown": w.Teardown} {
		kind := w.Target().Kind
		switch {
		case value == "":
		case kind == model.Python:
			d.checkDotted(at.in(key), value)
		case kind != model.Go:
			d.say(at.in(key), key+" is a function, and this workload has no go or python target", "prepare and cleanup run commands")
		default:
			d.checkExpression(at.in(key), value)
		}
	}
	d.checkEnv(at.in("env"), w.Env)
	d.checkModels(at.in("models"), w)
	if w.Inputs != nil {
		d.checkPath(at.in("inputs", "file"), w.Inputs.File)
	}
	if w.Measure != nil {
		d.checkMeasure(at.in("measure"), w.Measure)
	}
	if w.Recommend != nil {
		d.checkRecommend(at.in("recommend"), w.Recommend)
	}
	d.checkLoad(f, w, at)
	if w.Claim != nil {
		d.checkCondition(at.in("claim", "expect"), w.Claim.Expect)
		if c, err := ParseCondition(w.Claim.Expect); err == nil && c.Subject == SubjectRegression {
			d.say(at.in("claim", "expect"), "a claim is about one run, regression about two", "put it under gate")
		}
	}
}

// checkLoad refuses what says nothing, or nothing clear, of ops that arrive at
// a fixed rate.
func (d *document) checkLoad(f *File, w *Workload, at place) {
	if w.Load == nil {
		return
	}
	if w.MaxRate > 0 {
		d.say(at.in("max_rate"), "max_rate and load cannot stand together: ops that arrive at a fixed rate are not held back", "remove one of them")
	}
	objective, where := f.Recommend.Objective, place{"recommend", "objective"}
	if w.Recommend != nil && w.Recommend.Objective != "" {
		objective, where = w.Recommend.Objective, at.in("recommend", "objective")
	}
	if objective == Throughput {
		d.say(where, fmt.Sprintf("throughput cannot choose for workload %s: under a load every cell that holds its rate has the same", quoted(w.Name)),
			"latency, cpu or memory can; without an objective it is latency")
	}
}

func (d *document) checkCondition(at place, text string) {
	if text == "" {
		return
	}
	if _, err := ParseCondition(text); err != nil {
		d.say(at, err.Error(), `write for instance "class == io-bound" or "speedup(pool) >= 4"`)
	}
}

// checkModels refuses a model that was asked for by name for this workload
// and that its target cannot run. Models that the whole file asks for are
// skipped with the reason instead.
func (d *document) checkModels(at place, w *Workload) {
	if _, n := child(d.nodeAt(at[:len(at)-1]), "models"); n == nil || n.Value == "all" || d.known(at) {
		return
	}
	target := w.Target()
	for i, m := range w.Models {
		if ok, why := m.Runs(target); !ok && m != "" {
			d.say(at.in(i), fmt.Sprintf("%s cannot run this workload: %s", m, why), "remove it from the list")
		}
	}
}

func (d *document) checkGo(at place, g *GoFunc) {
	if strings.HasSuffix(g.Package, ".go") {
		d.say(at.in("package"), quoted(g.Package)+" is a file, not a package", "name its folder, such as ./internal/thumb")
	} else if strings.ContainsAny(g.Package, " \t\r\n@") || strings.Contains(g.Package, "...") {
		d.say(at.in("package"), quoted(g.Package)+" is not a package", "name one package, such as ./internal/thumb")
	}
	d.checkPath(at.in("package"), g.Package)
	if g.Func != "" {
		d.checkExpression(at.in("func"), g.Func)
	}
}

// checkExpression says whether text is a Go expression, without compiling it.
func (d *document) checkExpression(at place, text string) {
	if _, err := parser.ParseExpr(text); err != nil {
		d.say(at, "not a Go expression: "+quoted(strings.TrimSpace(lastPart(err.Error()))), "name a function, such as Render or (*Index).Add")
	}
}

// lastPart cuts the position off a parser's message.
func lastPart(message string) string {
	parts := strings.SplitN(message, ": ", 2)
	return parts[len(parts)-1]
}

func (d *document) checkStep(f *File, s *Step, at place) {
	switch {
	case s.HTTP != nil:
		d.checkServerName(f, at.in("http", "server"), s.HTTP.Server, "http")
		d.checkURL(at.in("http", "url"), s.HTTP.URL)
	case s.TCP != nil:
		d.checkServerName(f, at.in("tcp", "server"), s.TCP.Server, "tcp")
		d.checkAddress(at.in("tcp", "address"), s.TCP.Address)
	case s.File != nil:
		d.checkPath(at.in("file", "path"), s.File.Path)
	case s.Sleep != nil:
		if s.Sleep.Jitter > s.Sleep.For && s.Sleep.For > 0 {
			d.say(at.in("sleep", "jitter"), fmt.Sprintf("jitter %v is greater than the time %v", s.Sleep.Jitter, s.Sleep.For), "")
		}
	case s.Alloc != nil:
		if s.Alloc.Objects > int64(s.Alloc.Bytes) && s.Alloc.Bytes > 0 {
			d.say(at.in("alloc", "objects"), fmt.Sprintf("%d objects need at least as many bytes", s.Alloc.Objects), "")
		}
	case s.Go != nil:
		d.checkGo(at.in("go"), s.Go)
	}
}

// checkServerName holds a step to the servers of the file. A server that is a
// command serves both kinds of step, but its address is known only from ready.
func (d *document) checkServerName(f *File, at place, name, kind string) {
	if name == "" {
		return
	}
	server, ok := f.Servers[name]
	switch {
	case !ok:
		known := slices.Sorted(maps.Keys(f.Servers))
		hint := `add it under "servers"`
		if near := Nearest(name, known); near != "" {
			hint = "did you mean " + near + "?"
		} else if len(known) > 0 {
			hint = "the servers of this file: " + strings.Join(known, ", ")
		}
		if !d.known(place{"servers", name}) {
			d.say(at, "unknown server "+quoted(name), hint)
		}
	case kind == "http" && server.TCP != nil, kind == "tcp" && server.HTTP != nil:
		d.say(at, fmt.Sprintf("the server %q does not speak %s", name, kind), "")
	case len(server.Command) > 0 && server.Ready == "":
		d.say(at, fmt.Sprintf("the address of the server %q is not known", name), "give the server a ready address")
	}
}

func (d *document) checkURL(at place, text string) {
	if text == "" {
		return
	}
	if d.checkPath(at, text); d.known(at) {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		d.say(at, "expected an address such as http://127.0.0.1:8080/path", "")
	case u.User != nil:
		d.say(at, "the address holds a name or password, which would be kept with the run", "serve it without one, or use a go target that reads it from its environment")
	}
}

func (d *document) checkAddress(at place, text string) {
	if text == "" {
		return
	}
	if host, port, err := net.SplitHostPort(text); err != nil || host == "" || port == "" {
		d.say(at, "expected HOST:PORT; got "+quoted(text), "")
	}
}

// variable is a reference to an environment variable as shells write it.
var variable = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?`)

// checkPath refuses variables where somebody may expect them to be replaced.
func (d *document) checkPath(at place, text string) {
	if m := variable.FindStringSubmatch(text); m != nil {
		if len(at) > 0 && at[len(at)-1] == "file" && !d.exists(at) {
			at = at[:len(at)-1] // "inputs: FILE"
		}
		d.say(at, "the variable "+m[1]+" is not replaced: a workload file means the same everywhere", "write the value out")
	}
}

func (d *document) checkEnv(at place, env []string) {
	seen := map[string]bool{}
	for i, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case entry == "":
		case strings.HasPrefix(name, "CONCPROF_"):
			d.say(at.in(i), name+" is one of concprof's own variables", "")
		case seen[name]:
			d.say(at.in(i), "duplicate variable "+name, "remove one of them")
		case strings.ContainsRune(entry, 0):
			d.say(at.in(i), "a variable cannot hold a NUL character", "")
		}
		seen[name] = true
	}
}

func (d *document) checkServers(f *File) {
	variables := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(f.Servers)) {
		s, at := f.Servers[name], place{"servers", name}
		key := ServerVariable(name)
		if other, ok := variables[key]; ok {
			d.say(at, fmt.Sprintf("the servers %q and %q would share the variable %s", other, name, key), "rename one of them")
		}
		variables[key] = name
		if len(s.Command) == 0 && s.Ready != "" {
			d.say(at.in("ready"), "a built-in server says by itself when it is ready", "remove it")
		}
		if s.Ready != "" {
			d.checkReady(at.in("ready"), s.Ready)
		}
		for kind, b := range map[string]*BuiltinServer{"http": s.HTTP, "tcp": s.TCP} {
			if b != nil && b.Jitter > b.Latency {
				d.say(at.in(kind, "jitter"), fmt.Sprintf("jitter %v is greater than the latency %v", b.Jitter, b.Latency), "")
			}
		}
	}
}

func (d *document) checkReady(at place, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		d.say(at, "not an address: "+quoted(text), "write tcp://HOST:PORT or http://HOST:PORT/path")
	case u.User != nil:
		d.say(at, "the address holds a name or password, which would be kept with the run", "")
	case u.Scheme == "tcp" && (u.Port() == "" || u.Hostname() == ""):
		d.say(at, "a tcp:// address needs a host and a port", "")
	}
}

// ServerVariable names the environment variable that holds a server's
// address: CONCPROF_SERVER_MY_API for my-api.
func ServerVariable(name string) string {
	return "CONCPROF_SERVER_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

func (d *document) checkMeasure(at place, m *Measure) {
	for i, n := range m.Concurrency {
		if i > 0 && n < m.Concurrency[i-1] && n > 0 {
			sorted := slices.Sorted(slices.Values(m.Concurrency))
			d.say(at.in("concurrency", i), fmt.Sprintf("the levels must ascend: %d comes after %d", n, m.Concurrency[i-1]),
				"did you mean "+strings.ReplaceAll(fmt.Sprint(sorted), " ", ", ")+"?")
			break
		}
	}
	if m.Timeout > 0 && m.Budget > 0 && m.Timeout > m.Budget {
		d.say(at.in("timeout"), fmt.Sprintf("the timeout of one trial, %v, is greater than the budget, %v", m.Timeout, m.Budget), "")
	}
}

func (d *document) checkRecommend(at place, r *Recommend) {
	for i, text := range r.Constraints {
		if text == "" {
			continue
		}
		if _, err := ParseConstraint(text); err != nil {
			d.say(at.in("constraints", i), err.Error(), `write for instance "p99 <= 50ms" or "rss <= 200MB"`)
		}
	}
}
