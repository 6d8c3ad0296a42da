"""A trial from its setup to its report."""

import concurrent.futures
import functools

from .counters import Reading, process_age, spent
from .executor import run_executor
from .frames import reason_of
from .hybrid import hybrid_steps
from .interpreter import free_threaded, has_gil
from .loopwatch import LoopWatch
from .models import on_loop, one_by_one, run_pool, run_sequential, run_threads
from .op import Unusable
from .run import Run, finish
from .setup import call_hook, call_hook_async, find_modules, listen
from .slot import MAX_ERRORS, histogram
from .source import MASK
from .state import State, emit, stay
from .stdlib import asyncio, now, os
from .text import MAX_MESSAGE, MAX_REASON, clip, describe, str_of
from .workers import enter_worker, meet, process_pool


class Window:
    """From the start of the first op to the end of the last. Calls ready before it opens."""

    def __init__(self, run, ready):
        self.run, self.ready = run, ready

    def __enter__(self):
        self.ready()
        self.before = Reading(self.run.workers.pids())
        self.begin = self.run.source.begin = now()
        if self.run.watch:
            self.run.watch.reset(self.begin)

    def __exit__(self, *exc):
        end = now()
        self.wall = max(end - self.begin, 1)
        if self.run.watch:
            self.run.watch.close(end)
        try:
            self.tasks = len(os.listdir("/proc/self/task"))
        except OSError:
            self.tasks = 1
        self.after = Reading(self.run.workers.pids())
        return False


