"""Gradient functions written by hand, which ``compile.py`` measures the compiled ones against.

``buffered`` is NumPy as fast as we could write it: every buffer is made once for the shapes at hand, every operation
writes into one of them, nothing is checked. A peer is a pair of functions, ``step(parameters, x, y) -> (loss,
gradients)`` and ``forward(parameters, x, y) -> loss``; the gradients are its buffers, and the next call of either
function writes over them.
``plain`` is NumPy as one writes it without a thought of speed, and ``floats`` has no arrays in it but at the ends.

What measuring the variants against each other has decided (NumPy 2.4, OpenBLAS, one thread):

- ``a.dot(b, out)`` as a bound method takes 0.21 us on tiny arrays, ``np.dot(a, b, out)`` 0.37, ``matmul`` 0.95.
- A ufunc on tiny arrays of one shape takes 0.22 us, with a number or with broadcasting 0.45 to 0.85: constants are
  arrays of the full shape where arrays are small. On arrays of *one* element writing in place takes 0.86 us, into
  another array 0.21.
- Sigmoid by tanh(z/2) never overflows and takes as many operations as by exp, which does.
- relu by ``maximum`` with an array of zeros, in place, takes 0.45 to 0.55 of ``maximum`` with a number, and 0.8 of
  ``clip``. Its slope by ``greater`` and a product with the booleans is as fast as by arithmetic on the sign bits.
- The sums over the batch for biases by a product with ones take 0.15 to 0.5 of ``add.reduce``.
- Softmax, the loss and 1/N are done on the logits' own small array; the maximum over ten logits is a few us either way.
- Few inputs and many examples: one row for each *unit*, so that inner loops are long (0.87 of rows for examples).
- OpenBLAS multiplies small matrices by a transposed one slowly: a transposed *copy* of the activations pays in
  the deep network (0.95), in which all products are small.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]
Parameters = Mapping[str, Array]
Step = Callable[[Parameters, Array, Array], tuple[Any, dict[str, Array]]]
Forward = Callable[[Parameters, Array, Array], Any]

_add, _subtract, _multiply, _divide = np.add, np.subtract, np.multiply, np.divide
_exp, _log, _tanh, _greater, _maximum, _copyto = np.exp, np.log, np.tanh, np.greater, np.maximum, np.copyto


# -- with buffers ------------------------------------------------------------------------------------------------------


def buffered_2_3_1() -> tuple[Step, Forward]:
    """2-3-1, sigmoid and identity, half squared error, one example in float64: vectors, and the residual a float."""
    add, subtract, multiply, tanh = _add, _subtract, _multiply, _tanh
    a, d, t, one, half = np.empty(3), np.empty(3), np.empty(3), np.ones(3), np.full(3, 0.5)
    e = np.empty(1)
    gradients = {"W1": np.empty((3, 2)), "b1": d, "W2": np.empty((1, 3)), "b2": e}
    w1_bar, w2_bar = gradients["W1"], gradients["W2"]
    a_row, residual = a.reshape(1, 3), e.item
    times_d, times_e, e_times = d.reshape(3, 1).dot, e.reshape(1, 1).dot, e.dot

    def step(parameters: Parameters, x: Array, y: Array) -> tuple[Any, dict[str, Array]]:
        w2 = parameters["W2"]
        parameters["W1"].dot(x[0], a)
        add(a, parameters["b1"], a)
        multiply(a, half, a)
        tanh(a, a)
        multiply(a, half, a)
        add(a, half, a)
        w2.dot(a, e)
        e[0] = error = residual() + parameters["b2"].item() - y.item()
        times_e(a_row, w2_bar)
        e_times(w2, d)
        subtract(one, a, t)
        multiply(d, a, d)
        multiply(d, t, d)
        times_d(x, w1_bar)
        return 0.5 * error * error, gradients

    def forward(parameters: Parameters, x: Array, y: Array) -> Any:
        parameters["W1"].dot(x[0], a)
        add(a, parameters["b1"], a)
        multiply(a, half, a)
        tanh(a, a)
        multiply(a, half, a)
        add(a, half, a)
        parameters["W2"].dot(a, e)
        error = residual() + parameters["b2"].item() - y.item()
        return 0.5 * error * error

    return step, forward


def buffered_article() -> tuple[Step, Forward]:
    """Article 002's 4-3-1 in float64: sigmoid twice, no biases, weights (in, out), summed over 3 examples."""
    add, subtract, multiply, tanh = _add, _subtract, _multiply, _tanh
    a1, d1, t1, one1, half1 = (
        np.empty((3, 3)),
        np.empty((3, 3)),
        np.empty((3, 3)),
        np.ones((3, 3)),
        np.full((3, 3), 0.5),
    )
    a2, d2, t2, one2, half2 = (
        np.empty((3, 1)),
        np.empty((3, 1)),
        np.empty((3, 1)),
        np.ones((3, 1)),
        np.full((3, 1), 0.5),
    )
    e = np.empty((3, 1))
    e_flat = e.reshape(3)
    gradients = {"W1": np.empty((4, 3)), "W2": np.empty((3, 1))}
    w1_bar, w2_bar = gradients.values()
    a1_times, a1_t_times, d2_times, e_times = a1.dot, a1.T.dot, d2.dot, e_flat.dot

    def step(parameters: Parameters, x: Array, y: Array) -> tuple[Any, dict[str, Array]]:
        w2 = parameters["W2"]
        x.dot(parameters["W1"], a1)
        multiply(a1, half1, a1)
        tanh(a1, a1)
        multiply(a1, half1, a1)
        add(a1, half1, a1)
        a1_times(w2, a2)
        multiply(a2, half2, a2)
        tanh(a2, a2)
        multiply(a2, half2, a2)
        add(a2, half2, a2)
        subtract(a2, y, e)
        subtract(one2, a2, t2)
        multiply(t2, a2, t2)
        multiply(e, t2, d2)
        a1_t_times(d2, w2_bar)
        d2_times(w2.T, d1)
        subtract(one1, a1, t1)
        multiply(t1, a1, t1)
        multiply(d1, t1, d1)
        x.T.dot(d1, w1_bar)
        return 0.5 * e_times(e_flat), gradients

    def forward(parameters: Parameters, x: Array, y: Array) -> Any:
        x.dot(parameters["W1"], a1)
        multiply(a1, half1, a1)
        tanh(a1, a1)
        multiply(a1, half1, a1)
        add(a1, half1, a1)
        a1_times(parameters["W2"], a2)
        multiply(a2, half2, a2)
        tanh(a2, a2)
        multiply(a2, half2, a2)
        add(a2, half2, a2)
        subtract(a2, y, e)
        return 0.5 * e_times(e_flat)

    return step, forward


