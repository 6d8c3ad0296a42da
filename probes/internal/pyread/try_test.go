package pyread

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestTry(t *testing.T) {
	py := os.Getenv("TRY")
	if py == "" {
		t.Skip()
	}
	cmd := exec.Command(py, "testdata/concprof_probe.py", os.Getenv("MODE"), os.Getenv("ARG"))
	cmd.Stderr = os.Stderr
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReader(out)
	l, _ := br.ReadString('\n')
	fmt.Print(l)
	s, err := Start(context.Background(), cmd.Process.Pid, Options{Children: true})
	if err != nil {
		t.Fatal(err)
	}
	d, _ := time.ParseDuration(os.Getenv("DUR"))
	time.Sleep(max(d, 2*time.Second))
	r := s.Stop()
	in.Close()
	l, _ = br.ReadString('\n')
	fmt.Print(l)
	cmd.Wait()
	fmt.Printf("%+v problem %q share %.4f\n", r.Seen, r.Problem, float64(r.Seen.ReaderCPUNs)/float64(r.Seen.WindowNs))
	for i, s := range r.Stacks {
		if i == 12 {
			break
		}
		fmt.Printf("%6d %8.1fms %s %s gil=%v", s.Count, float64(s.Ns)/1e6, s.State, s.Wait, s.GIL)
		for _, f := range s.Frames {
			fmt.Printf(" | %s:%d", f.Function, f.Line)
		}
		fmt.Println()
	}
}
