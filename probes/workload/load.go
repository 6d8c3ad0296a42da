package workload

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Load reads the workload file at path and checks also that the files it
// names are there. Its error is a *Faults for everything that is wrong with
// the file's content.
//
// A file is looked at before it is opened: a FIFO would block, a device may
// never end.
func Load(path string) (*File, error) {
	src, err := read(path)
	if err != nil {
		return nil, err
	}
	f, d, err := parse(path, src)
	if err != nil {
		return nil, err
	}
	for i := range f.Workloads {
		w, at := &f.Workloads[i], place{}.in("workloads", i)
		d.checkInputs(f, w, at.in("inputs"))
		if w.Python != nil {
			d.checkFiles(f, w.Python, at.in("python"))
		}
		for j, s := range w.Steps {
			if s.Python != nil {
				d.checkFiles(f, s.Python, at.in("steps", j, "python"))
			}
		}
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return f, nil
}

// A FileError says that a workload file cannot be read at all.
type FileError struct {
	Path   string
	Reason string
	Hint   string
	Err    error // what the system said, or nil
}

// Error implements error.
func (e *FileError) Error() string { return fmt.Sprintf("cannot read %s: %s", e.Path, e.Reason) }

// Unwrap returns what the system said.
func (e *FileError) Unwrap() error { return e.Err }

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &FileError{Path: path, Reason: reason(err), Err: err, Hint: `"concprof init" writes a file to begin with`}
	}
	if err := refuse(path, info); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, &FileError{Path: path, Reason: reason(err), Err: err}
	}
	defer file.Close()
	// It may have been replaced since, and it may grow while it is read.
	if info, err = file.Stat(); err != nil {
		return nil, &FileError{Path: path, Reason: reason(err), Err: err}
	}
	if err := refuse(path, info); err != nil {
		return nil, err
	}
	src, err := io.ReadAll(io.LimitReader(file, MaxFileBytes+1))
	if err != nil {
		return nil, &FileError{Path: path, Reason: reason(err), Err: err}
	}
	return src, nil
}

func refuse(path string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return &FileError{Path: path, Reason: "it is a directory", Hint: "name the file in it, such as " + filepath.Join(path, "workload.yaml")}
	case !info.Mode().IsRegular():
		return &FileError{Path: path, Reason: "it is not a regular file"}
	case info.Size() > MaxFileBytes:
		return &FileError{Path: path, Reason: fmt.Sprintf("it has %d bytes; the most is %v", info.Size(), Size(MaxFileBytes))}
	}
	return nil
}

// reason is the system's word for what failed, without the path.
func reason(err error) string {
	if e, ok := err.(*fs.PathError); ok {
		return e.Err.Error()
	}
	return err.Error()
}

func (d *document) checkInputs(f *File, w *Workload, at place) {
	if w.Inputs == nil || w.Inputs.File == "" || d.known(at) {
		return
	}
	if full := at.in("file"); d.exists(full) {
		at = full
	}
	path := w.Inputs.File
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.Dir, path)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		d.say(at, "inputs "+quoted(w.Inputs.File)+": "+reason(err), "paths are relative to "+printable(f.Dir))
	case info.IsDir():
		d.say(at, "inputs "+quoted(w.Inputs.File)+" is a directory", "name a file with a line per op")
	case !info.Mode().IsRegular():
		d.say(at, "inputs "+quoted(w.Inputs.File)+" is not a regular file", "")
	case info.Size() == 0:
		d.say(at, "inputs "+quoted(w.Inputs.File)+" is empty", "it needs a line per op")
	}
}