class Trial:
    """What main runs: setup, the ops under their model, the report, teardown."""

    def __init__(self, spec):
        self.spec = spec
        self.setup_ns = None  # until the ops are ready to begin

    def start(self):
        find_modules(self.spec)
        run = State.run = Run(self.spec)
        stay()
        listen(run)
        window = Window(run, self.ready)
        model = self.spec["model"]
        alone = run.dry or model == "sequential"
        if (alone and run.op.threaded is None) or (not alone and model in ("event-loop", "hybrid")):
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            loop.set_exception_handler(run.loop_failed)
            # The loop is left as it is: closing it would wait for what ops have leaked.
            finish(loop, self.on_a_loop(run, window, loop, alone))
            return
        self.in_stage("setup", call_hook, run, self.spec.get("setup"))
        if alone:
            execute = run_sequential
        elif model == "threads":
            execute = run_threads
        elif model == "pool":
            execute = run_pool
        elif model in ("processes", "subinterpreters"):
            execute = functools.partial(run_executor, pool=self.in_stage("setup", self.executor, run, model))
        else:
            raise Fatal("start", f"a Python probe has no model {model!r}")
        execute(run, window)
        self.report(run, window)
        self.in_stage("teardown", call_hook, run, self.spec.get("teardown"))

    def ready(self):
        self.setup_ns = process_age()
        emit("ready")

    def executor(self, run, model):
        if model == "processes":
            return process_pool(run, run.level)
        pool = getattr(concurrent.futures, "InterpreterPoolExecutor", None)
        if pool is None:
            raise Unusable("subinterpreters need InterpreterPoolExecutor, which came with CPython 3.14")
        pool = pool(run.level, initializer=enter_worker, initargs=(run.spec,))
        meet(pool, run.level)
        run.threads = run.level + 1
        return pool

    async def on_a_loop(self, run, window, loop, alone):
        await self.in_stage_async("setup", call_hook_async, run, self.spec.get("setup"))
        steps = run.op.looped
        if not alone and self.spec["model"] == "hybrid":
            steps = self.in_stage("setup", hybrid_steps, run, loop)
        if not run.dry:
            run.watch = LoopWatch(loop, run.closely)
        if alone:
            await one_by_one(run, window)
        else:
            try:
                await on_loop(run, window, steps, loop)
            except asyncio.CancelledError as e:
                reason = "an op cancelled the task that starts the ops: it may cancel those that it made, not all"
                raise Fatal("ops", reason) from e
        self.report(run, window)
        await self.in_stage_async("teardown", call_hook_async, run, self.spec.get("teardown"))

    def in_stage(self, stage, fn, *args):
        try:
            return fn(*args)
        except BaseException as e:
            raise Fatal(stage, reason_of(e)) from e
        finally:
            stay()

    async def in_stage_async(self, stage, fn, *args):
        try:
            return await fn(*args)
        except BaseException as e:
            raise Fatal(stage, reason_of(e)) from e
        finally:
            stay()

    def report(self, run, window):
        stay()
        record = {
            "status": "failed" if run.broken else "ok", "ops": 0, "failed_ops": 0,
            "wall_ns": window.wall, "elapsed_ns": 0, "setup_ns": self.setup_ns,
        }
        if run.broken is not None:
            record.update(reason=clip(f"the pool broke: {str_of(run.broken)}", MAX_REASON), stage="ops")
        spent(window.before, window.after, record)
        if self.spec["model"] == "threads" and not run.dry:
            # A thread takes its delay with it when it ends.
            record["cpu"]["runnable_ns"], record["missing"] = 0, ["run-queue delay"]
        record["threads"] = max(run.threads, window.tasks) + len(window.after.workers)
        errors, buckets, opaque, results = {}, [], False, []
        timings = [d for op, d in run.sampler.pilot if run.sampler.chosen(op)]
        for s in run.slots:
            record["ops"] += s.ops
            record["failed_ops"] += s.failed
            timings += s.timings
            for key, n in s.errors.items():
                errors[key] = errors.get(key, 0) + n
            buckets += [0] * (len(s.buckets) - len(buckets))
            for k, v in enumerate(s.buckets):
                buckets[k] = (buckets[k] + v) & MASK
            opaque = opaque or s.opaque
            results += s.results
        if results:
            record["results"] = sorted(results, key=lambda r: r["op"])
        if errors:
            most = sorted(errors.items(), key=lambda kv: -kv[1])[:MAX_ERRORS]
            record["errors"] = [{"type": clip(k, MAX_MESSAGE), "message": m, "count": n} for (k, m), n in most]
        record["latency_every"] = max(run.sampler.every, 1)
        if timings:
            record["latency"] = histogram(timings)
        source = run.source
        if source.open:
            record["load"] = {
                "rate_per_sec": 1e9 / source.gap, "window_ns": source.span, "due": source.arrivals(),
                "done": sum(s.in_time for s in run.slots),
            }
        if not self.spec.get("no_digest"):
            n = record["ops"]
            buckets += [0] * ((n - 1).bit_length() + 1 - len(buckets) if n else 0)
            record["digest"] = {"ops": n, "buckets": buckets, **({"opaque": True} if opaque else {})}
        if run.classify:
            self.enter_thread(record, window, run.pause)
        if run.step_clock is not None:
            record["steps"] = [r for r in run.step_clock.rows if r["ops"]]
        if run.watch is not None:
            record["loop"] = run.watch.told()
        if run.notes:
            notes = list(run.notes.items())  # at once: threads that ops left may add to them
            record["notes"] = [t if n == 1 else f"{t} ({n} times)" for t, n in notes]
        if run.dry:
            out, error, took = run.last
            iterations = [0] * len(run.op.steps)
            record["dry"] = {
                "result": describe(out, error), "op_ns": took or window.wall, "iterations": iterations,
                **({"gil": True} if free_threaded() and has_gil() else {}),  # for what the op has imported
            }
        emit("end", record=record)

    @staticmethod
    def enter_thread(record, window, pause):
        before, after = window.before, window.after
        cpu = after.thread_cpu - before.thread_cpu - pause.cpu
        thread = {"cpu_ns": max(cpu, 0), "runnable_ns": 0}
        if before.thread_runnable is not None and after.thread_runnable is not None:
            thread["runnable_ns"] = max(after.thread_runnable - before.thread_runnable - pause.runnable, 0)
        # What threads computed that the ops started counts as the op's.
        whole = after.process_cpu - before.process_cpu - pause.cpu
        if whole > cpu:
            thread["labelled_ns"] = whole
        if pause.wall:
            thread["paused_ns"], thread["paused_cpu_ns"] = min(pause.wall, window.wall), pause.cpu
        record["thread"] = thread


class Fatal(Exception):
    """The trial ends in a stage, for a reason."""

    def __init__(self, stage, reason):
        super().__init__(reason)
        self.stage = stage
