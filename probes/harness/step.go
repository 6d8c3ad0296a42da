package harness

import (
	"errors"
	"fmt"
)

// A builtStep is a step of the spec, ready to be made for every slot.
//
// What a step returns is what the next one is given. HTTP, TCP, reading a
// file, CPU work and commands return a hash of what they got; sleeping,
// writing, allocating, locking and channels have nothing to return and pass
// on what they were given.
type builtStep struct {
	name  string
	build func(slot int) (stepFunc, error)
	close func() // nil if there is nothing to release
	// inputless says that the step does not look at what it is given. To
	// make an input for it would cost an op more than the rest of the
	// harness does.
	inputless bool
}

// same makes the step one function for all slots.
func same(f stepFunc) func(int) (stepFunc, error) {
	return func(int) (stepFunc, error) { return f, nil }
}

// resolve turns the steps of a spec into functions.
func resolve(spec *Spec, funcs map[string]any) ([]builtStep, error) {
	built := make([]builtStep, 0, len(spec.Steps))
	for i, s := range spec.Steps {
		if s.Name == "" {
			s.Name = fmt.Sprintf("%d", i+1)
		}
		b, err := resolveStep(spec, s, funcs)
		if err != nil {
			return nil, fmt.Errorf("step %s: %w", s.Name, err)
		}
		b.name = s.Name
		built = append(built, b)
	}
	return built, nil
}

func resolveStep(spec *Spec, s Step, funcs map[string]any) (builtStep, error) {
	switch s.Kind {
	case KindSleep:
		return sleepStep(s)
	case KindHTTP:
		return httpStep(s, spec.Concurrency)
	case KindTCP:
		return tcpStep(s)
	case KindFile:
		return fileStep(s, spec.Scratch)
	case KindAlloc:
		return allocStep(s)
	case KindChannel:
		return channelStep(s)
	case KindExec:
		return execStep(s)
	case KindCPU:
		return cpuStep(s)
	case KindLock:
		return lockStep(s)
	case KindGo:
		fn, ok := funcs[s.Func]
		if !ok {
			return builtStep{}, fmt.Errorf("no function is registered as %q", s.Func)
		}
		f, err := adapt(s.Func, fn)
		return builtStep{build: same(f), inputless: err == nil && !takesInput(s.Func, fn)}, err
	case "":
		return builtStep{}, errors.New("has no kind")
	}
	return builtStep{}, fmt.Errorf("kind %q is not in this probe", s.Kind)
}
