// Package server is the built-in server: an HTTP or TCP endpoint on loopback
// that answers after a latency, for workloads that need something to wait
// for. It runs in a process of its own, so that its work is not taken for the
// workload's.
package server

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"time"
)

// Name is argv[0] of a server process.
const Name = "concprof-server"

// The descriptors of a server process.
const (
	AddressFD  = 3 // server -> concprof: its address, one line
	SettingsFD = 4 // concprof -> server: Settings, one JSON document
)

// maxSettingsBytes bounds what a server process reads on SettingsFD.
const maxSettingsBytes = 1 << 16

// Protocol is what a server speaks.
type Protocol string

// The protocols.
const (
	HTTP Protocol = "http"
	TCP  Protocol = "tcp"
)

// Settings say how a server answers.
type Settings struct {
	Protocol Protocol      `json:"protocol"`
	Latency  time.Duration `json:"latency"`
	Jitter   time.Duration `json:"jitter"` // plus or minus, uniform
	// MaxConnections bounds the connections that are served at once; the
	// others wait in the listen queue. 0 means no bound.
	MaxConnections int           `json:"max_connections"`
	Bytes          int64         `json:"bytes"` // of an HTTP answer
	CPU            time.Duration `json:"cpu"`   // computed for each request
}

// delay draws how long a request takes to be answered.
func (s Settings) delay() time.Duration {
	d := s.Latency
	if s.Jitter > 0 {
		d += time.Duration(rand.Int64N(2*int64(s.Jitter)+1)) - s.Jitter
	}
	return max(d, 0)
}

// Main serves until the process is killed. It returns only when it cannot.
func Main() error {
	data, err := io.ReadAll(io.LimitReader(os.NewFile(SettingsFD, "settings"), maxSettingsBytes))
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	var s Settings
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := os.NewFile(AddressFD, "address")
	if _, err := fmt.Fprintln(address, ln.Addr()); err != nil {
		return fmt.Errorf("report address: %w", err)
	}
	if err := address.Close(); err != nil {
		return fmt.Errorf("report address: %w", err)
	}
	return Serve(ln, s)
}

// Serve answers on ln until it fails.
func Serve(ln net.Listener, s Settings) error {
	if s.MaxConnections > 0 {
		ln = &limited{Listener: ln, free: make(chan struct{}, s.MaxConnections)}
	}
	if s.Protocol == TCP {
		return serveTCP(ln, s)
	}
	return serveHTTP(ln, s)
}
