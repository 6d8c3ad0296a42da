package proc

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cgroupThreads is what pids.max allows beyond Limits.Processes: the kernel
// counts threads, which Limits does not bound.
const cgroupThreads = 4096

// A cgroup (version 2) holds a target and all that it starts to the limits on
// memory and processes, at once and by the kernel, where the watchdogs are up
// to three seconds late. It is nil where this user cannot make one.
type cgroup struct{ dir string }

// newCgroup makes a cgroup with limits, nil if l has none or it cannot be made.
func newCgroup(l Limits) *cgroup {
	if l.MemoryBytes == 0 && l.Processes == 0 {
		return nil
	}
	parent := cgroupParent("/")
	if parent == "" {
		return nil
	}
	c, err := makeCgroup(parent, l)
	if err != nil {
		return nil // the watchdogs hold the limits, and the report says so
	}
	return c
}

// Cgroups reports whether the kernel can be made to hold limits on memory and
// processes here: whether a cgroup can be made.
func Cgroups() bool {
	c := newCgroup(Limits{MemoryBytes: 1 << 30, Processes: 1})
	if c == nil {
		return false
	}
	return c.remove() == nil
}

// cgroupParent returns the folder, below root, in which cgroups with a limit on
// memory and processes can be made: that of this process or, as one that has
// processes may not have children with limits, the one above, unless that would
// take trials out of limits that were set for this process: what is measured is
// to be measured within them. It is "" if there is none, or only version 1.
func cgroupParent(root string) string {
	lines, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(lines)) {
		own, ok := strings.CutPrefix(strings.TrimSpace(line), "0::/")
		if !ok || slices.Contains(strings.Split(own, "/"), "..") { // outside of what this namespace sees
			continue
		}
		mount := filepath.Join(root, "sys/fs/cgroup")
		for _, dir := range []string{own, filepath.Dir(own)} {
			dir = filepath.Join(mount, dir)
			text, err := os.ReadFile(filepath.Join(dir, "cgroup.subtree_control"))
			controllers := strings.Fields(string(text))
			if dir != filepath.Join(mount, own) && bounded(filepath.Join(mount, own)) {
				break
			}
			if err == nil && slices.Contains(controllers, "memory") && slices.Contains(controllers, "pids") {
				return dir
			}
		}
	}
	return ""
}

// bounded reports whether a cgroup has limits that change what its processes
// measure.
func bounded(dir string) bool {
	for name, unbounded := range map[string]string{"cpu.max": "max", "memory.max": "max", "memory.high": "max", "cpuset.cpus": "", "io.max": ""} {
		text, err := os.ReadFile(filepath.Join(dir, name)) // not there without its controller
		first, _, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
		if err == nil && first != unbounded {
			return true
		}
	}
	return false
}

// path is where the cgroup is, "" for none.
func (c *cgroup) path() string {
	if c == nil {
		return ""
	}
	return c.dir
}

// makeCgroup makes a cgroup within parent.
func makeCgroup(parent string, l Limits) (*cgroup, error) {
	c := &cgroup{filepath.Join(parent, "concprof-"+strconv.Itoa(os.Getpid())+"-"+rand.Text()[:8])}
	if err := os.Mkdir(c.dir, 0o755); err != nil {
		return nil, err
	}
	if err := c.limit(l); err != nil {
		return nil, errors.Join(err, c.remove())
	}
	return c, nil
}

// limit sets what the kernel holds. Swap would only delay the end of a leak.
func (c *cgroup) limit(l Limits) error {
	if n := l.MemoryBytes; n > 0 {
		if err := c.write("memory.max", strconv.FormatInt(n, 10)); err != nil {
			return err
		}
		c.write("memory.swap.max", "0")  //nolint:errcheck // not there without swap
		c.write("memory.oom.group", "1") //nolint:errcheck // Linux before 4.19: the largest process alone is killed
	}
	if n := l.Processes; n > 0 {
		return c.write("pids.max", strconv.Itoa(n+cgroupThreads))
	}
	return nil
}

func (c *cgroup) write(name, text string) error {
	return os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600) // the kernel has the file, or refuses
}

// number reads a file of one number, or of lines "name number".
func (c *cgroup) number(file, name string) int64 {
	data, err := os.ReadFile(filepath.Join(c.dir, file))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if name != "" && (len(f) != 2 || f[0] != name) || len(f) == 0 {
			continue
		}
		n, _ := strconv.ParseInt(f[len(f)-1], 10, 64)
		return n
	}
	return 0
}

// killed reports whether the kernel killed something in it over memory.max, and
// the most memory that it had, 0 if that is not known (Linux before 5.19).
func (c *cgroup) killed() (peak int64, killed bool) {
	if c == nil {
		return 0, false
	}
	return c.number("memory.peak", ""), c.number("memory.events", "oom_kill") > 0
}

// refused reports whether a process or thread could not be started over
// pids.max.
func (c *cgroup) refused() bool { return c != nil && c.number("pids.events", "max") > 0 }

// remove removes the cgroup, whose processes are gone. The kernel may take a
// moment to see that.
func (c *cgroup) remove() error {
	if c == nil {
		return nil
	}
	var err error
	for range 50 {
		if err = os.Remove(c.dir); err == nil || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	return fmt.Errorf("remove cgroup: %w", err)
}
