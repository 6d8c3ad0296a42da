package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// defaultFileBytes is what a file step reads or writes if it does not say.
const defaultFileBytes = 4 << 10

// The work of a file step.
const (
	fileRead  = "read"
	fileWrite = "write"
	fileSync  = "fsync"
)

// fileStep reads, writes, or writes and syncs a file from its start. Without
// a path every op in flight has a file of its own in the trial's folder; all
// share a file that is named, each through a descriptor of its own. Reading
// returns what was read; writing passes on what it was given.
func fileStep(s Step, scratch string, last bool) (builtStep, error) {
	switch s.Work {
	case fileRead, fileWrite, fileSync:
	default:
		return builtStep{}, fmt.Errorf("unknown file work %q: want %s, %s or %s", s.Work, fileRead, fileWrite, fileSync)
	}
	if s.Path == "" && scratch == "" {
		return builtStep{}, errors.New("neither a path nor a folder for the trial's files")
	}
	size := s.Bytes
	if size <= 0 {
		size = defaultFileBytes
	}
	files := new(fileSet)
	build := func(slot int) (stepFunc, error) {
		path := s.Path
		if path == "" {
			path = filepath.Join(scratch, fmt.Sprintf("step-%s-%d-%d", safeName(s.Name), os.Getpid(), slot))
		}
		f, err := files.open(path, s, size)
		if err != nil {
			return nil, err
		}
		buf := make([]byte, size)
		for i := range buf {
			buf[i] = byte('a' + i%26)
		}
		return fileFunc(f, s.Work, buf, last), nil
	}
	return builtStep{build: build, close: files.close, inputless: s.Work == fileRead, passes: s.Work != fileRead}, nil
}

func fileFunc(f *os.File, work string, buf []byte, last bool) stepFunc {
	var got answer
	return func(_ context.Context, _ int64, in any) (any, error) {
		if work == fileRead {
			n, err := f.ReadAt(buf, 0)
			if err != nil && err != io.EOF {
				return nil, err
			}
			got.reset()
			got.Write(buf[:n]) //nolint:errcheck // never fails
			return got.result(last), nil
		}
		if _, err := f.WriteAt(buf, 0); err != nil {
			return nil, err
		}
		if work == fileSync {
			if err := f.Sync(); err != nil {
				return nil, err
			}
		}
		return in, nil
	}
}

// A fileSet holds the open files of a step.
type fileSet struct {
	mu    sync.Mutex
	files []*os.File
}

// open opens the file of one slot. A file of the trial's own that is to be
// read is filled first; one that the user names is never changed by reading.
func (fs *fileSet) open(path string, s Step, size int64) (*os.File, error) {
	var f *os.File
	var err error
	switch {
	case s.Work == fileRead && s.Path != "":
		f, err = os.Open(path)
	case s.Path != "":
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	default:
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
		if err == nil && s.Work == fileRead {
			_, err = f.WriteAt(make([]byte, size), 0)
		}
	}
	if f != nil {
		fs.mu.Lock()
		fs.files = append(fs.files, f)
		fs.mu.Unlock()
	}
	return f, err
}

func (fs *fileSet) close() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.files {
		f.Close()
	}
	fs.files = nil
}

// safeName keeps of a step's name what any file system takes.
func safeName(s string) string {
	b := []byte(clip(s, 32))
	for i, c := range b {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			b[i] = '_'
		}
	}
	return string(b)
}
