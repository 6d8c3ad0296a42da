package harness

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/concprof/concprof/probes/record"
)

// maxReasonBytes bounds the reason of a fatal event.
const maxReasonBytes = 1024

// An emitter writes events, each as one line in one write.
type emitter struct {
	w     io.Writer
	token string
}

func (e *emitter) emit(ev record.Event) error {
	ev.Token = e.token
	line, err := json.Marshal(ev)
	if err != nil {
		return fmt.Errorf("encode %s event: %w", ev.Kind, err)
	}
	if _, err := e.w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write %s event: %w", ev.Kind, err)
	}
	return nil
}

// fatal tells why the trial ends here. If it cannot be written either, the
// missing events tell the stage.
func (e *emitter) fatal(stage record.Stage, err error) {
	_ = e.emit(record.Event{Kind: record.Fatal, Stage: stage, Reason: clip(err.Error(), maxReasonBytes)})
}

// clip cuts s to at most n bytes, at the start of a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
