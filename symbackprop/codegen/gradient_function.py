"""The compiled gradients of a network: one function, and the loss and the prediction beside it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from symbackprop.codegen.arguments import Arguments
from symbackprop.codegen.function import CompiledFunction
from symbackprop.errors import UsageError

__all__ = ["GradientFunction"]


class GradientFunction(CompiledFunction):
    """``function(parameters, x, y) -> (loss, gradients)``, with ``.loss``, ``.predict`` and ``.source``.

    ``parameters`` is a dict of arrays by name; x is (N, D), y is (N, K), for any batch size N; further inputs of a
    program go by name. ``loss`` is a NumPy number, ``gradients`` a dict of arrays with the shapes and the floating
    type of the parameters, float64 or float32.

    The arrays are the caller's own; with ``reuse_buffers`` the next call overwrites them. Raises UsageError and
    SizeError, naming the array, for what does not fit; this is checked when shapes or types are not those of the
    call before.
    """

    def __init__(
        self, arguments: Arguments, loss: str, gradients: Mapping[str, str], *, reuse_buffers: bool = False
    ) -> None:
        super().__init__(arguments, loss, gradients, reuse_buffers=reuse_buffers)
        self._name = loss
        self._gradients = tuple(gradients)
        self._reuse_buffers = reuse_buffers

    @cached_property
    def loss(self) -> CompiledFunction:
        """``loss(parameters, x, y)``: the loss alone, by forward equations alone."""
        return CompiledFunction(self._arguments, self._name)

    @cached_property
    def predict(self) -> CompiledFunction:
        """``predict(parameters, x)``: the network's output."""
        program = self._arguments.program
        if program.output is None:
            raise UsageError(f"{program.name} names no output, so there is nothing to predict; give it output=...")
        return CompiledFunction(self._arguments, program.output, reuse_buffers=self._reuse_buffers)

    def __repr__(self) -> str:
        names = ", ".join(self._gradients)
        return f"GradientFunction({self._arguments.program.name!r}: loss and gradients by {names})"
