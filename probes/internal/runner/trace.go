package runner

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// traceHeader is how every execution trace begins, "go 1.26 trace".
var traceHeader = []byte("go 1.")

// checkTrace says why an execution trace of a size is not kept, nil if it is.
// It holds the names of functions and files, and what the workload itself gave
// to runtime/trace. Texts have their lengths before them, so a secret among
// them cannot be replaced: such a trace is not kept at all.
func checkTrace(r *workload.Redactor, data []byte, size int64) error {
	switch {
	case size > record.MaxTraceBytes:
		return fmt.Errorf("the execution trace has %d bytes, more than %d", size, record.MaxTraceBytes)
	case !bytes.HasPrefix(data, traceHeader):
		return errors.New("the probe wrote no execution trace")
	}
	if text := string(data); r.Text(text) != text {
		return errors.New("the execution trace holds a secret, so it was not kept")
	}
	return nil
}
