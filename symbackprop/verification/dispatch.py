"""Blocks of weights on their way to workers: threads, processes, or whatever executor one brings.

A block that gets lost with its worker is done again. Whatever a block raises itself is brought home as a value, so that
all other errors of a future are its executor's.
"""

from __future__ import annotations

import os
import pickle
import signal
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    as_completed,
)
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from typing import Any

from symbackprop.verification.incremental import Derivatives, Increments

__all__ = ["Block", "Workers", "blocks_of", "run_block"]

Block = tuple[str, int, int]
"""A name, and the first and the last place but one of its entries, along the flattened array."""
Progress = Callable[[int], None]

_BLOCKS = 32
"""Into how many blocks the weights are cut, about: enough to share out, and each worth sending."""
_FEWEST = 64
_DIED = "{its} worker died"
_POOLS = 3
"""How many pools of processes are made one after the other, at most, before the rest is done here."""


def blocks_of(sizes: Sequence[tuple[str, int]]) -> list[Block]:
    """Arrays of these sizes in blocks."""
    length = max(_FEWEST, -(-sum(size for _, size in sizes) // _BLOCKS))
    return [(name, start, min(size, start + length)) for name, size in sizes for start in range(0, size, length)]


@dataclass(frozen=True)
class _Raised:
    """What a block raised."""

    error: Exception


_here: dict[str, Increments] = {}
"""The point that this worker has unpacked last, by its token."""


def run_block(token: str, payload: bytes, block: Block) -> Derivatives | _Raised:
    """The derivatives by a block of weights, in a worker; ``payload`` is unpacked once for each ``token``."""
    try:
        if token not in _here:
            _here.clear()
            _here[token] = pickle.loads(payload)
        return _here[token].derivatives(*block)
    except Exception as error:  # Whatever it is, it is the block's own fault, and no worker's.
        return _Raised(error)


@dataclass(frozen=True)
class Workers:
    """Who does the blocks: the ``executor`` that is given, ``jobs`` processes of this machine, or threads here."""

    executor: Executor | None = None
    jobs: int | None = None

    def derivatives(
        self, point: Increments, blocks: Sequence[Block], progress: Progress | None = None
    ) -> tuple[dict[Block, Derivatives], tuple[str, ...]]:
        """The derivatives of each block, and what is to be said of how they came about."""
        run = _Run(progress)
        if self.executor is None and self.jobs is None:
            with _closing(ThreadPoolExecutor(os.cpu_count())) as threads:
                run.collect({threads.submit(point.derivatives, *block): block for block in blocks}, again=False)
            return run.found, ()
        token, payload = uuid.uuid4().hex, pickle.dumps(point)
        lost = list(blocks)
        # Closed here and not whenever it is collected: what interrupts this must end the pool.
        with closing(self._executors()) as executors:
            for executor in executors:
                lost = run.send(executor, token, payload, lost)
                if not lost:
                    break
        for block in lost:
            run.keep(block, point.derivatives(*block))
        return run.found, tuple(run.said(set(lost)))

    def _executors(self) -> Generator[Executor]:
        """Whom to ask, one after the other, as long as blocks get lost."""
        if self.executor is not None:
            yield self.executor
            yield self.executor
            return
        for _ in range(_POOLS):
            # Not forked: this process has threads.
            pool = ProcessPoolExecutor(
                self.jobs, get_context("spawn"), initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)
            )
            with _closing(pool):
                _start(pool, self.jobs or 1)
                yield pool


@contextmanager
def _closing(pool: Executor) -> Iterator[Executor]:
    """``pool``, whose open blocks are dropped at the end, as when somebody interrupts."""
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _start(pool: Executor, jobs: int) -> None:
    """Have the processes of ``pool`` started so that Ctrl-C, which goes to all of them, is for this one alone.

    They take the mask of signals along, which holds until they have come to their initializer.
    """
    if not hasattr(signal, "pthread_sigmask"):
        return
    # The first process would start it and take the mask off.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        # A pool that cannot start says so again when it is asked for something.
        with suppress(Exception):
            for _ in range(jobs):
                pool.submit(int)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Run:
    """What has come back so far, and why some blocks did not at first."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress
        self.found: dict[Block, Derivatives] = {}
        self.reasons: dict[str, set[Block]] = {}
        self.refusals: dict[type[Exception], str] = {}

    def keep(self, block: Block, found: Derivatives) -> None:
        self.found[block] = found
        if self.progress is not None:
            self.progress(block[2] - block[1])

    def send(self, executor: Executor, token: str, payload: bytes, blocks: Sequence[Block]) -> list[Block]:
        """Have ``blocks`` done by ``executor``, and say which got lost."""
        futures: dict[Future[Any], Block] = {}
        lost = []
        for block in blocks:
            try:
                future = executor.submit(run_block, token, payload, block)
            except BrokenExecutor:
                lost.append(self._lose(block, _DIED))
            except Exception as error:  # Whatever it is, it is the executor's: nothing has been done yet.
                said = f"the executor refused {{it}} ({type(error).__name__}: {error})"
                lost.append(self._lose(block, self.refusals.setdefault(type(error), said)))
            else:
                futures[future] = block
        return lost + self.collect(futures, again=True)

    def collect(self, futures: dict[Future[Any], Block], *, again: bool) -> list[Block]:
        """Wait for every block. With ``again``, those that came to nothing are returned and can be done again."""
        lost = []
        for future in as_completed(futures):
            block = futures[future]
            try:
                found = future.result()
            except (BrokenExecutor, CancelledError):
                if not again:
                    raise
                lost.append(self._lose(block, _DIED))
                continue
            except Exception as error:  # What the block itself raised came home as a value: this is the executor's.
                if not again:
                    raise
                said = f"the executor raised {type(error).__name__} for {{it}}"
                lost.append(self._lose(block, said))
                continue
            if isinstance(found, _Raised):
                raise found.error
            if not isinstance(found, Derivatives):
                lost.append(self._lose(block, f"the executor gave {type(found).__name__} for {{it}}"))
                continue
            self.keep(block, found)
        return sorted(lost)

    def said(self, here: set[Block]) -> Iterator[str]:
        """For each reason how many blocks were done again because of it; those in ``here`` in this process."""
        for reason, blocks in self.reasons.items():
            count = len(blocks)
            noun, it, its = ("block was", "it", "its") if count == 1 else ("blocks were", "them", "their")
            where = f", {len(blocks & here)} of them in this process" if blocks & here else ""
            yield f"{count} {noun} done again because {reason.replace('{its}', its).replace('{it}', it)}{where}"

    def _lose(self, block: Block, reason: str) -> Block:
        self.reasons.setdefault(reason, set()).add(block)
        return block
