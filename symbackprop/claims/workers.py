"""Work on a stranger's notes in a process that can be killed: what runs away is left out, and the rest goes on.

One process does a whole document, forked from this one, which costs some hundredths of a second; where a fork is not
to be had (Windows) or not safe (macOS), a new interpreter is started, which costs about a second more. It says what it
begins with and hands over each claim when it is finished. What takes too long is killed with its process, and another
process goes on behind what is finished, without the formula that was at work. That the process dies, of memory or of
anything else, is treated in the same way.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import signal
import struct
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, BinaryIO, NoReturn, Protocol

from symbackprop.claims.result import Claim, Outcome
from symbackprop.errors import SymbackpropError, UnreadableError
from symbackprop.reading.arithmetic import warm
from symbackprop.reading.watch import Place, reason_for, watching

__all__ = ["SECONDS", "Found", "Progress", "Reporter", "Work", "apart", "here", "serve", "unread"]

SECONDS = 8.0
"""How long one formula may take to be read, and one claim to be checked."""
_RESTARTS = 12
"""How many formulas may run away before the rest is given up."""
_MEMORY = 2 << 30
"""How many bytes the process may take beyond what it has at its start."""
_FORKS = hasattr(os, "fork") and sys.platform not in ("darwin", "win32")
_DIED = "checking this ended the process that did it; simplify it, or split it"
_GIVEN_UP = f"this was not checked, since {_RESTARTS} formulas of the notes ran away; check the others by themselves"


@dataclass
class Found:
    """What is known of the claims: those finished by their number (None for one that is no claim), and the rest."""

    claims: dict[int, Claim | None] = field(default_factory=dict)
    so_far: tuple[int, Claim] | None = None
    words: str = ""
    readings: tuple[str, ...] = ()
    left_out: dict[Place, str] = field(default_factory=dict)
    given_up: bool = False

    def in_order(self) -> tuple[Claim, ...]:
        """The claims, in the order of the notes."""
        return tuple(
            sorted(
                (claim for claim in self.claims.values() if claim is not None),
                key=lambda claim: (claim.line, claim.column),
            )
        )


class Reporter:
    """What the work tells: each place when it is begun, each claim when it is finished, how the notes were read."""

    def __init__(self, send: Callable[[Any], None], found: Found) -> None:
        self._send = send
        self.found = found
        self.at: Place | None = None

    def begun(self, place: Place) -> str:
        """Say what is begun; the answer is why it is to be left out."""
        reason = self.found.left_out.get(place, "")
        if self.found.given_up and place.stage != "notes" and place not in self.found.left_out:
            return _GIVEN_UP
        if not reason and place != self.at:
            self.at = place
            self._send(("begun", place))
        return reason

    def progress(self, done: int, of: int, note: str) -> None:
        """Say how far the work is."""
        self._send(("progress", (done, of, note)))

    def finished(self, number: int, claim: Claim | None) -> None:
        """Hand over a claim."""
        self.found.claims[number] = claim
        self._send(("finished", (number, claim)))

    def so_far(self, number: int, claim: Claim) -> None:
        """Say what a claim is even if the rest of its check runs away."""
        self._send(("so far", (number, claim)))

    def ended(self, words: str, readings: tuple[str, ...]) -> None:
        """Say how the notes were read; nothing comes after it."""
        self._send(("ended", (words, readings)))


Work = Callable[[Reporter], None]
"""Work that reports; to be done in a new interpreter it has to be something that pickle knows."""
Progress = Callable[[int, int, str], None]


def here(work: Work, progress: Progress | None = None) -> Found:
    """Do the work in this process, without limits."""
    found = Found()

    def receive(message: Any) -> None:
        _taken(found, message, progress)

    reporter = Reporter(receive, found)
    with watching(reporter.begun):
        work(reporter)
    return found


def apart(work: Work, progress: Progress | None = None, seconds: float = SECONDS) -> Found:
    """Do the work in a process of its own, of which one formula takes ``seconds`` at most."""
    found = Found()
    spent: dict[Place, float] = {}
    count = 0
    while True:
        child = _Forked(work, found) if _FORKS else _Started(work, found)
        try:
            stopped = _attended(child, found, spent, seconds, progress)
        finally:
            child.kill()
        if stopped is None:
            return found
        place, reason = stopped
        count += 1
        if found.so_far is not None and place is not None and place.stage == "claim":
            # What it is was known; only what is wrong with it was not.
            number, claim = found.so_far
            found.claims.setdefault(number, claim)
        found.so_far = None
        if place is None or place.stage == "notes":
            raise UnreadableError(f"the notes as a whole cannot be read: {reason}")
        found.left_out[place] = reason
        found.given_up = count >= _RESTARTS
        if count > 2 * _RESTARTS:
            raise UnreadableError(f"the notes cannot be checked: too many of their formulas run away; {reason}")


def _attended(
    child: _Child, found: Found, spent: dict[Place, float], seconds: float, progress: Progress | None
) -> tuple[Place | None, str] | None:
    """Take what a process reports; where it has to be stopped, or died, the place at work and why."""
    place: Place | None = None
    since = time.monotonic()
    while True:
        limit = seconds * (place.share if place is not None else 4.0)
        used = time.monotonic() - since + (spent.get(place, 0.0) if place is not None else 0.0)
        try:
            message = child.receive(max(limit - used, 0.0))
        except TimeoutError:
            return place, f"it took longer than {limit:g} s; split it, or simplify it"
        except (EOFError, OSError):
            return place, _DIED
        kind, content = message
        if kind == "begun":
            now = time.monotonic()
            if place is not None:
                spent[place] = spent.get(place, 0.0) + now - since
            place, since = content, now
        elif kind == "failed":
            if isinstance(content, SymbackpropError):
                raise content
            return place, content
        _taken(found, message, progress)
        if kind == "ended":
            return None


def _taken(found: Found, message: Any, progress: Progress | None) -> None:
    """Put a message where it belongs."""
    kind, content = message
    if kind == "finished":
        number, claim = content
        found.claims[number] = claim
        found.so_far = None
    elif kind == "so far":
        found.so_far = content
    elif kind == "ended":
        found.words, found.readings = content
    elif kind == "progress" and progress is not None:
        progress(*content)


# -- the process that works --------------------------------------------------------------------------------------------


def _worked(work: Work, found: Found, send: Callable[[Any], None]) -> None:
    """What the process does: the work, with bounds on itself, and its failure as a message."""
    with suppress(ValueError, OSError):
        # An interrupt from the keyboard goes to every process; the one that waits ends this one.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    _bound_memory()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    reporter = Reporter(send, found)
    try:
        with watching(reporter.begun):
            work(reporter)
    except SymbackpropError as error:
        send(("failed", error if _can_travel(error) else str(error)))
    except BrokenPipeError:
        pass
    except BaseException as error:
        send(("failed", reason_for(error)))


def _can_travel(error: BaseException) -> bool:
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:
        return False


def _bound_memory() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            present = int(file.read().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = present + _MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))


def _end_with(parent: int) -> None:
    """End this process where the one that waits for it is no more."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