def buffered_tanh_1(inputs: int, units: int, batch: int) -> tuple[Step, Forward]:
    """inputs-units-1, tanh and identity, half squared error, many examples in float64: a row for each unit."""
    add, subtract, multiply, tanh = _add, _subtract, _multiply, _tanh
    shape, row = (units, batch), (1, batch)
    a, d, t, one = np.empty(shape), np.empty(shape), np.empty(shape), np.ones(shape)
    z, e, d2, inverse = np.empty(row), np.empty(row), np.empty(row), np.full(row, 1 / batch)
    e_flat, ones, a_t = e.reshape(batch), np.ones(batch), a.T
    gradients = {"W1": np.empty((units, inputs)), "b1": np.empty(units), "W2": np.empty((1, units)), "b2": np.empty(1)}
    w1_bar, b1_bar, w2_bar, b2_bar = gradients.values()
    d_times, d2_times, e_times, scale = d.dot, d2.dot, e_flat.dot, 0.5 / batch

    def step(parameters: Parameters, x: Array, y: Array) -> tuple[Any, dict[str, Array]]:
        w2 = parameters["W2"]
        parameters["W1"].dot(x.T, a)
        add(a, parameters["b1"][:, None], a)
        tanh(a, a)
        w2.dot(a, z)
        subtract(z, y.T, e)
        add(e, parameters["b2"], e)
        multiply(e, inverse, d2)
        d2_times(a_t, w2_bar)
        d2_times(ones, b2_bar)
        w2.T.dot(d2, d)
        multiply(a, a, t)
        subtract(one, t, t)
        multiply(d, t, d)
        d_times(x, w1_bar)
        d_times(ones, b1_bar)
        return scale * e_times(e_flat), gradients

    def forward(parameters: Parameters, x: Array, y: Array) -> Any:
        parameters["W1"].dot(x.T, a)
        add(a, parameters["b1"][:, None], a)
        tanh(a, a)
        parameters["W2"].dot(a, z)
        subtract(z, y.T, e)
        add(e, parameters["b2"], e)
        return scale * e_times(e_flat)

    return step, forward


