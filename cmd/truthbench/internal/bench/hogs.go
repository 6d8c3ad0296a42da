package bench

import (
	"fmt"
	"io"
	"os"
	"os/exec"
)

// hogVariable makes truthbench a hog.
const hogVariable = "TRUTHBENCH_HOG"

// Hog computes until its standard input ends, if this process was started to
// do that, and reports whether it was. The input is a pipe whose other end is
// truthbench, so a hog ends with truthbench however that ends.
func Hog(getenv func(string) string, stdin io.Reader) bool {
	if getenv(hogVariable) == "" {
		return false
	}
	done := make(chan struct{})
	go func() {
		io.Copy(io.Discard, stdin)
		close(done)
	}()
	for x := uint64(1); ; {
		for range 1 << 20 {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
		}
		select {
		case <-done:
			return true
		default:
		}
	}
}

// startHogs starts n busy processes and returns what ends them.
func startHogs(n int) (stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, f := range stops {
			f()
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for range n {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), hogVariable+"=1", "GOMAXPROCS=2")
		in, err := cmd.StdinPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			stop()
			return nil, fmt.Errorf("cannot start a hog: %w", err)
		}
		stops = append(stops, func() {
			in.Close()
			cmd.Process.Kill()
			cmd.Wait()
		})
	}
	return stop, nil
}
