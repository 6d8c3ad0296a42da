package reports

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	pprof "github.com/google/pprof/profile"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/rundir"
)

// stacks are lines of "root;...;leaf value", the folded form, per op in
// microseconds. A function of Python is followed by "@" and its file.
func stacks(sampleType string, folded []string) *pprof.Profile {
	p := &pprof.Profile{
		SampleType: []*pprof.ValueType{{Type: sampleType, Unit: "nanoseconds"}},
		PeriodType: &pprof.ValueType{Type: sampleType, Unit: "nanoseconds"}, Period: 1,
	}
	locations := map[string]*pprof.Location{}
	at := func(name string) *pprof.Location {
		if l := locations[name]; l != nil {
			return l
		}
		key := name
		name, file, python := strings.Cut(name, "@")
		if !python {
			file = "/home/me/src/" + strings.NewReplacer("(*", "", ")", "", ".", "/").Replace(name) + ".go"
		}
		f := &pprof.Function{ID: uint64(len(p.Function) + 1), Name: name, SystemName: name, Filename: file}
		p.Function = append(p.Function, f)
		l := &pprof.Location{ID: f.ID, Line: []pprof.Line{{Function: f, Line: int64(10 + f.ID)}}}
		p.Location = append(p.Location, l)
		locations[key] = l
		return l
	}
	for _, s := range folded {
		i := strings.LastIndexByte(s, ' ')
		var v int64
		for _, c := range s[i+1:] {
			v = v*10 + int64(c-'0')
		}
		var locs []*pprof.Location
		for _, f := range strings.Split(s[:i], ";") {
			locs = append([]*pprof.Location{at(f)}, locs...)
		}
		p.Sample = append(p.Sample, &pprof.Sample{Location: locs, Value: []int64{v * 1000 * 100}})
	}
	return p
}

