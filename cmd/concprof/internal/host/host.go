// Package host describes the machine of a run, without anything that names it
// or its user.
package host

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/concprof/concprof/probes/rundir"
)

// Describe returns what a run's manifest says of this machine.
func Describe() rundir.Host { return describe("/") }

// describe reads /proc and /sys below root.
func describe(root string) rundir.Host {
	read := func(path string) string {
		data, _ := os.ReadFile(filepath.Join(root, path))
		return strings.TrimSpace(string(data))
	}
	cpu := cpuInfo(read("proc/cpuinfo"))
	h := rundir.Host{
		OS:          runtime.GOOS,
		Arch:        runtime.GOARCH,
		Kernel:      read("proc/sys/kernel/osrelease"),
		CPU:         cpu.name,
		Cores:       runtime.GOMAXPROCS(0),
		MemoryBytes: memory(read("proc/meminfo")),
		Virtual:     cpu.hypervisor,
	}
	if read("proc/self/schedstat") == "" {
		h.Unenforced = append(h.Unenforced, "run-queue delay")
	}
	if read("proc/pressure/cpu") == "" {
		h.Unenforced = append(h.Unenforced, "CPU pressure")
	}
	h.Fingerprint = fingerprint(h)
	return h
}

// fingerprint hashes what makes two hosts measure alike. The kernel is part
// of it: its scheduler decides what threads cost.
func fingerprint(h rundir.Host) string {
	// Memory is rounded to GiB: what the firmware keeps differs by boot.
	text := fmt.Sprintf("%s/%s/%s/%s/%d/%d/%v", h.OS, h.Arch, h.Kernel, h.CPU, h.Cores, (h.MemoryBytes+1<<29)>>30, h.Virtual)
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

type cpu struct {
	name       string
	hypervisor bool
}

// cpuInfo reads /proc/cpuinfo: of the first processor, the others are alike.
func cpuInfo(text string) cpu {
	var c cpu
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		key, value, found := strings.Cut(s.Text(), ":")
		if !found {
			if c.name != "" {
				break // an empty line ends the first processor
			}
			continue
		}
		switch value = strings.TrimSpace(value); strings.TrimSpace(key) {
		case "model name", "Model":
			if c.name == "" {
				c.name = value
			}
		case "flags":
			c.hypervisor = strings.Contains(" "+value+" ", " hypervisor ")
		}
	}
	return c
}

// memory reads MemTotal of /proc/meminfo, in bytes.
func memory(text string) int64 {
	for _, line := range strings.Split(text, "\n") {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "MemTotal:" && fields[2] == "kB" {
			kib, _ := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}
