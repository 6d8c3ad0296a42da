package cli

import (
	"context"
	"errors"

	foreignprofile "github.com/concprof/concprof/analyzer/profile/foreign"
	"github.com/concprof/concprof/cmd/concprof/internal/decoder"
)

// readForeign reads a profile of another program, in a process of its own.
func readForeign(ctx context.Context, path string) (*foreignprofile.Profile, error) {
	p, err := decoder.Read(ctx, path)
	if wrong := (*decoder.FileError)(nil); errors.As(err, &wrong) {
		return nil, &usageError{err, "concprof reads pprof, cProfile, folded stacks and Austin's text"}
	}
	return p, err
}
