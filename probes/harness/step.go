package harness

import (
	"errors"
	"fmt"
)

// A builtStep is a step of the spec, ready to be made for every slot.
//
// What a step returns is what the next one is given. HTTP, TCP, reading a
// file and commands return what they got, CPU work a number; sleeping,
// writing, allocating, locking and channels have nothing to return and pass
// on what they were given.
type builtStep struct {
	name  string
	build func(slot int) (stepFunc, error)
	close func() // nil if there is nothing to release
	// inputless says that the step does not look at what it is given.
	inputless bool
	// passes says that it neither looks at it nor returns anything else.
	passes bool
}

// takesInputs reports whether any step looks at the op's input. To make one
// for nobody would cost an op more than the rest of the harness does.
func takesInputs(steps []builtStep) bool {
	for _, b := range steps {
		if !b.passes {
			return !b.inputless
		}
	}
	return false
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
		b, err := resolveStep(spec, s, funcs, i+1 == len(spec.Steps))
		if err != nil {
			return nil, fmt.Errorf("step %s: %w", s.Name, err)
		}
		b.name = s.Name
		built = append(built, b)
	}
	return built, nil
}

// resolveStep makes one step; last says that no other follows it.
func resolveStep(spec *Spec, s Step, funcs map[string]any, last bool) (builtStep, error) {
	switch s.Kind {
	case KindSleep:
		return sleepStep(s)
	case KindHTTP:
		return httpStep(s, spec.Concurrency, last)
	case KindTCP:
		return tcpStep(s, last)
	case KindFile:
		return fileStep(s, spec.Scratch, last)
	case KindAlloc:
		return allocStep(s)
	case KindChannel:
		return channelStep(s)
	case KindExec:
		return execStep(s, last)
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
