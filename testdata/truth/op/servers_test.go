package op

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// serverVariable makes the test's own program a server: "http 20ms 0s 4" for
// latency, CPU time and connections served at a time.
const serverVariable = "TRUTH_SERVER"

// servers are those of the workload files, by the end of their variable.
var servers = map[string]string{
	"FAR": "http 20ms 0s 0", "NEAR": "http 1ms 0s 0", "NARROW": "http 10ms 0s 4", "BUSY": "http 0s 5ms 0", "ECHO": "tcp 5ms 0s 0",
	"SLOW": "tcp 20ms 0s 0",
}

func TestMain(m *testing.M) {
	if spec := os.Getenv(serverVariable); spec != "" {
		if err := serve(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// startServers starts the servers in processes of their own, so that their CPU
// time is nobody's op. They end with their standard input, and so with the
// test.
func startServers(t *testing.T) {
	t.Helper()
	for name, spec := range servers {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), serverVariable+"="+spec)
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			in.Close()
			cmd.Wait()
		})
		address, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatalf("server %s: %v", name, err)
		}
		t.Setenv("CONCPROF_SERVER_"+name, strings.TrimSpace(address))
	}
}

// serve is the whole of a server's process.
func serve(spec string) error {
	var kind, latency, cpu, most string
	if _, err := fmt.Sscan(spec, &kind, &latency, &cpu, &most); err != nil {
		return err
	}
	wait, err := time.ParseDuration(latency)
	if err != nil {
		return err
	}
	compute, err := time.ParseDuration(cpu)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(most)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin) // ends with the test
		os.Exit(0)
	}()
	if kind == "tcp" {
		return serveTCP(ln, wait)
	}
	places := make(chan struct{}, max(n, 1))
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n > 0 {
			places <- struct{}{}
			defer func() { <-places }()
		}
		if compute > 0 {
			burn(compute)
		}
		time.Sleep(wait)
	}))
}

func serveTCP(ln net.Listener, wait time.Duration) error {
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			buf := make([]byte, 64)
			for {
				if _, err := io.ReadFull(c, buf); err != nil {
					return
				}
				time.Sleep(wait)
				if _, err := c.Write(buf); err != nil {
					return
				}
			}
		}()
	}
}
