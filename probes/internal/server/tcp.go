package server

import (
	"net"
	"time"
)

// serveTCP returns to every connection what it sends, later. A request has no
// end that could be seen in the bytes, so each piece is delayed by itself, as
// on a long line: a request of several pieces is answered in full one latency
// after it was sent in full.
func serveTCP(ln net.Listener, s Settings) error {
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go echo(c, s)
	}
}

type piece struct {
	data []byte
	due  time.Time
}

// lineDepth bounds the pieces on their way, and with them the memory of a
// connection whose client sends without reading: 64 of 32 KiB.
const (
	lineDepth  = 64
	pieceBytes = 32 << 10
)

func echo(c net.Conn, s Settings) {
	defer c.Close()
	line := make(chan piece, lineDepth)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for p := range line {
			time.Sleep(time.Until(p.due))
			if _, err := c.Write(p.data); err != nil {
				c.Close() // ends the reading, too
			}
		}
	}()
	buf := make([]byte, pieceBytes)
	for {
		n, err := c.Read(buf)
		if n > 0 {
			due := time.Now().Add(s.delay())
			burn(s.CPU)
			line <- piece{append([]byte(nil), buf[:n]...), due}
		}
		if err != nil {
			break
		}
	}
	close(line)
	<-sent
}
