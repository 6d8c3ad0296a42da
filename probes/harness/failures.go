package harness

import (
	"errors"
	"fmt"
	"net/url"
	"sort"

	"github.com/concprof/concprof/probes/record"
)

// maxMessageBytes bounds the message of a failed op that is kept.
const maxMessageBytes = 256

// failures counts failed ops by type and message. At most record.MaxErrors
// kinds are kept; what comes later is counted with the first kind of its
// type, or with the last kind.
type failures struct {
	count int64
	kinds []record.ErrorCount
}

func (f *failures) add(err error) {
	f.enter(record.ErrorCount{Type: failureType(err), Message: clip(err.Error(), maxMessageBytes), Count: 1})
}

func (f *failures) enter(e record.ErrorCount) {
	f.count += e.Count
	same := len(f.kinds) - 1
	for i := len(f.kinds) - 1; i >= 0; i-- {
		if f.kinds[i].Type != e.Type {
			continue
		}
		if f.kinds[i].Message == e.Message {
			f.kinds[i].Count += e.Count
			return
		}
		same = i
	}
	if len(f.kinds) < record.MaxErrors {
		f.kinds = append(f.kinds, e)
		return
	}
	f.kinds[same].Count += e.Count
}

func (f *failures) merge(o *failures) {
	for _, e := range o.kinds {
		f.enter(e)
	}
}

// list returns the kinds, most frequent first.
func (f *failures) list() []record.ErrorCount {
	sort.SliceStable(f.kinds, func(a, b int) bool { return f.kinds[a].Count > f.kinds[b].Count })
	return f.kinds
}

// A kindError is a failure of a built-in step that names its own kind.
type kindError struct {
	kind    string // "exit status 3", "http status 503"
	message string
}

func (e *kindError) Error() string { return e.message }

// failureType names the type of an error below the wrappers that only add
// words to it.
func failureType(err error) string {
	var k *kindError
	if errors.As(err, &k) {
		return k.kind
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			break
		}
		_, isURL := err.(*url.Error)
		if !isURL && fmt.Sprintf("%T", err) != "*fmt.wrapError" {
			break
		}
		err = inner
	}
	return fmt.Sprintf("%T", err)
}
