package server

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/internal/proc"
)

func TestMain(m *testing.M) {
	switch os.Args[0] {
	case proc.KeeperName:
		proc.Keep()
	case Name:
		Main() //nolint:errcheck // its end is what is seen
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// soon bounds everything that must come, on a busy host.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func start(t *testing.T, s Settings) *Server {
	t.Helper()
	srv, err := StartBuiltin(soon(t), "api", s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Stop)
	return srv
}

func TestHTTP(t *testing.T) {
	const latency = 30 * time.Millisecond
	srv := start(t, Settings{Protocol: HTTP, Latency: latency, Bytes: 100_000, CPU: 5 * time.Millisecond})
	begin := time.Now()
	res, err := http.Post("http://"+srv.Address+"/any/path?q=1", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	if n != 100_000 || err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("%d bytes, %v, %s", n, err, res.Status)
	}
	if took := time.Since(begin); took < latency {
		t.Errorf("answered in %v", took)
	}
	if srv.CPU() == 0 {
		t.Log("no tick of CPU time has been counted yet") // /proc counts in 10 ms
	}
	if host, _, err := net.SplitHostPort(srv.Address); err != nil || host != "127.0.0.1" {
		t.Errorf("listens on %s", srv.Address)
	}
}

// However a request is cut into pieces, it comes back whole, one latency
// after it was sent.
func TestTCP(t *testing.T) {
	const latency = 30 * time.Millisecond
	srv := start(t, Settings{Protocol: TCP, Latency: latency})
	c, err := net.Dial("tcp", srv.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, size := range []int{1, 64, 1 << 20} {
		sent := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		begin := time.Now()
		go c.Write(sent) //nolint:errcheck // reading finds out
		got := make([]byte, size)
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("%d bytes: %v, equal %t", size, err, bytes.Equal(got, sent))
		}
		if took := time.Since(begin); took < latency {
			t.Errorf("%d bytes answered in %v", size, took)
		}
	}
}

func TestMaxConnections(t *testing.T) {
	srv := start(t, Settings{Protocol: TCP, MaxConnections: 2})
	open := func() net.Conn {
		c, err := net.Dial("tcp", srv.Address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		return c
	}
	answers := func(c net.Conn) error {
		_, err := c.Read(make([]byte, 1))
		return err
	}
	first, second := open(), open()
	if err := answers(first); err != nil {
		t.Fatal(err)
	}
	if err := answers(second); err != nil {
		t.Fatal(err)
	}
	third := open()
	third.SetReadDeadline(time.Now().Add(100 * time.Millisecond)) //nolint:errcheck // cannot fail
	if err := answers(third); err == nil {
		t.Fatal("a third connection was served beside two others")
	}
	third.SetReadDeadline(time.Time{}) //nolint:errcheck // cannot fail
	first.Close()
	if err := answers(third); err != nil {
		t.Errorf("the third connection was not served when there was room: %v", err)
	}
}

func TestDelay(t *testing.T) {
	s := Settings{Latency: 10 * time.Millisecond, Jitter: 4 * time.Millisecond}
	low, high := time.Hour, time.Duration(0)
	for range 1000 {
		d := s.delay()
		low, high = min(low, d), max(high, d)
	}
	if low < 6*time.Millisecond || high > 14*time.Millisecond || high-low < 7*time.Millisecond {
		t.Errorf("delays from %v to %v", low, high)
	}
	if d := (Settings{Latency: 1, Jitter: time.Hour}).delay(); d < 0 {
		t.Errorf("delay %v", d)
	}
}

func TestBurn(t *testing.T) {
	before := time.Now()
	burn(5 * time.Millisecond)
	if took := time.Since(before); took < 5*time.Millisecond {
		t.Errorf("5 ms of CPU time took %v", took)
	}
}

func command(script string) proc.Command {
	return proc.Command{Path: "/bin/sh", Argv: []string{"sh", "-c", script}, Dir: "/", Env: []string{"PATH=/bin:/usr/bin"}}
}

// freePort returns an address on which nothing listens.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func TestCommandServerThatDoesNotStart(t *testing.T) {
	short, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	tests := []struct {
		name, script, ready, want string
		ctx                       context.Context
	}{
		{"ends", "echo no configuration >&2; exit 1", "tcp://" + freePort(t), "it ended; it printed: no configuration", soon(t)},
		{"never ready", "sleep 1000", "http://" + freePort(t) + "/health", "is not ready at", short},
		{"bad address", "sleep 1000", "ftp://x", "want tcp://HOST:PORT", soon(t)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv, err := StartCommand(tt.ctx, "db", command(tt.script), tt.ready)
			if err == nil {
				srv.Stop()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// What listens already is not the server that was asked for.
func TestCommandServerWhoseAddressIsTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if _, err := StartCommand(soon(t), "db", command("sleep 1000"), "tcp://"+ln.Addr().String()); err == nil || !strings.Contains(err.Error(), "answers before") {
		t.Errorf("error %v", err)
	}
}

func TestEnded(t *testing.T) {
	srv, err := StartCommand(soon(t), "db", command("echo disk full >&2; exit 7"), "")
	if err != nil {
		t.Fatal(err)
	}
	<-srv.process.Done()
	if how, ended := srv.Ended(); !ended || how != "exit status 7; it printed: disk full" {
		t.Errorf("%t, %q", ended, how)
	}
	if how, ended := start(t, Settings{Protocol: HTTP}).Ended(); ended {
		t.Errorf("a running server has ended: %s", how)
	}
}
