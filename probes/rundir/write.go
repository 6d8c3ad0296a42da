package rundir

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// temporary is the pattern of the names that files have until they are whole.
const temporary = ".concprof-*"

// WriteFile writes the file name in the folder dir, which it creates if need
// be. The file is whole or absent: it gets its name, which may have folders,
// only once it is written and synced. An existing file is replaced.
func WriteFile(dir, name string, write func(io.Writer) error) (err error) {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("write %s: not a path within %s", name, dir)
	}
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return writeError(path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), temporary)
	if err != nil {
		return writeError(path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := &writer{w: f}
	buf := bufio.NewWriter(w)
	if err := write(buf); err != nil && w.err == nil {
		return err // of the content, not of the disk
	}
	if err := buf.Flush(); err != nil {
		return writeError(path, err)
	}
	if err := f.Chmod(0o644); err != nil {
		return writeError(path, err)
	}
	return writeError(path, Seal(f, path))
}

// Seal syncs and closes f and gives it its final path in the same folder.
func Seal(f *os.File, path string) error {
	if err := f.Sync(); err != nil {
		return writeError(path, err)
	}
	if err := f.Close(); err != nil {
		return writeError(path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return writeError(path, err)
	}
	// The name itself survives a crash of the machine only once the folder
	// is synced. Some file systems refuse to sync folders.
	if d, err := os.Open(filepath.Dir(path)); err == nil {
		d.Sync() //nolint:errcheck // see above
		d.Close()
	}
	return nil
}

// A writer remembers that the disk failed, whatever the content's writer
// makes of it.
type writer struct {
	w   io.Writer
	err error
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}
