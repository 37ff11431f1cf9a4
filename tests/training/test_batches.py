"""What a batch is, and programs that cannot be divided into batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from by_hand import close, parts_of_an_epoch
from descents import Descent, any_way, descents, network, program_descent, running, small
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from training_laws import equal, equals_descent_by_hand

import symbackprop as sbp
from symbackprop.training.batches import batches_of


@settings(max_examples=12)
@given(descent=descents(), way=any_way())
def test_one_batch_of_all_is_no_batches(descent: Descent, way: str):
    assume(descent.axes)
    with running(way):
        one = descent.train(batch_size=descent.examples)
        equal(one, descent.train(batch_size=None))
    assert one.settings.batch_size == descent.examples
    assert one.steps == one.epochs


@settings(max_examples=50)
@given(data=st.data(), name=st.sampled_from(["columns", "embedding", "unreached"]))
def test_every_example_is_in_one_batch_of_an_epoch(data: st.DataObject, name: str):
    """In the order of the permutation, with the same examples of every array."""
    descent = program_descent(name)
    size = data.draw(st.integers(1, descent.examples - 1))
    seed = data.draw(st.integers(0, 9))
    batches = batches_of(descent.model.program, descent.data, size)
    assert [count for _, count in batches.parts[:-1]] == [size] * (len(batches.parts) - 1)
    assert sum(count for _, count in batches.parts) == descent.examples == batches.examples
    for epoch in data.draw(st.permutations(range(4))):
        batches.shuffle(seed, epoch)
        expected = list(parts_of_an_epoch(descent, size, seed, epoch))
        assert len(expected) == len(batches.parts)
        for (views, count), part in zip(batches.parts, expected, strict=True):
            assert set(views) == set(descent.axes)
            for array_name, view in views.items():
                np.testing.assert_array_equal(view, part[array_name])
                assert view.shape[descent.axes[array_name]] == count
    assert all(np.shares_memory(batches.shuffled[array], batches.parts[0][0][array]) for array in descent.axes)


@pytest.mark.parametrize("optimizer", [sbp.SGD(), sbp.Adam(epsilon=1e-3)], ids=["sgd", "adam"])
@pytest.mark.parametrize("widths", [(2, 3, 2), (20, 30, 4), (3, 40, 17)])
@pytest.mark.parametrize(("examples", "size"), [(7, 3), (65, 32), (100, 49)])
def test_a_last_batch_of_another_size(examples: int, size: int, widths: tuple[int, int, int], optimizer):
    """It is averaged over the examples that it has, and its kernel may lie in memory otherwise."""
    inputs, hidden, outputs = widths
    layers = [sbp.Dense(hidden, "tanh"), sbp.Dense(outputs, "softmax")]
    net = sbp.Network(inputs, layers, "categorical_cross_entropy")
    descent = network(net, examples, learning_rate=0.05, epochs=2, batch_size=size, optimizer=optimizer)
    equals_descent_by_hand(descent, 1e-11)


def test_steps_are_counted():
    assert [small(batch_size=size, epochs=3).train().steps for size in (None, 1, 2, 3, 4, 5)] == [3, 15, 9, 6, 6, 3]


def test_in_one_step_batches_are_what_they_are_together():
    """Without an update between them the gradients of the batches, weighted by their examples, are the whole one."""
    descent = small(learning_rate=1e-9, epochs=1, batch_size=2)
    whole, parts = descent.train(batch_size=None), descent.train()
    for name, array in descent.parameters.items():
        gradient = (array - whole.parameters[name]) / 1e-9
        # 2/5, 2/5 and 1/5 of it: the steps of the batches sum to what neither of them has alone.
        function = descent.model.derive().compile()
        weighted = sum(
            len(part["x"]) / 5 * function(descent.parameters, **part)[1][name]
            for part in parts_of_an_epoch(descent, 2, 0, 0)
        )
        close(weighted, gradient, 1e-5, name)
        assert not np.array_equal(parts.parameters[name], whole.parameters[name])


COUNTS = {
    "more than there are": (6, "batch_size is 6, but there are 5 examples; give at most 5, or leave it out"),
    "none": (0, "batch_size is 0; give an integer, 1 or larger"),
    "less than none": (-1, "batch_size is -1; give an integer, 1 or larger"),
    "half": (2.5, r"batch_size is 2\.5; give an integer, 1 or larger"),
    "whole, as a fraction": (2.0, r"batch_size is 2\.0; give an integer"),
    "true": (True, "batch_size is True; give an integer"),
    "in words": ("2", "batch_size is '2'; give an integer"),
}


@pytest.mark.parametrize("what", COUNTS)
def test_a_size_that_is_none(what: str):
    size, says = COUNTS[what]
    with pytest.raises(sbp.UsageError, match=says):
        small(batch_size=size).train()


def test_a_size_of_numpys():
    equal(small(batch_size=np.int64(2)).train(), small(batch_size=2).train())


def program(batch: str | None = "N", **more: Any) -> sbp.Program:
    return sbp.Program(
        **{
            "equations": ["L = Sum((w*x[n] - y[n])**2, n)/2"],
            "loss": "L",
            "inputs": {"x": ("N",)},
            "targets": {"y": ("N",)},
            "parameters": {"w": ()},
            "batch": batch,
            "name": "mine",
            **more,
        }
    )


X, Y = np.arange(4.0), np.ones(4)
UNDIVIDED = {
    "no batch": (
        program(None, equations=["L = Sum((w*x[m] - y[m])**2, m)/2"], inputs={"x": ("M",)}, targets={"y": ("M",)}),
        {"w": 1.0},
        "mine does not say which size counts examples; give the program batch='N'",
    ),
    "a weight for each example": (
        program(equations=["L = Sum((w[n]*x[n] - y[n])**2, n)/2"], parameters={"w": ("N",)}),
        {"w": np.ones(4)},
        r"w\(N\) of mine cannot be divided .*leave batch_size out",
    ),
}


@pytest.mark.parametrize("what", UNDIVIDED)
def test_programs_that_have_no_batches(what: str):
    model, parameters, says = UNDIVIDED[what]
    with pytest.raises(sbp.UsageError, match=f"batch_size is 2, but {says}"):
        model.train(parameters, X, Y, batch_size=2, epochs=2, learning_rate=0.01)
    # They can be trained all the same.
    assert model.train(parameters, X, Y, epochs=2, learning_rate=0.01).steps == 2


def test_arrays_with_examples_in_two_axes():
    model = program(equations=["L = Sum((w*x[n,m] - y[n])**2, n, m)/2"], inputs={"x": ("N", "N")})
    with pytest.raises(sbp.UsageError, match=r"x\(N, N\) of mine cannot be divided"):
        model.train({"w": 1.0}, np.ones((4, 4)), Y, batch_size=2, epochs=2)


def test_a_batch_that_is_not_given():
    """What counts examples is not needed for the loss, and need not be there; so there is nothing to divide."""
    model = program(equations=["L = (w - 1)**2"], targets={})
    assert model.train({"w": 2.0}, epochs=2).steps == 2
    assert model.train({"w": 2.0}, X, batch_size=2, epochs=2).steps == 4
    with pytest.raises(sbp.UsageError, match="batch_size is 2, but"):
        model.train({"w": 2.0}, batch_size=2, epochs=2)
