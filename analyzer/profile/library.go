package profile

import "github.com/concprof/concprof/probes/record"

// A library is a row of the table that reads a park by the functions above
// it: net/http, say, waits in a select while another goroutine reads the
// socket.
type library struct {
	prefix string // of a function's full name
	raw    raw    // the parks that the row is about
	wait   record.Wait
	// busy says that a goroutine in such a system call may be computing; in
	// the others it can only sleep.
	busy bool
	why  string
}

// state is the state of a goroutine that the row describes.
func (l *library) state(r raw) State {
	switch {
	case r&(rawSyscall|rawCgo) == 0 || !l.busy && l.wait != "":
		return Blocked
	case l.wait == "":
		return Running
	}
	return Ambiguous
}

// libraries is read from the leaf outwards: for each frame the first row that
// fits decides. So rows of the layers near the kernel (files, processes) and
// of the clients that use them may stand in any order, but of two rows that
// fit one function the more special must come first.
var libraries = []library{
	// Processes.
	{"os.(*Process).", rawAny, record.Subprocess, false, "waits for a child to end: pidfdWait, blockUntilWaitable, wait4"},
	{"os/exec.(*Cmd).Start", rawAny, record.Subprocess, true, "fork and exec; returns when the child has replaced its image"},
	{"os.StartProcess", rawAny, record.Subprocess, true, "fork and exec"},
	{"syscall.forkExec", rawAny, record.Subprocess, true, "fork and exec: waits for the child to replace its image"},
	{"syscall.wait4", rawAny, record.Subprocess, false, "waits for a child to end"},
	{"syscall.Wait4", rawAny, record.Subprocess, false, "waits for a child to end"},
	{"golang.org/x/sys/unix.Wait", rawAny, record.Subprocess, false, "waits for a child to end"},
	{"os/exec.(*Cmd).", rawAny, record.Subprocess, false, "waits for a child, or for the goroutines that copy its output"},

	// Locks that are not Go's.
	{"syscall.Flock", rawAny, record.Lock, false, "a file lock that another process or op holds"},
	{"golang.org/x/sys/unix.Flock", rawAny, record.Lock, false, "a file lock that another process or op holds"},
	{"syscall.FcntlFlock", rawAny, record.Lock, false, "a record lock that another process holds"},
	{"golang.org/x/sys/unix.FcntlFlock", rawAny, record.Lock, false, "a record lock that another process holds"},
	{"golang.org/x/sys/unix.Futex", rawAny, record.Lock, false, "a futex is a lock of a foreign runtime"},

	// Timers.
	{"syscall.Nanosleep", rawAny, record.Timer, false, "sleeps in the kernel"},
	{"golang.org/x/sys/unix.Nanosleep", rawAny, record.Timer, false, "sleeps in the kernel"},
	{"golang.org/x/time/rate.", rawChan, record.Timer, false, "a rate limiter selects on a timer"},
	{"github.com/cenkalti/backoff", rawChan, record.Timer, false, "waits between two attempts"},

	// Synchronisation that is no mutual exclusion: the goroutine waits for
	// the work of others, which decides what it is bound by.
	{"sync.(*WaitGroup).", rawSem, record.Channel, false, "waits for goroutines to end; nobody holds anything"},
	{"golang.org/x/sync/errgroup.", rawSem | rawChan, record.Channel, false, "waits for goroutines to end"},
	{"golang.org/x/sync/singleflight.", rawSem | rawChan, record.Channel, false, "waits for the same call of another goroutine"},
	{"golang.org/x/sync/semaphore.", rawChan, record.Lock, false, "waits for a permit that others hold"},
	{"internal/poll.(*fdMutex).", rawSem, record.Lock, false, "one file or socket shared by several goroutines"},

	// Databases. A connection pool that is empty is a lock: the time goes
	// when another op gives a connection back.
	{"database/sql.(*DB).conn", rawChan, record.Lock, false, "waits for a connection that other ops hold (SetMaxOpenConns)"},
	{"database/sql.", rawChan | rawCond, record.Network, false, "drivers answer from goroutines of their own"},
	{"github.com/jackc/puddle", rawChan | rawSem, record.Lock, false, "waits for a connection that other ops hold"},
	{"github.com/jackc/pgx", rawChan | rawCond, record.Network, false, "a client of PostgreSQL"},
	{"github.com/lib/pq.", rawChan | rawCond, record.Network, false, "a client of PostgreSQL"},
	{"github.com/go-sql-driver/mysql.", rawChan | rawCond, record.Network, false, "a client of MySQL"},
	{"go.mongodb.org/mongo-driver/", rawChan | rawCond, record.Network, false, "a client of MongoDB"},
	{"github.com/redis/go-redis/v9/internal/pool.(*ConnPool).waitTurn", rawChan, record.Lock, false, "waits for a connection that other ops hold (PoolSize)"},
	{"github.com/redis/go-redis/", rawChan | rawCond, record.Network, false, "a client of Redis"},
	{"github.com/go-redis/redis/", rawChan | rawCond, record.Network, false, "a client of Redis"},
	{"github.com/gomodule/redigo/", rawChan | rawCond, record.Network, false, "a client of Redis"},
	{"github.com/bradfitz/gomemcache/", rawChan | rawCond, record.Network, false, "a client of memcached"},

	// Network clients whose sockets other goroutines read.
	{"net/http.(*persistConn).", rawChan | rawCond, record.Network, false, "the request waits in a select; readLoop reads the socket"},
	{"net/http.(*Transport).", rawChan | rawCond, record.Network, false, "waits for a connection to be dialled or to become idle"},
	{"net/http.(*http2", rawChan | rawCond, record.Network, false, "a stream waits for frames that readLoop reads"},
	{"net/http.http2", rawChan | rawCond, record.Network, false, "a stream waits for frames that readLoop reads"},
	{"net/http/internal/http2.", rawChan | rawCond, record.Network, false, "a stream waits for frames that readLoop reads"},
	{"golang.org/x/net/http2.", rawChan | rawCond, record.Network, false, "a stream waits for frames that readLoop reads"},
	{"net/http.(*body", rawChan | rawCond, record.Network, false, "the body of a response arrives by readLoop"},
	{"net.(*Resolver).", rawChan | rawCond, record.Network, false, "lookups run in a goroutine of their own"},
	{"net.doBlockingWithCtx", rawChan, record.Network, false, "waits for getaddrinfo in a thread of its own"},
	{"net._C_getaddrinfo", rawCgo, record.Network, false, "getaddrinfo asks the name server"},
	{"net._C2func_getaddrinfo", rawCgo, record.Network, false, "getaddrinfo asks the name server"},
	{"net.cgo", rawCgo | rawChan, record.Network, false, "the resolver of the C library"},
	{"net.(*Dialer).", rawChan, record.Network, false, "dials several addresses at once"},
	{"net.(*sysDialer).", rawChan, record.Network, false, "dials several addresses at once"},
	{"net/rpc.", rawChan, record.Network, false, "the call waits; input reads the socket"},
	{"google.golang.org/grpc", rawChan | rawCond, record.Network, false, "a stream waits for frames that a reader goroutine hands on"},
	{"github.com/quic-go/", rawChan | rawCond, record.Network, false, "QUIC streams wait for the connection's goroutine"},
	{"golang.org/x/crypto/ssh.", rawChan | rawCond, record.Network, false, "a channel of SSH waits for its multiplexer"},
	{"github.com/nats-io/nats.go.", rawChan | rawCond, record.Network, false, "replies arrive by a reader goroutine"},
	{"github.com/segmentio/kafka-go.", rawChan | rawCond, record.Network, false, "batches are answered by other goroutines"},
	{"github.com/IBM/sarama.", rawChan | rawCond, record.Network, false, "brokers answer from goroutines of their own"},
	{"github.com/twmb/franz-go/", rawChan | rawCond, record.Network, false, "brokers answer from goroutines of their own"},
	{"github.com/rabbitmq/amqp091-go.", rawChan | rawCond, record.Network, false, "replies arrive by a reader goroutine"},
	{"go.etcd.io/etcd/client/", rawChan | rawCond, record.Network, false, "a client over gRPC"},

	// System calls of sockets never block under the netpoller: a goroutine
	// seen in one computes there. Name lookups, epoll and select do block.
	{"net.(*netFD).", rawSyscall, "", true, "a socket's system calls do not block: time in them is CPU time"},
	{"net.(*conn).", rawSyscall, "", true, "a socket's system calls do not block: time in them is CPU time"},
	{"syscall.Select", rawSyscall, record.Network, false, "waits for descriptors"},
	{"golang.org/x/sys/unix.Poll", rawSyscall, record.Network, false, "waits for descriptors"},
	{"golang.org/x/sys/unix.EpollWait", rawSyscall, record.Network, false, "waits for descriptors"},
	{"syscall.EpollWait", rawSyscall, record.Network, false, "waits for descriptors"},

	// Files: read and write copy from the page cache or wait for the disk.
	{"os.(*File).", rawSyscall | rawPoll, record.File, true, "pages may be cached: busy or asleep"},
	{"os.(*Root).", rawSyscall, record.File, true, "a lookup may be cached: busy or asleep"},
	{"os.", rawSyscall, record.File, true, "open, stat, rename, remove and reading folders"},
	{"io/ioutil.", rawSyscall, record.File, true, "older names of functions of os"},
	{"syscall.fsync", rawSyscall, record.File, true, "waits for the disk"},
	{"syscall.Fsync", rawSyscall, record.File, true, "waits for the disk"},
	{"syscall.Fdatasync", rawSyscall, record.File, true, "waits for the disk"},
	{"syscall.SyncFileRange", rawSyscall, record.File, true, "waits for the disk"},
	{"syscall.Pread", rawSyscall, record.File, true, "only files have positions"},
	{"syscall.pread", rawSyscall, record.File, true, "only files have positions"},
	{"syscall.Pwrite", rawSyscall, record.File, true, "only files have positions"},
	{"syscall.pwrite", rawSyscall, record.File, true, "only files have positions"},
	{"golang.org/x/sys/unix.Pread", rawSyscall, record.File, true, "only files have positions"},
	{"golang.org/x/sys/unix.Pwrite", rawSyscall, record.File, true, "only files have positions"},
	{"golang.org/x/sys/unix.Sync", rawSyscall, record.File, true, "Sync, SyncFileRange, Syncfs"},
	{"golang.org/x/sys/unix.F", rawSyscall, record.File, true, "Fsync, Fdatasync, Fallocate"},
	{"golang.org/x/sys/unix.Msync", rawSyscall, record.File, true, "waits for the disk"},
}