class _Child(Protocol):
    """A process at work: ``receive`` raises TimeoutError, and EOFError where it is no more."""

    def receive(self, seconds: float) -> Any: ...

    def kill(self) -> None: ...


class _Forked:
    """A copy of this process."""

    def __init__(self, work: Work, found: Found) -> None:
        warm()
        self._here, there = Pipe(duplex=False)
        with warnings.catch_warnings():
            # Other threads are no concern of a copy that only computes.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process = os.fork()
        if not self._process:
            self._child(work, found, there)
        there.close()

    def _child(self, work: Work, found: Found, there: Connection) -> NoReturn:
        try:
            self._here.close()
            gc.freeze()
            _worked(work, found, there.send)
            there.close()
        finally:
            # Nothing of the copied process is to be flushed or tidied up.
            os._exit(0)

    def receive(self, seconds: float) -> Any:
        if not self._here.poll(seconds):
            raise TimeoutError
        return self._here.recv()

    def kill(self) -> None:
        self._here.close()
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)


_LENGTH = struct.Struct(">Q")


class _Started:
    """A new interpreter, which gets its work through a pipe."""

    def __init__(self, work: Work, found: Found) -> None:
        code = "from symbackprop.claims.workers import serve; serve()"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            _write(self._process.stdin, (work, found))

    def _read(self) -> None:
        assert self._process.stdout is not None
        with suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
            while True:
                self._messages.put(_read_from(self._process.stdout))
        self._messages.put(None)

    def receive(self, seconds: float) -> Any:
        try:
            message = self._messages.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None
        if message is None:
            raise EOFError
        return message

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def serve() -> None:
    """What a new interpreter does: take the work from standard input, and report to standard output."""
    report = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What anything prints is no report.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    work, found = _read_from(sys.stdin.buffer)
    _worked(work, found, lambda message: _write(report, message))
    report.close()


def _write(stream: BinaryIO | Any, message: Any) -> None:
    content = pickle.dumps(message)
    stream.write(_LENGTH.pack(len(content)) + content)
    stream.flush()


def _read_from(stream: BinaryIO | Any) -> Any:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    content = stream.read(_LENGTH.unpack(head)[0])
    return pickle.loads(content)


# -- claims ------------------------------------------------------------------------------------------------------------


def unread(place: Place, reason: str) -> Claim:
    """A formula that was left out, as a claim that cannot be read."""
    return Claim(
        place.line,
        place.column,
        place.latex,
        "",
        Outcome.UNREADABLE,
        diagnosis=reason,
        start=place.start,
        stop=place.stop,
    )
