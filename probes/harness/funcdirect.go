package harness

import "context"

// direct adapts the shapes without an input. It returns nil for others.
func direct(fn any) stepFunc {
	switch f := fn.(type) {
	case func():
		return func(context.Context, int64, any) (any, error) { f(); return nil, nil }
	case func() error:
		return func(context.Context, int64, any) (any, error) { return nil, f() }
	case func() string:
		return func(context.Context, int64, any) (any, error) { return f(), nil }
	case func() (string, error):
		return func(context.Context, int64, any) (any, error) { return f() }
	case func() []byte:
		return func(context.Context, int64, any) (any, error) { return f(), nil }
	case func() ([]byte, error):
		return func(context.Context, int64, any) (any, error) { return f() }
	case func() int:
		return func(context.Context, int64, any) (any, error) { return f(), nil }
	case func() (int, error):
		return func(context.Context, int64, any) (any, error) { return f() }
	case func(context.Context):
		return func(ctx context.Context, _ int64, _ any) (any, error) { f(ctx); return nil, nil }
	case func(context.Context) error:
		return func(ctx context.Context, _ int64, _ any) (any, error) { return nil, f(ctx) }
	case func(context.Context) (string, error):
		return func(ctx context.Context, _ int64, _ any) (any, error) { return f(ctx) }
	case func(context.Context) ([]byte, error):
		return func(ctx context.Context, _ int64, _ any) (any, error) { return f(ctx) }
	case func(context.Context) (int, error):
		return func(ctx context.Context, _ int64, _ any) (any, error) { return f(ctx) }
	}
	return nil
}

func directString(key string, fn any) stepFunc { return directInput(fn, stringInput(key)) }
func directBytes(key string, fn any) stepFunc  { return directInput(fn, bytesInput(key)) }
func directInt(key string, fn any) stepFunc    { return directInput(fn, intInput(key)) }
func directInt64(key string, fn any) stepFunc  { return directInput(fn, int64Input(key)) }

// directInput adapts the common shapes whose input is an I, which input gets
// out of whatever the op is given. It returns nil for other shapes.
func directInput[I any](fn any, input func(any) (I, error)) stepFunc {
	switch f := fn.(type) {
	case func(I):
		return func(_ context.Context, _ int64, in any) (any, error) {
			v, err := input(in)
			if err != nil {
				return nil, err
			}
			f(v)
			return nil, nil
		}
	case func(I) error:
		return func(_ context.Context, _ int64, in any) (any, error) {
			v, err := input(in)
			if err != nil {
				return nil, err
			}
			return nil, f(v)
		}
	case func(context.Context, I):
		return func(ctx context.Context, _ int64, in any) (any, error) {
			v, err := input(in)
			if err != nil {
				return nil, err
			}
			f(ctx, v)
			return nil, nil
		}
	case func(context.Context, I) error:
		return func(ctx context.Context, _ int64, in any) (any, error) {
			v, err := input(in)
			if err != nil {
				return nil, err
			}
			return nil, f(ctx, v)
		}
	case func(I) string:
		return directResult(input, func(_ context.Context, v I) (string, error) { return f(v), nil })
	case func(I) []byte:
		return directResult(input, func(_ context.Context, v I) ([]byte, error) { return f(v), nil })
	case func(I) int:
		return directResult(input, func(_ context.Context, v I) (int, error) { return f(v), nil })
	case func(I) (string, error):
		return directResult(input, func(_ context.Context, v I) (string, error) { return f(v) })
	case func(I) ([]byte, error):
		return directResult(input, func(_ context.Context, v I) ([]byte, error) { return f(v) })
	case func(I) (int, error):
		return directResult(input, func(_ context.Context, v I) (int, error) { return f(v) })
	case func(context.Context, I) (string, error):
		return directResult(input, f)
	case func(context.Context, I) ([]byte, error):
		return directResult(input, f)
	case func(context.Context, I) (int, error):
		return directResult(input, f)
	}
	return nil
}

// directResult adapts a function that has all parts.
func directResult[I, O any](input func(any) (I, error), f func(context.Context, I) (O, error)) stepFunc {
	return func(ctx context.Context, _ int64, in any) (any, error) {
		v, err := input(in)
		if err != nil {
			return nil, err
		}
		return f(ctx, v)
	}
}
