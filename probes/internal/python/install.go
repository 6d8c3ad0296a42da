package python

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The probe is a program and a package of Python, which the program imports.
//
//go:embed probe/*.py probe/concprof_probe/*.py
var source embed.FS

// AnchorFile is how the path of the file ends that has the anchors, the
// functions of the probe above which an op's own frames stand.
const AnchorFile = "/concprof_probe/op.py"

// Install writes the probe into dir, a folder that is made for it or that
// belongs to nobody else, and returns the path of the file to run. They must
// be real files: worker processes load them from the disk.
func Install(dir string) (path string, err error) {
	err = fs.WalkDir(source, "probe", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name[len("probe"):]))
		if d.IsDir() {
			if err = os.MkdirAll(to, 0o700); err == nil {
				err = os.Chmod(to, 0o700) // it may have been there
			}
			return err
		}
		data, err := source.ReadFile(name)
		if err == nil {
			err = os.WriteFile(to, data, 0o600)
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("install the Python probe: %w", err)
	}
	return filepath.Join(dir, "concprof_start.py"), nil
}