def buffered_relu_softmax(
    sizes: Sequence[int], batch: int, dtype: DTypeLike, by_unit: Sequence[bool]
) -> tuple[Step, Forward]:
    """relu, softmax, cross-entropy; a layer's rows are its units where ``by_unit``, else the examples."""
    add, subtract, multiply, greater, maximum, log, exp = _add, _subtract, _multiply, _greater, _maximum, _log, _exp
    divide, largest = _divide, np.maximum.reduce
    hidden = sizes[1:-1]
    inner = []
    for layer, (units, transposed) in enumerate(zip(hidden, by_unit, strict=True), 1):
        shape = (units, batch) if transposed else (batch, units)
        a, d = np.empty(shape, dtype), np.empty(shape, dtype)
        rows, columns = (a.T, a) if transposed else (a, a.T)
        d_rows, d_columns = (d.T, d) if transposed else (d, d.T)
        inner.append((f"W{layer}", f"b{layer}", a, np.zeros(shape, dtype), rows, columns, d, d_rows, d_columns))
    gradients = {}
    for layer, (before, units) in enumerate(itertools.pairwise(sizes), 1):
        gradients[f"W{layer}"], gradients[f"b{layer}"] = np.empty((units, before), dtype), np.empty(units, dtype)
    mask = [np.empty(a.shape, bool) for _, _, a, *_ in inner]
    forwards = list(zip(inner, by_unit, strict=True))
    # From the last hidden layer to the first: its buffers, the layer's gradients and what comes before it.
    backwards = []
    for place in reversed(range(len(inner))):
        w, b, a, _, _, _, d, d_rows, d_columns = inner[place]
        w_above = f"W{place + 2}"
        rows_before = inner[place - 1][4] if place else None
        backwards.append(
            (w_above, a, d, d_rows, d_columns, mask[place], gradients[w], gradients[b], rows_before, by_unit[place])
        )
    outputs = sizes[-1]
    w_last, b_last = f"W{len(sizes) - 1}", f"b{len(sizes) - 1}"
    w_last_bar, b_last_bar = gradients[w_last], gradients[b_last]
    z, p, target = (
        np.empty((batch, outputs), dtype),
        np.empty((batch, outputs), dtype),
        np.empty((batch, outputs), dtype),
    )
    top, total, logs = np.empty((batch, 1), dtype), np.empty((batch, 1), dtype), np.empty((batch, 1), dtype)
    z_flat, total_flat, logs_flat = z.reshape(-1), total.reshape(-1), logs.reshape(-1)
    ones, ones_out = np.ones(batch, dtype), np.ones(outputs, dtype)
    inverses, inverse = np.full((batch, 1), 1 / batch, dtype), 1 / batch
    last_rows = inner[-1][4]
    last_times, p_times, p_t_times, ones_times = last_rows.dot, p.dot, p.T.dot, ones.dot

    def run_forward(parameters: Parameters, x: Array, y: Array) -> Any:
        rows, columns = x, x.T
        for (w, b, a, zeros, a_rows, a_columns, *_), transposed in forwards:
            if transposed:
                parameters[w].dot(columns, a)
                add(a, parameters[b][:, None], a)
            else:
                rows.dot(parameters[w].T, a)
                add(a, parameters[b], a)
            maximum(a, zeros, out=a)
            rows, columns = a_rows, a_columns
        last_times(parameters[w_last].T, z)
        add(z, parameters[b_last], z)
        largest(z, 1, None, top, True)
        subtract(z, top, z)
        exp(z, p)
        p_times(ones_out, total_flat)
        log(total, logs)
        # y is a probability: sum_k y_k = 1, so that -sum_k y_k log p_k = log total - sum_k y_k z_k.
        return (ones_times(logs_flat) - y.reshape(-1).dot(z_flat)) * inverse

    def step(parameters: Parameters, x: Array, y: Array) -> tuple[Any, dict[str, Array]]:
        loss = run_forward(parameters, x, y)
        divide(inverses, total, total)
        multiply(p, total, p)
        multiply(y, inverse, target)
        subtract(p, target, p)
        ones_times(p, b_last_bar)
        p_t_times(last_rows, w_last_bar)
        above_rows, above_columns = p, p.T
        for w_above, a, d, d_rows, d_columns, positive, w_bar, b_bar, rows_before, transposed in backwards:
            if transposed:
                parameters[w_above].T.dot(above_columns, d)
            else:
                above_rows.dot(parameters[w_above], d)
            greater(a, 0, positive)
            multiply(d, positive, d)
            d_columns.dot(x if rows_before is None else rows_before, w_bar)
            if transposed:
                d.dot(ones, b_bar)
            else:
                ones_times(d, b_bar)
            above_rows, above_columns = d_rows, d_columns
        return loss, gradients

    return step, run_forward


