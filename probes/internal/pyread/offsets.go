package pyread

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// The head of _Py_DebugOffsets, with which .PyRuntime begins since 3.13:
// cookie, version as PY_VERSION_HEX, whether the build is free-threaded, and
// then one word for each offset.
const (
	offsetsCookie = "xdebugpy"
	offsetsHead   = 24
	offsetsSize   = offsetsHead + 8*110 // at least as much as any known version has
)

// A group is a struct of _Py_DebugOffsets and its words, in order.
type group struct{ name, words string }

// Groups that are the same in all versions that are known.
var (
	groupRuntime = group{"runtime", "size finalizing interpreters_head"}
	groupObject  = group{"object", "size ob_type"}
	groupTuple   = group{"tuple", "size ob_item ob_size"}
	groupList    = group{"list", "size ob_item ob_size"}
	groupSet     = group{"set", "size used table mask"}
	groupDict    = group{"dict", "size ma_keys ma_values"}
	groupFloat   = group{"float", "size ob_fval"}
	groupLong    = group{"long", "size lv_tag ob_digit"}
	groupBytes   = group{"bytes", "size ob_size ob_sval"}
)

// groups returns the structs of _Py_DebugOffsets of a minor version up to the
// last that is needed: they differ between minor versions and are stable
// within one (Include/internal/pycore_debug_offsets.h; in 3.13
// pycore_runtime.h).
func groups(minor int) []group {
	switch minor {
	case 13:
		return []group{
			groupRuntime,
			{"interpreter", "size id next threads_head gc imports_modules sysdict builtins ceval_gil gil enabled locked holder"},
			{"thread", "size prev next interp current_frame thread_id native_thread_id datastack_chunk status"},
			{"frame", "size previous executable instr_ptr localsplus owner"},
			{"code", "size filename name qualname linetable firstlineno argcount localsplusnames localspluskinds co_code_adaptive"},
			groupObject,
			{"type", "size tp_name tp_repr tp_flags"},
			groupTuple, groupList, groupDict, groupFloat, groupLong, groupBytes,
			{"str", "size state length asciiobject_size"},
		}
	case 14:
		return []group{
			groupRuntime, groupInterpreter14,
			{"thread", "size prev next interp current_frame thread_id native_thread_id datastack_chunk status"},
			groupFrame14, groupCode14, groupObject,
			{"type", "size tp_name tp_repr tp_flags"},
			groupTuple, groupList, groupSet, groupDict, groupFloat, groupLong, groupBytes,
			{"str", "size state length asciiobject_size"},
		}
	case 15:
		return []group{
			groupRuntime, groupInterpreter14,
			{"thread", "size prev next interp current_frame base_frame last_profiled_frame last_profiled_frame_seq " +
				"thread_id native_thread_id datastack_chunk status holds_gil gil_requested current_exception exc_state"},
			{"exception", "exc_value"},
			groupFrame14, groupCode14, groupObject,
			{"type", "size tp_name tp_repr tp_flags tp_basicsize tp_dictoffset"},
			{"heaptype", "size ht_cached_keys"},
			groupTuple, groupList, groupSet, groupDict, groupFloat, groupLong, groupBytes,
			{"str", "size state length asciiobject_size compactunicodeobject_size"},
		}
	}
	return nil
}

// Groups that 3.14 and 3.15 have in common.
var (
	groupInterpreter14 = group{"interpreter", "size id next threads_head threads_main gc imports_modules sysdict builtins " +
		"ceval_gil gil enabled locked holder code_object_generation tlbc_generation"}
	groupFrame14 = group{"frame", "size previous executable instr_ptr localsplus owner stackpointer tlbc_index"}
	groupCode14  = group{"code", "size filename name qualname linetable firstlineno argcount localsplusnames localspluskinds " +
		"co_code_adaptive co_tlbc"}
)

// first315 is 3.15.0b4, which put a word into the middle of the thread
// state's group.
const first315 version = 0x030f00b4

// A version is PY_VERSION_HEX: major, minor, micro, and a byte for the
// release level and serial.
type version uint64

func (v version) major() int { return int(v >> 24 & 0xff) }
func (v version) minor() int { return int(v >> 16 & 0xff) }

