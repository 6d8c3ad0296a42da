//go:build !race

package main

// raceDetector is whether the race detector watches this test.
const raceDetector = false
