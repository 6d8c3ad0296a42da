package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const actionFolder = "../../../../.github/actions/concprof"

// An actionWorld is a job of a pull request: a repository, the runner's files and
// commands that note how they are called.
type actionWorld struct {
	t        *testing.T
	dir      string
	env      []string
	base     string // the commit at which the branch leaves main
	baseHead string // main as it is now
}

func newActionWorld(t *testing.T) *actionWorld {
	t.Helper()
	for _, program := range []string{"bash", "git"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("SKIPPED: there is no %s", program)
		}
	}
	w := &actionWorld{t: t, dir: t.TempDir()}
	w.env = append(os.Environ(), "PATH="+filepath.Join(w.dir, "bin")+":"+os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b",
		"RUNNER_TEMP="+filepath.Join(w.dir, "temp"), "GITHUB_OUTPUT="+filepath.Join(w.dir, "output"), "GITHUB_STEP_SUMMARY="+filepath.Join(w.dir, "summary"),
		"GITHUB_REPOSITORY=o/r", "GITHUB_SERVER_URL=https://github.example", "GITHUB_RUN_ID=7",
		"INPUT_WORKING_DIRECTORY="+filepath.Join(w.dir, "repo"), "CALLS="+filepath.Join(w.dir, "calls"))
	w.write("temp/x", "")
	w.git("init", "-q", "-b", "main", ".")
	w.git("commit", "-q", "--allow-empty", "-m", "1")
	w.base = w.git("rev-parse", "HEAD")
	w.git("checkout", "-q", "-b", "pull")
	w.git("commit", "-q", "--allow-empty", "-m", "2")
	w.git("checkout", "-q", "main")
	w.git("commit", "-q", "--allow-empty", "-m", "3")
	w.baseHead = w.git("rev-parse", "HEAD")
	w.git("checkout", "-q", "pull")
	// A program that writes the reports it is asked for and ends with $CODE.
	w.program("concprof", `for a; do
	printf '%s\n' "$a" >>"$CALLS"
	case "$a" in
	*.html|*.md|*.json) [ -n "${SILENT:-}" ] || printf '## concprof\n' >"$a" ;;
	esac
done
echo '::error::from the workload'
exit "${CODE:-0}"
`)
	w.program("gh", `printf '%s\n' "$*" >>"$CALLS"
case "$*" in
*--jq*) [ -z "$GH_FAILS" ] || exit 1; printf '%s' "$COMMENTS" ;;
*body=@*) last="${!#}"; cat "${last#body=@}" >>"$CALLS" ;;
esac
`)
	w.env = append(w.env, "INPUT_CONCPROF="+filepath.Join(w.dir, "bin", "concprof"))
	return w
}

func (w *actionWorld) write(name, text string) {
	w.t.Helper()
	name = filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o777); err != nil {
		w.t.Fatal(err)
	}
}

func (w *actionWorld) program(name, script string) {
	w.write("bin/"+name, "#!/usr/bin/env bash\nset -u\nGH_FAILS=\"${GH_FAILS:-}\" COMMENTS=\"${COMMENTS:-}\"\n"+script)
}

func (w *actionWorld) read(name string) string {
	text, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
	return string(text)
}

