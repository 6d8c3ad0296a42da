package proc

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// tryName is argv[1] of a keeper that is only to try. A program that cannot
// become a keeper, such as the test binary of another package, takes it for a
// flag that it does not know, and ends.
const tryName = "-try-namespace"

// Namespaces reports whether a keeper can have a PID namespace here: whether
// this process may make one and mount its /proc, which takes CAP_SYS_ADMIN, as a
// rule root's, and whether the host's /proc tells by which ids processes inside
// know themselves. It is tried once.
//
// A user namespace, in which anyone may, is not made: an op would see other
// owners of files, and a setuid program would not get its rights.
func Namespaces() bool {
	keepers.tried.Do(func() { keepers.namespaces = tryNamespace() == nil })
	return keepers.namespaces
}

// tryNamespace starts a keeper in a namespace, to run nothing.
func tryNamespace() error {
	k, err := newKeeper(tryName, true)
	if err != nil {
		return err
	}
	theirLifeline, lifeline, err := os.Pipe()
	if err != nil {
		return err
	}
	defer lifeline.Close()
	status, theirStatus, err := os.Pipe()
	if err != nil {
		theirLifeline.Close()
		return err
	}
	defer status.Close()
	k.ExtraFiles = []*os.File{theirLifeline, theirStatus}
	err = keepers.start(k)
	closeAll(k.ExtraFiles)
	if err != nil {
		return err
	}
	late := time.AfterFunc(overdue, func() { k.Process.Kill() }) //nolint:errcheck // it may have ended just now
	defer late.Stop()
	json.NewEncoder(lifeline).Encode(order{Namespace: k.Process.Pid, Try: true}) //nolint:errcheck // its notice tells
	var n notice
	err = json.NewDecoder(status).Decode(&n)
	ids := idsOf(k.Process.Pid)
	lifeline.Close()
	k.Wait() //nolint:errcheck // its notice told
	keepers.remove(k.Process.Pid)
	switch {
	case err != nil:
		return fmt.Errorf("keeper: %w", err)
	case n.Failure != "":
		return errors.New(n.Failure)
	case len(ids) != 2 || ids[1] != 1:
		return fmt.Errorf("/proc gives process %d the ids %v, not one in the namespace", k.Process.Pid, ids)
	}
	return nil
}
