"""Interrupted and killed runs leave no process, no temporary file and no traceback; a killed worker ends no run."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pytest
from helpers.news import bytes_of, news

import dedup
from dedup import EngineError, LocalEngine, Settings
from dedup.engines.local import Workers
from dedup.engines.worker_pool import WatchedExecutor, WorkerPool
from dedup.prepare.store import load_batch, to_ipc
from dedup.prepare.stored_batch import RecordBatchTask, prepare_into_file
from dedup.read.fields import to_json_bytes
from dedup.read.formats import JSON_LINES
from dedup.read.records import RECORD_SCHEMA
from dedup.runtime import interruption

pytestmark = pytest.mark.slow

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the processes of Linux")
NEWS = news(count=600)
MESSAGE = f"{interruption.MESSAGE}\n".encode()
MESSAGE_AND_ADVICE = f"{interruption.MESSAGE}; --resume continues from what is finished\n".encode()


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """An input of several batches, so that the run has worker processes."""
    path = tmp_path_factory.mktemp("large") / "news.jsonl"
    lines = "".join(json.dumps(row) + "\n" for row in NEWS)
    path.write_text(lines * (9_000_000 // len(lines)))
    return path


def processes_with(mark):
    """Return the processes whose environment has `mark`, each a run that the test started or one of its workers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return [number for number in found if number != os.getpid()]


def caught_signals(number):
    """Return the signals that process `number` has a handler for; none if it has ended."""
    try:
        status = Path(f"/proc/{number}/status").read_text()
    except OSError:
        return set()
    mask = int(re.search(r"^SigCgt:\s*(\w+)", status, re.MULTILINE)[1], 16)
    return {caught for caught in signal.Signals if mask >> (caught - 1) & 1}


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


class Run:
    """A real run of `clean` with two workers, in its own process group and with its own temporary folder."""

    def __init__(self, source, folder, **env):
        self.folder = folder
        (folder / "temp").mkdir()
        (folder / "place").mkdir()
        self.mark = f"DEDUP_TEST_MARK={folder.name}-{time.monotonic_ns()}"
        name, value = self.mark.split("=")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dedup", "clean", source, "-o", folder / "place" / "out", "-q", "--jobs", "2"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(folder / "temp"), name: value, **env},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads
        )

    def begin(self):
        """Wait until the program handles signals; before that, they end Python itself."""
        wait_until(lambda: caught_signals(self.process.pid).issuperset(interruption.ENDING_SIGNALS), 120)

    def workers(self):
        return [number for number in processes_with(self.mark) if number != self.process.pid]

    def assert_nothing_is_left(self):
        wait_until(lambda: not processes_with(self.mark), 10)
        assert list((self.folder / "temp").iterdir()) == []
        assert [path.name for path in (self.folder / "place").iterdir()] in ([], ["out"])

    def assert_only_finished_batches_are_left(self, errors):
        """Check that `errors` says how to continue if batches are left, and only then."""
        assert errors in {MESSAGE, MESSAGE_AND_ADVICE}
        if errors == MESSAGE:
            self.assert_nothing_is_left()
            return
        wait_until(lambda: not processes_with(self.mark), 10)
        assert list((self.folder / "temp").iterdir()) == []
        place = self.folder / "place"
        assert [path.name for path in place.iterdir()] == [".out.dedup"]
        assert [path.name for path in (place / ".out.dedup").iterdir()] == ["work"]


@pytest.mark.fault(
    "Ctrl-C, SIGTERM, SIGHUP; to the process or the group; early, with workers, twice",
    "one line, status 130, 143, 129; no process, no file left but finished batches",
)
@pytest.mark.slow
@linux
@pytest.mark.parametrize("to_group", [False, True], ids=["process", "group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", ["early", "with workers", "twice"])
def test_a_signal_ends_a_run_with_one_line_and_leaves_only_finished_batches(tmp_path, large, number, to_group, moment):
    run = Run(large, tmp_path)
    if moment == "early":
        run.begin()
    else:
        wait_until(lambda: len(run.workers()) == 2, 60)
    for _ in range(2 if moment == "twice" else 1):
        (os.killpg if to_group else os.kill)(run.process.pid, number)
    output, errors = run.process.communicate(timeout=120)
    assert (run.process.returncode, output) == (128 + number, b"")
    run.assert_only_finished_batches_are_left(errors)


@pytest.mark.fault("the same at ten moments", "one line, no traceback")
@pytest.mark.slow
@linux
def test_signals_at_any_moment_print_no_traceback(tmp_path, large):
    for round_number, delay in enumerate([0.0, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 1.1, 1.5, 2.0]):
        folder = tmp_path / str(round_number)
        folder.mkdir()
        run = Run(large, folder)
        run.begin()
        time.sleep(delay)
        os.killpg(run.process.pid, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[round_number % 3])
        _, errors = run.process.communicate(timeout=120)
        assert run.process.returncode in {0, 129, 130, 143}, delay
        if run.process.returncode:
            run.assert_only_finished_batches_are_left(errors)
        else:
            assert errors == b""
            run.assert_nothing_is_left()


@pytest.mark.slow
@linux
def test_an_ignored_signal_stays_ignored(tmp_path, large):
    (tmp_path / "temp").mkdir()
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "dedup", "clean", large, "-o", tmp_path / "out", "-q"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(0.5)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=100)
    assert process.returncode == 0
    assert (tmp_path / "out").is_dir()


