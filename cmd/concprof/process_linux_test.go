package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A process is an id and when it began, which tells it from a later one of
// the same id.
type process struct {
	pid   int
	begun string
}

// processOf returns the process that has an id, unless it has ended.
func processOf(pid int) (process, bool) {
	p, _, ok := readProcess("/proc/" + strconv.Itoa(pid) + "/stat")
	return p, ok
}

func readProcess(file string) (p process, parent int, ok bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		return p, 0, false
	}
	f := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return p, 0, false
	}
	p.pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(file)))
	parent, _ = strconv.Atoi(f[1])
	p.begun = f[19]
	return p, parent, true
}

// descendants returns the processes that one has started, and those that they
// have.
func descendants(root int) []process {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	children := map[int][]process{}
	for _, file := range files {
		if p, parent, ok := readProcess(file); ok {
			children[parent] = append(children[parent], p)
		}
	}
	var all []process
	for queue := []int{root}; len(queue) > 0; queue = queue[1:] {
		for _, p := range children[queue[0]] {
			all = append(all, p)
			queue = append(queue, p.pid)
		}
	}
	return all
}

// marked returns the processes that have the mark in their environment, but
// the tool itself, which got it too.
func marked(mark string) []int {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	var found []int
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && bytes.Contains(data, []byte(mark)) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			found = append(found, pid)
		}
	}
	return found
}
