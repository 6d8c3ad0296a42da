package exectrace

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/concprof/concprof/analyzer/profile"
	"github.com/concprof/concprof/probes/record"
)

// FuzzRead looks for traces at which what follows the decoder fails otherwise
// than by an error. That the decoder itself panics at some is known (it trusts
// the states of processors, in the seed dce85d1c592ad3f5); Read makes an error of it.
func FuzzRead(f *testing.F) {
	names, err := filepath.Glob("testdata/*.trace")
	if err != nil || len(names) == 0 {
		f.Fatalf("%d traces, %v", len(names), err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 32<<10 { // what is mutated should be small
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := read(data)
		if errors.Is(err, errDecoder) {
			if _, err := Read(data); !errors.Is(err, ErrNotTrace) {
				t.Fatal(err)
			}
			return
		}
		if (a == nil) == (err == nil) {
			t.Fatalf("%+v, %v", a, err)
		}
		if err != nil {
			return
		}
		for name, w := range map[string]int64{"direct": total(&a.Direct), "resolved": total(&a.Resolved)} {
			if w != a.Direct.Samples || w <= 0 {
				t.Errorf("%s: the parts add up to %d of %d ns", name, w, a.Direct.Samples)
			}
		}
	})
}

var errDecoder = errors.New("the decoder panics")

// read is account, but that a panic of the decoder is errDecoder. Others go on.
func read(data []byte) (a *Account, err error) {
	defer func() {
		if decoderPanics() {
			a, err = nil, errDecoder
			recover()
		}
	}()
	return DefaultLimits().account(data)
}

// decoderPanics reports, to a function that was deferred, whether a panic began
// in the decoder.
func decoderPanics() bool {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
	panicking := false
	for {
		f, more := frames.Next()
		switch runtimes := strings.HasPrefix(f.Function, "runtime."); {
		case f.Function == "runtime.gopanic":
			panicking = true
		case panicking && !runtimes:
			return strings.HasPrefix(f.Function, "golang.org/x/exp/trace.")
		}
		if !more {
			return false
		}
	}
}

func total(w *profile.WaitShares) int64 {
	sum := w.Running + w.Runnable
	for _, m := range []map[record.Wait]int64{w.Blocked, w.Ambiguous} {
		for _, n := range m {
			sum += n
		}
	}
	return sum
}
