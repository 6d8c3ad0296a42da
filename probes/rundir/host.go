package rundir

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
)

// CurrentHost describes the machine that this process runs on.
func CurrentHost() Host {
	h := Host{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.GOMAXPROCS(0)}
	h.inspect()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%d\x00%d\x00%t",
		h.OS, h.Arch, h.Kernel, h.CPU, h.Cores, h.MemoryBytes, h.Virtual))
	h.Fingerprint = hex.EncodeToString(sum[:6])
	return h
}
