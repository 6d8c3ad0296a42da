//go:build !unix

package harness

import (
	"fmt"
	"os"
	"runtime"
)

func takeFD(fd int, name string) (*os.File, error) {
	return nil, fmt.Errorf("take %s descriptor %d: not supported on %s", name, fd, runtime.GOOS)
}
