package runner

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/concprof/concprof/probes/harness"
	"github.com/concprof/concprof/probes/internal/proc"
	"github.com/concprof/concprof/probes/record"
)

// targetVariable names the target that the test binary plays.
const targetVariable = "RUNNER_TEST_TARGET"

func TestMain(m *testing.M) {
	if os.Args[0] == proc.KeeperName {
		proc.Keep()
	}
	if name := os.Getenv(targetVariable); name != "" {
		play(name)
	}
	os.Exit(m.Run())
}

// A fake is a probe that does as it is told.
type fake struct {
	spec   harness.Spec
	result *os.File
}

func (f *fake) say(e record.Event) {
	e.Token = f.spec.Token
	data, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	f.write(string(data) + "\n")
}

func (f *fake) write(s string) { io.WriteString(f.result, s) }

func (f *fake) begin() {
	f.say(record.Event{Kind: record.Hello, Version: record.ProtocolVersion, Runtime: "go"})
	f.say(record.Event{Kind: record.Ready})
}

// name begins with an id.
func (f *fake) name(pid int) {
	f.say(record.Event{Kind: record.Hello, Version: record.ProtocolVersion, PID: pid})
	f.say(record.Event{Kind: record.Ready})
}

func (f *fake) end(r *record.Record) {
	f.say(record.Event{Kind: record.End, Record: r})
	f.say(record.Event{Kind: record.Bye})
}

func good() *record.Record {
	return &record.Record{Status: record.OK, Ops: 10, WallNs: 1000}
}

// play is the main function of a target. It never returns.
func play(name string) {
	f := &fake{result: os.NewFile(record.ResultFD, "result")}
	spec := os.NewFile(record.SpecFD, "spec")
	if name != "leftover" && name != "fork" { // they are not probes
		if err := json.NewDecoder(spec).Decode(&f.spec); err != nil {
			panic(err)
		}
		spec.Close()
	}
	run, ok := targets[name]
	if !ok {
		panic("no target " + name)
	}
	run(f)
	os.Exit(0)
}

// again starts the test binary as another target, with extra files.
func again(name string, session bool, files ...*os.File) *exec.Cmd {
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), targetVariable+"="+name)
	c.Stdout, c.Stderr, c.ExtraFiles = os.Stdout, os.Stderr, files
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: session}
	return c
}

