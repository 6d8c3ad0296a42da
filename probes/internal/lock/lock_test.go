package lock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
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

// TestForeignFiles holds that what others may have put in the lock's place is
// neither followed, waited for nor changed.
func TestForeignFiles(t *testing.T) {
	const precious = "12345 is not all that this file holds\n"
	for _, tt := range []struct {
		name string
		put  func(path, victim string) error
		want string // part of the error, "" for a lock
	}{
		{"symbolic link", func(path, victim string) error { return os.Symlink(victim, path) }, "symbolic link"},
		{"dangling link", func(path, victim string) error { return os.Symlink(victim+"x", path) }, "symbolic link"},
		{"pipe", func(path, _ string) error { return unix.Mkfifo(path, 0o666) }, "not a regular file"},
		{"folder", func(path, _ string) error { return os.Mkdir(path, 0o777) }, "is a directory"},
		{"hard link", func(path, victim string) error { return os.Link(victim, path) }, ""},
		{"some file", func(path, _ string) error { return os.WriteFile(path, []byte(precious), 0o666) }, ""},
		{"short text", func(path, _ string) error { return os.WriteFile(path, []byte("precious"), 0o666) }, ""},
		{"stale id", func(path, _ string) error { return os.WriteFile(path, []byte("999999999\n"), 0o666) }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, victim := filepath.Join(t.TempDir(), "lock"), filepath.Join(t.TempDir(), "victim")
			if err := errors.Join(os.WriteFile(victim, []byte("1\n"), 0o600), tt.put(path, victim)); err != nil {
				t.Fatal(err)
			}
			content := func() string {
				if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
					return "" // to read a pipe would wait for a writer
				}
				data, _ := os.ReadFile(path)
				return string(data)
			}
			before := content()
			l, err := Try(path, 0o644)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
					t.Errorf("error %v, want %q", err, tt.want)
				}
			} else if err != nil {
				t.Errorf("not locked: %v", err)
			} else {
				defer l.Release()
				after := content()
				if written := after != before; written != (tt.name == "stale id") {
					t.Errorf("%q became %q", before, after)
				}
			}
			if data, err := os.ReadFile(victim); string(data) != "1\n" || err != nil {
				t.Errorf("the file behind it holds %q, %v", data, err)
			}
			if _, err := os.Lstat(victim + "x"); err == nil {
				t.Error("a file was made through the link")
			}
		})
	}
}

// TestReadOnly holds that a user who may only read the file gets the lock, and
// one who may not even do that a plain error.
func TestReadOnly(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("SKIPPED: root may write to any file")
	}
	path := filepath.Join(t.TempDir(), "lock")
	if err := os.WriteFile(path, nil, 0o444); err != nil {
		t.Fatal(err)
	}
	first, err := Try(path, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Release()
	var busy *BusyError
	if _, err := Try(path, 0o644); !errors.As(err, &busy) || busy.PID != 0 {
		t.Errorf("a second lock: %v", err)
	}
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Try(path, 0o644); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a file of no rights: %v", err)
	}
}
