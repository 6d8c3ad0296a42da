package probes

import (
	"cmp"

	"github.com/concprof/concprof/probes/internal/proc"
	"github.com/concprof/concprof/probes/workload"
)

// What a trial's processes may use unless limits says otherwise. The limits
// are there to end what runs away, not to economise: each allows several
// times what an op in flight is likely to need.
const (
	baseOpenFiles  = 512
	opOpenFiles    = 16 // a command needs 6 for its pipes, a connection 1
	baseProcesses  = 256
	opProcesses    = 16
	baseFileBytes  = 64 << 20
	fileSizeFactor = 4   // of the largest file step
	memoryShare    = 0.8 // of the host's memory
)

// defaultLimits are the limits of an op of built-in steps at a level, on a
// host with so much memory, 0 if that is not known.
func defaultLimits(level int, memory int64) proc.Limits {
	return proc.Limits{
		MemoryBytes:   int64(memoryShare * float64(memory)),
		FileSizeBytes: baseFileBytes,
		OpenFiles:     baseOpenFiles + opOpenFiles*level,
		Processes:     baseProcesses + opProcesses*level,
	}
}

// limits are those of a workload at its largest level: its own, else the
// file's, else the defaults.
func (p *Prepared) limits(w *workload.Workload, level int) proc.Limits {
	l := defaultLimits(level, p.memory)
	for _, s := range w.Steps {
		if s.File != nil {
			l.FileSizeBytes = max(l.FileSizeBytes, fileSizeFactor*int64(s.File.Bytes))
		}
	}
	for _, set := range []*workload.Limits{p.file.Measure.Limits, own(w)} {
		if set == nil {
			continue
		}
		l.MemoryBytes = cmp.Or(int64(set.Memory), l.MemoryBytes)
		l.FileSizeBytes = cmp.Or(int64(set.FileSize), l.FileSizeBytes)
		l.OpenFiles = cmp.Or(set.OpenFiles, l.OpenFiles)
		l.Processes = cmp.Or(set.Processes, l.Processes)
	}
	return l
}

func own(w *workload.Workload) *workload.Limits {
	if w.Measure == nil {
		return nil
	}
	return w.Measure.Limits
}
