//go:build !linux

package decoder

// reserved is what Go's runtime reserves of the address space, at most, where
// the system does not tell.
func reserved() uint64 { return 64 << 30 }
