package op

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// client keeps as many connections as there may be ops in flight: the default
// client keeps two a host and opens new ones for the others.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

// single opens a connection for each request: a server that serves so many at
// a time would wait for ever for one that a client keeps.
var single = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// get makes a request to a server whose address is in an environment variable.
func get(ctx context.Context, by *http.Client, variable string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+os.Getenv(variable), nil)
	if err != nil {
		return 0, err
	}
	resp, err := by.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}

// GetFar asks a server that answers after 20 ms.
func GetFar(ctx context.Context) (int, error) { return get(ctx, client, "CONCPROF_SERVER_FAR") }

// GetNear asks a server that answers after a millisecond.
func GetNear(ctx context.Context) (int, error) { return get(ctx, client, "CONCPROF_SERVER_NEAR") }

// GetNarrow asks a server that serves 4 connections at a time.
func GetNarrow(ctx context.Context) (int, error) { return get(ctx, single, "CONCPROF_SERVER_NARROW") }

// GetBusy asks a server that computes for 5 ms: the op itself waits.
func GetBusy(ctx context.Context) (int, error) { return get(ctx, client, "CONCPROF_SERVER_BUSY") }

// conns are idle connections to the echo server, the last used first.
var conns struct {
	sync.Mutex
	idle []net.Conn
}

// Echo sends 64 bytes to a TCP server and reads them back 5 ms later.
func Echo(ctx context.Context) error {
	conns.Lock()
	var c net.Conn
	if n := len(conns.idle); n > 0 {
		c, conns.idle = conns.idle[n-1], conns.idle[:n-1]
	}
	conns.Unlock()
	if c == nil {
		var err error
		if c, err = (&net.Dialer{}).DialContext(ctx, "tcp", os.Getenv("CONCPROF_SERVER_ECHO")); err != nil {
			return err
		}
	}
	line := make([]byte, 64)
	if _, err := c.Write(line); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, line); err != nil {
		return err
	}
	conns.Lock()
	conns.idle = append(conns.idle, c)
	conns.Unlock()
	return nil
}

// Sleep waits for a timer.
func Sleep() { time.Sleep(10 * time.Millisecond) }

// SleepLong waits for more than two seconds.
func SleepLong() { time.Sleep(2100 * time.Millisecond) }

// Bimodal computes for 0.2 ms like a hit of a cache, and in one of ten ops
// waits for 20 ms like a miss.
func Bimodal(n int) int {
	burn(200 * time.Microsecond)
	if n%10 == 0 {
		time.Sleep(20 * time.Millisecond)
	}
	return n
}

// FailSome waits for 5 ms and fails for one input in twenty.
func FailSome(n int) (int, error) {
	time.Sleep(5 * time.Millisecond)
	if n%20 == 7 {
		return 0, errors.New("an input that fails")
	}
	return n, nil
}
