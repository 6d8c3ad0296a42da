package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/concprof/concprof/probes/internal/proc"
)

// A Server is a running server.
type Server struct {
	Name    string
	Address string // host:port
	process *proc.Process
	output  *proc.Capture
}

// StartBuiltin starts a built-in server.
func StartBuiltin(ctx context.Context, name string, s Settings) (*Server, error) {
	self, err := proc.Self()
	if err != nil {
		return nil, err
	}
	address, addressW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer address.Close()
	settingsR, settings, err := os.Pipe()
	if err != nil {
		addressW.Close()
		return nil, err
	}
	srv := &Server{Name: name, output: new(proc.Capture)}
	srv.process, err = proc.Start(proc.Command{
		Path: self, Argv: []string{Name, name}, Dir: "/", Env: []string{},
		Files: []*os.File{addressW, settingsR}, Stderr: srv.output,
	})
	addressW.Close()
	settingsR.Close()
	if err != nil {
		settings.Close()
		return nil, fmt.Errorf("server %s: %w", name, err)
	}
	// The document is far smaller than a pipe holds, so this cannot block.
	err = errors.Join(json.NewEncoder(settings).Encode(s), settings.Close())
	if err == nil {
		if deadline, ok := ctx.Deadline(); ok {
			address.SetReadDeadline(deadline) //nolint:errcheck // pipes have deadlines
		}
		srv.Address, err = bufio.NewReader(address).ReadString('\n')
		srv.Address = strings.TrimSpace(srv.Address)
	}
	if err != nil {
		srv.Stop()
		return nil, fmt.Errorf("server %s did not start: %s", name, srv.why(err))
	}
	return srv, nil
}

// readyPoll is how often a server that starts is asked whether it is ready.
const readyPoll = 20 * time.Millisecond

// StartCommand starts a server of the user's and waits until ready, a tcp://
// or http:// address, answers, or ctx is done.
func StartCommand(ctx context.Context, name string, c proc.Command, ready string) (*Server, error) {
	var u *url.URL
	if ready != "" {
		var err error
		if u, err = url.Parse(ready); err != nil || u.Host == "" || (u.Scheme != "tcp" && u.Scheme != "http") {
			return nil, fmt.Errorf("server %s: ready %q: want tcp://HOST:PORT or http://HOST:PORT/PATH", name, ready)
		}
		if answers(ctx, u) == nil {
			return nil, fmt.Errorf("server %s: %s answers before the server is started: stop what listens there", name, ready)
		}
	}
	srv := &Server{Name: name, output: new(proc.Capture)}
	c.Stdout, c.Stderr = srv.output, srv.output
	var err error
	if srv.process, err = proc.Start(c); err != nil {
		return nil, fmt.Errorf("server %s: %w", name, err)
	}
	if u == nil {
		return srv, nil
	}
	srv.Address = u.Host
	for {
		err := answers(ctx, u)
		if err == nil {
			return srv, nil
		}
		select {
		case <-srv.process.Done():
			err = errors.New("it ended")
		case <-ctx.Done():
		case <-time.After(readyPoll):
			continue
		}
		srv.Stop()
		return nil, fmt.Errorf("server %s is not ready at %s: %s", name, u.Redacted(), srv.why(err))
	}
}

// answers tries an address once.
func answers(ctx context.Context, u *url.URL) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if u.Scheme == "tcp" {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
		if err != nil {
			return err
		}
		return c.Close()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)) //nolint:errcheck // only the status counts
	if res.StatusCode >= 500 {
		return fmt.Errorf("it answers %s", res.Status)
	}
	return nil
}

// why completes an error by the last line that the server printed.
func (s *Server) why(err error) string {
	text := strings.TrimSpace(string(s.output.Bytes()))
	if text == "" {
		return err.Error()
	}
	return fmt.Sprintf("%v; it printed: %s", err, text[strings.LastIndexByte(text, '\n')+1:])
}

// CPU returns the processor time that the server has used.
func (s *Server) CPU() time.Duration { return s.process.CPU() }

// Ended reports whether the server has ended by itself, and how.
func (s *Server) Ended() (how string, ended bool) {
	select {
	case <-s.process.Done():
	default:
		return "", false
	}
	e := s.process.Wait()
	how = fmt.Sprintf("exit status %d", e.Code)
	if e.Signal != "" {
		how = "signal: " + e.Signal
	}
	return s.why(errors.New(how)), true
}

// Stop ends the server and waits until nothing of it is left.
func (s *Server) Stop() {
	s.process.Kill()
	s.process.Wait()
}
