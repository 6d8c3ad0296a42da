// Package decoder reads profiles of other programs in a process of its own,
// which is concprof, started again. A reader that is bounded by its own limits
// can still have a hole; there it meets limits of the kernel: on memory and
// time, without files but the one that it was given, without a network.
package decoder

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/concprof/concprof/analyzer/profile/foreign"
)

// name is argv[0] of the process that reads.
const name = "concprof-decoder"

// Limits of the process. A profile at all limits of the bounded reader takes
// 180 MB (analyzer/profile, TestReadAtTheLimits), and a second.
const (
	maxMemory = 512 << 20        // bytes beyond those that the program begins with
	maxCPU    = 20               // seconds
	maxWall   = 60 * time.Second // for a machine that is busy
	maxHeader = 64 << 10         // bytes
)

// A header is the first line of what the process writes; the profile follows,
// or nothing after an error.
type header struct {
	Kind  foreign.Kind `json:"kind,omitempty"`
	Note  string       `json:"note,omitempty"`
	Error string       `json:"error,omitempty"`
}

// A FileError says why a file is not read: what is wrong with it, or the limit
// that reading it passed.
type FileError struct{ Path, What string }

func (e *FileError) Error() string { return fmt.Sprintf("cannot read %s: %s", e.Path, e.What) }

// Main takes over if this process was started to read a profile: it does not
// return then. Otherwise it does nothing.
func Main() {
	if len(os.Args) == 0 || os.Args[0] != name {
		return
	}
	err := confine()
	if err == nil {
		err = decode(os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// decode reads a profile from r and writes to w what it found.
func decode(r io.Reader, w io.Writer) error {
	l := foreign.DefaultLimits()
	data, err := io.ReadAll(io.LimitReader(r, int64(l.Bytes)+1))
	if err != nil {
		return err
	}
	p, err := l.Read(data)
	h := header{}
	if err != nil {
		h.Error = err.Error()
	} else {
		h.Kind, h.Note = p.Kind, p.Note
	}
	out := bufio.NewWriter(w)
	if err := json.NewEncoder(out).Encode(h); err != nil {
		return err
	}
	if p != nil {
		if err := p.Data.WriteUncompressed(out); err != nil {
			return err
		}
	}
	return out.Flush()
}

// Read reads a profile of another program from a regular file. It returns a
// *FileError for one that it does not read.
func Read(ctx context.Context, path string) (*foreign.Profile, error) {
	// Opening does not wait for the other end of a pipe.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, &FileError{path, err.Error()}
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, &FileError{path, "not a regular file"}
	}
	self, err := program()
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, maxWall)
	defer cancel()
	cmd := exec.CommandContext(limited, self)
	cmd.Args = []string{name}
	cmd.Env = []string{"GOTRACEBACK=none"} // nothing of the user's
	cmd.Dir = "/"
	cmd.Stdin = f
	var out, complaint bounded
	out.most, complaint.most = maxHeader+2*foreign.DefaultLimits().Bytes, 4<<10
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, &FileError{path, ending(limited, cmd.ProcessState, complaint.String())}
	}
	first, data, _ := bytes.Cut(out.Bytes(), []byte("\n"))
	var h header
	if err := json.Unmarshal(first, &h); err != nil || len(first) > maxHeader {
		return nil, &FileError{path, "its reader said nothing that can be understood"}
	}
	if h.Error != "" {
		return nil, &FileError{path, h.Error}
	}
	p, err := foreign.Again(h.Kind, h.Note, data)
	if err != nil {
		return nil, &FileError{path, err.Error()}
	}
	return p, nil
}

// program returns the path by which this program can execute itself again.
func program() (string, error) {
	// The link leads to the program that runs, even if its file has been
	// replaced since.
	const link = "/proc/self/exe"
	if _, err := os.Stat(link); err == nil {
		return link, nil
	}
	return os.Executable()
}

// ending says in words how a reader ended that did not end well.
func ending(ctx context.Context, state *os.ProcessState, complaint string) string {
	complaint = strings.TrimSpace(complaint)
	switch {
	case ctx.Err() != nil:
		return fmt.Sprintf("it takes more than %v", maxWall)
	case strings.Contains(complaint, "out of memory") || strings.Contains(complaint, "cannot allocate") ||
		threadless(complaint) && peakMemory(state) >= maxMemory/2:
		return fmt.Sprintf("it takes more than %d MiB of memory", maxMemory>>20)
	case state != nil && state.UserTime()+state.SystemTime() >= maxCPU*time.Second:
		return fmt.Sprintf("it takes more than %d s of processor time", maxCPU)
	case complaint != "":
		first, _, _ := strings.Cut(complaint, "\n")
		return "its reader failed: " + first
	}
	return fmt.Sprintf("its reader ended with %v", state)
}

// threadless reports whether Go's runtime could start no thread: at the limit of
// memory there is no room for its stack, which now and then comes before there
// is none for an object.
func threadless(complaint string) bool {
	return strings.Contains(complaint, "pthread_create failed") || strings.Contains(complaint, "failed to create new OS thread")
}

// peakMemory returns the most bytes that a process had resident, 0 if unknown.
func peakMemory(state *os.ProcessState) int64 {
	if state == nil {
		return 0
	}
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss * 1024 // KiB on Linux
}

// A bounded buffer takes at most so many bytes; whoever writes more is told
// that nobody reads.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		return 0, io.ErrShortWrite
	}
	return b.Buffer.Write(p)
}
