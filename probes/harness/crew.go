package harness

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/concprof/concprof/probes/record"
)

// A crew is the workers of one trial.
type crew struct {
	spec    *Spec
	workers []*workerProcess
	shared  *os.File // memory that all of them map
	start   *os.File // a byte for each lets them begin
	events  chan workerEvent
}

// A workerProcess is one of them, as the process that started it sees it.
type workerProcess struct {
	index  int
	cmd    *exec.Cmd
	cpu    *os.File // nil unless profiled
	wall   *os.File
	said   map[record.EventKind]bool
	record *record.Record // of its end event
	waited bool
}

// A workerEvent is what a worker said, or why it says nothing more.
type workerEvent struct {
	worker int
	event  record.Event
	err    error
}

func startCrew(spec *Spec) (c *crew, err error) {
	c = &crew{spec: spec, events: make(chan workerEvent, 4*spec.Concurrency)}
	defer func() {
		if err != nil {
			c.end()
		}
	}()
	if c.shared, err = scratchFile(spec.Scratch, "shared-*"); err != nil {
		return c, err
	}
	if err := c.shared.Truncate(sharedSize); err != nil {
		return c, fmt.Errorf("make memory for the workers: %w", err)
	}
	if err := initShared(c.shared, spec); err != nil {
		return c, err
	}
	barrier, start, err := os.Pipe()
	if err != nil {
		return c, fmt.Errorf("make a pipe for the workers: %w", err)
	}
	c.start = start
	defer barrier.Close()
	for i := 0; i < spec.Concurrency; i++ {
		if err := c.add(i, barrier); err != nil {
			return c, fmt.Errorf("start worker %d of %d: %w", i+1, spec.Concurrency, err)
		}
	}
	return c, nil
}

// add starts one worker: this program with the same arguments and
// environment, and with a spec that says which worker it is.
func (c *crew) add(index int, barrier *os.File) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	spec := *c.spec
	spec.Worker = &Worker{Index: index}
	doc, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	in, err := scratchFile(spec.Scratch, "spec-*")
	if err != nil {
		return err
	}
	defer in.Close()
	if _, err := in.WriteAt(doc, 0); err != nil {
		return err
	}
	out, result, err := os.Pipe()
	if err != nil {
		return err
	}
	defer result.Close()

	w := &workerProcess{index: index, cmd: exec.Command(exe), said: make(map[record.EventKind]bool)}
	if spec.profiled() {
		if w.cpu, err = scratchFile(spec.Scratch, "cpu-*"); err == nil {
			w.wall, err = scratchFile(spec.Scratch, "wall-*")
		}
		if err != nil {
			out.Close()
			return err
		}
	}
	w.cmd.Args = os.Args
	w.cmd.Stdout, w.cmd.Stderr = os.Stdout, os.Stderr
	w.cmd.ExtraFiles = []*os.File{result, in, w.cpu, w.wall, c.shared, barrier}
	if err := w.cmd.Start(); err != nil {
		out.Close()
		return err
	}
	c.workers = append(c.workers, w)
	go c.listen(index, out)
	return nil
}

// listen passes on what a worker says until it closes its end.
func (c *crew) listen(index int, out *os.File) {
	defer out.Close()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, record.MaxEventBytes)
	for lines.Scan() {
		ev := workerEvent{worker: index}
		ev.err = json.Unmarshal(lines.Bytes(), &ev.event)
		c.events <- ev
	}
	err := lines.Err()
	if err == nil {
		err = io.EOF
	}
	c.events <- workerEvent{worker: index, err: err}
}

// release gives the word to begin.
func (c *crew) release() error {
	if _, err := c.start.Write(make([]byte, len(c.workers))); err != nil {
		return fmt.Errorf("let the workers begin: %w", err)
	}
	return nil
}

// await waits until every worker has said kind. A worker that fails, or ends
// without having said it, is an error.
func (c *crew) await(kind record.EventKind, stage record.Stage) error {
	for !c.haveSaid(kind) {
		ev := <-c.events
		w := c.workers[ev.worker]
		fail := func(stage record.Stage, reason string) error {
			return &failure{stage, fmt.Errorf("worker %d of %d: %s", w.index+1, len(c.workers), reason)}
		}
		switch {
		case ev.err == io.EOF:
			if !w.said[kind] {
				return fail(stage, w.death())
			}
			continue
		case ev.err != nil:
			return fail(stage, ev.err.Error())
		case ev.event.Kind == record.Fatal:
			return fail(ev.event.Stage, ev.event.Reason)
		case ev.event.Kind == record.End && ev.event.Record == nil:
			return fail(stage, "ended without a record")
		case ev.event.Kind == record.End:
			w.record = ev.event.Record
		}
		w.said[ev.event.Kind] = true
	}
	return nil
}

func (c *crew) haveSaid(kind record.EventKind) bool {
	for _, w := range c.workers {
		if !w.said[kind] {
			return false
		}
	}
	return true
}

// death waits for a worker that has gone silent and says how it ended.
func (w *workerProcess) death() string {
	w.waited = true
	if err := w.cmd.Wait(); err != nil {
		return err.Error()
	}
	return "exited before it was done"
}

func (c *crew) records() []*record.Record {
	var list []*record.Record
	for _, w := range c.workers {
		list = append(list, w.record)
	}
	return list
}

// end kills the workers that are left, waits for all, and closes what they
// shared. Those that have said bye are about to exit by themselves.
func (c *crew) end() {
	files := []*os.File{c.start, c.shared}
	for _, w := range c.workers {
		files = append(files, w.cpu, w.wall)
		if w.waited {
			continue
		}
		if !w.said[record.Bye] {
			_ = w.cmd.Process.Kill()
		}
		_ = w.cmd.Wait() // how it ended does not matter any more
		w.waited = true
	}
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}
