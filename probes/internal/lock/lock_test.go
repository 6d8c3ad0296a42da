package lock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Try(path, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	var busy *BusyError
	if _, err := Try(path, 0o666); !errors.As(err, &busy) || busy.PID != os.Getpid() || busy.Path != path {
		t.Errorf("a second lock: %v", err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	if _, err := Wait(ctx, path, 0o666, func(*BusyError) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting in vain: %v", err)
	}
	told := 0
	second, err := Wait(context.Background(), path, 0o666, func(*BusyError) {
		told++
		if err := first.Release(); err != nil {
			t.Error(err)
		}
	})
	if err != nil || told != 1 {
		t.Fatalf("waiting: %v, told %d times", err, told)
	}
	if err := errors.Join(second.Release(), second.Release(), first.Release()); err != nil {
		t.Errorf("releasing, also twice: %v", err)
	}
	third, err := Try(path, 0o666)
	if err != nil {
		t.Fatalf("after all were released: %v", err)
	}
	defer third.Release()
	if _, err := Try(filepath.Join(t.TempDir(), "no", "folder"), 0o666); err == nil || errors.As(err, &busy) && busy.PID == 0 {
		t.Errorf("in a folder that is not there: %v", err)
	}
}
