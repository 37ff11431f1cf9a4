"""The floating type of the computation is that of the parameters."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_runs import WAYS, way_of_running
from network_cases import arrays_for, mlp

from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.losses import LOSSES

HIDDEN = sorted(ACTIVATIONS)


def outputs(loss):
    return "sigmoid" if loss in ("binary_cross_entropy", "categorical_cross_entropy") else "identity"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", range(len(HIDDEN)))
def test_float32_parameters_give_float32_results_near_those_of_float64(number, way):
    loss = sorted(LOSSES)[number % len(LOSSES)]
    net = mlp(3, 4, 2, hidden=HIDDEN[number], output=outputs(loss), loss=loss, l1=0.01, l2=0.02)
    single, double = arrays_for(net, 5, dtype=np.float32), arrays_for(net, 5)
    with way_of_running(way):
        function = net.derive().compile()
        for _ in range(2):
            value, gradients = function(*single)
            assert type(value) is np.float32
            assert {array.dtype for array in gradients.values()} == {np.dtype(np.float32)}
            assert type(function.loss(*single)) is np.float32
            assert function.predict(*single[:2]).dtype == np.float32
        expected, slopes = function(*double)
        assert type(expected) is np.float64
        assert {array.dtype for array in slopes.values()} == {np.dtype(np.float64)}
        assert float(value) == pytest.approx(float(expected), rel=2e-5, abs=1e-6)
        for name, array in gradients.items():
            scale = np.abs(slopes[name]).max()
            np.testing.assert_allclose(array, slopes[name], rtol=2e-4, atol=1e-5 * max(scale, 0.01), err_msg=name)


def test_float32_is_computed_in_float32_throughout():
    """No temporary is in double precision, so that it is fast."""
    net = mlp(3, 4, 2, hidden="gelu", output="softmax", loss="categorical_cross_entropy")
    function = net.derive().compile(reuse_buffers=True)
    parameters, x, y = arrays_for(net, 5, dtype=np.float32)
    with way_of_running("arrays"):
        function(parameters, x, y)
        (entry,) = function._local.kept.values()
    run = next(c.cell_contents for c in entry[1].__closure__ if callable(c.cell_contents))
    while not hasattr(run, "__closure__") or run.__closure__ is None:
        run = run.__wrapped__
    held = [cell.cell_contents for cell in run.__closure__]
    arrays = [value for value in held if isinstance(value, np.ndarray)]
    assert len(arrays) > 10
    assert {array.dtype for array in arrays if array.dtype.kind == "f"} == {np.dtype(np.float32)}


@pytest.mark.parametrize("way", WAYS)
def test_data_follow_the_parameters(way):
    net = mlp(3, 4, 2)
    (parameters, x, y), (singles, *_) = arrays_for(net, 5), arrays_for(net, 5, dtype=np.float32)
    with way_of_running(way):
        function = net.derive().compile()
        assert function(parameters, x.astype(np.float32), y)[1]["W1"].dtype == np.float64
        assert function(singles, x, y)[1]["W1"].dtype == np.float32
        mixed = {**parameters, "b1": singles["b1"]}
        assert function(mixed, x, y)[1]["b1"].dtype == np.float64
        # And back again: nothing of the call before is left.
        assert function(parameters, x, y)[1]["W1"].dtype == np.float64


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint16, bool, np.float16])
def test_integers_booleans_and_half_precision_convert(kind):
    net = mlp(3, 4, 2)
    derivation = net.derive()
    parameters, x, y = arrays_for(net, 5)
    whole = {name: np.round(2 * np.abs(array)).astype(kind) for name, array in parameters.items()}
    x, y = (np.abs(x) > 0.5).astype(kind), (np.abs(y) > 0.5).astype(kind)
    function = derivation.compile()
    expected = derivation.values({n: a.astype(float) for n, a in whole.items()}, x.astype(float), y.astype(float))
    for _ in range(2):
        loss, gradients = function(whole, x, y)
        assert loss == pytest.approx(expected["L"], rel=1e-12)
        assert gradients["W1"].dtype == np.float64


def test_lists_and_bytes_in_the_other_order_convert():
    net = mlp(2, 2, 1)
    parameters, x, y = arrays_for(net, 2)
    function = net.derive().compile()
    expected = function(parameters, x, y)
    lists = function({name: array.tolist() for name, array in parameters.items()}, x.tolist(), y.tolist())
    swapped = function({name: array.astype(">f8") for name, array in parameters.items()}, x.astype(">f8"), y)
    for loss, gradients in (lists, swapped):
        assert loss == expected[0]
        assert gradients["W1"].dtype == np.float64
        np.testing.assert_array_equal(gradients["W1"], expected[1]["W1"])


@pytest.mark.parametrize("output", ["softmax", "sigmoid", "logits"])
@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.float64])
def test_integer_labels_are_one_hot_rows(output, kind):
    loss = "categorical_cross_entropy" + ("_with_logits" if output == "logits" else "")
    net = mlp(3, 4, 3, output="identity" if output == "logits" else output, loss=loss)
    parameters, x, _ = arrays_for(net, 5)
    labels = np.array([2, 0, 1, 1, 2])
    function = net.derive().compile()
    expected, slopes = function(parameters, x, np.eye(3)[labels])
    for _ in range(2):
        value, gradients = function(parameters, x, labels.astype(kind))
        assert value == expected
        for name, array in gradients.items():
            np.testing.assert_array_equal(array, slopes[name])
    assert function.loss(parameters, x, labels) == pytest.approx(expected, rel=1e-14)
