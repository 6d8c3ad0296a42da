package harness

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnswer(t *testing.T) {
	var a answer
	write := func(pieces ...string) {
		a.reset()
		for _, p := range pieces {
			if n, err := a.Write([]byte(p)); n != len(p) || err != nil {
				t.Fatalf("wrote %d of %d, %v", n, len(p), err)
			}
		}
	}
	write("hel", "", "lo")
	kept := a.result(false).([]byte)
	lent := a.result(true).([]byte)
	write("other")
	if string(kept) != "hello" || string(lent) != "other" {
		t.Errorf("kept %q, want hello; lent %q, want the buffer", kept, lent)
	}

	full := strings.Repeat("x", maxAnswerBytes)
	write(full)
	if got := a.result(true).([]byte); len(got) != maxAnswerBytes {
		t.Errorf("%d bytes", len(got))
	}
	write(full, "yz")
	one := a.result(true)
	if l, ok := one.(longAnswer); !ok || l.Size != maxAnswerBytes+2 {
		t.Errorf("%v", one)
	}
	write("y" + full[1:])
	a.size += 2
	h1, opaque := hashResult(1, one, nil)
	if h2, _ := hashResult(1, a.result(true), nil); opaque || h1 == h2 {
		t.Errorf("long answers with other beginnings hash to %x, %x; opaque %t", h1, h2, opaque)
	}
}

// TestAnswerIsPassedOn holds that a function gets what a command printed, as
// its own, and is told if that is too much.
func TestAnswerIsPassedOn(t *testing.T) {
	var got [][]byte
	funcs := map[string]any{"keep": func(b []byte) { got = append(got, b) }}
	run := func(script string) error {
		spec := &Spec{Concurrency: 1, Steps: []Step{
			{Kind: KindExec, Argv: []string{"sh", "-c", script, "sh", "{input}"}},
			{Kind: KindGo, Func: "keep"},
		}}
		built, err := resolve(spec, funcs)
		if err != nil {
			t.Fatal(err)
		}
		var s slot
		s.ctxs = []context.Context{context.Background(), context.Background()}
		for _, b := range built {
			f, err := b.build(0)
			if err != nil {
				t.Fatal(err)
			}
			s.steps = append(s.steps, f)
		}
		for op := int64(0); op < 2 && err == nil; op++ {
			_, err = s.runSteps(op, op)
		}
		return err
	}
	if err := run("echo op $1"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"op 0\n", "op 1\n"}, []string{string(got[0]), string(got[1])}); diff != "" {
		t.Errorf("given (-want +got):\n%s", diff)
	}
	err := run("head -c 2000000 /dev/zero")
	if err == nil || !strings.Contains(err.Error(), "2000000 bytes by the step before, of which at most 1048576 are passed on") {
		t.Errorf("too long an answer: %v", err)
	}
	if bytes.Contains([]byte(err.Error()), []byte("longAnswer")) {
		t.Errorf("names a type of ours: %v", err)
	}
}
