package layout

// module is the path of this module.
const module = "github.com/concprof/concprof"

// contracts are the packages of data and files that start nothing, in the
// direction of imports: each may import those before it.
var contracts = []string{"probes/record", "probes/model", "probes/workload", "probes/plan", "probes/rundir"}

// A room is a folder and what its packages may import of this module. The
// longest matching folder decides. Every package may import from below itself.
type room struct {
	folder string
	may    []string // folders, with everything below them
	only   []string // single packages
}

// rooms are the direction of imports:
//
//	record <- model <- workload <- plan <- rundir       contracts
//	probes imports contracts, harness, its internals    measuring
//	analyzer imports contracts only                     judging
//	reports imports analyzer and contracts              telling
//	cmd imports all, and nothing imports cmd
var rooms = []room{
	{folder: "probes/record"},
	{folder: "probes/model", only: contracts[:1]},
	{folder: "probes/workload", only: contracts[:2]},
	{folder: "probes/plan", only: contracts[:3]},
	{folder: "probes/rundir", only: append([]string{"probes/internal/lock"}, contracts[:4]...)},
	// The harness is linked into other people's programs.
	{folder: "probes/harness", only: []string{"probes/record", "probes/model"}},
	{folder: "probes/internal/lock"},
	{folder: "probes", may: []string{"probes/harness", "probes/internal"}, only: contracts},
	{folder: "analyzer", may: []string{"analyzer"}, only: contracts},
	{folder: "reports", may: []string{"analyzer", "reports"}, only: contracts},
	{folder: "cmd", may: []string{"probes", "analyzer", "reports", "cmd"}},
}

// A home is where a third-party package may be imported, so that replacing it
// touches one folder.
type home struct {
	path    string   // import path, with everything below it; the longest decides, of equal ones any
	folders []string // of this module
	tests   bool     // in tests only
}

var homes = []home{
	// Beside the harness: what records live profiles for the analyzer's tests.
	{path: "github.com/felixge/fgprof", folders: []string{"probes/harness", "analyzer/profile/internal/harness"}},
	// The profile's data type is what the analyzer hands to reports and cmd;
	// fgprof, in the harness, imports it itself; gofunc builds both into probes
	// and reads what they wrote; pyread writes profiles of Python.
	{path: "github.com/google/pprof/profile", folders: []string{"analyzer", "reports", "probes/harness", "probes/internal/gofunc", "probes/internal/pyread", "cmd/concprof/internal/cli"}},
	{path: "golang.org/x/exp/trace", folders: []string{"analyzer/exectrace"}},
	{path: "github.com/google/pprof/driver", folders: []string{"reports/internal/pprofui"}},
	{path: "github.com/spf13/cobra", folders: []string{"cmd/concprof/internal/cli"}},
	{path: "github.com/spf13/pflag", folders: []string{"cmd/concprof/internal/cli"}},
	{path: "go.yaml.in/yaml/v4", folders: []string{"probes/workload", "cmd/concprof/internal/cli"}},
	{path: "github.com/santhosh-tekuri/jsonschema/v6", folders: []string{"probes/workload"}},
	{path: "golang.org/x/perf", folders: []string{"reports"}},
	{path: "golang.org/x/sys", folders: []string{"probes", "cmd/concprof/internal/doctor"}},
	{path: "golang.org/x/term", folders: []string{"cmd/concprof"}},
	{path: "golang.org/x/sync", folders: []string{"cmd/concprof/internal/cli"}},
	{path: "golang.org/x/sync", folders: []string{"probes/harness"}, tests: true}, // what the harness is compared with
	{path: "github.com/google/go-cmp", folders: []string{""}, tests: true},
	{path: "golang.org/x/text", folders: []string{"probes/workload", "reports"}},
	{path: "github.com/rogpeppe/go-internal", folders: []string{"cmd/concprof"}, tests: true},
	{path: "github.com/rogpeppe/go-internal/txtar", folders: []string{""}, tests: true},
	{path: "github.com/chromedp", folders: []string{"reports"}, tests: true},
}

// forbidden are standard packages that no package may import, and why.
var forbidden = map[string]string{
	"net/http/pprof": "importing it adds handlers to every server of the default mux",
	"expvar":         "importing it adds handlers to every server of the default mux",
}

// unsafeFolders may import unsafe, for system calls that take a pointer: the
// harness cannot have golang.org/x/sys, which has most of them.
var unsafeFolders = []string{"probes/harness", "cmd/concprof/internal/doctor"}

// exits are the functions that end the process, by package.
var exits = map[string][]string{
	"os":      {"Exit"},
	"log":     {"Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln"},
	"syscall": {"Exit"},
}

// exitFolders may end the process: they hold the entry points of processes,
// main, and of the probes, keepers and servers that concprof becomes when it
// starts itself.
var exitFolders = []string{"cmd/concprof", "cmd/concprof/internal/decoder", "cmd/faultcheck", "cmd/truthbench", "probes", "probes/harness", "probes/internal/proc"}

// maxMain is the most lines of a main.go below cmd.
const maxMain = 60
