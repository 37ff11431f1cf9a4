"""Blocks of weights on their way to workers: threads, processes, or whatever executor one brings.

A block that gets lost with its worker is done again. Whatever a block raises itself is brought home as a value, so that
all other errors of a future are its executor's.
"""

from __future__ import annotations

import os
import pickle
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from symbackprop.verification.incremental import Derivatives, Increments

__all__ = ["Block", "Workers", "blocks_of", "run_block"]

Block = tuple[str, int, int]
"""A name, and the first and the last place but one of its entries, along the flattened array."""
Progress = Callable[[int], None]

_BLOCKS = 32
"""Into how many blocks the weights are cut, about: enough to share out, and each worth sending."""
_FEWEST = 64
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
        died = 0
        for executor in self._executors():
            lost = run.send(executor, token, payload, lost)
            died = max(died, len(lost))
            if not lost:
                break
        for block in lost:
            run.keep(block, point.derivatives(*block))
        if not died:
            return run.found, ()
        noun, its = ("block was", "its worker") if died == 1 else ("blocks were", "their worker")
        where = f", {len(lost)} of them in this process" if lost else ""
        return run.found, (f"{died} {noun} done again because {its} died{where}",)

    def _executors(self) -> Iterator[Executor]:
        """Whom to ask, one after the other, as long as blocks get lost."""
        if self.executor is not None:
            yield self.executor
            yield self.executor
            return
        for _ in range(_POOLS):
            # Not forked: this process has threads.
            with _closing(ProcessPoolExecutor(self.jobs, mp_context=get_context("spawn"))) as pool:
                yield pool


@contextmanager
def _closing(pool: Executor) -> Iterator[Executor]:
    """``pool``, whose open blocks are dropped at the end, as when somebody interrupts."""
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


class _Run:
    """What has come back so far."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress
        self.found: dict[Block, Derivatives] = {}

    def keep(self, block: Block, found: Derivatives) -> None:
        self.found[block] = found
        if self.progress is not None:
            self.progress(block[2] - block[1])

    def send(self, executor: Executor, token: str, payload: bytes, blocks: Sequence[Block]) -> list[Block]:
        """Have ``blocks`` done by ``executor``, and say which got lost."""
        futures: dict[Future[Any], Block] = {}
        refused = []
        for block in blocks:
            try:
                futures[executor.submit(run_block, token, payload, block)] = block
            except RuntimeError:  # BrokenExecutor is one, and so is what an executor raises that was shut down.
                refused.append(block)
        return refused + self.collect(futures, again=True)

    def collect(self, futures: dict[Future[Any], Block], *, again: bool) -> list[Block]:
        """Wait for every block. With ``again``, those that came to nothing are returned and can be done again."""
        lost = []
        for future in as_completed(futures):
            block = futures[future]
            try:
                found = future.result()
            except Exception:
                if not again:
                    raise
                lost.append(block)
                continue
            if isinstance(found, _Raised):
                raise found.error
            self.keep(block, found)
        return sorted(lost)
