package harness

import (
	"context"
	"fmt"
)

// channelStep plays ping-pong with a goroutine that each op starts: so many
// messages there, each answered before the next. It passes on what it was
// given.
func channelStep(s Step) (builtStep, error) {
	if s.Count < 1 {
		return builtStep{}, fmt.Errorf("exchange %d messages: want at least 1", s.Count)
	}
	return builtStep{build: same(func(_ context.Context, _ int64, in any) (any, error) {
		ping, pong := make(chan struct{}), make(chan struct{})
		go echo(ping, pong)
		for i := int64(0); i < s.Count; i++ {
			ping <- struct{}{}
			<-pong
		}
		close(ping)
		return in, nil
	}), passes: true}, nil
}

func echo(ping <-chan struct{}, pong chan<- struct{}) {
	for range ping {
		pong <- struct{}{}
	}
}
