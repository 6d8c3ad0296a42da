//go:build amd64 || arm64

package pyread

import (
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A thread is what is known of a thread from look to look.
type thread struct {
	tid   int   // by which it knows itself
	seen  int64 // the last look that found it
	files threadFiles

	valid bool // stack and last are those of the last look
	stack stack
	last  kernelState

	debt float64 // of looks that count as runnable, see share
	at   time.Duration
}

// A kernelState is what the kernel says of a thread.
type kernelState struct {
	running bool // on a processor or in its queue
	// nr is the system call that a thread is blocked in, -1 for none (a page
	// fault), with its arguments.
	nr   int
	args [6]uint64

	run, wait int64 // ns on a processor and in its queue, so far
	slices    int64 // how often it came onto one

	sched schedInfo // of running ones, if asked for; read at the same instant
	exact bool      // sched could be read
}

// threadFiles are the files of a thread in /proc, kept open from look to
// look.
type threadFiles struct {
	dir                       string
	syscall, schedstat, sched int // 0 when not open, -1 when there is none
}

// open opens the files of a thread; false if there is none such.
func (f *threadFiles) open(pid, tid int) bool {
	f.dir = "/proc/" + strconv.Itoa(pid) + "/task/" + strconv.Itoa(tid)
	f.syscall = f.openFile("/syscall")
	// Without accounting of the run queue, running threads count as running.
	f.schedstat = f.openFile("/schedstat")
	return f.syscall > 0
}

func (f *threadFiles) openFile(name string) int {
	fd, err := unix.Open(f.dir+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
}

func (f *threadFiles) close() {
	for _, fd := range []int{f.syscall, f.schedstat, f.sched} {
		if fd > 0 {
			unix.Close(fd)
		}
	}
	*f = threadFiles{}
}

// read reads the state of a thread; false if it has ended. If asked to, it
// reads too what tells whether a running thread is on a processor.
func (f *threadFiles) read(exactly bool) (s kernelState, ok bool) {
	for range 1 + retries {
		if s.running, s.nr, s.args, ok = f.readSyscall(); !ok {
			return s, false
		}
		if !s.running || !exactly {
			s.run, s.wait, s.slices = f.readSchedstat()
			return s, true
		}
		_, _, before := f.readSchedstat()
		if s.sched, s.exact = f.readSched(); !s.exact {
			break
		}
		running, _, _, ok := f.readSyscall()
		s.run, s.wait, s.slices = f.readSchedstat()
		if ok && running && s.slices == before {
			return s, true
		}
	}
	// It goes from one state to another too fast.
	s.exact = false
	s.run, s.wait, s.slices = f.readSchedstat()
	return s, true
}

func (f *threadFiles) readSyscall() (running bool, nr int, args [6]uint64, ok bool) {
	var buf [256]byte
	n, err := unix.Pread(f.syscall, buf[:], 0)
	if err != nil || n <= 0 {
		return false, 0, args, false
	}
	running, nr, args = parseSyscall(buf[:n])
	return running, nr, args, true
}

func (f *threadFiles) readSchedstat() (run, wait, slices int64) {
	var buf [128]byte
	if f.schedstat <= 0 {
		return 0, 0, 0
	}
	n, err := unix.Pread(f.schedstat, buf[:], 0)
	if err != nil {
		return 0, 0, 0
	}
	return parseSchedstat(buf[:n])
}

// parseSyscall reads /proc/<pid>/task/<tid>/syscall: "running", or the number
// of the system call, -1 for none, its six arguments, the stack pointer and
// the program counter.
func parseSyscall(data []byte) (running bool, nr int, args [6]uint64) {
	f := fields{data}
	first := f.next()
	if string(first) == "running" {
		return true, -1, args
	}
	nr = -1
	if len(first) > 0 && first[0] != '-' {
		nr = int(decimal(first))
		for i := range args {
			args[i] = hex(f.next())
		}
	}
	return false, nr, args
}

// parseSchedstat reads /proc/<pid>/task/<tid>/schedstat.
func parseSchedstat(data []byte) (run, wait, slices int64) {
	f := fields{data}
	return decimal(f.next()), decimal(f.next()), decimal(f.next())
}

// fields splits at spaces, without allocating.
type fields struct{ rest []byte }

func (f *fields) next() []byte {
	i := 0
	for i < len(f.rest) && (f.rest[i] == ' ' || f.rest[i] == '\n') {
		i++
	}
	j := i
	for j < len(f.rest) && f.rest[j] != ' ' && f.rest[j] != '\n' {
		j++
	}
	field := f.rest[i:j]
	f.rest = f.rest[j:]
	return field
}

func decimal(b []byte) int64 {
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<58 {
			return n
		}
		n = 10*n + int64(c-'0')
	}
	return n
}

func hex(b []byte) uint64 {
	if len(b) > 2 && b[0] == '0' && b[1] == 'x' {
		b = b[2:]
	}
	var n uint64
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | uint64(c-'a'+10)
		default:
			return n
		}
	}
	return n
}
