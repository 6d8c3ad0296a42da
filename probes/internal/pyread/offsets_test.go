package pyread

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// describe makes a _Py_DebugOffsets with these words; those that are not
// given are 0.
func describe(v version, freeThreaded uint64, words map[string]uint64) []byte {
	data := append([]byte(offsetsCookie), make([]byte, 16)...)
	binary.LittleEndian.PutUint64(data[8:], uint64(v))
	binary.LittleEndian.PutUint64(data[16:], freeThreaded)
	for _, g := range groups(v.minor()) {
		for name := range strings.FieldsSeq(g.words) {
			data = binary.LittleEndian.AppendUint64(data, words[g.name+"."+name])
		}
	}
	return append(data, make([]byte, max(0, offsetsSize-len(data)))...)
}

// common are the words that 3.13, 3.14 and 3.15 have in common.
var common = map[string]uint64{
	"interpreter.next": 7264, "interpreter.ceval_gil": 16,
	"thread.next": 8, "thread.current_frame": 72,
	"frame.previous": 8, "frame.executable": 0, "frame.instr_ptr": 56,
	"code.filename": 112, "code.qualname": 128, "code.linetable": 136, "code.firstlineno": 68,
	"object.ob_type": 8, "type.tp_name": 24, "bytes.ob_size": 16, "bytes.ob_sval": 32,
	"str.state": 32, "str.length": 16, "str.asciiobject_size": 40,
}

// TestParseOffsets: the words of 3.13.0 were taken with offsetof, those of
// 3.14 and 3.15 are recorded from builds of other platforms and stand for the
// order of the words only.
func TestParseOffsets(t *testing.T) {
	want := layout{
		minor: 13, interpreters: 632, interpNext: 7264, interpThreads: 7344, gil: 16,
		gilHolder: 8, gilLocked: 16, gilWaits: 32, threadNext: 8, threadFrame: 72, threadID: 160,
		framePrevious: 8, frameInstr: 56, frameOwner: 70, ownerC: 3, objType: 8, typeName: 24,
		codeFilename: 112, codeQualname: 128, codeLocations: 136, codeFirstLine: 68, codeBytes: 200,
		bytesSize: 16, bytesData: 32, strLength: 16, strState: 32, strASCII: 40, strCompact: 56,
	}
	tests := []struct {
		version version
		words   map[string]uint64
		want    func(*layout)
	}{
		{0x030d00f0, map[string]uint64{
			"runtime.interpreters_head": 632, "interpreter.threads_head": 7344, "interpreter.gil": 7720,
			"interpreter.locked": 7736, "interpreter.holder": 7728, "thread.native_thread_id": 160,
			"frame.owner": 70, "code.co_code_adaptive": 200,
		}, func(*layout) {}},
		{0x030e06f0, map[string]uint64{
			"runtime.interpreters_head": 840, "interpreter.threads_head": 7328, "interpreter.gil": 7720,
			"interpreter.locked": 7736, "interpreter.holder": 7728, "thread.native_thread_id": 156,
			"frame.owner": 74, "code.co_code_adaptive": 208,
		}, func(l *layout) {
			l.minor, l.interpreters, l.interpThreads, l.threadID, l.frameOwner, l.codeBytes = 14, 840, 7328, 156, 74, 208
		}},
		{0x030f00c1, map[string]uint64{
			"runtime.interpreters_head": 936, "interpreter.threads_head": 7328, "interpreter.gil": 7720,
			"interpreter.locked": 7736, "interpreter.holder": 7728, "thread.native_thread_id": 180,
			"frame.owner": 74, "code.co_code_adaptive": 208,
		}, func(l *layout) {
			l.minor, l.interpreters, l.interpThreads, l.threadID, l.frameOwner, l.codeBytes = 15, 936, 7328, 180, 74, 208
		}},
	}
	for _, tt := range tests {
		t.Run(tt.version.String(), func(t *testing.T) {
			words := map[string]uint64{}
			for _, from := range []map[string]uint64{common, tt.words} {
				for k, v := range from {
					words[k] = v
				}
			}
			got, err := parseOffsets(describe(tt.version, 0, words))
			if err != nil {
				t.Fatal(err)
			}
			want := want
			tt.want(&want)
			if diff := cmp.Diff(want.done(), got, cmp.AllowUnexported(layout{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseOffsetsRefuses(t *testing.T) {
	sound := map[string]uint64{"interpreter.gil": 8, "interpreter.locked": 24, "interpreter.holder": 16}
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "cookie"},
		{"another cookie", []byte("xdebugpx0123456789abcdef"), "cookie"},
		{"an unknown minor version", describe(0x031000f0, 0, nil), "CPython 3.16.0;"},
		{"an early beta of 3.15", describe(0x030f00b3, 0, sound), "CPython 3.15.0b3;"},
		{"free-threaded", describe(0x030d01f0, 1, sound), "free-threaded build of CPython 3.13.1"},
		{"cut off", describe(0x030d01f0, 0, sound)[:200], "cut off"},
		{"a GIL before its interpreter", describe(0x030d01f0, 0, map[string]uint64{"interpreter.gil": 8}), "no sense"},
		{"a distant offset", describe(0x030d01f0, 0, map[string]uint64{"runtime.interpreters_head": 1 << 40}), "no sense"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if l, err := parseOffsets(tt.data); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("layout %+v, error %v, want %q", l, err, tt.want)
			}
		})
	}
}

func FuzzParseOffsets(f *testing.F) {
	f.Add(describe(0x030d00f0, 0, common))
	f.Add(describe(0x030e00f0, 0, common))
	f.Add(describe(0x030f00f0, 0, common))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parseOffsets(data)
		if err != nil {
			return
		}
		for _, n := range []int{l.untilThread, l.untilFrame, l.untilObj} {
			if n < 8 || n > maxInner+8 {
				t.Errorf("%d bytes of a struct are read", n)
			}
		}
	})
}
