package harness

import (
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	// maxInputBytes bounds a file of inputs, which is kept in memory.
	maxInputBytes = 64 << 20
	// boxedInputs is how many numbers are kept as interface values, so that
	// giving one to an op allocates nothing.
	boxedInputs = 1 << 16
)

// inputs gives every op what it works on: a line of a file or a number.
type inputs struct {
	values []any // cycled by the op's number; nil: the number itself
	count  int64 // numbers are taken modulo this; 0: not
}

func loadInputs(spec *Inputs) (*inputs, error) {
	if spec == nil {
		return &inputs{}, nil
	}
	if spec.File == "" {
		in := &inputs{count: spec.Count}
		if in.count > 0 && in.count <= boxedInputs {
			for i := int64(0); i < in.count; i++ {
				in.values = append(in.values, i)
			}
		}
		return in, nil
	}
	f, err := os.Open(spec.File)
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxInputBytes+1))
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	if len(data) > maxInputBytes {
		return nil, fmt.Errorf("inputs: %s is longer than %d bytes", spec.File, maxInputBytes)
	}
	text := strings.TrimSuffix(string(data), "\n")
	if text == "" {
		return nil, fmt.Errorf("inputs: %s has no lines", spec.File)
	}
	in := &inputs{}
	for _, line := range strings.Split(text, "\n") {
		in.values = append(in.values, strings.TrimSuffix(line, "\r"))
	}
	return in, nil
}

func (in *inputs) of(op int64) any {
	if n := len(in.values); n > 0 {
		return in.values[uint64(op)%uint64(n)]
	}
	if in.count > 0 {
		op %= in.count
	}
	return op
}
