package harness

import (
	"hash/crc32"
	"io"
)

// hashReader hashes all that r has, through buf. A checksum that the
// processor computes is enough: results are compared for accidents, not for
// attacks.
func hashReader(r io.Reader, buf []byte) (uint64, error) {
	var sum uint32
	var size uint64
	for {
		n, err := r.Read(buf)
		sum = crc32.Update(sum, castagnoli, buf[:n])
		size += uint64(n)
		if err == io.EOF {
			return size<<32 ^ uint64(sum), nil
		}
		if err != nil {
			return 0, err
		}
	}
}
