// Package proc runs a process such that nothing of it outlives concprof.
//
// Between concprof and every process that it runs stands a keeper: concprof
// itself, executed again. The keeper leads a session of its own, so that no
// terminal's signal reaches it, and is a child subreaper, so that whatever the
// target leaves behind, daemons included, becomes the keeper's child. Two
// pipes join it to concprof:
//
//	lifeline  concprof -> keeper: the order, one JSON line; then nothing, until
//	          it ends, with concprof or by Kill
//	status    keeper -> concprof: notices, a JSON line each
//
// When the lifeline ends, or when the target does, the keeper kills the
// target's process group and then every child it has, until wait4 says that
// there is none: then there is no descendant either, because each would have
// come to the keeper when its parent died.
//
// PR_SET_PDEATHSIG is only a second guard here, for the death of the keeper:
// it is sent when the parent's thread ends, and it does not reach
// grandchildren. What a dead keeper leaves comes to concprof, which Adopt
// makes a subreaper too.
//
// Where concprof may make one (see Namespaces) and a Command asks for it, the
// keeper is the first process of a PID namespace: what is below it sees no
// other process, cannot kill or stop it, and is killed by the kernel when it
// ends. Nothing else holds a target that kills its keeper and concprof at
// once: the same user may do that.
package proc
