package python

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/concprof/concprof/probes/model"
	"github.com/concprof/concprof/probes/record"
)

//go:embed find.py
var findScript string

// What asking an interpreter may take. A shim in front of it is a shell
// script, which may take a second.
const (
	askTime    = 15 * time.Second
	askBytes   = 64 << 10 // of each output
	killDelay  = time.Second
	answerMark = "concprof-interpreter: "
)

// An answer is the line that find.py prints.
type answer struct {
	record.Interpreter
	Executable string                 `json:"executable"`
	Lacks      map[model.Model]string `json:"lacks"`
}

// ask executes an interpreter once. Variables that change what Python
// imports, and the user's own site-packages, do not reach it.
func (s Search) ask(ctx context.Context, path string) (*Interpreter, error) {
	asking, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	cmd := exec.CommandContext(asking, path, "-E", "-s", "-c", findScript)
	cmd.Dir, cmd.Env = s.Dir, append([]string{}, s.Env...) // not nil, which would inherit all
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}  // a shim and what it starts end together
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killDelay
	var stdout, stderr clipped
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var missing *fs.PathError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case asking.Err() != nil:
		return nil, fmt.Errorf("%s: no answer within %v", path, askTime)
	case errors.As(err, &missing):
		return nil, fmt.Errorf("%s: %w", path, missing.Err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w%s", path, err, lastLine(stderr.Bytes()))
	}
	i, err := parseAnswer(stdout.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if i.Path == "" {
		i.Path = path
	}
	return i, nil
}

// parseAnswer reads what find.py printed; a shim, or something that the
// interpreter loads when it starts, may have printed more.
func parseAnswer(stdout []byte) (*Interpreter, error) {
	i := bytes.LastIndex(stdout, []byte("\n"+answerMark))
	if i < 0 {
		return nil, errors.New("it does not answer as a Python does")
	}
	line, _, _ := bytes.Cut(stdout[i+1+len(answerMark):], []byte{'\n'})
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, fmt.Errorf("read its answer: %w", err)
	}
	if a.Executable != "" && !filepath.IsAbs(a.Executable) {
		a.Executable = ""
	}
	return &Interpreter{Interpreter: a.Interpreter, Path: a.Executable, Lacks: a.Lacks}, nil
}

// lastLine returns the last line of what a program printed, as the end of a
// message.
func lastLine(text []byte) string {
	s := strings.TrimSpace(string(text))
	if s = strings.TrimSpace(s[strings.LastIndexByte(s, '\n')+1:]); s == "" {
		return ""
	}
	return ": " + s[:min(len(s), 300)]
}

// clipped keeps the first askBytes of what is written to it.
type clipped struct{ bytes.Buffer }

func (c *clipped) Write(p []byte) (int, error) {
	c.Buffer.Write(p[:min(len(p), max(askBytes-c.Len(), 0))])
	return len(p), nil
}
