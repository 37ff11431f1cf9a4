"""The same arguments give the same bytes, what is given stays as it is, and only what is named is trained."""

from __future__ import annotations

import numpy as np
import pytest
from descents import Descent, any_way, descents, program_descent, running, same_bytes, small
from hypothesis import given, settings
from hypothesis import strategies as st
from training_laws import equal, leaves_the_rest, leaves_what_it_is_given, repeats_itself

import symbackprop as sbp
from symbackprop.training.compiled_step import CompiledStep


@settings(max_examples=10)
@given(descent=descents(), way=any_way())
def test_the_same_arguments_give_the_same_bytes(descent: Descent, way: str):
    with running(way):
        repeats_itself(descent)


@settings(max_examples=12)
@given(descent=descents(), way=any_way())
def test_what_is_given_is_left_as_it_is(descent: Descent, way: str):
    with running(way):
        leaves_what_it_is_given(descent)


@settings(max_examples=12)
@given(descent=descents(), data=st.data())
def test_only_what_is_named_is_trained(descent: Descent, data: st.DataObject):
    names = sorted(descent.model.derive().gradients)
    leaves_the_rest(descent, data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True)))


def test_another_seed_shuffles_and_draws_otherwise():
    descent = small(batch_size=2)
    first, other = descent.train(seed=1), descent.train(seed=2)
    assert not np.array_equal(first.parameters["W1"], other.parameters["W1"])
    # Where nothing is shuffled and nothing drawn, there is nothing for a seed to do.
    equal(descent.train(seed=1, batch_size=None), descent.train(seed=2, batch_size=None))
    data, model = descent.data, descent.model
    drawn = [model.train(**data, seed=seed, epochs=1, learning_rate=1e-9, progress=False) for seed in (1, 2)]
    for run, seed in zip(drawn, (1, 2), strict=True):
        np.testing.assert_allclose(run.parameters["W1"], model.initial_parameters(seed=seed)["W1"], atol=1e-6)
    assert not np.array_equal(drawn[0].parameters["W1"], drawn[1].parameters["W1"])


def test_each_epoch_has_an_order_of_its_own():
    """One step an example, a loss that counts up: the weight says in which order they came."""
    program = sbp.Program(
        ["L = Sum(-w*x[n]*t**n, n)"], "L", inputs={"x": ("N",), "t": ()}, parameters={"w": ()}, batch="N"
    )
    x = 10.0 ** np.arange(4)
    step, weights = CompiledStep._stepped, []

    def seen(self, carried, *arguments):
        result = step(self, carried, *arguments)
        weights.append(float(result[1] - carried[0]))
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CompiledStep, "_stepped", seen)
        program.train({"w": 0.0}, x, t=1.0, batch_size=1, epochs=6, learning_rate=1.0, seed=3, progress=False)
    orders = np.log10(weights).round().astype(int).reshape(6, 4)
    expected = [np.random.default_rng((3, epoch)).permutation(4) for epoch in range(6)]
    np.testing.assert_array_equal(orders, expected)
    assert len({tuple(order) for order in orders.tolist()}) > 1


def test_what_the_loss_does_not_mention_stays_as_it_was():
    for optimizer in (sbp.SGD(), sbp.SGD(0.9), sbp.Adam()):
        descent = program_descent("unreached", optimizer=optimizer, epochs=5, learning_rate=0.05, batch_size=2)
        run = descent.train()
        # Neither what is not reached, nor what has a gradient of zero.
        for name in ("idle", "dead"):
            same_bytes({name: run.parameters[name]}, {name: descent.parameters[name]})
        assert not np.array_equal(run.parameters["w"], descent.parameters["w"])
        assert "idle" not in run.remembered.get("velocity", run.remembered.get("mean", {}))


def test_where_nothing_is_reached_there_is_nothing_to_train():
    program = sbp.Program(
        ["L = Sum(x[n]**2, n)"], "L", inputs={"x": ("N",)}, parameters={"w": ("N",), "v": ()}, name="fixed"
    )
    with pytest.raises(sbp.UsageError, match="fixed: the loss does not depend on w, v; there is nothing to train"):
        program.train({"w": [1.0, 2.0], "v": 1.0}, [3.0, 4.0], epochs=3, progress=False)


@pytest.mark.parametrize(("wrt", "says"), [
    ("x", "wrt names 'x', which is no parameter to train; known are W1, b1, W2, b2"),
    (["W1", "y"], "wrt names 'y', which is no parameter to train"),
    ("a1", "wrt names 'a1', which is no parameter to train"),
    ("w1", r"has no variable 'w1'; did you mean 'W1'\?"),
    ([], "wrt names nothing"),
])  # fmt: skip
def test_what_is_no_parameter_cannot_be_trained(wrt, says: str):
    with pytest.raises(sbp.UsageError, match=says):
        small().train(wrt=wrt)


def strided(array: np.ndarray) -> np.ndarray:
    """The same entries, backwards and with gaps in memory."""
    return np.repeat(array[::-1], 2, axis=0)[::-2]


@pytest.mark.parametrize("change", [np.asfortranarray, strided, np.ndarray.tolist, lambda array: array.astype(">f8")])
def test_results_are_independent_of_how_arrays_lie_in_memory(change):
    descent = small(batch_size=2)
    given = {**descent.parameters, **descent.data}
    changed = {name: change(array) for name, array in given.items()}
    for name, array in given.items():
        np.testing.assert_array_equal(np.asarray(changed[name]), array)
    arguments = {name: changed[name] for name in descent.data}
    run = descent.model.train({name: changed[name] for name in descent.parameters}, **arguments, **descent.settings)
    equal(run, descent.train())
