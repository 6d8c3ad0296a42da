package record

import "math/bits"

// Digest sums up the results of ops without regard to their order. Bucket k
// covers the ops numbered 2^(k-1) to 2^k - 1 (bucket 0: op 0 alone), so two
// trials that ran different numbers of ops can still be compared over the ops
// that both ran in full.
type Digest struct {
	Ops     int64    `json:"ops"` // ops 0 to Ops-1 are in it
	Buckets []uint64 `json:"buckets"`
	// Opaque says that some result could not be read (a channel, a function),
	// so that equal digests say less than they seem to.
	Opaque bool `json:"opaque,omitempty"`
}

// Add enters the hash of op's result, which must already mix in the op's
// number and whether it failed.
func (d *Digest) Add(op int64, hash uint64) {
	k := bits.Len64(uint64(op))
	for len(d.Buckets) <= k {
		d.Buckets = append(d.Buckets, 0)
	}
	d.Buckets[k] += hash
	d.Ops++
}

// Merge adds the ops of o, which must be others than d's.
func (d *Digest) Merge(o *Digest) {
	if o == nil {
		return
	}
	for len(d.Buckets) < len(o.Buckets) {
		d.Buckets = append(d.Buckets, 0)
	}
	for k, v := range o.Buckets {
		d.Buckets[k] += v
	}
	d.Ops += o.Ops
	d.Opaque = d.Opaque || o.Opaque
}

// Compare tells whether two digests agree over the ops that both cover in
// full, and how many ops those are; 0 means that nothing could be compared.
func (d *Digest) Compare(o *Digest) (agree bool, ops int64) {
	if d == nil || o == nil {
		return true, 0
	}
	if d.Ops == o.Ops {
		return equal(d.Buckets, o.Buckets), d.Ops
	}
	n := min(d.Ops, o.Ops)
	full := bits.Len64(uint64(n)) // buckets below full hold only ops < 2^(full-1) <= n
	if full > len(d.Buckets) || full > len(o.Buckets) {
		return false, n
	}
	if full == 0 {
		return true, 0
	}
	return equal(d.Buckets[:full], o.Buckets[:full]), 1 << (full - 1)
}

func equal(a, b []uint64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
