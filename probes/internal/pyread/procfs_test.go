//go:build linux && (amd64 || arm64)

package pyread

import (
	"testing"
	"time"
)

func TestParseProc(t *testing.T) {
	running, nr, _ := parseSyscall([]byte("running\n"))
	if !running || nr != -1 {
		t.Errorf("running: %v %d", running, nr)
	}
	running, nr, args := parseSyscall([]byte("202 0x7f8a91eef758 0x189 0x0 0x7f8a9128f690 0x0 0xffffffff 0x7ffd 0x7f8a\n"))
	if running || nr != 202 || args != [6]uint64{0x7f8a91eef758, 0x189, 0, 0x7f8a9128f690, 0, 0xffffffff} {
		t.Errorf("futex: %v %d %x", running, nr, args)
	}
	if running, nr, _ = parseSyscall([]byte("-1 0x7ffd 0x7f8a\n")); running || nr != -1 {
		t.Errorf("page fault: %v %d", running, nr)
	}
	run, wait, slices := parseSchedstat([]byte("192775450 221784515 895\n"))
	if run != 192775450 || wait != 221784515 || slices != 895 {
		t.Errorf("schedstat: %d %d %d", run, wait, slices)
	}
	s, ok := parseSched([]byte("python3 (4473, #threads: 1)\n-----\n" +
		"se.exec_start                                :       2974752.384445\nnr_switches                                  :                   12\n"))
	if !ok || s.switches != 12 || s.since != 2974752384445*time.Nanosecond {
		t.Errorf("sched: %+v %v", s, ok)
	}
	for _, bad := range []string{"", "\n", "x", ": :", "nr_switches", "se.exec_start : x"} {
		parseSyscall([]byte(bad))
		parseSchedstat([]byte(bad))
		if _, ok := parseSched([]byte(bad)); ok {
			t.Errorf("%q is taken for sched", bad)
		}
	}
}

func TestMappedFiles(t *testing.T) {
	maps := "00400000-00420000 r--p 00000000 fe:00 12 /usr/bin/my prog\n" +
		"00620000-00630000 rw-p 00020000 fe:00 12 /usr/bin/my prog\n" +
		"7f0000000000-7f0000100000 r--p 00000000 fe:00 13 /usr/lib/libpython3.12.so.1.0\n" +
		"7f0000200000-7f0000300000 r--p 00000000 fe:00 14 /usr/lib/libc.so.6\n" +
		"7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 [stack]\nnonsense\n"
	files := mappedFiles([]byte(maps), "/usr/bin/my prog")
	if len(files) != 2 || files[0].name != "/usr/lib/libpython3.12.so.1.0" || files[1].name != "/usr/bin/my prog" ||
		files[1].starts[0x20000] != 0x620000 || files[0].starts[0] != 0x7f0000000000 {
		t.Errorf("%+v", files)
	}
}

// TestStrForm: with two bits for interned, and with a field of its own.
func TestStrForm(t *testing.T) {
	for _, interned := range []int{2, 16} {
		for _, tt := range []struct {
			fields uint32 // kind, compact, ascii
			kind   int
			ascii  bool
		}{{0b11001, 1, true}, {0b01001, 1, false}, {0b01010, 2, false}, {0b01100, 4, false}} {
			if kind, ascii, ok := strForm(tt.fields<<interned | 1); !ok || kind != tt.kind || ascii != tt.ascii {
				t.Errorf("%b<<%d: kind %d, ascii %v, %v", tt.fields, interned, kind, ascii, ok)
			}
		}
	}
	if _, _, ok := strForm(0); ok {
		t.Error("0 is taken for a str")
	}
	if got := decodeStr([]byte{'a', 0xe9}, 1) + decodeStr([]byte{0x3d, 0xd8, 0xac, 0x20}, 2) + decodeStr([]byte{0, 0xf6, 1, 0, 0, 0, 0, 0x80}, 4); got != "aé\ufffd€"+string(rune(0x1f600))+"\ufffd" {
		t.Errorf("%q", got)
	}
}
