package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	// inputMark in an argument is replaced by the op's input.
	inputMark = "{input}"
	// maxHashedOutput is how much of a command's output enters the digest;
	// the rest is read and dropped.
	maxHashedOutput = 1 << 20
	// outputDelay is how long a command that has ended may leave its output
	// open, in the hands of a process that it started.
	outputDelay = 2 * time.Second
)

// execStep starts a command and waits for its end. Its environment is the
// probe's, its standard error too; its output is dropped but for a hash,
// which is the result. A command that does not exit with 0 is a failed op.
func execStep(s Step) (builtStep, error) {
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
	return builtStep{build: same(func(ctx context.Context, _ int64, in any) (any, error) {
		input := asText(in)
		args := make([]string, len(s.Argv))
		for i, a := range s.Argv {
			args[i] = strings.ReplaceAll(a, inputMark, input)
		}
		cmd := exec.CommandContext(ctx, strings.ReplaceAll(path, inputMark, input))
		cmd.Args, cmd.Dir, cmd.WaitDelay = args, s.Dir, outputDelay
		var out outputHash
		cmd.Stdout, cmd.Stderr = &out, os.Stderr
		if s.Stdin != "" {
			cmd.Stdin = bytes.NewReader([]byte(input))
		}
		if err := cmd.Run(); err != nil {
			return nil, execFailure(s.Argv[0], err)
		}
		return out.sum(), nil
	})}, nil
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

// outputHash hashes the first maxHashedOutput bytes written to it and counts
// the others.
type outputHash struct {
	crc    uint32
	length uint64
}

var _ io.Writer = (*outputHash)(nil)

func (h *outputHash) Write(p []byte) (int, error) {
	if h.length < maxHashedOutput {
		h.crc = crc32.Update(h.crc, castagnoli, p[:min(uint64(len(p)), maxHashedOutput-h.length)])
	}
	h.length += uint64(len(p))
	return len(p), nil
}

func (h *outputHash) sum() uint64 { return h.length<<32 ^ uint64(h.crc) }
