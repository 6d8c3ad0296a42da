package gofunc

import (
	"context"
	"errors"
)

func build(context.Context, Request) (*Binary, error) {
	return nil, errors.New("Go functions cannot be built yet")
}
