package python

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
)

// Source is the probe, one file of Python.
//
//go:embed probe.py
var Source []byte

// File is the probe's name on disk: by it the frame reader tells the probe's
// frames from the op's.
const File = "concprof_probe.py"

// Install writes the probe into dir, a folder that is made for it or that
// belongs to nobody else, and returns the path of the file to run. It must be
// a real file: worker processes load it from the disk.
func Install(dir string) (path string, err error) {
	if err = os.MkdirAll(dir, 0o700); err == nil {
		err = os.Chmod(dir, 0o700) // it may have been there
	}
	path = filepath.Join(dir, File)
	if err == nil {
		err = os.WriteFile(path, Source, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("install the Python probe: %w", err)
	}
	return path, nil
}
