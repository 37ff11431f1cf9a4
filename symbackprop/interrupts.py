"""Ctrl-C while something long runs: noted, and looked at where stopping is safe."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

__all__ = ["Interrupts", "noted_interrupts"]


@dataclass
class Interrupts:
    """Whether Ctrl-C was pressed."""

    pressed: bool = False


@contextmanager
def noted_interrupts() -> Iterator[Interrupts]:
    """Note Ctrl-C while the block runs, instead of raising KeyboardInterrupt anywhere in it; a third press raises it.

    Where signals do not arrive, in other threads than the main one, and where Ctrl-C is ignored or handled by what is
    no Python, nothing is done.
    """
    interrupts = Interrupts()
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
        yield interrupts
        return
    presses = 0

    def note(signum: int, frame: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        interrupts.pressed = True
        if presses > 2:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)
