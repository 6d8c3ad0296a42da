package harness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// bufferBytes is the size of the buffer through which a slot reads answers.
const bufferBytes = 32 << 10

// httpStep makes a request and reads the whole answer. All slots share one
// client that keeps a connection for every op in flight, and opens no more:
// the client that Go provides keeps two a host, and dials whenever none is
// idle at that instant, so it would measure the opening of connections.
// A status other than 2xx is a failed op. The result is the body.
func httpStep(s Step, concurrency int, last bool) (builtStep, error) {
	u, err := url.Parse(s.Address)
	if err != nil {
		return builtStep{}, err
	}
	if u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return builtStep{}, fmt.Errorf("address %q: want http://host/path", u.Redacted())
	}
	method := s.Method
	if method == "" {
		method = http.MethodGet
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = concurrency
	transport.MaxIdleConnsPerHost = concurrency
	transport.MaxConnsPerHost = concurrency
	client := &http.Client{Transport: transport}
	body := bytes.Repeat([]byte("x"), int(s.Bytes))

	build := func(int) (stepFunc, error) {
		buf, got := make([]byte, bufferBytes), new(answer)
		return func(ctx context.Context, _ int64, _ any) (any, error) {
			var r io.Reader
			if len(body) > 0 {
				r = bytes.NewReader(body)
			}
			req, err := http.NewRequestWithContext(ctx, method, s.Address, r)
			if err != nil {
				return nil, err
			}
			resp, err := client.Do(req)
			if err != nil {
				return nil, err
			}
			defer resp.Body.Close()
			got.reset()
			if _, err := io.CopyBuffer(got, resp.Body, buf); err != nil {
				return nil, fmt.Errorf("%s %s: read answer: %w", method, u.Redacted(), err)
			}
			if resp.StatusCode < 200 || resp.StatusCode > 299 {
				return nil, &kindError{
					kind:    fmt.Sprintf("http status %d", resp.StatusCode),
					message: fmt.Sprintf("%s %s: %s", method, u.Redacted(), resp.Status),
				}
			}
			return got.result(last), nil
		}, nil
	}
	return builtStep{build: build, close: transport.CloseIdleConnections, inputless: true}, nil
}