// withFlames gives every workload of res that has a recommendation profiles
// of the recommended cell, of the baseline and of each other model's best
// level, as they come out of analyzer/profile. Models differ in what they wait
// and compute. The first limit of a place gets an excerpt.
func withFlames(t testing.TB, res *analyzer.Result) *analyzer.Result {
	t.Helper()
	const fetch = "github.com/example/thumbs/internal/thumb.Fetch;net/http.(*Client).Get;net/http.(*Client).Do;net/http.(*Client).do;net/http.(*Client).send;net/http.send;net/http.(*Transport).RoundTrip;net/http.(*Transport).roundTrip;"
	const resize = "github.com/example/thumbs/internal/thumb.Resize;"
	cpu := []string{
		fetch + "net/http.(*persistConn).roundTrip;net/http.setRequestCancel 11",
		fetch + "net/http.(*Transport).getConn;net/http.(*Transport).queueForIdleConn 24",
		fetch + "net/http.(*persistConn).roundTrip;bufio.(*Writer).Flush;net.(*conn).Write;internal/poll.(*FD).Write;syscall.write;runtime.cgocall 61",
		resize + "image/jpeg.Decode;image/jpeg.(*decoder).decode;image/jpeg.(*decoder).processSOS;image/jpeg.(*decoder).reconstructBlock;image/jpeg.idct 1140",
		resize + "image/jpeg.Decode;image/jpeg.(*decoder).decode;image/jpeg.(*decoder).processSOS;image/jpeg.(*decoder).decodeHuffman 370",
		resize + "golang.org/x/image/draw.(*kernelScaler).Scale;golang.org/x/image/draw.(*kernelScaler).scaleX_YCbCr420 990",
		resize + "golang.org/x/image/draw.(*kernelScaler).Scale;golang.org/x/image/draw.(*kernelScaler).scaleY_RGBA_Src 410",
		resize + "image/png.Encode;image/png.(*encoder).writeIDATs;compress/flate.(*compressor).deflate;compress/flate.(*compressor).findMatch 505",
		resize + "image/png.Encode;image/png.(*encoder).writeIDATs;image/png.filter 201",
		resize + "runtime.makeslice;runtime.mallocgc;runtime.memclrNoHeapPointers 143",
		resize + "runtime.gcAssistAlloc;runtime.gcDrain;runtime.scanobject 88",
	}
	off := []string{
		fetch + "net/http.(*persistConn).roundTrip;runtime.selectgo 3380",
		fetch + "net/http.(*Transport).getConn;net/http.(*Transport).dialConn;net.(*Dialer).DialContext;internal/poll.(*FD).WaitWrite;internal/poll.runtime_pollWait 420",
		"github.com/example/thumbs/internal/thumb.Fetch;io.ReadAll;net/http.(*body).Read;bufio.(*Reader).Read;net.(*conn).Read;internal/poll.(*FD).Read;internal/poll.runtime_pollWait 610",
		resize + "golang.org/x/sync/semaphore.(*Weighted).Acquire;runtime.selectgo 230",
	}
	for i := range res.Workloads {
		w := &res.Workloads[i]
		for j := range w.Limits {
			l := &w.Limits[j]
			if l.Line == 0 {
				continue
			}
			l.Excerpt = &rundir.Excerpt{Workload: w.Name, File: l.File, Line: l.Line, First: l.Line - 2, Lines: []string{
				"func (x *Index) Add(words []string) {", "", "\tx.mu.Lock() // " + w.Name, "\tdefer x.mu.Unlock()", "\tfor _, w := range words { " + strings.Repeat("x", 300)}}
			if strings.HasPrefix(l.Function, "net/http") {
				l.Excerpt = &rundir.Excerpt{Problem: "outside the module"}
			}
		}
		r := w.Recommendation
		if r == nil {
			continue
		}
		name := w.Name
		if len(name) > 0 && name[0] == 0x1b {
			cpu = append(cpu, "main."+strings.ReplaceAll(name, ";", ",")+" 9000")
		}
		if w.TargetKind == model.Python {
			cpu, off = pythonStacks()
		}
		w.Flames = nil
		cells := ordered(w)
		for k, m := range model.All() {
			best := bestOf(cells, m)
			if m == r.Model {
				best = &analyzer.Cell{Model: m, Concurrency: r.Concurrency}
			}
			if best == nil {
				continue
			}
			extra := fmt.Sprintf(resize+"example.com/extra/v%d.Model 80", k)
			set := &profile.Set{CPU: stacks("cpu", append(times(cpu, 10+k, 10), extra)), OffCPU: stacks("offcpu", times(off, 10, 10+k)), Ops: 100}
			if m == model.Processes {
				set.OffCPU, set.Problem = nil, "off-CPU time is withheld: the wall profile missed 40 % of the CPU time, more than 15 %"
			}
			w.Flames = append(w.Flames, analyzer.Flame{Cell: plan.Cell{Workload: w.Name, Model: m, Concurrency: best.Concurrency}, Set: set})
		}
	}
	return res
}

// pythonStacks are those of a callable that fetches and parses.
func pythonStacks() (cpu, off []string) {
	const (
		fetch = "concprof_op@;fetch@/home/me/app/app.py;"
		get   = fetch + "get@/home/me/app/.venv/lib/python3.11/site-packages/requests/api.py;"
	)
	cpu = []string{
		fetch + "parse@/home/me/app/app.py 310",
		fetch + "parse@/home/me/app/app.py;loads@/usr/lib/python3.11/json/__init__.py;decode@/usr/lib/python3.11/json/decoder.py 190",
		fetch + "parse@/home/me/app/app.py;<call> zlib.crc32@/home/me/app/app.py 60",
		get + "send@/home/me/app/.venv/lib/python3.11/site-packages/requests/sessions.py 90",
	}
	off = []string{
		get + "send@/home/me/app/.venv/lib/python3.11/site-packages/requests/sessions.py;readinto@/usr/lib/python3.11/socket.py;<call> socket.recv_into@/usr/lib/python3.11/socket.py 9300",
		fetch + "parse@/home/me/app/app.py 700",
	}
	return cpu, off
}

// times returns stacks whose values are n/d of those given, every second one
// twice that.
func times(folded []string, n, d int) []string {
	out := make([]string, len(folded))
	for i, s := range folded {
		at := strings.LastIndexByte(s, ' ')
		v, err := strconv.Atoi(s[at+1:])
		if err != nil {
			panic(err)
		}
		if i%2 == 1 && n != d {
			v *= 2
		}
		out[i] = s[:at+1] + strconv.Itoa(v*n/d)
	}
	return out
}
