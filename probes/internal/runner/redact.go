package runner

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/concprof/concprof/probes/record"
	"github.com/concprof/concprof/probes/workload"
)

// redact takes the secrets out of all texts of a record that a workload can
// have written.
func redact(r *workload.Redactor, rec *record.Record) {
	rec.Reason = r.Text(rec.Reason)
	for i := range rec.Errors {
		rec.Errors[i].Type = r.Text(rec.Errors[i].Type)
		rec.Errors[i].Message = r.Text(rec.Errors[i].Message)
	}
	if rec.Dry != nil {
		rec.Dry.Result = r.Text(rec.Dry.Result)
	}
	for i := range rec.Results {
		rec.Results[i].Shown = r.Text(rec.Results[i].Shown)
	}
	frame := func(f *record.Frame) {
		if f != nil {
			f.Function, f.File = r.Text(f.Function), r.Text(f.File)
		}
	}
	rec.Frame = r.Text(rec.Frame)
	if l := rec.Loop; l != nil {
		frame(l.Blocking)
		if t := l.Tasks; t != nil {
			frame(t.LongestStep)
			for _, a := range t.Awaits {
				for i := range a.Frames {
					frame(&a.Frames[i])
				}
			}
		}
	}
	if rec.Race != nil {
		for i := range rec.Race.Accesses {
			a := &rec.Race.Accesses[i]
			a.What = r.Text(a.What)
			for k := range a.Frames {
				frame(&a.Frames[k])
			}
		}
	}
	for i := range rec.Steps {
		rec.Steps[i].Name = r.Text(rec.Steps[i].Name)
	}
	for i := range rec.Notes {
		rec.Notes[i] = r.Text(rec.Notes[i])
	}
	for i := range rec.Profiles {
		rec.Profiles[i].Problem = r.Text(rec.Profiles[i].Problem)
	}
}

// maxProfileBytes bounds a profile once it is uncompressed, as the analyzer
// does.
const maxProfileBytes = 64 << 20

// fieldString is the number of the string table in pprof's profile.proto: all
// texts of a profile are there, the labels that the workload set included.
const fieldString = 6

var errProfile = errors.New("the probe wrote no profile")

// redactProfile takes the secrets out of a gzipped pprof profile. It returns
// data itself if there are none, and an error if data is no profile.
func redactProfile(r *workload.Redactor, data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errProfile, err)
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxProfileBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %v", errProfile, err)
	case len(raw) > maxProfileBytes:
		return nil, fmt.Errorf("the profile is larger than %d MiB once uncompressed", maxProfileBytes>>20)
	}
	var clean []byte // raw as far as it was read, without secrets
	kept := 0        // where in raw that begins which is not yet in clean
	for at := 0; at < len(raw); {
		field, body, n := protoField(raw[at:])
		if n <= 0 {
			return nil, errProfile
		}
		if field == fieldString {
			if was, is := string(body), r.Text(string(body)); is != was {
				clean = append(clean, raw[kept:at]...)
				clean = binary.AppendUvarint(clean, fieldString<<3|2)
				clean = binary.AppendUvarint(clean, uint64(len(is)))
				clean = append(clean, is...)
				kept = at + n
			}
		}
		at += n
	}
	if kept == 0 {
		return data, nil
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(append(clean, raw[kept:]...)) //nolint:errcheck // a buffer takes all
	w.Close()                             //nolint:errcheck // see above
	return b.Bytes(), nil
}

// protoField reads the first field of a protobuf message: its number, its
// content if it is of the type bytes, and its length in all, 0 if it is
// broken.
func protoField(data []byte) (field uint64, body []byte, n int) {
	tag, n := binary.Uvarint(data)
	if n <= 0 || tag>>3 == 0 {
		return 0, nil, 0
	}
	size, k := uint64(0), 0
	switch tag & 7 {
	case 0:
		_, k = binary.Uvarint(data[n:])
		if k <= 0 {
			return 0, nil, 0
		}
	case 1:
		size = 8
	case 5:
		size = 4
	case 2:
		size, k = binary.Uvarint(data[n:])
		if k <= 0 {
			return 0, nil, 0
		}
	default:
		return 0, nil, 0
	}
	if n += k; size > uint64(len(data)-n) {
		return 0, nil, 0
	}
	return tag >> 3, data[n : n+int(size)], n + int(size)
}