@pytest.mark.fault(
    "`kill -9` of a run with workers", "the workers end within seconds; the next run deletes what is left"
)
@pytest.mark.slow
@linux
@pytest.mark.parametrize("delay", [0.0, 0.3])
def test_a_killed_run_takes_its_workers_along_and_the_next_clears_up(tmp_path, large, delay):
    run = Run(large, tmp_path)
    wait_until(lambda: len(run.workers()) == 2, 60)
    time.sleep(delay)
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.communicate(timeout=60)  # a worker that lived on would hold the pipes
    wait_until(lambda: not processes_with(run.mark), 5)
    place = tmp_path / "place"
    assert [path.name for path in place.iterdir()] == [".out.dedup"]
    dedup.clean([{"text": "One."}], place / "out")
    assert [path.name for path in place.iterdir()] == ["out"]


def stay_busy(_):
    re.match(r"(a+)+$", "a" * 40 + "b")  # holds the interpreter for hours


@pytest.mark.fault("`kill -9` of a run with busy workers", "they end within seconds, and with them the caller’s pipes")
@pytest.mark.slow
@linux
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_busy_worker_ends_with_its_parent(tmp_path, start):
    mark = f"DEDUP_TEST_MARK={tmp_path.name}-{start}-{time.monotonic_ns()}"
    name, value = mark.split("=")
    code = (
        "from dedup.engines.local import Workers\nfrom test_interruption import stay_busy\n"
        "if __name__ == '__main__':\n    list(Workers(compiled=False, processes=2).map(stay_busy, range(4)))\n"
    )
    (tmp_path / "busy.py").write_text(code)
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    process = subprocess.Popen(
        [sys.executable, tmp_path / "busy.py"],
        env={**os.environ, name: value, "DEDUP_START": start, "PYTHONPATH": paths},
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: len(processes_with(mark)) >= 3, 60)
    time.sleep(1.5)  # until both compute
    process.kill()
    process.wait()
    wait_until(lambda: not processes_with(mark), 120)


# a worker that is killed

POOL = partial(WorkerPool, multiprocessing.get_context("fork"), 2, lambda: None)


