package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestListener asks the program's own listener as another site, another
// machine's name and another method would, takes its port, and ends it.
func TestListener(t *testing.T) {
	b := newBench(t)
	if err := os.WriteFile(filepath.Join(b.dir, "fails.yaml"), []byte("version: 1\nworkloads:\n  - {name: own, command: [\"false\"]}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := b.concprof(t, "analyze", "fails.yaml", "--budget", "6s"); code != 1 {
		t.Fatalf("exit code %d:\n%s", code, stderr)
	}
	cmd := b.command("concprof", "pprof", "--no-browser")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(strings.Trim(line, "/\n"), "http://")
	for _, tt := range []struct {
		name, request string
		code          string
	}{
		{"itself", "GET / HTTP/1.1\r\nHost: " + address, "200"},
		{"a name that was rebound", "GET / HTTP/1.1\r\nHost: evil.example", "421"},
		{"a name that looks local", "GET / HTTP/1.1\r\nHost: localhost.evil.example", "421"},
		{"no name", "GET / HTTP/1.0", "421"},
		{"an empty name", "GET / HTTP/1.1\r\nHost:", "421"},
		{"a name in the request line", "GET http://evil.example/ HTTP/1.1\r\nHost: " + address, "421"},
		{"another site", "GET / HTTP/1.1\r\nHost: " + address + "\r\nSec-Fetch-Site: cross-site", "403"},
		{"another origin", "GET / HTTP/1.1\r\nHost: " + address + "\r\nOrigin: http://evil.example", "403"},
		{"a post", "POST / HTTP/1.1\r\nHost: " + address + "\r\nContent-Length: 0", "405"},
		{"the default mux", "GET /debug/pprof/ HTTP/1.1\r\nHost: " + address, "404"},
		{"a path that climbs", "GET /../../etc/passwd HTTP/1.1\r\nHost: " + address, "307"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, tt.request+"\r\nConnection: close\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			status, _ := bufio.NewReader(c).ReadString('\n')
			if f := strings.Fields(status); len(f) < 2 || f[1] != tt.code {
				t.Errorf("%q, want %s", status, tt.code)
			}
		})
	}
	if code, _, stderr := b.concprof(t, "pprof", "--no-browser", "--http", address); code != 1 ||
		!strings.Contains(stderr, "error: cannot serve on "+address) || !strings.Contains(stderr, "hint: choose another port, or 0 for a free one") {
		t.Errorf("on a port that is taken: exit code %d:\n%s", code, stderr)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if _, err := http.Get("http://" + address); err == nil {
		t.Error("something still answers")
	}
}
