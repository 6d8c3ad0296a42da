package proc

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestCapture(t *testing.T) {
	const k = captureBytes
	for _, size := range []int{0, 1, k - 1, k, k + 1, 2 * k, 2*k + 1, 3*k + 17, 10 * k} {
		for _, piece := range []int{1 << 20, 1000, 7} {
			t.Run(fmt.Sprintf("%d in pieces of %d", size, piece), func(t *testing.T) {
				data := make([]byte, size)
				for i := range data {
					data[i] = byte(i * 7 / 3)
				}
				var c Capture
				for rest := data; len(rest) > 0; {
					n := min(piece, len(rest))
					if m, err := c.Write(rest[:n]); m != n || err != nil {
						t.Fatalf("wrote %d of %d, %v", m, n, err)
					}
					rest = rest[n:]
				}
				want := data
				if size > 2*k {
					want = append(bytes.Clone(data[:k]), fmt.Sprintf("\n[%d bytes dropped]\n", size-2*k)...)
					want = append(want, data[size-k:]...)
				}
				if !bytes.Equal(c.Bytes(), want) || c.Total() != int64(size) || c.Dropped() != int64(max(0, size-2*k)) {
					t.Errorf("kept %d bytes, total %d, dropped %d", len(c.Bytes()), c.Total(), c.Dropped())
				}
			})
		}
	}
}

// What is cut in two is in neither part.
func TestCaptureText(t *testing.T) {
	var c Capture
	fmt.Fprint(&c, strings.Repeat("x", captureBytes-3), " sec|ret ", strings.Repeat("y", captureBytes), "sec|ret ", strings.Repeat("z", captureBytes-4))
	got := c.Text(func(s string) string { return "<" + strings.Trim(s, "xyz") + ">" })
	if want := fmt.Sprintf("< >\n[%d bytes dropped]\n< >", captureBytes+16-1); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLastOfEach(t *testing.T) {
	got := lastOfEach([]string{"PATH=/bin", "A=1", "PATH=/usr/bin", "B=", "A=2"})
	if want := "[PATH=/usr/bin B= A=2]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
