package harness

import "errors"

type profilers struct{}

func takeProfilers() (*profilers, error) {
	return nil, errors.New("profiled trials are not in this probe yet")
}
func limitProcessors(int) error { return nil }

type stepClock struct{}
