package cli

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/concprof/concprof/probes/workload"
)

// envPrefix begins the environment variables that stand for flags.
const envPrefix = "CONCPROF_"

// envName returns the variable that stands for a flag: CONCPROF_NO_BROWSER
// for --no-browser.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// applyEnvironment gives flags that are not on the command line the value of
// their variable. A flag that neither sets keeps its zero value, which leaves
// the choice to workload.yaml and then to the default.
func applyEnvironment(e *Env, fs *pflag.FlagSet) error {
	var failure error
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Changed || failure != nil || f.Name == "help" {
			return
		}
		name := envName(f.Name)
		value, set := "", false
		if e.LookupEnv != nil {
			value, set = e.LookupEnv(name)
		}
		if !set || value == "" {
			return
		}
		if err := fs.Set(f.Name, value); err != nil {
			failure = usage("unset "+name+" or give --"+f.Name, "environment variable %s: %v", name, err)
		}
		f.Changed = false // it was not said on this command line
	})
	return failure
}

// nearestFlag returns the visible flag whose name differs least from name, ""
// if none is near.
func nearestFlag(fs *pflag.FlagSet, name string) string {
	var names []string
	fs.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return workload.Nearest(name, names)
}
