package probes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/concprof/concprof/probes/internal/server"
	"github.com/concprof/concprof/probes/workload"
)

// defaultReadyTime is how long a server may take to become ready.
const defaultReadyTime = 10 * time.Second

// startServers starts the file's servers, in the order of their names.
func (r *run) startServers(ctx context.Context) error {
	r.hosts = make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(r.prepared.file.Servers)) {
		s, err := r.startServer(ctx, name, r.prepared.file.Servers[name])
		if err != nil {
			return err
		}
		r.servers = append(r.servers, s)
		if s.Address != "" {
			r.hosts[name] = s.Address
		}
	}
	return nil
}

func (r *run) startServer(ctx context.Context, name string, s workload.Server) (*server.Server, error) {
	timeout := defaultReadyTime
	if s.Timeout > 0 {
		timeout = time.Duration(s.Timeout)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	switch {
	case s.HTTP != nil:
		return server.StartBuiltin(ctx, name, settings(server.HTTP, s.HTTP))
	case s.TCP != nil:
		return server.StartBuiltin(ctx, name, settings(server.TCP, s.TCP))
	case r.prepared.servers[name] != nil:
		return server.StartCommand(ctx, name, *r.prepared.servers[name], s.Ready)
	}
	return nil, fmt.Errorf("server %s: has neither http, tcp nor command", name)
}

func settings(p server.Protocol, b *workload.BuiltinServer) server.Settings {
	return server.Settings{
		Protocol: p, Latency: time.Duration(b.Latency), Jitter: time.Duration(b.Jitter),
		MaxConnections: b.MaxConnections, Bytes: int64(b.Bytes), CPU: time.Duration(b.CPU),
	}
}

func (r *run) stopServers() {
	for _, s := range slices.Backward(r.servers) {
		s.Stop()
	}
	r.servers = nil
}

// down returns why a server is not there any more, "" if all are.
func (r *run) down() string {
	for _, s := range r.servers {
		if how, ended := s.Ended(); ended {
			return fmt.Sprintf("server %s has ended: %s", s.Name, how)
		}
	}
	return ""
}

func (r *run) serverCPU() time.Duration {
	var sum time.Duration
	for _, s := range r.servers {
		sum += s.CPU()
	}
	return sum
}
