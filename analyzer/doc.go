// Package analyzer judges what a run measured, and while it runs decides what
// to measure next. Both are pure: no clock, no process, no output, and no
// random source but the run's seed.
//
//	history.go    a run sorted out: by workload, cell, pass and repetition
//	planner*.go   Planner: from the records so far, the next trial
//	analyze.go    Analyze: from a run directory, the Result
//	gil.go        CPython's lock: what it allows, and whether it limits
//	loop.go       asyncio's loop: what it did, and what holds it up
//	answer.go     gates and claims, answered with numbers
//	options.go    every threshold of both, with its unit and source
//
// # From trials to a verdict
//
// The demand of an op is the share of its time that it would compute on an
// idle machine; it comes from clocks (demand.go). What it waits for comes from
// the wall profiles (looks.go). Class: at most Options.IOBand of the demand is
// io-bound, at least Options.CPUBand cpu-bound, between them mixed, on the
// scale between the run's two controls; the whole interval must lie in one
// band, else the class is inconclusive, unless both sides lead to the same
// recommendation (class.go).
//
// Limits stand beside the class (limits.go, curves.go): lock, from the
// contention probe; gil, from the same, or from throughput that stays flat near
// what one GIL allows (gil.go); gc, from the collector's CPU time; loop-stall,
// from blocking calls, of asyncio from its own loop (loop.go); memory, from
// trials that passed their limit; downstream and oversubscription, from how
// throughput, latency and CPU move with the level.
//
// The prediction follows readable rules from class, demand and limits alone
// (predict.go). The recommendation follows the measurement (recommend.go): the
// best cell by the objective, of those that keep the constraints, fail no more
// than the baseline and give its results; of ties the simplest. Differences
// below the noise floor, which the baseline shows against itself, do not
// exist. What cannot be decided is said, with what would settle it.
//
// # Warnings
//
// A warning is a doubt about what was nevertheless done. The IDs in
// warnings.go are stable.
package analyzer
