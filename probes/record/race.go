package record

// MaxRaceFrames is the most frames of a Race's stack that a Record keeps.
const MaxRaceFrames = 16

// Race is what Go's race detector found in a trial of a binary that was built
// with it.
type Race struct {
	// Found is how many data races it reported, each pair of places once.
	Found int64 `json:"found"`
	// Accesses are the two of the first one, in the order of the report: the
	// one that was seen, then the one before it.
	Accesses []Access `json:"accesses,omitempty"`
}

// An Access is one side of a data race.
type Access struct {
	What   string  `json:"what"`   // "write", "previous read"
	Frames []Frame `json:"frames"` // innermost first, down to where the op begins
}
