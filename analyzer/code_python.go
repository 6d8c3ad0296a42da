package analyzer

import (
	"fmt"
	"slices"

	"github.com/concprof/concprof/probes/model"
)

// pythonCode is code for a Python target: op is its callable, inputs what it is
// called with.
func (j *judgement) pythonCode(m model.Model, n int) []string {
	switch m {
	case model.Sequential:
		return []string{"results = [op(x) for x in inputs]"}
	case model.Pool:
		return executor("ThreadPoolExecutor", n, "", "")
	case model.Threads:
		return []string{
			"from threading import BoundedSemaphore, Thread",
			"",
			fmt.Sprintf("permits = BoundedSemaphore(%d)  # threads at a time", n),
			"results = [None] * len(inputs)",
			"",
			"def one(i, x):",
			"    try:",
			"        results[i] = op(x)  # what it raises ends its thread only: catch it here",
			"    finally:",
			"        permits.release()",
			"",
			"threads = []",
			"for i, x in enumerate(inputs):",
			"    permits.acquire()",
			"    threads.append(Thread(target=one, args=(i, x)))",
			"    threads[-1].start()",
			"for t in threads:",
			"    t.join()",
		}
	case model.EventLoop:
		return tasks(n, nil, j.awaited()...)
	case model.Hybrid:
		return j.pythonHybrid(n)
	case model.Subinterpreters:
		lines := executor("InterpreterPoolExecutor", n, "", "  # Python 3.14+: an interpreter and a GIL per worker")
		if size := j.batchSize(); size > 1 { // its map knows no chunksize
			lines = slices.Insert(lines, 2, "def some(xs):  # in a module that the workers can import", "    return [op(x) for x in xs]", "",
				fmt.Sprintf("batches = [inputs[i : i + %d] for i in range(0, len(inputs), %d)]", size, size))
			lines[len(lines)-1] = "    results = [r for rs in pool.map(some, batches) for r in rs]"
		}
		return lines
	case model.Processes:
		lines := []string{"from concurrent.futures import ProcessPoolExecutor", "", `if __name__ == "__main__":  # children import this file`}
		for _, l := range executor("ProcessPoolExecutor", n, j.batch(), "")[2:] {
			lines = append(lines, "    "+l)
		}
		return lines
	}
	return nil
}

// batchSize is how many short ops a worker was handed at a time when it was
// measured, at most 1 where they were handed over one by one.
func (j *judgement) batchSize() int {
	if j.load.open() {
		return 1
	}
	return min(int(j.result(j.load.baseline()).rate()*j.o.Batch.Seconds()), j.o.MaxBatch)
}

// batch is the argument that makes map of a process pool hand over as many.
func (j *judgement) batch() string {
	if n := j.batchSize(); n > 1 {
		return fmt.Sprintf(", chunksize=%d", n)
	}
	return ""
}

// executor maps the op over its inputs in an executor of so many workers.
func executor(class string, n int, batch, remark string) []string {
	return []string{
		"from concurrent.futures import " + class,
		"",
		fmt.Sprintf("with %s(max_workers=%d) as pool:%s", class, n, remark),
		"    results = list(pool.map(op, inputs" + batch + "))",
	}
}

// tasks runs the op as tasks of a loop under a semaphore: before are lines
// around the loop, body is what a task does with x.
func tasks(n int, before []string, body ...string) []string {
	lines := []string{"import asyncio"}
	lines = append(lines, before...)
	lines = append(lines,
		"",
		"async def main():",
		fmt.Sprintf("    permits = asyncio.Semaphore(%d)", n),
		"",
		"    async def one(x):",
		"        async with permits:")
	for _, l := range body {
		lines = append(lines, "            "+l)
	}
	return append(lines,
		"",
		"    async with asyncio.TaskGroup() as group:  # one that raises cancels the others",
		"        tasks = [group.create_task(one(x)) for x in inputs]",
		"    return [t.result() for t in tasks]",
		"",
		"results = asyncio.run(main())",
	)
}

// awaited is how a task runs the op: where a call blocks the loop, with that
// call in a thread.
func (j *judgement) awaited() []string {
	if l := j.out.Loop; l != nil && l.Stalls {
		at := "the call that blocks the loop"
		if l.Blocking != nil {
			at = l.Blocking.String()
		} else if l.LongestStep != nil {
			at = l.LongestStep.String()
		}
		return []string{"# at " + at + ", which holds the loop up:", "#     await asyncio.to_thread(step, x)", "return await op(x)"}
	}
	return []string{"return await op(x)"}
}

// pythonHybrid awaits the steps that wait and hands those that compute over: to
// processes where they hold the GIL, else to threads.
func (j *judgement) pythonHybrid(n int) []string {
	gil := j.out.GIL != nil && j.out.GIL.Bound > 0 && j.out.GIL.Bound < float64(j.load.cores)
	if len(j.out.Steps) < 2 {
		return tasks(n, nil, "return await asyncio.to_thread(op, x)")
	}
	var before, body []string
	if gil && j.load.w.Private {
		before = []string{"from concurrent.futures import ProcessPoolExecutor", "", fmt.Sprintf("cores = ProcessPoolExecutor(max_workers=%d)", j.load.cores)}
	}
	last := "x"
	for i, st := range j.out.Steps {
		call := fmt.Sprintf("v%d = await step%d(%s)  # %s", i, i+1, last, st.Name)
		switch {
		case st.Offload && before != nil:
			call = fmt.Sprintf("v%d = await asyncio.get_running_loop().run_in_executor(cores, step%d, %s)  # %s computes", i, i+1, last, st.Name)
		case st.Offload:
			call = fmt.Sprintf("v%d = await asyncio.to_thread(step%d, %s)  # %s computes", i, i+1, last, st.Name)
		}
		body = append(body, call)
		last = fmt.Sprintf("v%d", i)
	}
	return tasks(n, before, append(body, "return "+last)...)
}
