package python

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/concprof/concprof/probes/record"
	"github.com/google/go-cmp/cmp"
)

// script runs a script that has imported the probe as a package, as workers do.
func script(t testing.TB, python *Interpreter, source, stdin string, env ...string) string {
	t.Helper()
	path, err := Install(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(python.Path, "-W", "error", "-c", "import sys\nsys.path.insert(0, "+fmt.Sprintf("%q", filepath.Dir(path))+")\nimport concprof_probe.main\n"+source)
	cmd.Env = append([]string{"PYTHONDONTWRITEBYTECODE=1"}, env...)
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return string(out)
}

// TestCompiles holds that every interpreter takes the probe without a warning.
func TestCompiles(t *testing.T) {
	each(t, func(t *testing.T, python *Interpreter, _ bool) { script(t, python, "", "") })
	program, err := fs.Glob(source, "probe/*.py")
	if err != nil || len(program) != 1 {
		t.Fatal(program, err)
	}
	modules, err := fs.Glob(source, "probe/*/*.py")
	if err != nil || len(modules) == 0 {
		t.Fatal(modules, err)
	}
	for _, name := range append(program, modules...) {
		data, err := source.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(data), "\n") {
			if n := len([]rune(line)); n > 120 {
				t.Errorf("%s:%d has %d columns", name, i+1, n)
			}
		}
	}
}

// TestSubinterpreter holds that another interpreter of a process can import the
// probe, as the workers of the model subinterpreters do: some modules of the
// standard library refuse that.
func TestSubinterpreter(t *testing.T) {
	each(t, func(t *testing.T, python *Interpreter, _ bool) {
		out := script(t, python, `import sys
try:
    import _interpreters
except ImportError:
    print("none")
else:
    other = _interpreters.create()
    failed = _interpreters.exec(other, f"import sys; sys.path[:] = {sys.path!r}; import concprof_probe.main")
    print(failed.formatted if failed else "imported")
    _interpreters.destroy(other)
`, "")
		switch strings.TrimSpace(out) {
		case "imported":
		case "none":
			t.Skip("SKIPPED: this interpreter cannot make others; 3.13 is the oldest that can")
		default:
			t.Error(out)
		}
	})
}

// TestHistogram holds that the probe's buckets are record.Histogram's.
func TestHistogram(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var values []int64
	var want record.Histogram
	for i := range 5000 {
		v := int64(i)
		if i >= 200 {
			v = r.Int64N(1 << (1 + r.IntN(50)))
		}
		values = append(values, v)
		want.Record(v)
	}
	stdin, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	out := script(t, one(t), "import json\nfrom concprof_probe.slot import histogram\nprint(json.dumps(histogram(json.load(sys.stdin))))", string(stdin))
	var got record.Histogram
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Sum/want.Sum > 1+1e-9 || got.Sum/want.Sum < 1-1e-9 {
		t.Errorf("the sum is %v, want %v", got.Sum, want.Sum)
	}
	got.Sum = want.Sum // of floats that were added one by one
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-record +probe:\n%s", diff)
	}
}

// hashes prints the hashes of values and how they compare.
const hashes = `
import collections, dataclasses, datetime, decimal, enum, pathlib, threading, uuid
from concprof_probe.digest import Walker, hash_of
h = lambda v: hash_of(1, "=", v)[0]
opaque = lambda v: hash_of(1, "=", v)[1]

@dataclasses.dataclass
class Point:
    x: int
    y: object = None
class Slots:
    __slots__ = ("a", "b")
    def __init__(self, a, b): self.a, self.b = a, b
class Sub(Slots):
    __slots__ = ()
class Colour(enum.Enum):
    RED = 1
    BLUE = 2
hashed = pathlib.PurePosixPath("/a/b")
str(hashed), hash(hashed), hashed.parts

equal = [
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ({"x", "y", "z"}, {"z", "y", "x"}), ([1, (2, 3)], [1, (2, 3)]),
    (Point(1, {"k": 2}), Point(1, {"k": 2})), (Sub(1, 2), Sub(1, 2)), (hashed, pathlib.PurePosixPath("/a/b")),
    (ValueError("x"), ValueError("x")), (decimal.Decimal("1.5"), decimal.Decimal("1.5")),
    (collections.OrderedDict(a=1), collections.OrderedDict(a=1)), (bytearray(b"x"), bytearray(b"x")),
]
for i, (a, b) in enumerate(equal):
    assert h(a) == h(b) and not opaque(a), (i, a, b)
different = [
    1, 2, "1", b"1", 1.0, True, None, [1], {"a": 1}, {"a": 2}, {1}, Point(1), Point(2), Slots(1, 2), Sub(1, 2), Sub(1, 3),
    pathlib.PurePosixPath("/a"), pathlib.PurePosixPath("/b"), Colour.RED, Colour.BLUE, datetime.date(2020, 1, 2), datetime.date(2020, 1, 3),
    decimal.Decimal(1), uuid.UUID(int=1), uuid.UUID(int=2), ValueError("x"), ValueError("y"), KeyError("x"), int, float, "", b"", [], {}, [[]],
]
assert len({h(v) for v in different}) == len(different), sorted((h(v), v) for v in different)
assert hash_of(1, "=", 5) != hash_of(2, "=", 5) != hash_of(2, "!", 5)
loop = []; loop.append(loop)
for v in (threading.Lock(), lambda: 0, object, loop, [print]):
    assert opaque(v) == (v is not object), v
print([h(v) for v in different + [a for a, _ in equal]])
class Long(list):
    looked = 0
    def __iter__(self):
        for i in range(10_000):
            Long.looked += 1
            yield i
Walker.MOST = 100
large = [set(map(str, range(300))), {str(i): [i] * 5 for i in range(60)}, [{(str(i), str(-i)) for i in range(80)}], Long([1])]
for v in large:
    assert opaque(v), v
    h(v)
assert Long.looked <= 202, Long.looked
assert h(set(range(300))) == h(set(range(299, -1, -1))) and h({i: str(i) for i in range(300)}) == h({i: str(i) for i in range(299, -1, -1)})
print([h(v) for v in large])
`

