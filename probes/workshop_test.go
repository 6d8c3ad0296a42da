package probes

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAbandonedWorkshopsAreSwept(t *testing.T) {
	temp, outside := t.TempDir(), t.TempDir()
	inUse, err := openWorkshop(temp)
	if err != nil {
		t.Fatal(err)
	}
	abandoned, err := openWorkshop(temp)
	if err != nil {
		t.Fatal(err)
	}
	if err := abandoned.lock.Release(); err != nil { // as the kernel does after kill -9
		t.Fatal(err)
	}
	link := filepath.Join(temp, "concprof-build-link")
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	sweep(temp, time.Now().Add(-time.Hour))
	if !exists(abandoned.dir) {
		t.Error("a young workshop was swept")
	}
	sweep(temp, time.Now().Add(time.Hour))
	if exists(abandoned.dir) || !exists(inUse.dir) || !exists(link) || exists(filepath.Join(outside, "lock")) {
		t.Errorf("abandoned %t, in use %t, link %t", exists(abandoned.dir), exists(inUse.dir), exists(link))
	}
	if err := inUse.close(); err != nil || exists(inUse.dir) {
		t.Errorf("closing: %v", err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
