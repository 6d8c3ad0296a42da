package proc

import (
	"os"
	"slices"
	"testing"
	"time"
)

func TestTree(t *testing.T) {
	eachWay(t, func(t *testing.T, namespace bool) {
		c := shell(`sleep 1000 & sleep 1000`)
		c.Namespace = namespace
		p, err := Start(c)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Wait()
		defer p.Kill()
		// The keeper, the shell, two sleeps.
		keeper := p.keeper.Process.Pid
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
			pids := descendants(os.Getpid(), true)
			if len(descendants(keeper, true)) == 3 && slices.Contains(pids, keeper) && slices.Contains(pids, p.PID()) {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("descendants %v", pids)
			}
		}
		for _, pid := range descendants(keeper, true) {
			told := pid
			if namespace {
				ids := idsOf(pid)
				if len(ids) != 2 || ids[0] != pid || ids[1] <= 1 {
					t.Fatalf("process %d has the ids %v", pid, ids)
				}
				told = ids[1]
			}
			if found, ok := p.Find(told); !ok || found != pid {
				t.Errorf("process %d of %d, there %d: found %d, %t", pid, p.PID(), told, found, ok)
			}
		}
		others := []int{0, 1}
		if !namespace {
			others = append(others, os.Getpid(), keeper)
		}
		for _, told := range others {
			if found, ok := p.Find(told); ok || found != 0 {
				t.Errorf("%d is not the target's, found %d", told, found)
			}
		}
		if rss, n := treeSize(keeper); n != 3 || rss <= 0 || rss < residentBytes(p.PID()) {
			t.Errorf("%d processes of %d bytes", n, rss)
		}
	})
}

func TestStat(t *testing.T) {
	s, ok := readStat(os.Getpid())
	if !ok || s.pid != os.Getpid() || s.parent != os.Getppid() || !s.alive() || s.rss <= 0 {
		t.Errorf("%t, %+v", ok, s)
	}
	if _, ok := readStat(1 << 30); ok {
		t.Error("read a process that does not exist")
	}
}

// The work of a target that has ended counts for the tree of its keeper.
func TestCPUOfATree(t *testing.T) {
	eachWay(t, func(t *testing.T, namespace bool) {
		c := shell(`i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 1000`)
		c.Namespace = namespace
		p, err := Start(c)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Wait()
		defer p.Kill()
		for end := time.Now().Add(30 * time.Second); p.CPU() < 20*time.Millisecond; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("used %v", p.CPU())
			}
		}
	})
}

func TestGap(t *testing.T) {
	a := clocks{mono: time.Second, boot: 5 * time.Second}
	for _, tt := range []struct{ mono, boot, want time.Duration }{
		{time.Second, time.Second, 0},
		{time.Second, time.Second + 100*time.Microsecond, 0}, // read one after the other
		{time.Second, time.Hour, time.Hour - time.Second},
	} {
		b := clocks{mono: a.mono + tt.mono, boot: a.boot + tt.boot}
		if got := b.gapSince(a); got != tt.want {
			t.Errorf("%v on, %v since boot: gap %v, want %v", tt.mono, tt.boot, got, tt.want)
		}
	}
	if got := readClocks().gapSince(readClocks()); got != 0 {
		t.Errorf("gap %v between two reads", got)
	}
}
