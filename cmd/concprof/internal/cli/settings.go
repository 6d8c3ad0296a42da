package cli

import (
	"strings"

	"github.com/spf13/pflag"
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
	return nearest(name, names)
}

// nearest returns the candidate that differs least from name, "" if all
// differ in more than half of it.
func nearest(name string, candidates []string) string {
	best, least := "", len(name)/2+1
	for _, c := range candidates {
		if d := distance(name, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is the number of insertions, deletions and replacements that turn
// a into b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			above := row[j]
			row[j] = min(row[j]+1, row[j-1]+1, diagonal+btoi(a[i-1] != b[j-1]))
			diagonal = above
		}
	}
	return row[len(b)]
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