def buffered_deep_tanh(depth: int, units: int, batch: int) -> tuple[Step, Forward]:
    """``depth`` layers of tanh, all of ``units``, half squared error, in float64; only products of small matrices."""
    add, subtract, multiply, tanh, copyto = _add, _subtract, _multiply, _tanh, _copyto
    shape = (batch, units)
    # Together, so that one pass makes all of tanh'; apart, for the products.
    every, slopes, one = np.empty((depth, *shape)), np.empty((depth, *shape)), np.ones((depth, *shape))
    a, slope = list(every), list(slopes)
    turned = np.empty((units, batch)).T
    d, g, e, inverse = np.empty(shape), np.empty(shape), np.empty(shape), np.full(shape, 1 / batch)
    gradients = {}
    for layer in range(1, depth + 1):
        gradients[f"W{layer}"], gradients[f"b{layer}"] = np.empty((units, units)), np.empty(units)
    forwards = [(f"W{layer + 1}", f"b{layer + 1}", a[layer]) for layer in range(depth)]
    backwards = [
        (name, slope[layer], a[layer - 1] if layer else None, gradients[name], gradients[f"b{layer + 1}"])
        for layer, (name, _, _) in reversed(list(enumerate(forwards)))
    ]
    last, e_flat = a[-1], e.reshape(-1)
    turned_times, d_times, d_t_times, ones_times, e_times = turned.dot, d.dot, d.T.dot, np.ones(batch).dot, e_flat.dot
    scale = 0.5 / batch

    def forward(parameters: Parameters, x: Array, y: Array) -> Any:
        before = x
        for w, b, here in forwards:
            copyto(turned, before)
            turned_times(parameters[w].T, here)
            add(here, parameters[b], here)
            tanh(here, here)
            before = here
        subtract(last, y, e)
        return scale * e_times(e_flat)

    def step(parameters: Parameters, x: Array, y: Array) -> tuple[Any, dict[str, Array]]:
        loss = forward(parameters, x, y)
        multiply(every, every, slopes)
        subtract(one, slopes, slopes)
        multiply(e, inverse, g)
        for w, steep, before, w_bar, b_bar in backwards:
            multiply(g, steep, d)
            ones_times(d, b_bar)
            if before is None:
                d_t_times(x, w_bar)
            else:
                d_t_times(before, w_bar)
                d_times(parameters[w], g)
        return loss, gradients

    return step, forward


# -- without arrays ----------------------------------------------------------------------------------------------------


