package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// defaultTCPBytes is what a TCP step sends if it does not say.
	defaultTCPBytes = 64
	// dialTimeout bounds the opening of a connection; an op that hangs
	// longer is ended by the trial's own deadline.
	dialTimeout = 10 * time.Second
)

// tcpStep sends bytes on a connection and reads as many back, which are
// the result. Every op in flight has a connection of its own, kept between
// ops unless each is to open one.
func tcpStep(s Step, last bool) (builtStep, error) {
	if _, _, err := net.SplitHostPort(s.Address); err != nil {
		return builtStep{}, err
	}
	size := s.Bytes
	if size <= 0 {
		size = defaultTCPBytes
	}
	var pool connPool
	build := func(int) (stepFunc, error) {
		c := &tcpSlot{address: s.Address, keep: !s.Connect, last: last, pool: &pool}
		c.out, c.in = make([]byte, size), make([]byte, size)
		for i := range c.out {
			c.out[i] = byte('a' + i%26)
		}
		return c.step, nil
	}
	return builtStep{build: build, close: pool.close, inputless: true}, nil
}

// A tcpSlot is the connection of one slot, nil between ops that open theirs.
type tcpSlot struct {
	address string
	keep    bool
	last    bool // step of the op
	conn    net.Conn
	pool    *connPool
	out, in []byte
	got     answer
}

func (c *tcpSlot) step(ctx context.Context, _ int64, _ any) (any, error) {
	if c.conn == nil {
		d := net.Dialer{Timeout: dialTimeout}
		conn, err := d.DialContext(ctx, "tcp", c.address)
		if err != nil {
			return nil, err
		}
		c.conn = conn
		c.pool.add(conn)
	}
	err := c.exchange()
	if err != nil || !c.keep {
		c.pool.drop(c.conn)
		c.conn = nil
	}
	if err != nil {
		return nil, err
	}
	c.got.reset()
	c.got.Write(c.in) //nolint:errcheck // never fails
	return c.got.result(c.last), nil
}

func (c *tcpSlot) exchange() error {
	if _, err := c.conn.Write(c.out); err != nil {
		return err
	}
	if n, err := io.ReadFull(c.conn, c.in); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("read from %s: connection closed after %d of %d bytes", c.address, n, len(c.in))
		}
		return err
	}
	return nil
}

// A connPool knows the open connections of a step, to close them in the end.
type connPool struct {
	mu   sync.Mutex
	open map[net.Conn]struct{}
}

func (p *connPool) add(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = make(map[net.Conn]struct{})
	}
	p.open[c] = struct{}{}
}

func (p *connPool) drop(c net.Conn) {
	p.mu.Lock()
	delete(p.open, c)
	p.mu.Unlock()
	c.Close()
}

func (p *connPool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		c.Close()
	}
	p.open = nil
}
