//go:build amd64 || arm64

package pyread

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
)

// An image is the file that holds CPython's runtime, the executable or a
// shared library, as it lies in a process.
type image struct {
	runtime uint64 // where .PyRuntime begins
	version uint64 // where Py_Version is, 0 if the file does not say
}

// errNoRuntime is a file without .PyRuntime.
var errNoRuntime = errors.New("no section .PyRuntime")

// maxMaps bounds the part of /proc/<pid>/maps that is read.
const maxMaps = 8 << 20

// findImage finds CPython's runtime among the files that process pid has
// mapped. The section .PyRuntime is there in stripped builds too, and
// Py_Version is exported.
func findImage(pid int) (image, error) {
	proc := "/proc/" + strconv.Itoa(pid)
	f, err := os.Open(proc + "/maps")
	if err != nil {
		return image{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxMaps))
	if err != nil {
		return image{}, err
	}
	exe, _ := os.Readlink(proc + "/exe")
	files := mappedFiles(data, exe)
	if len(files) == 0 {
		return image{}, errors.New("it has no program: it is a kernel thread or has ended")
	}
	for _, m := range files {
		name := proc + "/root" + m.name
		if m.name == exe {
			name = proc + "/exe"
		}
		img, err := readImage(name, m)
		if err == errNoRuntime {
			continue
		}
		if err != nil {
			return image{}, fmt.Errorf("%s: %w", m.name, err)
		}
		return img, nil
	}
	return image{}, errors.New("it is no CPython that is known (3.11 to 3.15): neither its program nor a libpython has a section .PyRuntime")
}

// A mapped is a file in a process's memory: where each of its mappings
// begins, by offset in the file.
type mapped struct {
	name   string
	starts map[uint64]uint64
}

// mappedFiles picks from /proc/<pid>/maps the executable and the files that
// may be libpython, the latter first.
func mappedFiles(maps []byte, exe string) []*mapped {
	var files []*mapped
	byName := map[string]*mapped{}
	for line := range bytes.Lines(maps) {
		// start-end perms offset device inode    path
		f := strings.Fields(string(line))
		if len(f) < 6 || !strings.HasPrefix(f[5], "/") {
			continue
		}
		name := strings.TrimRight(string(line[bytes.IndexByte(line, '/'):]), "\n")
		if name != exe && !strings.Contains(path.Base(name), "python") {
			continue
		}
		first, _, _ := strings.Cut(f[0], "-")
		start, err1 := strconv.ParseUint(first, 16, 64)
		offset, err2 := strconv.ParseUint(f[2], 16, 64)
		if err1 != nil || err2 != nil {
			continue
		}
		m := byName[name]
		if m == nil {
			m = &mapped{name: name, starts: map[uint64]uint64{}}
			byName[name] = m
			if name == exe {
				files = append(files, m)
			} else {
				files = append([]*mapped{m}, files...)
			}
		}
		if _, ok := m.starts[offset]; !ok {
			m.starts[offset] = start
		}
	}
	return files
}

// readImage finds the runtime in an ELF file that is mapped as m says.
func readImage(name string, m *mapped) (image, error) {
	f, err := elf.Open(name)
	if err != nil {
		return image{}, err
	}
	defer f.Close()
	section := f.Section(".PyRuntime")
	if section == nil {
		return image{}, errNoRuntime
	}
	bias, err := loadBias(f, m)
	if err != nil {
		return image{}, err
	}
	img := image{runtime: section.Addr + bias}
	symbols, _ := f.DynamicSymbols()
	for _, s := range symbols {
		if s.Name == "Py_Version" {
			img.version = s.Value + bias
		}
	}
	return img, nil
}

// loadBias returns what is added to a file's addresses in the process: 0 for
// a program that is not position-independent.
func loadBias(f *elf.File, m *mapped) (uint64, error) {
	page := uint64(os.Getpagesize())
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		if start, ok := m.starts[p.Off&^(page-1)]; ok {
			return start - p.Vaddr&^(page-1), nil
		}
	}
	return 0, errors.New("it is not mapped as the file says; was it replaced?")
}
