package harness

import (
	"context"
	"fmt"
	"sync/atomic"
)

// allocStep allocates bytes in a number of pieces and drops them. It passes
// on what it was given.
func allocStep(s Step) (builtStep, error) {
	objects := max(1, s.Count)
	if s.Bytes < objects {
		return builtStep{}, fmt.Errorf("allocate %d bytes in %d objects: want at least a byte each", s.Bytes, objects)
	}
	size := s.Bytes / objects
	build := func(int) (stepFunc, error) {
		// What escapes to here is on the heap; storing it keeps the compiler
		// from leaving the allocation out.
		sink := new(atomic.Pointer[[]byte])
		return func(_ context.Context, _ int64, in any) (any, error) {
			for i := int64(0); i < objects; i++ {
				b := make([]byte, size)
				sink.Store(&b)
			}
			sink.Store(nil)
			return in, nil
		}, nil
	}
	return builtStep{build: build, passes: true}, nil
}
