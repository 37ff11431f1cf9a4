"""Compiled functions: arrays in by name, what was asked for out; checked once for each new shape."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from symbackprop.codegen.arguments import Arguments, Checked
from symbackprop.codegen.bound import KernelFunction
from symbackprop.codegen.entry_source import Entry, entry_maker

__all__ = ["CompiledFunction"]

_MOST_KEPT = 8
"""For how many shapes and types a function keeps its memory."""


class CompiledFunction:
    """``function(parameters, x, y, **more)``: outputs of a program at the arrays given.

    The computation is in the floating type of the parameters, float64 or float32. What comes in is checked whenever
    it is not like that of the call before, and then converted where it must be. ``gradients`` names the outputs after
    the first; without any, the first is returned alone. Each thread has memory of its own.
    """

    def __init__(
        self,
        arguments: Arguments,
        output: str,
        gradients: Mapping[str, str] | None = None,
        *,
        reuse_buffers: bool = False,
    ) -> None:
        outputs = (output, *(gradients or {}).values())
        self.kernel = KernelFunction(arguments.program, outputs, reuse_buffers)
        self._arguments = arguments
        self._entry = entry_maker(self.kernel.kernel, arguments.program, None if gradients is None else (*gradients,))
        self._local = threading.local()

    @property
    def source(self) -> str:
        """The source for arrays of any size: ``bind`` makes the memory, and ``run`` uses it. See ``source_at``."""
        return self.kernel.source

    def source_at(self, parameters: Mapping[str, Any], /, x: Any = None, y: Any = None, **more: Any) -> str:
        """What is executed for arrays of these shapes.

        Small arrays lie in memory by columns, where that is faster, and tiny networks are statements on single numbers.
        """
        checked = self._checked(parameters, x, y, more)
        return self.kernel.source_at(checked.dtype, self._arguments.numbers(self.kernel.code.sizes, checked.sizes))

    def __call__(self, parameters: Mapping[str, Any], /, x: Any = None, y: Any = None, **more: Any) -> Any:
        """The outputs at these arrays."""
        call = getattr(self._local, "call", None)
        return self._again(parameters, x, y, more) if call is None else call(parameters, x, y, **more)

    def _again(self, parameters: Mapping[str, Any], x: Any, y: Any, more: Mapping[str, Any]) -> Any:
        """Check everything, find the memory for these shapes or make it, and compute."""
        checked = self._checked(parameters, x, y, more)
        call, finish = self._bound(checked)
        self._local.call = call
        return finish(*(checked.arrays[variable.name] for variable in self.kernel.inputs))

    def _checked(self, parameters: Mapping[str, Any], x: Any, y: Any, more: Mapping[str, Any]) -> Checked:
        data = {**{name: value for name, value in (("x", x), ("y", y)) if value is not None}, **more}
        return self._arguments.checked(self.kernel.inputs, self._arguments.together(parameters, data))

    def _bound(self, checked: Checked) -> Entry:
        sizes = self._arguments.numbers(self.kernel.code.sizes, checked.sizes)
        shapes = tuple(checked.arrays[variable.name].shape for variable in self.kernel.inputs)
        kept: dict[Any, Entry] = self._local.__dict__.setdefault("kept", {})
        key = (checked.dtype, shapes, *sizes.values())
        if key not in kept:
            if len(kept) >= _MOST_KEPT:
                del kept[next(iter(kept))]
            run = self.kernel.bind(checked.dtype, sizes)
            looks = self._arguments.looks(self.kernel.inputs, checked.sizes)
            kept[key] = self._entry(run, self._again, checked.dtype, looks, *shapes)
        return kept[key]
