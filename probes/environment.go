package probes

import (
	"slices"
	"strings"
)

// passed are the variables that every process of a workload may see: what
// programs need to find other programs, libraries and certificates, and to
// print in the user's language. Everything else, credentials above all, must
// be named in the workload's env.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "GOROOT", "GOPATH", "GOCACHE", "GOMODCACHE",
	"GORACE", // of a program built with the race detector, which else sleeps for a second when it exits
}

// allowed returns the part of an environment that is passed to every process.
func allowed(environ []string) []string {
	var env []string
	for _, kv := range environ {
		name, _, ok := strings.Cut(kv, "=")
		if ok && (slices.Contains(passed, name) || strings.HasPrefix(name, "LC_")) {
			env = append(env, kv)
		}
	}
	return env
}

// declared resolves the env entries of a workload: NAME passes a variable of
// environ on, NAME=value sets it. It also returns the values, which must not
// get into any file.
func declared(entries, environ []string) (env, values []string) {
	for _, entry := range entries {
		name, value, set := strings.Cut(entry, "=")
		if !set {
			var ok bool
			if value, ok = lookup(environ, name); !ok {
				continue
			}
		}
		env = append(env, name+"="+value)
		values = append(values, value)
	}
	return env, values
}

// lookup returns the value of a variable; of several, the last counts.
func lookup(environ []string, name string) (string, bool) {
	for _, kv := range slices.Backward(environ) {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v, true
		}
	}
	return "", false
}
