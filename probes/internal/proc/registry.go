package proc

import "sync"

// keepers are the keepers that this process has started and not yet waited
// for. It is a property of the process, like its children, and so the one
// variable of this package.
var keepers sync.Map // of int to nothing

func register(pid int)        { keepers.Store(pid, nil) }
func unregister(pid int)      { keepers.Delete(pid) }
func registered(pid int) bool { _, ok := keepers.Load(pid); return ok }
