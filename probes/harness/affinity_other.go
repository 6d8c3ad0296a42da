//go:build !linux

package harness

import (
	"fmt"
	"runtime"
)

func limitProcessors(int) error {
	return fmt.Errorf("not supported on %s", runtime.GOOS)
}