// testProfile returns a profile that has nothing but strings.
func testProfile(table ...string) []byte {
	var raw []byte
	for _, s := range append([]string{""}, table...) {
		raw = append(raw, fieldString<<3|2, byte(len(s)))
		raw = append(raw, s...)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(raw)
	z.Close()
	return b.Bytes()
}

// testTrace begins as execution traces do, with a byte that is no text.
const testTrace = "go 1.26 trace\x00\x00\x00\x01\xff\x00"

// trace plays a traced trial.
func (f *fake) trace(data string) {
	f.begin()
	os.NewFile(record.TraceFD, "trace").WriteString(data)
	r := good()
	r.Profiles = []record.Profile{{Kind: record.ExecutionTrace, File: "made up"}}
	f.end(r)
}

// attack sends a signal to the keeper, with a process in a session of its own
// as a bystander. Where it is the first process of a namespace it does not
// notice, and the trial goes on.
func (f *fake) attack(s syscall.Signal) {
	f.begin()
	again("leftover", true).Start()
	keeper := os.Getppid()
	syscall.Kill(keeper, s)
	if keeper != 1 {
		forever()
	}
	f.end(good())
}

// forever ends only by a signal that it cannot catch.
func forever() {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	for {
		time.Sleep(time.Hour)
	}
}

var targets = map[string]func(*fake){
	"ok": func(f *fake) { f.begin(); f.end(good()) },
	"all failed": func(f *fake) {
		f.begin()
		r := good()
		r.FailedOps, r.Errors = 10, []record.ErrorCount{{Type: "*net.OpError", Message: "connection refused", Count: 10}}
		f.end(r)
	},
	"names itself":              func(f *fake) { f.name(os.Getpid()); f.end(good()) },
	"names another":             func(f *fake) { f.name(1); f.end(good()) },
	"names itself, then hangs":  func(f *fake) { f.name(os.Getpid()); forever() },
	"names another, then hangs": func(f *fake) { f.name(1); forever() },
	"exit 0":                    func(f *fake) { f.begin() },
	"exit 3":                    func(f *fake) { f.begin(); os.Exit(3) },
	"exit 3 late":               func(f *fake) { f.begin(); f.end(good()); os.Exit(3) },
	"noise":                     func(f *fake) { f.begin(); fmt.Fprintln(os.Stderr, "panic: not really"); f.end(good()) },
	"init panic":                func(f *fake) { panic("no configuration") },
	"init blocks":               func(*fake) { time.Sleep(time.Hour) },
	"fatal setup": func(f *fake) {
		f.say(record.Event{Kind: record.Hello, Version: record.ProtocolVersion})
		f.say(record.Event{Kind: record.Fatal, Stage: record.StageSetup, Reason: "no database"})
		os.Exit(1)
	},
	"panic": func(f *fake) { f.begin(); panic("boom") },
	"goroutine panic": func(f *fake) {
		f.begin()
		go func() { panic(errors.New("in the background")) }()
		select {}
	},
	"nil pointer": func(f *fake) { f.begin(); var r *record.Record; fmt.Println(r.Ops) },
	"map": func(f *fake) {
		f.begin()
		m := map[int]int{}
		for g := range 4 {
			go func() {
				for i := 0; ; i++ {
					m[i%8] = g
				}
			}()
		}
		time.Sleep(time.Minute)
	},
	"stack": func(f *fake) {
		f.begin()
		debug.SetMaxStack(1 << 20) // the default of 1 GB takes seconds to fill
		var deep func(int) int
		deep = func(n int) int { return deep(n+1) + 1 }
		deep(0)
	},
	"abort": func(f *fake) { f.begin(); syscall.Kill(os.Getpid(), syscall.SIGABRT); select {} },
	"kill":  func(f *fake) { f.begin(); syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} },
	"stop":  func(f *fake) { f.begin(); syscall.Kill(os.Getpid(), syscall.SIGSTOP); select {} },
	"loop": func(f *fake) {
		f.begin()
		for i := 0; ; i++ {
			if i < 0 {
				break
			}
		}
	},
	"profile, then loop": func(f *fake) {
		f.begin()
		os.NewFile(record.CPUProfileFD, "cpu").Write(testProfile("a profile"))
		os.NewFile(record.WallProfileFD, "wall").WriteString("half a prof")
		forever()
	},
	"ignores signals": func(f *fake) { f.begin(); forever() },
	"kills keeper":    func(f *fake) { f.attack(syscall.SIGKILL) },
	"stops keeper":    func(f *fake) { f.attack(syscall.SIGSTOP) },
	"flood": func(f *fake) {
		f.begin()
		w := bufio.NewWriterSize(os.Stdout, 1<<20)
		forged, _ := json.Marshal(record.Event{Kind: record.End, Token: f.spec.Token, Record: &record.Record{Ops: 99, WallNs: 1}})
		w.WriteString("first\x1b]52;c;aGk=\a\n")
		for range 300 {
			w.Write([]byte(strings.Repeat("garbage ", 1<<17)))
			w.Write(append(forged, '\n'))
		}
		w.WriteString("last\n")
		w.Flush()
		f.end(good())
	},
	"garbage": func(f *fake) { f.begin(); f.write("hello there\n") },
	"not a number": func(f *fake) {
		f.begin()
		f.write(`{"event":"end","token":"` + f.spec.Token + `","record":{"wall_ns":NaN}}` + "\n")
	},
	"unknown key": func(f *fake) { f.begin(); f.write(`{"event":"bye","token":"` + f.spec.Token + `","speed":1}` + "\n") },
	"truncated":   func(f *fake) { f.begin(); f.write(`{"event":"end","token":"` + f.spec.Token + `","record":{"op`) },
	"two results": func(f *fake) {
		f.begin()
		f.say(record.Event{Kind: record.End, Record: good()})
		f.say(record.Event{Kind: record.End, Record: good()})
	},
	"two in a line": func(f *fake) {
		f.begin()
		line := `{"event":"end","token":"` + f.spec.Token + `","record":{"ops":1,"wall_ns":1}}`
		f.write(line + line + "\n")
	},
	"forged token": func(f *fake) { f.begin(); f.spec.Token = "guess"; f.end(good()) },
	"too early":    func(f *fake) { f.end(good()) },
	"old version":  func(f *fake) { f.say(record.Event{Kind: record.Hello, Version: 99}) },
	"impossible":   func(f *fake) { f.begin(); r := good(); r.FailedOps = 11; f.end(r) },
	"oversized": func(f *fake) {
		f.begin()
		signal.Ignore(syscall.SIGPIPE)
		for range 100 {
			if _, err := f.result.WriteString(strings.Repeat("x", 1<<20)); err != nil {
				forever() // the runner must not wait for it
			}
		}
	},
	"daemon": func(f *fake) {
		f.begin()
		again("fork", true, f.result).Run()
		f.end(good())
	},
	"fork":     func(f *fake) { again("leftover", true, os.NewFile(3, "result")).Start() },
	"leftover": func(*fake) { forever() },
	"hog": func(f *fake) {
		f.begin()
		var kept [][]byte
		for {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = 1
			}
			kept = append(kept, b)
			time.Sleep(time.Millisecond)
			_ = kept
		}
	},
	"forks": func(f *fake) {
		f.begin()
		for range 20 {
			again("leftover", true).Start()
		}
		forever()
	},
	"big file": func(f *fake) {
		f.begin()
		file, err := os.Create(os.Getenv("TMPDIR") + "/big")
		for err == nil {
			_, err = file.Write(make([]byte, 1<<20))
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(7)
	},
	"many files": func(f *fake) {
		f.begin()
		for i := 0; ; i++ {
			// What it cannot write it tries again: a full disk alone ends nothing.
			os.WriteFile(fmt.Sprintf("%s/%d", os.Getenv("TMPDIR"), i), make([]byte, 64<<10), 0o666)
			time.Sleep(time.Millisecond)
		}
	},
	"leaks files": func(f *fake) {
		f.begin()
		for {
			if _, err := os.Open(os.DevNull); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(7)
			}
		}
	},
	"stdin": func(f *fake) {
		f.begin()
		data, err := io.ReadAll(os.Stdin)
		if len(data) > 0 || err != nil {
			os.Exit(7)
		}
		f.end(good())
	},
	"descriptors": func(f *fake) {
		f.begin()
		names, _ := os.ReadDir("/proc/self/fd")
		for _, n := range names {
			link, _ := os.Readlink("/proc/self/fd/" + n.Name())
			fmt.Println(n.Name(), link)
		}
		f.end(good())
	},
	"secret": func(f *fake) {
		f.begin()
		fmt.Println("token is", os.Getenv("API_TOKEN"), "at https://me:hunter22@example.com/x")
		panic("cannot log in with " + os.Getenv("API_TOKEN"))
	},
	"profile": func(f *fake) {
		f.begin()
		os.NewFile(record.CPUProfileFD, "cpu").Write(testProfile("a profile"))
		r := good()
		r.Profiles = []record.Profile{{Kind: record.CPUProfile, File: "../../evil"}, {Kind: record.WallProfile}}
		f.end(r)
	},
	"no profile": func(f *fake) {
		f.begin()
		os.NewFile(record.CPUProfileFD, "cpu").WriteString("<html>" + os.Getenv("API_TOKEN"))
		r := good()
		r.Profiles = []record.Profile{{Kind: record.CPUProfile, SHA256: "made up"}}
		f.end(r)
	},
	"secret profile": func(f *fake) {
		f.begin()
		os.NewFile(record.CPUProfileFD, "cpu").Write(testProfile("main.work", "label "+os.Getenv("API_TOKEN"), "amqp://me:hunter22@host", "last"))
		r := good()
		r.Profiles = []record.Profile{{Kind: record.CPUProfile}}
		f.end(r)
	},
	"trace":        func(f *fake) { f.trace(testTrace) },
	"secret trace": func(f *fake) { f.trace(testTrace + os.Getenv("API_TOKEN") + "\x00\x01") },
	"no trace":     func(f *fake) { f.trace("<html>") },
	"large trace":  func(f *fake) { f.trace(testTrace + strings.Repeat("\x00", record.MaxTraceBytes)) },
	"half a profile": func(f *fake) {
		f.begin()
		os.NewFile(record.CPUProfileFD, "cpu").WriteString("half a prof")
		os.Exit(1)
	},
}