func (w *actionWorld) git(args ...string) string {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Join(w.dir, "repo"), 0o777); err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = filepath.Join(w.dir, "repo"), w.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %s: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// run runs a step with more variables, and returns what it logged.
func (w *actionWorld) run(step string, env ...string) (log string, ok bool) {
	w.t.Helper()
	script, err := filepath.Abs(filepath.Join(actionFolder, "run.sh"))
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(script, step)
	cmd.Dir, cmd.Env = w.dir, append(w.env, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func TestActionMeasures(t *testing.T) {
	tests := []struct {
		name   string
		env    []string
		ok     bool
		args   []string // lines among the arguments
		not    string   // no line of them
		log    string
		output string
	}{
		{name: "a pull request", env: []string{"BASE_SHA=$BASE"}, ok: true, args: []string{"analyze", "--against", "$MERGEBASE", "workload.yaml"}, not: "--gate", output: "code=0"},
		{name: "a push", ok: true, not: "--against"},
		{name: "no baseline wanted", env: []string{"BASE_SHA=$BASE", "INPUT_AGAINST=none"}, ok: true, not: "--against"},
		{name: "another baseline", env: []string{"BASE_SHA=$BASE", "INPUT_AGAINST=v1 $(touch hole)"}, ok: true, args: []string{"v1 $(touch hole)"}},
		{name: "a baseline that is not there", env: []string{"BASE_SHA=" + strings.Repeat("0", 40)}, log: "Set fetch-depth: 0"},
		{name: "a base that is no commit", env: []string{"BASE_SHA=--output=x"}, ok: true, not: "--against"},
		{name: "gates and arguments", env: []string{"INPUT_GATE=regression <= 5%\nclass == io-bound\n", "INPUT_ARGUMENTS=--budget\n30s", "INPUT_FILE=a b.yaml"}, ok: true,
			args: []string{"--gate", "regression <= 5%", "class == io-bound", "--budget", "30s", "a b.yaml"}},
		{name: "a gate is not met", env: []string{"CODE=3", "INPUT_GATE=speedup >= 4"}, log: "::error title=concprof::a gate is not met", output: "code=3"},
		{name: "a gate is undecided", env: []string{"CODE=5", "INPUT_GATE=speedup >= 4"}, log: "could not be decided", output: "code=5"},
		{name: "a gate of the file, reported", env: []string{"CODE=3"}, ok: true, log: "::warning title=concprof::a gate of the workload file is not met"},
		{name: "a gate of the file, enforced", env: []string{"CODE=3", "INPUT_ENFORCE=true"}, log: "::error"},
		{name: "failed cells", env: []string{"CODE=4"}, ok: true, log: "::warning title=concprof::some cells failed"},
		{name: "failed cells and a gate", env: []string{"CODE=4", "INPUT_GATE=speedup >= 4"}, log: "::error"},
		{name: "a faulty file", env: []string{"CODE=2"}, log: "::error title=concprof::concprof ended with exit code 2"},
		{name: "a name", env: []string{"INPUT_NAME=../x y"}, ok: true, output: "/temp/concprof/..-x-y.html"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newActionWorld(t)
			fill := strings.NewReplacer("$BASE", w.baseHead, "$MERGEBASE", w.base)
			var env []string
			for _, v := range tt.env {
				env = append(env, fill.Replace(v))
			}
			log, ok := w.run("measure", env...)
			if ok != tt.ok || !strings.Contains(log, tt.log) {
				t.Errorf("ok %v, want %v with %q:\n%s", ok, tt.ok, tt.log, log)
			}
			calls := strings.Split(w.read("calls"), "\n")
			lines := map[string]bool{}
			for _, c := range calls {
				lines[c] = true
			}
			for _, a := range tt.args {
				if a = fill.Replace(a); !lines[a] {
					t.Errorf("no argument %q:\n%s", a, w.read("calls"))
				}
			}
			if tt.not != "" && lines[tt.not] {
				t.Errorf("an argument %q:\n%s", tt.not, w.read("calls"))
			}
			if out := w.read("output"); !strings.Contains(out, tt.output) {
				t.Errorf("outputs:\n%s\nwant %q", out, tt.output)
			}
			if strings.Contains(tt.output, "code=") && w.read("summary") != "## concprof\n" {
				t.Errorf("summary %q", w.read("summary"))
			}
			if i := strings.Index(log, "::error::from the workload"); i >= 0 {
				if stop := strings.Index(log, "::stop-commands::"); stop < 0 || stop > i {
					t.Errorf("the workload's output is a command of the runner:\n%s", log)
				}
			}
			if _, err := os.Stat(filepath.Join(w.dir, "repo", "hole")); err == nil {
				t.Error("an input was executed")
			}
		})
	}
}

// Of a run that leaves no report nothing is published, least of all what another
// use of the action in the same job found before.
func TestActionPublishesItsOwn(t *testing.T) {
	w := newActionWorld(t)
	if log, ok := w.run("measure"); !ok {
		t.Fatal(log)
	}
	first := w.read("output")
	for _, env := range [][]string{{"SILENT=1", "CODE=1"}, {"SILENT=1", "CODE=1", "INPUT_NAME=other"}} {
		w.write("summary", "")
		w.write("output", "")
		log, ok := w.run("measure", env...)
		if out := w.read("output"); ok || out != "code=1\n" || w.read("summary") != "" {
			t.Errorf("%v: ok %v, outputs %q, summary %q:\n%s", env, ok, out, w.read("summary"), log)
		}
	}
	if !strings.Contains(first, "html=") || !strings.Contains(first, "markdown=") || !strings.Contains(first, "verdict=") {
		t.Errorf("outputs of the first:\n%s", first)
	}
}

func TestActionComments(t *testing.T) {
	sha := strings.Repeat("a", 40)
	pull := []string{"PULL_REQUEST=12", "HEAD_REPOSITORY=o/r", "HEAD_SHA=" + sha}
	tests := []struct {
		name  string
		env   []string
		ok    bool
		calls []string // in their text
		not   string
		log   string
	}{
		{name: "the first", env: pull, ok: true, calls: []string{"-X POST repos/o/r/issues/12/comments", "<!-- concprof concprof -->\n## concprof\n", sha, "https://github.example/o/r/actions/runs/7"}},
		{name: "the same again", env: append(pull, "COMMENTS=99\n100\n"), ok: true, calls: []string{"-X PATCH repos/o/r/issues/comments/99 "}, not: "POST"},
		{name: "of another use", env: append(pull, `INPUT_NAME=x"; echo hole`), ok: true, calls: []string{"<!-- concprof x---echo-hole -->", `startswith("<!-- concprof x---echo-hole -->")`}},
		{name: "of a fork", env: append(pull, "HEAD_REPOSITORY=evil/r"), ok: true, not: "gh", log: "no comment is written"},
		{name: "without the right", env: append(pull, "GH_FAILS=1"), ok: true, not: "POST", log: "pull-requests: write"},
		{name: "a number that is none", env: append(pull, "PULL_REQUEST=1/../2"), not: "api", log: "no pull request"},
		{name: "a commit that is none", env: append(pull, "HEAD_SHA=@everyone"), ok: true, calls: []string{"## concprof"}, not: "@everyone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newActionWorld(t)
			w.write("temp/concprof/report.md", "## concprof\n")
			log, ok := w.run("comment", append([]string{"MARKDOWN=" + filepath.Join(w.dir, "temp/concprof/report.md")}, tt.env...)...)
			if ok != tt.ok || !strings.Contains(log, tt.log) {
				t.Errorf("ok %v, want %v with %q:\n%s", ok, tt.ok, tt.log, log)
			}
			calls := w.read("calls")
			for _, c := range tt.calls {
				if !strings.Contains(calls, c) {
					t.Errorf("gh was not called with %q:\n%s", c, calls)
				}
			}
			if tt.not != "" && strings.Contains(calls, tt.not) {
				t.Errorf("gh was called with %q:\n%s", tt.not, calls)
			}
		})
	}
}

