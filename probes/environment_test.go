package probes

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEnvironmentIsAnAllowlist(t *testing.T) {
	environ := []string{
		"PATH=/bin", "HOME=/home/me", "LC_ALL=C", "GORACE=atexit_sleep_ms=0", "GITHUB_TOKEN=t0ken1", "AWS_SECRET_ACCESS_KEY=s3cret",
		"ACTIONS_RUNTIME_TOKEN=t0ken2", "LCX=1", "HOMEPAGE=x", "DSN=old", "DSN=postgres://me:pw@db/x", "=broken", "broken",
	}
	if diff := cmp.Diff([]string{"PATH=/bin", "HOME=/home/me", "LC_ALL=C", "GORACE=atexit_sleep_ms=0"}, allowed(environ)); diff != "" {
		t.Errorf("allowed (-want +got):\n%s", diff)
	}
	env, values := declared([]string{"DSN", "MODE=fast", "UNSET", "EMPTY="}, environ)
	if diff := cmp.Diff([]string{"DSN=postgres://me:pw@db/x", "MODE=fast", "EMPTY="}, env); diff != "" {
		t.Errorf("declared (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"postgres://me:pw@db/x", "fast", ""}, values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}
