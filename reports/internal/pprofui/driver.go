package pprofui

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/pprof/driver"
	"github.com/google/pprof/profile"
)

// driverMu guards pprof's driver, which keeps its flags in package variables.
// Requests to handlers that it has made need no lock.
var driverMu sync.Mutex

// pages are those of pprof's pages that only read the profile. Left out are
// saveconfig and deleteconfig, which write the user's settings on a GET,
// source, which prints any file that the profile names, and disasm.
var pages = []string{"flamegraph", "graph", "top", "peek", "download"}

// A mount is one profile, or the difference of two, and the pages that show
// it, made on the first visit.
type mount struct {
	title   string
	profile *profile.Profile
	base    *profile.Profile // nil: not a difference

	once  sync.Once
	pages map[string]http.Handler
	err   error
}

// page returns the handler of a page, nil if there is none of that name.
func (m *mount) page(name string) (http.Handler, error) {
	m.once.Do(func() { m.pages, m.err = m.open() })
	return m.pages[name], m.err
}

// open lets the driver make its pages and takes them instead of letting it
// serve them.
func (m *mount) open() (map[string]http.Handler, error) {
	driverMu.Lock()
	defer driverMu.Unlock()
	restore, err := settingsFolder()
	if err != nil {
		return nil, err
	}
	defer restore()

	flags := &flagSet{
		values: map[string]string{
			"http":        "127.0.0.1:0", // not listened on: HTTPServer below takes the pages
			"symbolize":   "none",
			"normalize":   "false",
			"granularity": "functions",
		},
		sources: []string{sourceNew},
	}
	if m.base != nil {
		flags.values["diff_base"] = sourceBase
	}
	served := map[string]http.Handler{}
	err = driver.PProf(&driver.Options{
		Flagset: flags,
		Fetch:   fetcher{m},
		Sym:     noSymbols{},
		Obj:     noObjects{},
		UI:      silent{},
		HTTPServer: func(args *driver.HTTPServerArgs) error {
			for _, name := range pages {
				if h := args.Handlers["/"+name]; h != nil {
					served[name] = h
				}
			}
			return nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("pprof cannot show %s: %w", m.title, err)
	}
	return served, nil
}

// settingsFolder makes sure that pprof finds a folder for its settings: with
// neither HOME nor XDG_CONFIG_HOME it refuses to make its pages. Nothing is
// ever written there, so an empty folder that is gone again will do.
func settingsFolder() (restore func(), err error) {
	if _, err := os.UserConfigDir(); err == nil {
		return func() {}, nil
	}
	dir, err := os.MkdirTemp("", "concprof-pprof-")
	if err != nil {
		return nil, fmt.Errorf("pprof needs a folder for settings: %w", err)
	}
	home, config := setenv("HOME", dir), setenv("XDG_CONFIG_HOME", dir)
	return func() {
		home()
		config()
		os.RemoveAll(dir)
	}, nil
}

// setenv sets an environment variable until restore is called.
func setenv(name, value string) (restore func()) {
	old, set := os.LookupEnv(name)
	os.Setenv(name, value)
	return func() {
		if set {
			os.Setenv(name, old)
		} else {
			os.Unsetenv(name)
		}
	}
}

// The names under which the driver asks for its profiles.
const (
	sourceNew  = "new"
	sourceBase = "base"
)

// fetcher hands out the profiles of a mount from memory.
type fetcher struct{ *mount }

// Fetch returns a copy, because the driver changes what it is given, and no
// source: with one, the driver would save the profile under the home folder.
func (f fetcher) Fetch(src string, _, _ time.Duration) (*profile.Profile, string, error) {
	p := f.profile
	if src == sourceBase {
		p = f.base
	}
	p = p.Copy()
	p.DocURL = ""
	// The driver takes the page's title from the file of the first mapping.
	p.Mapping = append([]*profile.Mapping{{ID: freeMappingID(p), File: plain(f.title)}}, p.Mapping...)
	for _, s := range p.Sample {
		for key, values := range s.Label {
			for i := range values {
				values[i] = plain(values[i])
			}
			if clean := plain(key); clean != key {
				delete(s.Label, key)
				s.Label[clean] = values
			}
		}
	}
	return p, "", nil
}

func freeMappingID(p *profile.Profile) uint64 {
	id := uint64(1)
	for _, m := range p.Mapping {
		id = max(id, m.ID+1)
	}
	return id
}

// plain keeps of a label what graphviz and HTML have no use for: pprof does
// not escape labels in its graph, where a quote begins an attribute.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.:/ -,", r) {
			return r
		}
		return '_'
	}, s)
}

// noSymbols leaves profiles as they are: Go's are symbolized already.
type noSymbols struct{}

func (noSymbols) Symbolize(string, driver.MappingSources, *profile.Profile) error { return nil }

// noObjects opens no executable. Without it the driver looks for objdump and
// its like, which takes half a second a mount.
type noObjects struct{}

var errNoObjects = errors.New("executables are not read")

func (noObjects) Open(string, uint64, uint64, uint64, string) (driver.ObjFile, error) {
	return nil, errNoObjects
}

func (noObjects) Disasm(string, uint64, uint64, bool) ([]driver.Inst, error) {
	return nil, errNoObjects
}

// silent is a user interface without a user.
type silent struct{}

func (silent) ReadLine(string) (string, error)     { return "", errors.New("not interactive") }
func (silent) Print(...any)                        {}
func (silent) PrintErr(...any)                     {}
func (silent) IsTerminal() bool                    { return false }
func (silent) WantBrowser() bool                   { return false }
func (silent) SetAutoComplete(func(string) string) {}
