package bench

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// An entry is one line of a store: a value and what it is the value of.
type entry[V any] struct {
	Key   string `json:"key"`
	Value V      `json:"value"`
}

// A store keeps values by key in a file of JSON lines, the last of a key
// counts. A line that was cut off by an interruption is as if it were not
// there.
type store[V any] struct {
	path   string
	values map[string]V
}

func openStore[V any](path string) (*store[V], error) {
	s := &store[V]{path: path, values: make(map[string]V)}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		var e entry[V]
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Key != "" {
			s.values[e.Key] = e.Value
		}
	}
	return s, lines.Err()
}

// put adds a value, first to the file.
func (s *store[V]) put(key string, v V) error {
	line, err := json.Marshal(entry[V]{key, v})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	// A line before it may have been cut off.
	_, err = f.Write(append(append([]byte("\n"), line...), '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("cannot keep a result: %w", err)
	}
	s.values[key] = v
	return nil
}

// digest hashes the files of a pattern list: what a result depends on.
func digest(patterns ...string) (string, error) {
	h := sha256.New()
	for _, p := range patterns {
		names, err := filepath.Glob(p)
		if err != nil {
			return "", err
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(h, "%s %d\n", filepath.Base(name), len(text))
			h.Write(text)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:6]), nil
}
