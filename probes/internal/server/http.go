package server

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"
)

// maxBodyBytes is how much of a request is read.
const maxBodyBytes = 1 << 30

func serveHTTP(ln net.Listener, s Settings) error {
	chunk := bytes.Repeat([]byte("concprof\n"), 4096)
	h := func(w http.ResponseWriter, r *http.Request) {
		due := time.Now().Add(s.delay())
		if _, err := io.Copy(io.Discard, io.LimitReader(r.Body, maxBodyBytes)); err != nil {
			return
		}
		burn(s.CPU)
		select {
		case <-time.After(time.Until(due)):
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Content-Length", strconv.FormatInt(s.Bytes, 10))
		for left := s.Bytes; left > 0; {
			n, err := w.Write(chunk[:min(left, int64(len(chunk)))])
			if err != nil {
				return
			}
			left -= int64(n)
		}
	}
	srv := &http.Server{
		Handler:           http.HandlerFunc(h),
		ReadHeaderTimeout: time.Minute,
		// A client that is killed mid-request is no news.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	return srv.Serve(ln)
}
