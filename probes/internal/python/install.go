package python

import (
	_ "embed"
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

// Install writes the probe into a folder that it makes in dir, which only this
// user can read, and returns the file's path. It must be a real file: worker
// processes load it from the disk.
func Install(dir string) (string, error) {
	own, err := os.MkdirTemp(dir, "probe-") // of mode 0700
	if err != nil {
		return "", err
	}
	path := filepath.Join(own, File)
	return path, os.WriteFile(path, Source, 0o600)
}
