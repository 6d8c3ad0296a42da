package pyread

// A layout is where CPython of one minor version keeps what the reader needs:
// offsets in bytes.
type layout struct {
	minor int // 11 for 3.11

	interpreters uint64 // first interpreter, in _PyRuntime

	interpNext    uint64
	interpThreads uint64 // first thread state

	// gil is where the GIL is: its struct in _PyRuntime if gilInline, else
	// the pointer to it in the interpreter.
	gil       uint64
	gilInline bool
	// In the GIL: the thread state that held it last, and whether it is held.
	// Its condition variables and mutexes begin at gilWaits.
	gilHolder, gilLocked, gilWaits uint64

	threadNext  uint64
	threadFrame uint64 // the current frame, or the C frame that points to it
	threadID    uint64 // the kernel's id
	cframe      bool   // threadFrame is of a C frame
	cframeFrame uint64 // the current frame in it

	framePrevious uint64
	frameCode     uint64
	frameInstr    uint64 // the instruction that runs
	frameOwner    uint64
	ownerC        byte // owners from this one on are entries from C, not Python frames

	objType  uint64
	typeName uint64

	codeFilename, codeQualname, codeLocations, codeFirstLine, codeBytes uint64

	bytesSize, bytesData              uint64
	strLength, strState               uint64
	strASCII, strCompact              uint64 // where the characters begin
	untilThread, untilFrame, untilObj int    // how much of the structs is read
}

// done fills in what follows from the offsets.
func (l layout) done() *layout {
	l.untilThread = int(max(l.threadNext, l.threadFrame, l.threadID)) + 8
	l.untilFrame = int(max(l.framePrevious, l.frameCode, l.frameInstr, l.frameOwner)) + 8
	l.untilObj = int(max(l.objType, l.codeFilename, l.codeQualname, l.codeLocations, l.codeFirstLine)) + 8
	return &l
}

// fixedLayout returns the layout of a minor version that does not describe
// itself, nil for others. The offsets were taken with offsetof against the
// internal headers of 3.11.2, 3.11.7 and 3.12.1 on x86-64 with glibc; they are
// stable within a minor version.
func fixedLayout(minor int) *layout {
	l := layout{
		minor: minor, interpreters: 40, threadNext: 8, threadFrame: 56, cframe: true,
		gilHolder: 8, gilLocked: 16, gilWaits: 32,
		frameInstr: 56, objType: 8, typeName: 24,
		codeFilename: 112, codeQualname: 128, codeLocations: 136,
		bytesSize: 16, bytesData: 32, strLength: 16, strState: 32,
	}
	switch minor {
	case 11:
		l.interpNext, l.interpThreads = 0, 16
		l.gil, l.gilInline = 360, true
		l.threadID, l.cframeFrame = 160, 8
		l.framePrevious, l.frameCode, l.frameOwner, l.ownerC = 48, 32, 69, 3
		l.codeFirstLine, l.codeBytes = 72, 184
		l.strASCII, l.strCompact = 48, 72
	case 12:
		l.interpNext, l.interpThreads = 0, 72
		l.gil = 384
		l.threadID, l.cframeFrame = 144, 0
		l.framePrevious, l.frameCode, l.frameOwner, l.ownerC = 8, 0, 70, 3
		l.codeFirstLine, l.codeBytes = 68, 192
		l.strASCII, l.strCompact = 40, 56
	default:
		return nil
	}
	return l.done()
}
