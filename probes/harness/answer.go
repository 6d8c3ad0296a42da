package harness

import "fmt"

// maxAnswerBytes is how much of what a step got is kept, hashed and given to
// the next step; the rest is read, counted and dropped.
const maxAnswerBytes = 1 << 20

// An answer collects what a built-in step of one slot gets: the body of a
// response, a file's content, a command's output. Its buffer is used again
// for every op, so an op costs no allocation once the buffer has grown.
type answer struct {
	kept []byte // the first maxAnswerBytes
	size int64  // of all
}

// A longAnswer stands for an answer that was not kept whole. Answers are
// compared for accidents, not for attacks: size and beginning are enough.
type longAnswer struct {
	Size int64
	Hash uint64 // of the first maxAnswerBytes
	head string // for people
}

func (a longAnswer) String() string { return describeBytes(a.Size, a.head) }

func (a *answer) reset() { a.kept, a.size = a.kept[:0], 0 }

// Write takes p; it never fails.
func (a *answer) Write(p []byte) (int, error) {
	a.size += int64(len(p))
	a.kept = append(a.kept, p[:min(len(p), maxAnswerBytes-len(a.kept))]...)
	return len(p), nil
}

// result returns the answer as a step's result. For the last step of an op
// that is the buffer itself: the harness hashes it before the slot's next op.
// A step that follows may keep what it is given, so it gets a copy.
func (a *answer) result(last bool) any {
	switch {
	case a.size > int64(len(a.kept)):
		return longAnswer{Size: a.size, Hash: hashBytes(a.kept), head: string(a.kept[:shownBytes])}
	case last:
		return a.kept
	}
	return append(make([]byte, 0, len(a.kept)), a.kept...)
}

// tooLong says of an answer that a function cannot be given it.
func (a longAnswer) tooLong() string {
	return fmt.Sprintf("%d bytes by the step before, of which at most %d are passed on", a.Size, maxAnswerBytes)
}