// TestHashes holds that results are compared by their values: equal ones have
// equal hashes in every process, whatever the hashes of strings are.
func TestHashes(t *testing.T) {
	each(t, func(t *testing.T, python *Interpreter, main bool) {
		first := script(t, python, hashes, "", "PYTHONHASHSEED=1")
		if second := script(t, python, hashes, "", "PYTHONHASHSEED=2"); second != first {
			t.Errorf("with other seeds:\n%s\n%s", first, second)
		}
	})
}

// given asks for callables whose signatures cannot be read as they are.
const given = `
from concprof_probe.op import Unusable, takes_input
class Odd:
    @property
    def __signature__(self): raise NameError("name 'Missing' is not defined")
    def __call__(self, n): return n
assert takes_input(Odd(), "odd", False)
if sys.version_info >= (3, 14):
    ops = {}
    exec("def none() -> Missing: pass\ndef one(x: Missing | None): pass\ndef two(a: Missing, b): pass", ops)
    assert not takes_input(ops["none"], "none", False) and takes_input(ops["one"], "one", False)
    try:
        takes_input(ops["two"], "two", False)
    except Unusable as e:
        assert "takes a, b" in str(e), e
    else:
        assert False
`

// TestGiven holds that names which only type checkers import keep no function
// from being an op.
func TestGiven(t *testing.T) {
	each(t, func(t *testing.T, python *Interpreter, main bool) { script(t, python, given, "") })
}

// told says what groups of errors are about.
const told = `
from concprof_probe.text import str_of
leaf = ValueError("bad")
if sys.version_info >= (3, 11):
    one = ExceptionGroup("inner", [leaf])
    assert str_of(ExceptionGroup("outer", [one])) == "outer (1 sub-exception): ExceptionGroup: inner (1 sub-exception): ValueError: bad"
    assert str_of(ExceptionGroup("both", [leaf, leaf])) == "both (2 sub-exceptions)"
assert str_of(leaf) == "bad"
`

// TestGroups holds that the error in a group of one is told.
func TestGroups(t *testing.T) {
	each(t, func(t *testing.T, python *Interpreter, main bool) { script(t, python, told, "") })
}

// dropped drops the errors of ops without a garbage collection.
const dropped = `
import asyncio, concurrent.futures, gc, weakref
from concprof_probe.hybrid import call_here, elsewhere
from concprof_probe.run import finish
class Large(Exception): pass
made = []
def make():
    e = Large()
    made.append(weakref.ref(e))
    return e
async def fails(): raise make()
def fails_there(n): raise make()

gc.disable()
loop = asyncio.new_event_loop()
try: finish(loop, fails())
except Large: pass
assert made.pop()() is None
loop.close()

async def away():
    loop = asyncio.get_running_loop()
    try: await elsewhere(None, loop, pool, call_here, (fails_there, True, False), 1)
    except Large: pass
    await asyncio.sleep(0)
with concurrent.futures.ThreadPoolExecutor(1) as pool: asyncio.run(away())
assert made.pop()() is None
`

// TestErrorsEnd holds that what an op raised, and what its frames hold, lives
// no longer than the op: memory would be measured that is no model's.
func TestErrorsEnd(t *testing.T) {
	each(t, func(t *testing.T, python *Interpreter, main bool) { script(t, python, dropped, "") })
}