// pinned is an action that cannot change: by a whole commit. Others say by a
// comment, or are the runner's makers' own by major version.
var pinned = regexp.MustCompile(`^(actions/[a-z-]+@(v\d+|[0-9a-f]{40})|\./\.github/.+|[^@]+@[0-9a-f]{40})$`)

// The workflows and the action hold to what keeps a stranger's text from being
// executed: no expression within a script, nothing that runs a stranger's code
// with the rights of the base, the least of permissions, no other people's
// actions but by commit. The recipes of the documentation are held to it too.
func TestWorkflows(t *testing.T) {
	sources := map[string]string{}
	for _, pattern := range []string{"../../workflows/*.yml", "action.yml"} {
		files, err := filepath.Glob(filepath.Join(actionFolder, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			sources[filepath.Base(f)] = string(text)
		}
	}
	page, err := os.ReadFile(filepath.Join(actionFolder, "../../../docs/ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i, block := range strings.Split(string(page), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "\n```")
		if strings.Contains(text, "\njobs:") {
			sources["docs/ci.md block "+string(rune('1'+i))] = text
		}
	}
	if len(sources) < 6 {
		t.Fatalf("only %d files and recipes found", len(sources))
	}
	for name, text := range sources {
		for _, fault := range workflowFaults(t, name, text) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

func workflowFaults(t *testing.T, name, text string) (faults []string) {
	var doc any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return []string{err.Error()}
	}
	if strings.Contains(text, "pull_request_target") && !strings.Contains(name, ".md") {
		faults = append(faults, "pull_request_target runs with the rights of the base")
	}
	top, _ := doc.(map[string]any)
	if _, isWorkflow := top["jobs"]; isWorkflow {
		if _, ok := top["permissions"]; !ok {
			faults = append(faults, "no permissions at the top: the default ones may write")
		}
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if run, ok := v["run"].(string); ok && untrusted.MatchString(run) {
				faults = append(faults, "an expression within a script, pass it by env: "+run)
			}
			if uses, ok := v["uses"].(string); ok && !pinned.MatchString(uses) {
				faults = append(faults, "not pinned: "+uses)
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(doc)
	return faults
}

// untrusted is an expression in a script, but for the matrix, which the
// workflow itself lists.
var untrusted = regexp.MustCompile(`\$\{\{`)

// TestWorkflowFaults shows that the rules find what breaks them.
func TestWorkflowFaults(t *testing.T) {
	const head = "on: push\npermissions: {contents: read}\njobs:\n  a:\n    steps:\n"
	for text, want := range map[string]string{
		head + "      - run: echo ${{ github.head_ref }}\n":                     "an expression within a script",
		head + "      - uses: other/thing@v1\n":                                 "not pinned",
		head + "      - uses: actions/checkout@main\n":                          "not pinned",
		"on: push\njobs: {}\n":                                                  "no permissions",
		"on: pull_request_target\npermissions: {}\njobs: {}\n":                  "pull_request_target",
		head + "      - uses: other/thing@" + strings.Repeat("a", 40) + "\n":    "",
		head + "      - run: ./x\n        env: {A: '${{ github.head_ref }}'}\n": "",
	} {
		if got := strings.Join(workflowFaults(t, "x.yml", text), "; "); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s\nfound %q, want %q", text, got, want)
		}
	}
}
