package record

import "sort"

// MaxResults is the number of ops whose results a check trial keeps, from op 0
// on: with MaxShown bytes of each, a record of them has less than a fifth of
// MaxEventBytes.
const MaxResults = 1024

// MaxShown is the most bytes that are shown of one result in Result.
const MaxShown = 96

// A Result is what one op of a check trial returned. Ops that returned nothing
// have none.
type Result struct {
	Op int64 `json:"op"`
	// Hash is that of the op's number, its result and whether it failed, as in
	// a Digest.
	Hash uint64 `json:"hash"`
	// Shown is the result as people recognise it, in one line; "" where it
	// cannot be read.
	Shown string `json:"shown,omitempty"`
}

// SortResults orders results by their ops.
func SortResults(rs []Result) {
	sort.Slice(rs, func(i, k int) bool { return rs[i].Op < rs[k].Op })
}

// FirstDifference returns the first op whose results differ in two sorted lists
// of the results of ops 0 to ops-1. What is missing in a list returned nothing,
// and its Result is nil.
func FirstDifference(a, b []Result, ops int64) (op int64, inA, inB *Result, differ bool) {
	for len(a) > 0 || len(b) > 0 {
		inA, inB = nil, nil
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Op < b[0].Op:
			op, inA, a = a[0].Op, &a[0], a[1:]
		case len(a) == 0 || b[0].Op < a[0].Op:
			op, inB, b = b[0].Op, &b[0], b[1:]
		default:
			op, inA, inB, a, b = a[0].Op, &a[0], &b[0], a[1:], b[1:]
		}
		if op >= ops {
			break
		}
		if inA == nil || inB == nil || inA.Hash != inB.Hash {
			return op, inA, inB, true
		}
	}
	return 0, nil, nil, false
}
