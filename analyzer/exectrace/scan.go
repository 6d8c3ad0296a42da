package exectrace

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// The parts of the format that a scan needs (runtime/trace, version 2, since Go
// 1.22): a header of 16 bytes, then batches, each with its kind, its generation,
// thread, time and size, and so many bytes.
const (
	headerBytes       = 16
	firstVersion      = 22 // Go 1.22 began the format
	batchKind         = 1  // tracev2.EvEventBatch
	experimentKind    = 49 // tracev2.EvExperimentalBatch, with a byte that names it
	endOfGenerationID = 52 // tracev2.EvEndOfGeneration, alone
)

// scan refuses what exceeds the limits before anything is decoded: each batch
// and each thread costs the decoder far more than its bytes.
func (l Limits) scan(data []byte) error {
	if len(data) > l.Bytes {
		return fmt.Errorf("the trace has %d bytes, more than %d", len(data), l.Bytes)
	}
	var version int
	if n, _ := fmt.Sscanf(string(data[:min(len(data), headerBytes)]), "go 1.%d trace", &version); n != 1 || len(data) < headerBytes {
		return fmt.Errorf("%w: its first bytes are no header", ErrNotTrace)
	}
	if version < firstVersion {
		return fmt.Errorf("traces of Go 1.%d are not read, only those of Go 1.%d and newer", version, firstVersion)
	}
	threads := map[uint64]bool{}
	r := bytes.NewReader(data[headerBytes:])
	for batches := 0; r.Len() > 0; batches++ {
		if batches >= l.Batches {
			return fmt.Errorf("the trace has more than %d batches", l.Batches)
		}
		kind, err := r.ReadByte()
		if err != nil {
			return broken(err)
		}
		if kind == endOfGenerationID {
			continue
		}
		if kind == experimentKind {
			if _, err := r.ReadByte(); err != nil {
				return broken(err)
			}
		} else if kind != batchKind {
			return fmt.Errorf("%w: no batch begins with %d", ErrNotTrace, kind)
		}
		var head [4]uint64 // generation, thread, time, size
		for i := range head {
			if head[i], err = binary.ReadUvarint(r); err != nil {
				return broken(err)
			}
		}
		if threads[head[1]] = true; len(threads) > l.Threads {
			return fmt.Errorf("the trace has more than %d threads", l.Threads)
		}
		if head[3] > uint64(r.Len()) {
			return fmt.Errorf("%w: cut within a batch", ErrNotTrace)
		}
		if _, err := r.Seek(int64(head[3]), io.SeekCurrent); err != nil {
			return broken(err)
		}
	}
	return nil
}
