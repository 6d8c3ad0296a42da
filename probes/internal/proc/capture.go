package proc

import (
	"fmt"
	"strings"
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
	head, tail := c.parts()
	if n := c.dropped(); n > 0 {
		return []byte(head + gap(n) + tail)
	}
	return []byte(head + tail)
}

// Text is Bytes with f applied to what was written. If something is missing, f
// gets the beginning and the end each by itself, and the words that were cut
// in two are left out as well, for f could not know them.
func (c *Capture) Text(f func(string) string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	head, tail := c.parts()
	n := c.dropped()
	if n == 0 {
		return f(head + tail)
	}
	if i := strings.LastIndexAny(head, " \n"); i >= 0 {
		n += int64(len(head) - i - 1)
		head = head[:i+1]
	}
	if i := strings.IndexAny(tail, " \n"); i >= 0 {
		n += int64(i)
		tail = tail[i:]
	}
	return f(head) + gap(n) + f(tail)
}

func (c *Capture) parts() (head, tail string) {
	return string(c.head), string(c.tail[c.next:]) + string(c.tail[:c.next])
}

func gap(n int64) string { return fmt.Sprintf("\n[%d bytes dropped]\n", n) }
