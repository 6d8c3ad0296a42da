//go:build !unix

package harness

import (
	"fmt"
	"os"
	"runtime"
)

func mapShared(*os.File) (*sharedState, error) {
	return nil, fmt.Errorf("map shared memory: not supported on %s", runtime.GOOS)
}
