"""A thousand correct implementations, none of which raises an alarm."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from correct import COUNT, implementation, largest_scale
from correct_networks import STRUCTURES, compiled_of

import symbackprop as sbp

CHUNK = 50
in_chunks = pytest.mark.parametrize("first", range(0, COUNT, CHUNK))


def chunk(first: int):
    return (implementation(number) for number in range(first, min(first + CHUNK, COUNT)))


@in_chunks
def test_the_implementations_are_right(first):
    for one in chunk(first):
        wide = {name: array.astype(float) for name, array in one.parameters.items()}
        _, derived = compiled_of(one.number % STRUCTURES)(wide, one.x.astype(float), one.y.astype(float))
        theirs = one.backward(one.parameters, one.x, one.y)
        scales = largest_scale(one.made, wide, one.x, one.y)
        relative, rounding = (1e-9, 1e-14) if one.dtype == "float64" else (1e-3, 1e-6)
        assert theirs.keys() == derived.keys()
        for name, gradient in derived.items():
            assert theirs[name].shape == gradient.shape, (name, str(one))
            assert theirs[name].dtype == one.dtype, (name, str(one))
            bound = relative * np.abs(gradient).max() + rounding * scales[name]
            assert np.abs(theirs[name] - gradient).max() <= bound, (name, str(one))


def test_the_implementations_are_varied():
    ones = [implementation(number) for number in range(COUNT)]
    assert COUNT >= 1000
    assert {"sigmoid", "tanh", "relu", "softplus", "identity", "softmax"} <= {k for one in ones for k in one.made.kinds}
    counts = Counter(one.dtype for one in ones)
    assert counts["float32"] > 300
    assert {one.declared for one in ones if one.dtype == "float32"} == {"by keyword", "by parameters"}
    assert {len(one.x) for one in ones} >= {1, 2, 10, 20}
    assert {len(one.made.kinds) for one in ones} == {1, 2, 3}
    assert len({one.style for one in ones}) == COUNT


@in_chunks
def test_a_correct_implementation_raises_no_alarm(first):
    for one in chunk(first):
        result = sbp.check_gradients(one.backward, one.network, one.parameters, one.x, one.y, **one.options())
        assert result.ok, f"{one}: {result.diagnosis}"
        assert not result.candidates, f"{one}: {result.diagnosis}"
