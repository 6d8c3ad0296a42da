package runner

import "testing"

func TestPythonUserFrame(t *testing.T) {
	const probe = `  File "/tmp/concprof-build-1/concprof_probe/op.py", line 90 in concprof_op` + "\n"
	tests := []struct{ name, stderr, want string }{
		{"a crash", "Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f (most recent call first):\n" +
			`  File "/usr/lib/python3.11/ctypes/__init__.py", line 517 in string_at` + "\n" +
			`  File "/w/shop/page.py", line 7 in parse` + "\n" + probe, "parse shop/page.py:7"},
		{"another thread's is not", "Fatal Python error: Aborted\n\nThread 0x01 (most recent call first):\n" +
			`  File "/w/a.py", line 1 in waits` + "\n" + "\nCurrent thread 0x02 (most recent call first):\n" +
			`  File "/w/b.py", line 2 in aborts` + "\n", "aborts b.py:2"},
		{"a hang", "Timeout (0:00:05)!\nThread 0x01 (most recent call first):\n" +
			`  File "/usr/lib/python3.11/threading.py", line 320 in wait` + "\n" + probe +
			"Thread 0x02 (most recent call first):\n" + `  File "<frozen importlib._bootstrap>", line 3 in x` + "\n" +
			`  File "/elsewhere/c.py", line 3 in <module>` + "\n", "<module> /elsewhere/c.py:3"},
		{"only the probe", "Current thread 0x02 (most recent call first):\n" + probe, ""},
		{"nothing", "a traceback of another kind\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := pythonUserFrame([]byte(tt.stderr), "/w"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
