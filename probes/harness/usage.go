package harness

import "github.com/concprof/concprof/probes/record"

// usage is what getrusage counts, of the process and of its children that
// have been waited for.
type usage struct{ self, children counters }

type counters struct {
	userNs, systemNs         int64
	voluntary, involuntary   int64
	minorFaults, majorFaults int64
}

func (u usage) minus(o usage) usage {
	return usage{u.self.minus(o.self), u.children.minus(o.children)}
}

func (c counters) minus(o counters) counters {
	return counters{
		userNs: c.userNs - o.userNs, systemNs: c.systemNs - o.systemNs,
		voluntary: c.voluntary - o.voluntary, involuntary: c.involuntary - o.involuntary,
		minorFaults: c.minorFaults - o.minorFaults, majorFaults: c.majorFaults - o.majorFaults,
	}
}

func (u usage) cpu() record.CPU {
	return record.CPU{
		UserNs:              u.self.userNs + u.children.userNs,
		SystemNs:            u.self.systemNs + u.children.systemNs,
		ChildrenNs:          u.children.userNs + u.children.systemNs,
		VoluntarySwitches:   u.self.voluntary + u.children.voluntary,
		InvoluntarySwitches: u.self.involuntary + u.children.involuntary,
	}
}
