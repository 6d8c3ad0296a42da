package runner

import (
	"os"
	"path/filepath"
	"testing"
)

// The texts are what Go 1.26 printed, but for op.txt and cgo.txt, which are
// shortened.
func TestParseCrash(t *testing.T) {
	tests := []struct {
		file, reason, signal, frame string
		none                        bool
	}{
		{file: "nilmap", reason: "panic: assignment to entry in nil map", frame: "example.com/shop/crash.(*Index).Add example.com/shop/crash/crash.go:4"},
		{file: "deadlock", reason: "fatal error: all goroutines are asleep - deadlock!", frame: "example.com/shop/crash.Deadlock example.com/shop/crash/crash.go:5"},
		{file: "sort", reason: "panic: cannot", frame: "example.com/shop/crash.Sort.func1 example.com/shop/crash/crash.go:6"},
		{file: "segv", reason: "SIGSEGV: segmentation violation", signal: "SIGSEGV", frame: "example.com/shop/crash.Segv example.com/shop/crash/crash.go:7"},
		{file: "hang", reason: "SIGQUIT: quit", signal: "SIGQUIT", frame: "example.com/shop/crash.Hang example.com/shop/crash/crash.go:8"},
		{file: "sleep", reason: "SIGQUIT: quit", signal: "SIGQUIT", frame: "main.quit example.com/shop/main.go:14"},
		{file: "stack", reason: "fatal error: stack overflow", frame: "example.com/shop/crash.Stack example.com/shop/crash/crash.go:10"},
		{file: "op", reason: "SIGQUIT: quit", signal: "SIGQUIT", frame: "example.com/shop/internal/thumb.fetch internal/thumb/fetch.go:27"},
		{file: "cgo", reason: "fatal error: unexpected signal during runtime execution", signal: "SIGSEGV", frame: "example.com/shop/codec._Cfunc_decode _cgo_gotypes.go:47"},
		{file: "none", none: true},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", "crash", tt.file+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			c, ok := parseCrash(text, "/home/me/shop")
			if ok == tt.none {
				t.Fatalf("found a crash: %t", ok)
			}
			if want := (crash{tt.reason, tt.signal, tt.frame}); c != want {
				t.Errorf("got  %+v\nwant %+v", c, want)
			}
		})
	}
}

func FuzzParseCrash(f *testing.F) {
	files, err := filepath.Glob("testdata/crash/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, ok := parseCrash(text, "/x")
		if ok != (c.reason != "") || len(c.reason) > 512 || len(c.frame) > 1024 {
			t.Errorf("%t, %+v", ok, c)
		}
	})
}
