package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/concprof/concprof/analyzer"
	"github.com/concprof/concprof/analyzer/compare"
)

//go:embed templates/*.html
var pageFiles embed.FS

//go:embed style.css
var pageStyle string

//go:embed flame.js
var flameScript string

// page is what the HTML page shows. Strings from the run are plain text; the
// template escapes them for where they stand.
type page struct {
	Title   string
	CSS     template.CSS
	CSP     string
	Created string
	Run     runView
	Partial bool
	Doubts  []doubt
	// Since is what changed since the revision that the run was measured
	// against, nil if there is none.
	Since     *comparePage
	Workloads []workloadView
	Markers   []markerView
	// Flames is what the script draws from, nil when there is nothing to draw;
	// then the page has no script.
	Flames *flameData
	Script template.JS
}

type runView struct {
	ID, Host, Lacks, Noise, Floor, Seed, Tool, Dir, Took string
	Command                                              string
	ControlsOK                                           bool
}

// htmlPage is the result as one self-contained page: no address, nothing
// fetched, and whole without its script, which only draws flame graphs anew. Its
// security policy allows its own style sheet and that script, by hash, and
// nothing else, so that even a hole in an escape would run nothing.
//
// The page is as rich as fits into the bytes that its workloads may take.
func htmlPage(res *analyzer.Result, against *compare.Comparison) ([]byte, error) {
	t, err := template.ParseFS(pageFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the page's templates: %w", err)
	}
	for i, d := range densities() {
		b := bounded{most: pageLimit(len(res.Workloads))}
		if i == len(densities())-1 {
			b.most = math.MaxInt
		}
		p := pageOf(res, d)
		if against != nil {
			p.Since = comparePageOf(against)
		}
		switch err := t.ExecuteTemplate(&b, "page.html", p); {
		case err == nil:
			return b.Bytes(), nil
		case !errors.Is(err, errTooLong):
			return nil, fmt.Errorf("render the page: %w", err)
		}
	}
	return nil, errTooLong
}

// errTooLong ends the rendering of a page that would not fit.
var errTooLong = errors.New("the page is too long")

// A bounded buffer takes at most so many bytes.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		return 0, errTooLong
	}
	return b.Buffer.Write(p)
}

// pageOf is what the page shows of a result at a density.
func pageOf(res *analyzer.Result, d density) page {
	css := strings.TrimSpace(pageStyle)
	r := &res.Run
	p := page{
		Title:   "concprof",
		CSS:     template.CSS(css),
		Created: r.Created.UTC().Format("2006-01-02 15:04 UTC"),
		Partial: !res.Complete,
		Markers: markers(),
		Run: runView{
			ID: plain(r.ID), Host: plain(hostLine(r)), Lacks: plain(lacks(r, true)), Noise: plain(noiseLine(r)), Floor: percent(r.Noise.Floor),
			Seed: fmt.Sprint(r.Seed), Tool: plain(strings.TrimSpace(r.Tool.Version + " " + r.Tool.Go)), Dir: plain(r.Dir),
			Took:    plural(int64(r.Trials), "trial") + " in " + duration(float64(r.ElapsedNs)),
			Command: plain(quoted(r.Command)), ControlsOK: r.Noise.ControlsOK,
		},
	}
	if r.Created.IsZero() {
		p.Created = ""
	}
	for _, d := range runDoubts(res) {
		p.Doubts = append(p.Doubts, plainDoubt(d))
	}
	data := newFlameData()
	for i := range res.Workloads {
		p.Workloads = append(p.Workloads, viewOf(res, i, d, data))
	}
	script := ""
	if len(data.Workloads) > 0 {
		script = strings.TrimSpace(flameScript)
		p.Flames, p.Script = data, template.JS(script)
	}
	p.CSP = policy(css, script)
	if len(p.Workloads) > 0 {
		names := make([]string, 0, 3)
		for i, w := range p.Workloads {
			if i == 3 {
				names = append(names, "…")
				break
			}
			names = append(names, short(w.Name, 40))
		}
		p.Title = "concprof: " + strings.Join(names, ", ")
	}
	return p
}

// policy is the page's security policy: its own style sheet and script, of
// which the latter may be "".
func policy(css, script string) string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	s := "default-src 'none'; style-src " + hash(css)
	if script != "" {
		s += "; script-src " + hash(script)
	}
	return s + "; base-uri 'none'; form-action 'none'"
}

func plainDoubt(d doubt) doubt {
	d.Workload, d.ID, d.Message, d.Remedy = plain(d.Workload), plain(d.ID), plain(d.Message), plain(d.Remedy)
	return d
}
