package proc

import (
	"bytes"
	"fmt"
	"sync"
)

// captureBytes is how much a Capture keeps of the beginning, and of the end.
const captureBytes = 64 << 10

// A Capture keeps the first and the last 64 KiB of what is written to it. The
// zero value is ready for use.
type Capture struct {
	mu    sync.Mutex
	head  []byte
	tail  []byte // a ring once it is full
	next  int    // where the ring's oldest byte is
	total int64
}

// Write takes p; it never fails.
func (c *Capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(p)
	c.total += int64(n)
	if room := captureBytes - len(c.head); room > 0 {
		k := min(room, len(p))
		c.head = append(c.head, p[:k]...)
		p = p[k:]
	}
	if len(p) > captureBytes {
		p = p[len(p)-captureBytes:]
	}
	if room := captureBytes - len(c.tail); room > 0 {
		k := min(room, len(p))
		c.tail = append(c.tail, p[:k]...)
		p = p[k:]
	}
	for len(p) > 0 {
		k := copy(c.tail[c.next:], p)
		c.next = (c.next + k) % captureBytes
		p = p[k:]
	}
	return n, nil
}

// Total returns how many bytes were written.
func (c *Capture) Total() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// Dropped returns how many bytes were not kept.
func (c *Capture) Dropped() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped()
}

func (c *Capture) dropped() int64 { return c.total - int64(len(c.head)) - int64(len(c.tail)) }

// Bytes returns what is kept, with a line that says what is missing between.
func (c *Capture) Bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b bytes.Buffer
	b.Write(c.head)
	if n := c.dropped(); n > 0 {
		fmt.Fprintf(&b, "\n[%d bytes dropped]\n", n)
	}
	b.Write(c.tail[c.next:])
	b.Write(c.tail[:c.next])
	return b.Bytes()
}
