package logindex

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

const log = `192.0.2.1 - - [12/Mar/2026:10:00:00 +0000] "GET /search?q=pool HTTP/1.1" 200 512 "-" "curl/8.9.1"
192.0.2.2 - ada [12/Mar/2026:10:00:01 +0000] "GET /search HTTP/1.1" 404 12 "-" "curl/8.9.1"
half a li
192.0.2.1 - - [12/Mar/2026:10:00:02 +0000] "POST /search HTTP/1.1" 200 512 "-" "curl/8.9.1"
`

func TestAddFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(name, []byte(log), 0o666); err != nil {
		t.Fatal(err)
	}
	x := New()
	for range 2 { // reading a file again counts nothing twice
		n, err := x.AddFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n != 3 {
			t.Errorf("file has %d requests, want 3", n)
		}
	}
	if n := x.Count("/search", "200"); n != 2 {
		t.Errorf("Count(/search, 200) = %d, want 2", n)
	}
	if _, err := x.AddFile("missing.log"); err == nil {
		t.Error("no error for a missing file")
	}
}

func TestAddFileTogether(t *testing.T) {
	names, err := filepath.Glob("testdata/*.log")
	if err != nil || len(names) == 0 {
		t.Fatal("no logs in testdata", err)
	}
	together, apart := New(), New()
	var wg sync.WaitGroup
	for _, name := range names {
		wg.Add(1)
		go func() {
			defer wg.Done()
			together.AddFile(name)
		}()
		apart.AddFile(name)
	}
	wg.Wait()
	if a, b := together.Count("/", "200"), apart.Count("/", "200"); a != b || a == 0 {
		t.Errorf("counted %d together, %d one after another", a, b)
	}
}
