package cli

import (
	"io"
	"os"
	"time"
)

// Env is all that a command touches of the world. main fills it from the
// process; tests fill it with what they want to see.
type Env struct {
	Args   []string // without the program's name
	Stdin  io.Reader
	Stdout io.Writer // the result, and nothing else
	Stderr io.Writer // progress, warnings, errors

	LookupEnv func(name string) (string, bool)
	// Environ is the whole environment, of which only the secrets are looked at.
	Environ []string
	// Width is the number of columns of the terminal, 0 if there is none.
	Width int
	// StdoutTerminal and StderrTerminal say which stream is a terminal.
	StdoutTerminal bool
	StderrTerminal bool

	// Signals delivers what should end the command. The first one asks it to
	// stop and to keep what it has; the second one ends it at once.
	Signals <-chan os.Signal
	Now     func() time.Time
}

// lookup returns the value of an environment variable, "" if it is not set.
func (e *Env) lookup(name string) string {
	if e.LookupEnv == nil {
		return ""
	}
	v, _ := e.LookupEnv(name)
	return v
}
