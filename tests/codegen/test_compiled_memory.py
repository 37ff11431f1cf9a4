"""Whose memory it is: what comes in is only read, what comes out is the caller's own, unless asked otherwise."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest
from kernel_runs import WAYS, way_of_running
from network_cases import arrays_for, mlp

import symbackprop as sbp
from symbackprop.codegen import bound


def program(*equations: str, parameters: dict, inputs: dict | None = None, **more) -> sbp.Program:
    return sbp.Program(equations, "L", parameters=parameters, inputs=inputs or {}, **more)


def network(loss="half_squared_error", output="identity"):
    return mlp(3, 4, 2, hidden="sigmoid", loss=loss, output=output)


def arrays_of(result):
    loss, gradients = result
    return [np.asarray(loss), *gradients.values()]


# Programs whose gradients are another array as they stand: an input, another gradient, a constant.
SAME = {
    "a gradient that is an input": (
        program("L = Sum(W[i]*x[i], i)", parameters={"W": ("D",)}, inputs={"x": ("D",)}),
        {"W": np.arange(3.0)},
        np.ones(3),
    ),
    "two equal gradients": (
        program("L = Sum((U[i] + V[i])**2*x[i], i)", parameters={"U": ("D",), "V": ("D",)}, inputs={"x": ("D",)}),
        {"U": np.arange(3.0), "V": np.ones(3)},
        np.arange(1.0, 4.0),
    ),
    "two gradients that are the same input": (
        program("L = Sum((U[i] + V[i])*x[i], i)", parameters={"U": ("D",), "V": ("D",)}, inputs={"x": ("D",)}),
        {"U": np.arange(3.0), "V": np.ones(3)},
        np.arange(1.0, 4.0),
    ),
    "gradients that are constant": (
        program("L = Sum(2*U[i] + V[i] + x[i], i)", parameters={"U": ("D",), "V": ("D",)}, inputs={"x": ("D",)}),
        {"U": np.arange(3.0), "V": np.ones(3)},
        np.ones(3),
    ),
    "a gradient that is a transpose": (
        program("L = Sum(W[i,j]*x[j,i], i, j)", parameters={"W": ("D", "D")}, inputs={"x": ("D", "D")}),
        {"W": np.arange(9.0).reshape(3, 3)},
        np.arange(1.0, 10.0).reshape(3, 3),
    ),
    "gradients that are each other's parameter": (
        program("L = Sum(U[i]*V[i], i)", parameters={"U": ("D",), "V": ("D",)}),
        {"U": np.arange(3.0), "V": np.ones(3)},
        None,
    ),
    "a number among the parameters": (
        program("L = s*Sum(W[i]*x[i], i)", parameters={"W": ("D",), "s": ()}, inputs={"x": ("D",)}),
        {"W": np.arange(3.0), "s": np.array(2.0)},
        np.ones(3),
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reuse_buffers", [False, True])
@pytest.mark.parametrize("name", SAME)
def test_results_share_memory_with_nothing_that_came_in_nor_with_each_other(name, reuse_buffers, way):
    net, parameters, x = SAME[name]
    derivation = net.derive()
    with way_of_running(way):
        function = derivation.compile(reuse_buffers=reuse_buffers)
        for _ in range(3):
            result = function(parameters, x)
            given = [*parameters.values(), *([] if x is None else [x])]
            outside = [(array, other) for array in arrays_of(result) for other in given]
            among = itertools.combinations(arrays_of(result), 2)
            assert not any(np.shares_memory(*pair) for pair in (*outside, *among))
            assert all(array.flags.writeable for array in result[1].values() if array.ndim)
    expected = derivation.values(parameters, x)
    for gradient, array in result[1].items():
        np.testing.assert_allclose(array, expected[derivation[gradient].adjoint_name])


@pytest.mark.parametrize("way", WAYS)
def test_what_was_returned_is_never_written_to_again(way):
    net = network("categorical_cross_entropy", "softmax")
    with way_of_running(way):
        function = net.derive().compile()
        kept = []
        for seed in range(6):
            parameters, x, y = arrays_for(net, 1 + seed % 2, seed)
            for result in (function(parameters, x, y), function.predict(parameters, x)):
                arrays = arrays_of(result) if isinstance(result, tuple) else [result]
                kept += [(array, array.copy()) for array in arrays]
        for array, copy in kept:
            np.testing.assert_array_equal(array, copy)
        for (one, _), (other, _) in itertools.combinations(kept, 2):
            assert not np.shares_memory(one, other)


@pytest.mark.parametrize("way", WAYS)
def test_what_a_caller_does_to_results_changes_no_later_result(way):
    net = network()
    parameters, x, y = arrays_for(net, 3)
    with way_of_running(way):
        for reuse_buffers in (False, True):
            function = net.derive().compile(reuse_buffers=reuse_buffers)
            loss, gradients = function(parameters, x, y)
            copies = {name: array.copy() for name, array in gradients.items()}
            for array in gradients.values():
                array[...] = np.nan
            again, gradients = function(parameters, x, y)
            assert again == loss
            for name, array in gradients.items():
                np.testing.assert_array_equal(array, copies[name])


@pytest.mark.parametrize("way", WAYS)
def test_with_reuse_buffers_the_same_arrays_come_back(way):
    net = network()
    first, second = arrays_for(net, 3, 0), arrays_for(net, 3, 1)
    with way_of_running(way):
        function, fresh = net.derive().compile(reuse_buffers=True), net.derive().compile()
        _, before = function(*first)
        _, after = function(*second)
        expected = fresh(*second)[1]
        for name, array in after.items():
            assert array is before[name]
            np.testing.assert_array_equal(array, expected[name])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reuse_buffers", [False, True])
@pytest.mark.parametrize("loss", ["half_squared_error", "hinge", "huber", "categorical_cross_entropy_with_logits"])
def test_inputs_are_only_read(loss, reuse_buffers, way):
    net = network(loss)
    parameters, x, y = arrays_for(net, 3)
    for array in (*parameters.values(), x, y):
        array.setflags(write=False)
    with way_of_running(way):
        function = net.derive().compile(reuse_buffers=reuse_buffers)
        for _ in range(2):
            function(parameters, x, y)
            function.loss(parameters, x, y)
            function.predict(parameters, x)


def strided(array, how):
    if how == "every second":
        wide = np.full([2 * extent for extent in array.shape], np.nan)
        wide[tuple(slice(None, None, 2) for _ in array.shape)] = array
        return wide[tuple(slice(None, None, 2) for _ in array.shape)]
    if how == "backwards":
        backwards = tuple(slice(None, None, -1) for _ in array.shape)
        return array[backwards].copy()[backwards]
    if how == "Fortran":
        return np.asfortranarray(array)
    return np.broadcast_to(array[:1], array.shape) if array.ndim == 2 else array


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", ["every second", "backwards", "Fortran", "repeated rows"])
def test_inputs_may_lie_in_memory_in_any_way(how, way):
    net = network("mean_absolute_error")
    derivation = net.derive()
    parameters, x, y = arrays_for(net, 3)
    with way_of_running(way):
        function = derivation.compile()
        # Once before in plain order: no view of these may be kept for those.
        function(parameters, x, y)
        laid = {name: strided(array, how) for name, array in parameters.items()}
        x, y = strided(x, how), strided(y, how)
        assert not x.flags.c_contiguous
        expected = derivation.values(laid, x, y)
        for _ in range(2):
            _, gradients = function(laid, x, y)
            for name, array in gradients.items():
                np.testing.assert_allclose(array, expected[derivation[name].adjoint_name], rtol=1e-12, atol=1e-14)
                assert array.flags.c_contiguous or array.ndim == 2


@pytest.mark.parametrize("way", WAYS)
def test_an_inner_product_with_a_view_reads_the_numbers_of_this_call(way):
    """NumPy copies what cannot be flattened as it lies; such a copy must not be kept."""
    net = program(
        "a[i,j] = tanh(W[i,j])",
        "b[i,j] = v[i]",
        "L = Sum(a[i,j]*a[j,i], i, j) + Sum(log(1 + b[i,j]**2), i, j) + Sum(b[i,j]**2, i, j)",
        parameters={"W": ("D", "D"), "v": ("D",)},
        shapes={"b": ("D", "D")},
    )
    derivation = net.derive()
    rng = np.random.default_rng(0)
    with way_of_running(way):
        for reuse_buffers in (False, True):
            function = derivation.compile(reuse_buffers=reuse_buffers)
            for _ in range(3):
                parameters = {"W": rng.normal(size=(3, 3)), "v": rng.normal(size=3)}
                expected = derivation.values(parameters)
                assert function(parameters)[0] == pytest.approx(expected["L"], rel=1e-12)


def test_threads_do_not_disturb_each_other():
    net = mlp(5, 50, 3, output="softmax", loss="categorical_cross_entropy")
    function = net.derive().compile()
    cases = [arrays_for(net, batch, seed) for seed, batch in enumerate((16, 16, 7, 16))]
    expected = [function(*case) for case in cases]
    wrong: list[str] = []

    def work(case, right):
        for _ in range(200):
            loss, gradients = function(*case)
            if loss != right[0] or any((gradients[name] != array).any() for name, array in right[1].items()):
                wrong.append("another thread's numbers")

    threads = [threading.Thread(target=work, args=pair) for pair in zip(cases, expected, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_batch_sizes_change_back_and_forth_without_another_compilation(monkeypatch):
    net = network()
    derivation = net.derive()
    function = derivation.compile()
    bindings = []
    right = bound.KernelFunction.bind
    monkeypatch.setattr(bound.KernelFunction, "bind", lambda self, *given: bindings.append(1) or right(self, *given))
    for batch in (1, 7, 3, 7, 1, 3, 3, 7):
        parameters, x, y = arrays_for(net, batch, seed=batch)
        loss, gradients = function(parameters, x, y)
        expected = derivation.values(parameters, x, y)
        assert loss == pytest.approx(expected["L"], rel=1e-12)
        np.testing.assert_allclose(gradients["W1"], expected["W1_bar"], rtol=1e-12, atol=1e-15)
    assert len(bindings) == 3


def test_memory_is_kept_for_a_few_shapes_only():
    net = network()
    function = net.derive().compile()
    for batch in range(1, 30):
        function(*arrays_for(net, batch))
    assert len(function._local.kept) <= 8
