package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	// inputMark in an argument is replaced by the op's input.
	inputMark = "{input}"
	// outputDelay is how long a command that has ended may leave its output
	// open, in the hands of a process that it started.
	outputDelay = 2 * time.Second
)

// execStep starts a command and waits for its end. Its environment is the
// probe's, its standard error too; its output is the result. A command that
// does not exit with 0 is a failed op.
func execStep(s Step, last bool) (builtStep, error) {
	if len(s.Argv) == 0 {
		return builtStep{}, errors.New("no command")
	}
	if s.Stdin != "" && s.Stdin != "input" {
		return builtStep{}, fmt.Errorf("unknown standard input %q: want nothing or \"input\"", s.Stdin)
	}
	path := s.Argv[0]
	if !strings.Contains(path, inputMark) {
		p, err := exec.LookPath(path)
		if err != nil {
			return builtStep{}, err
		}
		path = p // found once, not for every op
	}
	build := func(int) (stepFunc, error) {
		got := new(answer)
		return func(ctx context.Context, _ int64, in any) (any, error) {
			input := asText(in)
			args := make([]string, len(s.Argv))
			for i, a := range s.Argv {
				args[i] = strings.ReplaceAll(a, inputMark, input)
			}
			cmd := exec.CommandContext(ctx, strings.ReplaceAll(path, inputMark, input))
			cmd.Args, cmd.Dir, cmd.WaitDelay = args, s.Dir, outputDelay
			got.reset()
			cmd.Stdout, cmd.Stderr = got, os.Stderr
			if s.Stdin != "" {
				cmd.Stdin = bytes.NewReader([]byte(input))
			}
			if err := cmd.Run(); err != nil {
				return nil, execFailure(s.Argv[0], err)
			}
			return got.result(last), nil
		}, nil
	}
	return builtStep{build: build}, nil
}

// execFailure names how a command failed: "exit status 3", "signal: killed".
func execFailure(name string, err error) error {
	if errors.Is(err, exec.ErrWaitDelay) {
		return &kindError{kind: "output left open", message: name + ": ended, but a process that it started keeps its output open"}
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	return &kindError{kind: exit.ProcessState.String(), message: fmt.Sprintf("%s: %s", name, exit.ProcessState)}
}

// asText is what stands for an input in an argument.
func asText(in any) string {
	switch v := in.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return fmt.Sprint(in)
}
