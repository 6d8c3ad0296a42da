package op

import (
	"sync"
	"sync/atomic"
	"time"
)

var (
	computing sync.Mutex
	sleeping  sync.Mutex
	reading   sync.RWMutex
)

// ComputeLocked holds one lock while it computes.
func ComputeLocked(n int) int {
	computing.Lock()
	defer computing.Unlock()
	return hash(n, 2<<20)
}

// SleepLocked holds one lock while it waits for 3 ms.
func SleepLocked() {
	sleeping.Lock()
	defer sleeping.Unlock()
	time.Sleep(3 * time.Millisecond)
}

// ReadLocked waits for 5 ms under a lock that readers share.
func ReadLocked() {
	reading.RLock()
	defer reading.RUnlock()
	time.Sleep(5 * time.Millisecond)
}

// PingPong sends 200 messages to a goroutine of its own and receives as many:
// it waits 200 times, but always for something that computes.
func PingPong() int {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for x := range ping {
			pong <- hash(x, 16<<10)
		}
		close(pong)
	}()
	sum := 0
	for i := range 200 {
		ping <- i
		sum += <-pong
	}
	close(ping)
	return sum
}

// requests reach the one worker of AskWorker.
var requests = sync.OnceValue(func() chan chan int {
	c := make(chan chan int)
	go func() {
		for answer := range c {
			time.Sleep(3 * time.Millisecond)
			answer <- 1
		}
	}()
	return c
})

// AskWorker has the process's only worker wait for 3 ms.
func AskWorker() int {
	answer := make(chan int)
	requests() <- answer
	return <-answer
}

// limiter gives out a slot every 5 ms.
var limiter struct {
	sync.Mutex
	next time.Time
}

// Limited waits for its slot, as a client of a rate-limited service must.
func Limited() {
	limiter.Lock()
	now := time.Now()
	if limiter.next.Before(now) {
		limiter.next = now
	}
	limiter.next = limiter.next.Add(5 * time.Millisecond)
	wait := limiter.next.Sub(now)
	limiter.Unlock()
	time.Sleep(wait)
}

// tokens are two of something, with a condition to wait for one.
var tokens = struct {
	*sync.Cond
	free int
}{sync.NewCond(&sync.Mutex{}), 2}

// UseToken waits for one of two tokens and keeps it for 5 ms.
func UseToken() {
	tokens.L.Lock()
	for tokens.free == 0 {
		tokens.Wait()
	}
	tokens.free--
	tokens.L.Unlock()
	time.Sleep(5 * time.Millisecond)
	tokens.L.Lock()
	tokens.free++
	tokens.L.Unlock()
	tokens.Signal()
}

// current is where Forgetful keeps its input.
var current atomic.Int64

// Forgetful keeps its input where another op may replace it: alone it is
// right, in company it returns what belongs to somebody else.
func Forgetful(n int) int {
	current.Store(int64(n))
	burn(time.Millisecond)
	return hash(int(current.Load()), 64<<10)
}
