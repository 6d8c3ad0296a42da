//go:build !race

package decoder

// raceDetector is whether the race detector watches this test.
const raceDetector = false
