package pprofui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// The bounds of a connection. They are generous: the other end is a browser
// on the same machine, and a flame graph of 5,000 stacks has 3.8 MB.
const (
	headerTimeout  = 5 * time.Second
	writeTimeout   = 2 * time.Minute
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 64 << 10
	// maxRequests is how many requests are answered at once; a page asks for
	// one at a time.
	maxRequests = 64
	// idleExit is how long the server waits for a visit: a terminal that is
	// forgotten does not serve for ever.
	idleExit = 30 * time.Minute
	// shutdownTimeout is how long requests under way may take to end.
	shutdownTimeout = 2 * time.Second
)

// Handler returns the site behind its guards.
func (s *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.serveIndex)
	mux.HandleFunc("GET /ui/{workload}/{kind}/{cell}/{page...}", func(w http.ResponseWriter, r *http.Request) {
		servePage(w, r, s.single(r.PathValue("workload"), Kind(r.PathValue("kind")), r.PathValue("cell")))
	})
	mux.HandleFunc("GET /diff/{workload}/{kind}/{cell}/{base}/{page...}", func(w http.ResponseWriter, r *http.Request) {
		servePage(w, r, s.difference(r.PathValue("workload"), Kind(r.PathValue("kind")), r.PathValue("cell"), r.PathValue("base")))
	})
	return limit(maxRequests, guard(mux))
}

// servePage serves one of pprof's pages.
func servePage(w http.ResponseWriter, r *http.Request, m *mount) {
	if m == nil {
		http.NotFound(w, r)
		return
	}
	name := r.PathValue("page")
	if name == "" {
		// pprof answers 301 here, which a browser keeps for ever; another run
		// may be served from the same port tomorrow.
		w.Header().Set("Location", "flamegraph")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	page, err := m.page(name)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	case page == nil:
		http.NotFound(w, r)
	default:
		page.ServeHTTP(w, r)
	}
}

// Serve serves the site on ln until ctx ends, or until nobody has visited it
// for half an hour. It closes ln, and refuses one that other machines can
// reach.
func (s *Site) Serve(ctx context.Context, ln net.Listener) error {
	if !loopback(ln.Addr().String()) {
		ln.Close()
		return fmt.Errorf("cannot serve profiles on %s: only loopback addresses are allowed", ln.Addr())
	}
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	wait := cmp.Or(s.idle, idleExit)
	idle := time.AfterFunc(wait, leave)
	defer idle.Stop()
	handler := s.Handler()
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			idle.Reset(wait)
			handler.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		if server.Shutdown(grace) != nil {
			server.Close()
		}
	})
	err := server.Serve(ln)
	if !stop() {
		<-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