func (v version) String() string {
	s := fmt.Sprintf("%d.%d.%d", v.major(), v.minor(), v>>8&0xff)
	switch v >> 4 & 0xf {
	case 0xa:
		return fmt.Sprintf("%sa%d", s, v&0xf)
	case 0xb:
		return fmt.Sprintf("%sb%d", s, v&0xf)
	case 0xc:
		return fmt.Sprintf("%src%d", s, v&0xf)
	}
	return s
}

// errNonsense is an _Py_DebugOffsets that cannot be true.
var errNonsense = errors.New("the description of its layout makes no sense")

// described reports whether data begins as _Py_DebugOffsets does.
func described(data []byte) bool {
	return len(data) >= offsetsHead && string(data[:len(offsetsCookie)]) == offsetsCookie
}

// parseOffsets reads the layout that data, the beginning of .PyRuntime, gives
// of itself. The error is a reason as UnsupportedError has it.
func parseOffsets(data []byte) (*layout, error) {
	if !described(data) {
		return nil, fmt.Errorf("its runtime does not begin with the cookie %q", offsetsCookie)
	}
	v := version(binary.LittleEndian.Uint64(data[8:]))
	gs := groups(v.minor())
	if v.major() != 3 || gs == nil || v.minor() == 15 && v < first315 {
		return nil, fmt.Errorf("CPython %s; known are 3.11 to 3.14, and 3.15 from its fourth beta on", v)
	}
	if binary.LittleEndian.Uint64(data[16:]) != 0 {
		return nil, fmt.Errorf("a free-threaded build of CPython %s", v)
	}
	rest := data[offsetsHead:]
	words := map[string]uint64{}
	for _, g := range gs {
		for name := range strings.FieldsSeq(g.words) {
			if len(rest) < 8 {
				return nil, errors.New("the description of its layout is cut off")
			}
			words[g.name+"."+name] = binary.LittleEndian.Uint64(rest)
			rest = rest[8:]
		}
	}
	return layoutOf(v, words)
}

// The bounds of offsets that are believed. _PyRuntime has about 500 KiB, an
// interpreter 220 KiB; a thread state, a frame or an object less than 1 KiB.
const (
	maxOuter = 4 << 20
	maxInner = 4 << 10
)

// layoutOf makes a layout of the words of _Py_DebugOffsets.
func layoutOf(v version, words map[string]uint64) (*layout, error) {
	sound := true
	get := func(name string, bound uint64) uint64 {
		w, ok := words[name]
		sound = sound && ok && w <= bound
		return w
	}
	inner := func(name string) uint64 { return get(name, maxInner) }
	// The GIL is described inside the interpreter that owns it.
	gil := get("interpreter.gil", maxOuter)
	inGIL := func(name string) uint64 {
		w := get(name, maxOuter)
		sound = sound && w >= gil && w-gil <= maxInner
		return w - gil
	}
	l := layout{
		minor:         v.minor(),
		interpreters:  get("runtime.interpreters_head", maxOuter),
		interpNext:    get("interpreter.next", maxOuter),
		interpThreads: get("interpreter.threads_head", maxOuter),
		gil:           get("interpreter.ceval_gil", maxOuter),
		gilHolder:     inGIL("interpreter.holder"),
		gilLocked:     inGIL("interpreter.locked"),
		threadNext:    inner("thread.next"),
		threadFrame:   inner("thread.current_frame"),
		threadID:      inner("thread.native_thread_id"),
		framePrevious: inner("frame.previous"),
		frameCode:     inner("frame.executable"),
		frameInstr:    inner("frame.instr_ptr"),
		frameOwner:    inner("frame.owner"),
		ownerC:        3, // 3.13 FRAME_OWNED_BY_CSTACK; since 3.14 ..._INTERPRETER, and 4 for C
		objType:       inner("object.ob_type"),
		typeName:      inner("type.tp_name"),
		codeFilename:  inner("code.filename"),
		codeQualname:  inner("code.qualname"),
		codeLocations: inner("code.linetable"),
		codeFirstLine: inner("code.firstlineno"),
		codeBytes:     inner("code.co_code_adaptive"),
		bytesSize:     inner("bytes.ob_size"),
		bytesData:     inner("bytes.ob_sval"),
		strLength:     inner("str.length"),
		strState:      inner("str.state"),
		strASCII:      inner("str.asciiobject_size"),
	}
	if !sound {
		return nil, errNonsense
	}
	l.gilWaits = l.gilLocked + 16   // behind an int, padding and the count of switches
	l.strCompact = l.strASCII + 8*2 // behind the UTF-8 form and its length
	return l.done(), nil
}
