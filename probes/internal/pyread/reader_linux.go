//go:build amd64 || arm64

package pyread

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/concprof/concprof/probes/record"
)

// A reader looks at a process and its children.
type reader struct {
	options Options
	targets []*Target
	family  *family // nil if children are not followed
	random  *rand.Rand
	start   time.Time

	self  threadFiles   // of the reader's own thread
	began time.Duration // when that got on its processor, by the scheduler's clock

	chain   chain
	sources sources
	leaves  map[leafKey]string
	tally   tally
	pace    pace
	lists   [][]seat // of thread states, by target
	key     []byte

	looks, views, torn int64
	last               time.Duration // when the last look was
	window, cpu        time.Duration
}

func newReader(t *Target, o Options) *reader {
	seed := o.Seed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	r := &reader{
		options: o, targets: []*Target{t}, random: rand.New(rand.NewPCG(seed, 1)), start: time.Now(),
		sources: sources{}, leaves: map[leafKey]string{}, tally: tally{map[string]*Stack{}},
		pace: newPace(o),
	}
	if o.Children {
		r.family = newFamily(t.pid)
	}
	return r
}

func (r *reader) close() {
	r.self.close()
	for _, t := range r.targets {
		t.Close()
	}
}

// tick looks at all threads, or a random subset of them, once. It returns
// false when no process is left.
func (r *reader) tick(now time.Duration) bool {
	if r.family != nil && r.family.due(now) {
		r.adopt(now)
	}
	r.targets = slices.DeleteFunc(r.targets, r.lost)
	if len(r.targets) == 0 && (r.family == nil || !r.family.alive()) {
		return false
	}
	r.wake()
	since := now - r.last
	r.last = now
	r.looks++
	threads := r.list()
	share := r.pace.share(threads, now)
	weight := float64(since) / share
	looked := 0
	listed := threadCPU()
	for i, t := range r.targets {
		r.chain.t = t
		for _, s := range r.lists[i] {
			if s.tid == 0 || s.frame == 0 || share < 1 && r.random.Float64() >= share {
				continue
			}
			th := t.thread(s, r.looks)
			if th == nil {
				continue
			}
			looked++
			r.count(t, th, r.look(t, th, s, now), int64(weight))
		}
		t.forget(r.looks)
	}
	r.pace.spent(listed, threadCPU(), looked, threads)
	return true
}

// maxFailures is how many looks in a row may fail at a process before it is
// taken for one that executes another program now.
const maxFailures = 20

// lost reports whether there is nothing more to look at in a process, and
// closes it if so. It may be opened again.
func (r *reader) lost(t *Target) bool {
	if !t.memory.gone && (t.failures <= maxFailures || r.family == nil) {
		return false
	}
	t.Close()
	if r.family != nil {
		delete(r.family.opened, t.pid)
	}
	return true
}

// list reads the lists of threads of all targets, and returns how many there
// are.
func (r *reader) list() (threads int) {
	for len(r.lists) < len(r.targets) {
		r.lists = append(r.lists, nil)
	}
	for i, t := range r.targets {
		seats, ok := t.seats(r.lists[i])
		for range retries {
			if ok || t.memory.gone {
				break
			}
			seats, ok = t.seats(seats)
		}
		t.failures++
		if ok {
			t.failures = 0
		} else {
			seats = seats[:0]
		}
		t.states = t.states[:0]
		for _, s := range seats {
			t.states = append(t.states, s.addr)
			if th := t.threads[s.addr]; th != nil {
				th.seen = r.looks
			}
		}
		r.lists[i] = seats
		threads += len(seats)
	}
	return threads
}

// thread returns what is known of the thread at a seat; nil if its files
// cannot be read.
func (t *Target) thread(s seat, look int64) *thread {
	th := t.threads[s.addr]
	if th != nil && th.tid == s.tid {
		return th
	}
	if th != nil {
		th.files.close()
		delete(t.threads, s.addr)
	}
	th = &thread{tid: s.tid, seen: look}
	if !th.files.open(t.pid, t.ids.find(s.tid)) {
		t.ids.forget(s.tid)
		return nil
	}
	t.threads[s.addr] = th
	return th
}

// forget lets go of the threads that a look did not find.
func (t *Target) forget(look int64) {
	if len(t.threads) <= len(t.states) {
		return
	}
	for addr, th := range t.threads {
		if th.seen != look {
			th.files.close()
			delete(t.threads, addr)
		}
	}
}

// count adds what was seen of a thread to the tally.
func (r *reader) count(t *Target, th *thread, v view, ns int64) {
	if v.torn {
		r.torn++
	}
	if !v.op {
		return
	}
	r.views++
	s := &th.stack
	key := binary.LittleEndian.AppendUint64(r.key[:0], uint64(t.pid))
	for _, p := range s.places[:s.op] {
		key = binary.LittleEndian.AppendUint32(key, p.code.id)
		key = binary.LittleEndian.AppendUint32(key, uint32(p.code.line(p.unit)))
	}
	key = append(append(key, v.state...), v.wait...)
	key = append(key, v.call...)
	r.key = key
	r.tally.add(key, ns, func() Stack {
		made := Stack{State: v.state, Wait: v.wait, GIL: v.state == Python || v.state == NativeGIL || v.state == BlockedGIL}
		frames := r.frames(s)
		if v.call != "" && v.call != noCall {
			leaf := s.places[0]
			call := record.Frame{Function: "<call> " + v.call, File: leaf.code.file, Line: leaf.code.line(leaf.unit)}
			frames = slices.Insert(frames, 0, call)
		}
		made.Frames = append(frames, record.Frame{Function: Anchor})
		return made
	})
}

// finish makes the result.
func (r *reader) finish() *Result {
	res := &Result{Stacks: r.tally.stacks()}
	for _, s := range res.Stacks {
		res.add(s.State, s.Ns)
	}
	res.Seen.Samples, res.Seen.Torn = r.looks, r.torn
	res.Seen.WindowNs, res.Seen.ReaderCPUNs = int64(r.window), int64(r.cpu)
	switch all := r.views + r.torn; {
	case r.views == 0 && r.torn == 0:
		res.Problem = NoOp
	case r.torn >= fewTorn && float64(r.torn) > maxTorn*float64(all):
		res.Problem = fmt.Sprintf("%d of %d stacks changed while they were read", r.torn, all)
	}
	return res
}

// maxTorn is the share of stacks that may be left out because they changed
// while they were read. Fast asyncio code, the worst case, has 0 to 2 % after
// two more tries. Fewer than fewTorn say nothing.
const (
	maxTorn = 0.1
	fewTorn = 20
)
