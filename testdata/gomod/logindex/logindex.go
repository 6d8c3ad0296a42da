// Package logindex counts what the access logs of web servers say about each
// page.
package logindex

import (
	"bufio"
	"os"
	"regexp"
	"sync"
)

// entry matches a line in the common log format: client, time, request,
// status.
var entry = regexp.MustCompile(`^(\S+) \S+ \S+ \[([^\]]+)\] "(\w+) ([^ "?]+)[^"]*" (\d{3}) `)

// An Index counts requests by page and status. It is safe for use by several
// goroutines.
type Index struct {
	mu    sync.Mutex
	files map[string]map[Key]int // by file, so that a file can be read anew
}

// A Key is what requests are counted by.
type Key struct{ Page, Status string }

// New returns an empty index.
func New() *Index { return &Index{files: map[string]map[Key]int{}} }

// AddFile reads a log into the index, instead of what an earlier reading of
// the same file had found, and returns the number of requests in it.
func (x *Index) AddFile(name string) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()

	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	counts, requests := map[Key]int{}, 0
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		m := entry.FindStringSubmatch(lines.Text())
		if m == nil {
			continue // half a line, after a crash
		}
		counts[Key{Page: m[4], Status: m[5]}]++
		requests++
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	x.files[name] = counts
	return requests, nil
}

// Count returns how often a page was answered with a status.
func (x *Index) Count(page, status string) int {
	x.mu.Lock()
	defer x.mu.Unlock()

	n := 0
	for _, counts := range x.files {
		n += counts[Key{Page: page, Status: status}]
	}
	return n
}
