package harness

import "github.com/concprof/concprof/probes/record"

// A window is what is observed between the start of the first op and the end
// of the last.
type window struct {
	usage usage
}

// openWindow notes where all counters stand. It is the last thing done before
// the ops begin.
func openWindow(*Spec) *window {
	return &window{usage: readUsage()}
}

// close enters what the counters gained into r.
func (w *window) close(r *record.Record) {
	gained := readUsage().minus(w.usage)
	r.CPU.UserNs = gained.self.userNs + gained.children.userNs
	r.CPU.SystemNs = gained.self.systemNs + gained.children.systemNs
	r.CPU.ChildrenNs = gained.children.userNs + gained.children.systemNs
	r.CPU.VoluntarySwitches = gained.self.voluntary + gained.children.voluntary
	r.CPU.InvoluntarySwitches = gained.self.involuntary + gained.children.involuntary
	r.Memory.MinorFaults = gained.self.minorFaults + gained.children.minorFaults
	r.Memory.MajorFaults = gained.self.majorFaults + gained.children.majorFaults
}
