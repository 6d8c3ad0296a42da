package proc

import (
	"os/exec"
	"sync"
)

// keepers are the keepers that this process has started and not yet waited
// for. It is a property of the process, like its children, and so the one
// variable of this package.
var keepers = registry{pids: make(map[int]bool)}

type registry struct {
	mu   sync.Mutex // held while a keeper is started: it is known once it can be seen
	pids map[int]bool

	tried      sync.Once
	namespaces bool // whether one can have a PID namespace
}

func (r *registry) start(c *exec.Cmd) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := c.Start(); err != nil {
		return err
	}
	r.pids[c.Process.Pid] = true
	return nil
}

func (r *registry) remove(pid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pids, pid)
}