def killed_at_seven(item, *, marks=None):
    """Return twice `item`; the process is killed at 7, once for a folder `marks`, else each time."""
    if item == 7 and not (marks and (marks / "killed").exists()):
        if marks:
            (marks / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * item


def without_memory_at_seven(item):
    if item == 7:
        raise MemoryError
    return 2 * item


def double(item):
    return 2 * item


@pytest.mark.fault(
    "a worker is killed, or has no memory", "its batch is tried again alone and in pieces; the same bytes"
)
@linux
@pytest.mark.parametrize("task", [killed_at_seven, without_memory_at_seven])
def test_a_killed_item_is_tried_again_with_less(task):
    assert list(POOL().map(task, range(30), double)) == [2 * item for item in range(30)]


@pytest.mark.fault(
    "a worker is killed, or has no memory", "its batch is tried again alone and in pieces; the same bytes"
)
@linux
def test_an_item_that_is_killed_once_is_tried_again(tmp_path):
    task = partial(killed_at_seven, marks=tmp_path)
    assert list(POOL().map(task, range(30), task)) == [2 * item for item in range(30)]


@pytest.mark.fault("it is killed each time", "one line: the signal, and what to do")
@linux
def test_an_item_that_is_killed_again_ends_the_run_with_one_line():
    results = POOL().map(killed_at_seven, range(30), killed_at_seven)
    with pytest.raises(EngineError, match=r"by signal 9 \(SIGKILL\), also when .* smaller `memory`, or fewer `jobs`"):
        list(results)


HALF_WRITTEN = """
import multiprocessing, os, signal, sys
from multiprocessing import connection
from pathlib import Path
from dedup.engines.worker_pool import WorkerPool

def write_half(self, data, write=os.write):
    os.write(self.fileno(), bytes(data)[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)

def double(item):
    if item == 7 and not mark.exists():
        mark.touch()
        connection.Connection._send = write_half  # of the process that works on this item
    return 2 * item

mark, method = Path(sys.argv[1]), sys.argv[2]
pool = WorkerPool(multiprocessing.get_context("fork"), 2, lambda: None)
results = pool.map(double, range(30), double)
if method == "to the end":
    assert list(results) == [2 * item for item in range(30)]
else:
    assert [next(results) for _ in range(5)] == [0, 2, 4, 6, 8]  # now item 7 is in work
    while not mark.exists():
        pass
    results.close()  # as an interrupt does
"""


@pytest.mark.fault(
    "a worker is killed while it writes a result", "its batch is tried again, nothing waits for the rest"
)
@linux
@pytest.mark.parametrize("method", ["to the end", "interrupted"])
def test_a_process_that_is_killed_while_it_writes_its_result_holds_nothing_up(tmp_path, method):
    subprocess.run([sys.executable, "-c", HALF_WRITTEN, tmp_path / "mark", method], timeout=120, check=True)


class SlowPipe:
    """The end of a pipe whose closing takes a while; `most` is how many threads have closed it at once."""

    def __init__(self, pipe):
        self._pipe, self.most, self._now = pipe, 0, 0

    def __getattr__(self, name):
        return getattr(self._pipe, name)

    def close(self):
        self._now += 1
        self.most = max(self.most, self._now)
        time.sleep(0.5)
        self._pipe.close()
        self._now -= 1


@linux
def test_processes_that_end_at_once_have_their_pipe_closed_by_one_thread_at_a_time():
    executor = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork"))
    pool = WatchedExecutor(executor)
    pipe = executor._result_queue._writer = SlowPipe(executor._result_queue._writer)
    pool.submit(time.sleep, 60)
    workers = pool.workers
    pool.end()
    assert (pipe.closed, pipe.most) == (True, 1)
    assert not any(worker.is_alive() for worker in workers)


@pytest.mark.fault("a worker is killed when a stage ends", "nothing waits for it")
@linux
@pytest.mark.parametrize("number", [0, 1])
def test_a_process_that_is_killed_when_all_is_done_does_not_delay_the_end(monkeypatch, number):
    executor = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork"))
    pool, shutdown = WatchedExecutor(executor), executor.shutdown
    assert [pool.submit(double, item).result() for item in range(10)] == [2 * item for item in range(10)]
    time.sleep(0.5)  # one process waits for the pipe, and the other one for its turn

    def shut_down_after_kill(**options):
        os.kill(workers[number].pid, signal.SIGKILL)
        workers[number].join()
        shutdown(**options)

    workers = pool.workers
    monkeypatch.setattr(executor, "shutdown", shut_down_after_kill)
    ending = Thread(target=pool.end, daemon=True)
    ending.start()
    ending.join(20)
    assert not ending.is_alive()
    assert not any(worker.is_alive() for worker in workers)


@linux
def test_an_error_of_the_items_themselves_loses_none():
    def items():
        yield from range(5)
        raise MemoryError

    with pytest.raises(MemoryError):
        list(Workers(compiled=False, processes=2).map(double, items()))


@pytest.mark.fault(
    "a worker is killed, or has no memory", "its batch is tried again alone and in pieces; the same bytes"
)
@pytest.mark.slow
@linux
def test_a_run_goes_on_without_its_killed_workers(tmp_path, large):
    run = Run(large, tmp_path)
    wait_until(lambda: len(run.workers()) == 2, 60)
    os.kill(run.workers()[0], signal.SIGKILL)
    _, errors = run.process.communicate(timeout=120)
    assert (run.process.returncode, errors) == (0, b"")
    run.assert_nothing_is_left()
    dedup.clean(large, tmp_path / "undisturbed", engine=LocalEngine(jobs=1))
    assert bytes_of(tmp_path / "place" / "out") == bytes_of(tmp_path / "undisturbed")


def test_a_batch_in_pieces_is_the_same_batch(tmp_path):
    rows = [
        {"source": "a.jsonl", "kind": JSON_LINES, "record": number, "data": to_json_bytes(row)}
        for number, row in enumerate(NEWS[:70])
    ]
    data = to_ipc(pa.RecordBatch.from_pylist(rows, RECORD_SCHEMA))
    batches = [
        load_batch(
            prepare_into_file(
                RecordBatchTask(pieces, data, 4 << 20), Settings(), "1.0", compiled=False, work=tmp_path, pieces=pieces
            )
        )
        for pieces in (1, 16, 1000)
    ]
    assert batches[0].equals(batches[1])
    assert batches[0].equals(batches[2])


HELD = """
import os, signal, sys, threading, time
from dedup.runtime.interruption import InterruptedRun, raise_once
from dedup.runtime.processes import held_signals
other = threading.Thread(target=time.sleep, args=(2,), daemon=True)  # for which no signal is held back
other.start()
raise_once()
try:
    with held_signals():
        signal.pthread_kill(other.ident, signal.SIGTERM)
        time.sleep(0.3)
        print("not interrupted")
except InterruptedRun as error:
    print(error.status)
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="sends signals to threads")
def test_a_signal_to_another_thread_waits_until_a_process_has_started():
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("not interrupted\n143\n", "")


FINALIZER = """
import os, signal, time
from dedup.runtime.interruption import InterruptedRun, raise_once
class Interrupts:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)
for _ in range(5):
    raise_once()
    try:
        Interrupts()
        time.sleep(20)
    except InterruptedRun as error:
        print(error.status)
"""


@pytest.mark.fault("a signal that comes in a finalizer, where no exception can be raised", "the run ends all the same")
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="sends signals to threads")
def test_a_signal_in_a_finalizer_ends_the_run_all_the_same():
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", FINALIZER], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("130\n" * 5, "")
    assert time.monotonic() - began < 20
