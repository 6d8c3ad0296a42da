package faults

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

const table = "| # | fault | does | tests |\n" +
	"| 1 | a `x\\|y` | refused | `p/q.TestGood` `script/one.txtar` |\n" +
	"| 2 | b | done | `p/q.TestPart` Not tested: NFS |\n" +
	"| 3 | c | said | not here: it needs a fleet |\n" +
	"| 4 | d | done | `p/q.TestSkip` |\n"

const events = `{"Action":"run","Package":"github.com/concprof/concprof/p/q","Test":"TestGood"}
{"Action":"pass","Package":"github.com/concprof/concprof/p/q","Test":"TestGood"}
{"Action":"output","Package":"github.com/concprof/concprof/p/q","Test":"TestPart/root","Output":"    x_test.go:7: needs root\n"}
{"Action":"skip","Package":"github.com/concprof/concprof/p/q","Test":"TestPart/root"}
{"Action":"pass","Package":"github.com/concprof/concprof/p/q","Test":"TestPart"}
{"Action":"output","Package":"github.com/concprof/concprof/p/q","Test":"TestSkip","Output":"    x_test.go:9: no cgroup\n"}
{"Action":"skip","Package":"github.com/concprof/concprof/p/q","Test":"TestSkip"}
{"Action":"pass","Package":"github.com/concprof/concprof/cmd/concprof","Test":"TestScript/one"}
{"Action":"pass","Package":"github.com/concprof/concprof/cmd/concprof","Test":"TestScript"}
`

func check(t *testing.T, table, events string) (string, error) {
	t.Helper()
	rows, err := Parse(table)
	if err != nil {
		t.Fatal(err)
	}
	s := seen{}
	if err := s.read(module, strings.NewReader(events), t.Output()); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = print(&out, rows, s)
	return out.String(), err
}

func TestRowsAreSaid(t *testing.T) {
	out, err := check(t, table, events)
	if err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		" 1  a `x|y`\n    expected: refused\n    seen:     pass (2 tests)\n",
		"p/q.TestPart: skipped: needs root\n              Not tested: NFS\n",
		"untested (0 tests)\n              not here: it needs a fleet\n",
		"skipped (1 test)\n              p/q.TestSkip: skipped: no cgroup\n",
		"4 rows: 2 pass, 1 skipped here, 1 untested with a reason, 0 FAIL\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// Whatever is not seen to pass fails its row.
func TestRowsFail(t *testing.T) {
	for name, tt := range map[string]struct{ table, events, want string }{
		"a failed test":                    {table, strings.Replace(events, `"pass","Package":"github.com/concprof/concprof/p/q","Test":"TestGood"`, `"fail","Package":"github.com/concprof/concprof/p/q","Test":"TestGood"`, 1), "p/q.TestGood failed"},
		"a failed script":                  {table, strings.Replace(events, `"pass","Package":"github.com/concprof/concprof/cmd/concprof","Test":"TestScript/one"`, `"fail","Package":"github.com/concprof/concprof/cmd/concprof","Test":"TestScript/one"`, 1), "script/one failed"},
		"a test that died":                 {table, `{"Action":"run","Package":"github.com/concprof/concprof/p/q","Test":"TestGood"}`, "p/q.TestGood did not run"},
		"the same name in another package": {"| 1 | a | b | `p/q.TestGood` |", `{"Action":"pass","Package":"github.com/concprof/concprof/p","Test":"TestGood"}`, "p/q.TestGood did not run"},
		"a row without anything":           {"| 1 | a | b |  |", "", "neither a test nor a reason"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := check(t, tt.table, tt.events)
			if !errors.Is(err, ErrFailed) || !strings.Contains(out, tt.want) {
				t.Errorf("error %v, no %q in\n%s", err, tt.want, out)
			}
		})
	}
}

func TestRanges(t *testing.T) {
	in, err := ranges("1,24-26")
	if err != nil || !in(1) || in(2) || !in(24) || !in(26) || in(27) {
		t.Errorf("error %v", err)
	}
	for _, bad := range []string{"x", "3-1", "1-", "1-99999"} {
		if _, err := ranges(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
