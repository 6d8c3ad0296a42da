// Package builtin turns the built-in steps of a workload, and the controls,
// into what a probe executes.
package builtin

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/plan"
	"github.com/concprof/concprof/probes/workload"
)

// Defaults of steps, as the workload file documents them.
const (
	defaultTCPBytes  = 64
	defaultFileBytes = 4 << 10
)

// The controls: short enough that a trial has hundreds of ops, long enough
// that calling the op does not show.
const (
	controlCPUTime  = time.Millisecond
	controlWaitTime = 5 * time.Millisecond
)

// Control returns the one step of a control's op.
func Control(c plan.Control) ([]harness.Step, error) {
	switch c {
	case plan.ControlCPU:
		return []harness.Step{{Name: "cpu", Kind: harness.KindCPU, Work: "sha256", ForNs: int64(controlCPUTime)}}, nil
	case plan.ControlWait:
		return []harness.Step{{Name: "sleep", Kind: harness.KindSleep, ForNs: int64(controlWaitTime)}}, nil
	}
	return nil, fmt.Errorf("unknown control %q", c)
}

// Step returns a built-in step: any but go and exec. Paths start at dir;
// addresses holds host:port of every server by its name.
func Step(s workload.Step, dir string, addresses map[string]string) (harness.Step, error) {
	h := harness.Step{Name: s.Name}
	switch {
	case s.Sleep != nil:
		h.Kind, h.ForNs, h.JitterNs = harness.KindSleep, int64(s.Sleep.For), int64(s.Sleep.Jitter)
	case s.HTTP != nil:
		h.Kind, h.Method, h.Bytes = harness.KindHTTP, s.HTTP.Method, int64(s.HTTP.Body)
		return h, httpAddress(&h, s.HTTP, addresses)
	case s.TCP != nil:
		h.Kind, h.Connect, h.Bytes = harness.KindTCP, s.TCP.Connect, or(int64(s.TCP.Bytes), defaultTCPBytes)
		h.Address = s.TCP.Address
		if s.TCP.Server != "" {
			var ok bool
			if h.Address, ok = addresses[s.TCP.Server]; !ok {
				return h, fmt.Errorf("no server %q", s.TCP.Server)
			}
		}
	case s.File != nil:
		h.Kind, h.Work, h.Bytes = harness.KindFile, s.File.Op, or(int64(s.File.Bytes), defaultFileBytes)
		if h.Path = s.File.Path; h.Path != "" && !filepath.IsAbs(h.Path) {
			h.Path = filepath.Join(dir, h.Path)
		}
	case s.CPU != nil:
		h.Kind, h.Work, h.ForNs, h.Iterations = harness.KindCPU, s.CPU.Kind, int64(s.CPU.For), s.CPU.Iterations
	case s.Alloc != nil:
		h.Kind, h.Bytes, h.Count = harness.KindAlloc, int64(s.Alloc.Bytes), or(s.Alloc.Objects, 1)
	case s.Lock != nil:
		h.Kind, h.ForNs, h.Work = harness.KindLock, int64(s.Lock.For), s.Lock.While
		if h.Work == "" {
			h.Work = "cpu"
		}
	case s.Channel != nil:
		h.Kind, h.Count = harness.KindChannel, s.Channel.Messages
	default:
		return h, fmt.Errorf("step %q is not a built-in one", s.Name)
	}
	return h, nil
}

// httpAddress sets the URL of an HTTP step, with the path joined to it.
func httpAddress(h *harness.Step, s *workload.HTTP, addresses map[string]string) error {
	base := s.URL
	if s.Server != "" {
		address, ok := addresses[s.Server]
		if !ok {
			return fmt.Errorf("no server %q", s.Server)
		}
		base = "http://" + address
	}
	u, err := url.Parse(base)
	if err != nil {
		return fmt.Errorf("url: %w", err)
	}
	if s.Path != "" {
		path, query, _ := strings.Cut(s.Path, "?")
		u = u.JoinPath(path)
		if query != "" {
			u.RawQuery = query
		}
	}
	h.Address = u.String()
	return nil
}

func or(n, otherwise int64) int64 {
	if n == 0 {
		return otherwise
	}
	return n
}