def floats_2_3_1() -> tuple[Step, Forward]:
    """2-3-1 as ``buffered_2_3_1``, all of it in Python's own numbers."""
    tanh = math.tanh
    values = np.empty(13)
    gradients = {"W1": values[:6].reshape(3, 2), "b1": values[6:9], "W2": values[9:12].reshape(1, 3), "b2": values[12:]}
    write = struct.Struct("13d").pack_into

    def step(parameters: Parameters, x: Array, y: Array) -> tuple[Any, dict[str, Array]]:
        (w11, w12), (w21, w22), (w31, w32) = parameters["W1"].tolist()
        b1, b2, b3 = parameters["b1"].tolist()
        ((v1, v2, v3),) = parameters["W2"].tolist()
        ((x1, x2),) = x.tolist()
        a1 = 0.5 * tanh(0.5 * (w11 * x1 + w12 * x2 + b1)) + 0.5
        a2 = 0.5 * tanh(0.5 * (w21 * x1 + w22 * x2 + b2)) + 0.5
        a3 = 0.5 * tanh(0.5 * (w31 * x1 + w32 * x2 + b3)) + 0.5
        e = v1 * a1 + v2 * a2 + v3 * a3 + parameters["b2"].item() - y.item()
        d1, d2, d3 = e * v1 * a1 * (1 - a1), e * v2 * a2 * (1 - a2), e * v3 * a3 * (1 - a3)
        write(values, 0, d1 * x1, d1 * x2, d2 * x1, d2 * x2, d3 * x1, d3 * x2, d1, d2, d3, e * a1, e * a2, e * a3, e)
        return 0.5 * e * e, gradients

    def forward(parameters: Parameters, x: Array, y: Array) -> Any:
        (w11, w12), (w21, w22), (w31, w32) = parameters["W1"].tolist()
        b1, b2, b3 = parameters["b1"].tolist()
        ((v1, v2, v3),) = parameters["W2"].tolist()
        ((x1, x2),) = x.tolist()
        a1 = 0.5 * tanh(0.5 * (w11 * x1 + w12 * x2 + b1)) + 0.5
        a2 = 0.5 * tanh(0.5 * (w21 * x1 + w22 * x2 + b2)) + 0.5
        a3 = 0.5 * tanh(0.5 * (w31 * x1 + w32 * x2 + b3)) + 0.5
        e = v1 * a1 + v2 * a2 + v3 * a3 + parameters["b2"].item() - y.item()
        return 0.5 * e * e

    return step, forward


def floats_article() -> tuple[Step, Forward]:
    """The 4-3-1 network as ``buffered_article``, all of it in Python's own numbers, one example after the other."""
    tanh = math.tanh
    values = np.empty(15)
    gradients = {"W1": values[:12].reshape(4, 3), "W2": values[12:].reshape(3, 1)}
    write = struct.Struct("15d").pack_into

    def step(parameters: Parameters, x: Array, y: Array) -> tuple[Any, dict[str, Array]]:
        (w11, w12, w13), (w21, w22, w23), (w31, w32, w33), (w41, w42, w43) = parameters["W1"].tolist()
        (v1,), (v2,), (v3,) = parameters["W2"].tolist()
        loss = g1 = g2 = g3 = 0.0
        g11 = g12 = g13 = g21 = g22 = g23 = g31 = g32 = g33 = g41 = g42 = g43 = 0.0
        for (x1, x2, x3, x4), (target,) in zip(x.tolist(), y.tolist(), strict=False):
            a1 = 0.5 * tanh(0.5 * (x1 * w11 + x2 * w21 + x3 * w31 + x4 * w41)) + 0.5
            a2 = 0.5 * tanh(0.5 * (x1 * w12 + x2 * w22 + x3 * w32 + x4 * w42)) + 0.5
            a3 = 0.5 * tanh(0.5 * (x1 * w13 + x2 * w23 + x3 * w33 + x4 * w43)) + 0.5
            a = 0.5 * tanh(0.5 * (a1 * v1 + a2 * v2 + a3 * v3)) + 0.5
            e = a - target
            loss += e * e
            e *= a * (1 - a)
            g1 += e * a1
            g2 += e * a2
            g3 += e * a3
            d1, d2, d3 = e * v1 * a1 * (1 - a1), e * v2 * a2 * (1 - a2), e * v3 * a3 * (1 - a3)
            g11 += x1 * d1
            g12 += x1 * d2
            g13 += x1 * d3
            g21 += x2 * d1
            g22 += x2 * d2
            g23 += x2 * d3
            g31 += x3 * d1
            g32 += x3 * d2
            g33 += x3 * d3
            g41 += x4 * d1
            g42 += x4 * d2
            g43 += x4 * d3
        write(values, 0, g11, g12, g13, g21, g22, g23, g31, g32, g33, g41, g42, g43, g1, g2, g3)
        return 0.5 * loss, gradients

    def forward(parameters: Parameters, x: Array, y: Array) -> Any:
        (w11, w12, w13), (w21, w22, w23), (w31, w32, w33), (w41, w42, w43) = parameters["W1"].tolist()
        (v1,), (v2,), (v3,) = parameters["W2"].tolist()
        loss = 0.0
        for (x1, x2, x3, x4), (target,) in zip(x.tolist(), y.tolist(), strict=False):
            a1 = 0.5 * tanh(0.5 * (x1 * w11 + x2 * w21 + x3 * w31 + x4 * w41)) + 0.5
            a2 = 0.5 * tanh(0.5 * (x1 * w12 + x2 * w22 + x3 * w32 + x4 * w42)) + 0.5
            a3 = 0.5 * tanh(0.5 * (x1 * w13 + x2 * w23 + x3 * w33 + x4 * w43)) + 0.5
            e = 0.5 * tanh(0.5 * (a1 * v1 + a2 * v2 + a3 * v3)) + 0.5 - target
            loss += e * e
        return 0.5 * loss

    return step, forward


