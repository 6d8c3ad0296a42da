package rundir

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"os"
	"strconv"

	"github.com/concprof/concprof/probes/plan"
)

// An entry is one line of the journal. Exactly one field is set.
type entry struct {
	Trial    *plan.Finished `json:"trial,omitempty"`
	Decision *plan.Decision `json:"decision,omitempty"`
	Note     *Note          `json:"note,omitempty"`
}

var errEntry = errors.New("want exactly one of trial, decision and note")

func (e entry) check() error {
	n := 0
	for _, set := range []bool{e.Trial != nil, e.Decision != nil, e.Note != nil} {
		if set {
			n++
		}
	}
	if n != 1 {
		return errEntry
	}
	return nil
}

// sumLen is the length of the checksum and the space after it.
const sumLen = 9

// formatLine returns e as a line: the CRC-32 (IEEE) of the JSON document in
// eight hexadecimal digits, a space, the document, a newline. The checksum
// tells a whole line from a torn one; it is no seal against editing.
func formatLine(e entry) ([]byte, error) {
	doc, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	line := make([]byte, 0, sumLen+len(doc)+1)
	line = fmt.Appendf(line, "%08x ", crc32.ChecksumIEEE(doc))
	line = append(line, doc...)
	return append(line, '\n'), nil
}

// parseLine reads a line without its newline.
func parseLine(line []byte) (entry, error) {
	var e entry
	if len(line) <= sumLen || line[sumLen-1] != ' ' {
		return e, errors.New("no checksum")
	}
	sum, err := strconv.ParseUint(string(line[:sumLen-1]), 16, 32)
	if err != nil {
		return e, errors.New("no checksum")
	}
	doc := line[sumLen:]
	if crc32.ChecksumIEEE(doc) != uint32(sum) {
		return e, errors.New("checksum differs")
	}
	if err := json.Unmarshal(doc, &e); err != nil {
		return e, err
	}
	return e, e.check()
}

// parseJournal reads entries up to the first line that is not whole: what
// follows it was written after a failure and cannot be trusted. It returns
// the length of the good part.
func parseJournal(data []byte) (entries []entry, good int) {
	for good < len(data) {
		end := bytes.IndexByte(data[good:], '\n')
		if end < 0 {
			return entries, good
		}
		e, err := parseLine(data[good : good+end])
		if err != nil {
			return entries, good
		}
		entries = append(entries, e)
		good += end + 1
	}
	return entries, good
}

// A journal is the open journal file of a run that goes on.
type journal struct {
	f    *os.File
	size int64     // of the good part
	sum  hash.Hash // SHA-256 of the good part
	err  error     // what made an append fail: nothing is appended after it
}

// append writes e and syncs, so that what it returned nil for survives a
// crash of the machine. After a failure the file is cut back to its last
// whole line.
func (j *journal) append(e entry) error {
	if j.err != nil {
		return j.err
	}
	line, err := formatLine(e)
	if err != nil {
		return err
	}
	_, err = j.f.WriteAt(line, j.size)
	if err == nil {
		err = j.f.Sync()
	}
	if err != nil {
		j.err = writeError(j.f.Name(), err)
		j.f.Truncate(j.size) //nolint:errcheck // opening cuts there in any case
		return j.err
	}
	j.size += int64(len(line))
	j.sum.Write(line)
	return nil
}