# -- without a thought of speed ----------------------------------------------------------------------------------------


def plain_2_3_1(parameters: Parameters, x: Array, y: Array) -> tuple[Any, dict[str, Array]]:
    """Sigmoid and identity, half squared error."""
    w2 = parameters["W2"]
    a1 = 1 / (1 + np.exp(-(x @ parameters["W1"].T + parameters["b1"])))
    e = a1 @ w2.T + parameters["b2"] - y
    d2 = e / len(x)
    d1 = d2 @ w2 * a1 * (1 - a1)
    return (e**2).sum() / (2 * len(x)), {"W1": d1.T @ x, "b1": d1.sum(axis=0), "W2": d2.T @ a1, "b2": d2.sum(axis=0)}


def plain_article(parameters: Parameters, x: Array, y: Array) -> tuple[Any, dict[str, Array]]:
    """Sigmoid twice, no biases, weights (in, out), half squared error summed over the examples."""
    w2 = parameters["W2"]
    a1 = 1 / (1 + np.exp(-(x @ parameters["W1"])))
    a2 = 1 / (1 + np.exp(-(a1 @ w2)))
    d2 = (a2 - y) * a2 * (1 - a2)
    d1 = d2 @ w2.T * a1 * (1 - a1)
    return ((a2 - y) ** 2).sum() / 2, {"W1": x.T @ d1, "W2": a1.T @ d2}


def plain_tanh(last_is_tanh: bool) -> Step:
    """Layers of tanh, the last one tanh or identity, half squared error."""

    def step(parameters: Parameters, x: Array, y: Array) -> tuple[Any, dict[str, Array]]:
        depth = len(parameters) // 2
        a = [x]
        for layer in range(1, depth + 1):
            z = a[-1] @ parameters[f"W{layer}"].T + parameters[f"b{layer}"]
            a.append(np.tanh(z) if layer < depth or last_is_tanh else z)
        e = a[-1] - y
        d = e / len(x)
        gradients = {}
        for layer in range(depth, 0, -1):
            if layer < depth or last_is_tanh:
                d = d * (1 - a[layer] ** 2)
            gradients[f"W{layer}"] = d.T @ a[layer - 1]
            gradients[f"b{layer}"] = d.sum(axis=0)
            if layer > 1:
                d = d @ parameters[f"W{layer}"]
        return (e**2).sum() / (2 * len(x)), gradients

    return step


def plain_relu_softmax(parameters: Parameters, x: Array, y: Array) -> tuple[Any, dict[str, Array]]:
    """Layers of relu, softmax at the end, cross-entropy."""
    depth = len(parameters) // 2
    a = [x]
    for layer in range(1, depth):
        a.append(np.maximum(a[-1] @ parameters[f"W{layer}"].T + parameters[f"b{layer}"], 0))
    z = a[-1] @ parameters[f"W{depth}"].T + parameters[f"b{depth}"]
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z)
    total = p.sum(axis=1, keepdims=True)
    loss = -(y * (z - np.log(total))).sum() / len(x)
    d = (p / total - y) / len(x)
    gradients = {}
    for layer in range(depth, 0, -1):
        gradients[f"W{layer}"] = d.T @ a[layer - 1]
        gradients[f"b{layer}"] = d.sum(axis=0)
        if layer > 1:
            d = (d @ parameters[f"W{layer}"]) * (a[layer - 1] > 0)
    return loss, gradients
