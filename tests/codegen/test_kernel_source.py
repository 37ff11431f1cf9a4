"""The text of a kernel: it runs by itself, is the same each time, and says what it computes in what NumPy does best."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy
from kernel_runs import WAYS, way_of_running
from known_programs import KNOWN, known_case
from network_cases import arrays_for, mlp

import symbackprop as sbp
from symbackprop.codegen.bound import KernelFunction

SOFTMAX = {"hidden": "relu", "output": "softmax", "loss": "categorical_cross_entropy"}
ATTENTION = sbp.Program(
    [
        "q[b,t,j] = Sum(Wq[j,i]*x[b,t,i], i)",
        "k[b,t,j] = Sum(Wk[j,i]*x[b,t,i], i)",
        "v[b,t,j] = Sum(Wv[j,i]*x[b,t,i], i)",
        "s[b,t,u] = Sum(q[b,t,j]*k[b,u,j], j)/sqrt(H)",
        "a[b,t,u] = exp(s[b,t,u])/Sum(exp(s[b,t,e]), e)",
        "o[b,t,j] = Sum(a[b,t,u]*v[b,u,j], u)",
        "L = Sum((o[b,t,j] - y[b,t,j])**2, b, t, j)",
    ],
    "L",
    inputs={"x": ("B", "T", "D")},
    targets={"y": ("B", "T", "H")},
    parameters=dict.fromkeys(("Wq", "Wk", "Wv"), ("H", "D")),
    name="attention",
)
SOURCES = {
    "sigmoid": mlp("D", "H", "K", hidden="sigmoid"),
    "softmax": mlp("D", "H", "K", **SOFTMAX),
    "gelu": mlp("D", "H", 2, hidden="gelu", loss="huber"),
    "penalties": mlp(2, 3, 1, l1=0.5, l2=0.25, reduction="sum"),
    "in_out": mlp(2, 3, 1, hidden="elu", loss="log_cosh", weight_layout="in_out"),
    "attention": ATTENTION,
}


@pytest.mark.parametrize("reuse_buffers", [False, True])
@pytest.mark.parametrize("name", sorted(KNOWN))
def test_the_source_runs_by_itself(name, reuse_buffers):
    case = known_case(name)
    function = KernelFunction(case.program, (case.program.loss,), reuse_buffers)
    namespace: dict = {}
    exec(function.source, namespace)  # what it says is what runs
    values = {v.name: np.asarray(case.values[v.name], dtype=object) for v in function.inputs}
    arrays = [values[v.name].astype(np.int64 if v.integer else float) for v in function.inputs]
    sizes = {size: case.sizes[size.name] for size in function.code.sizes}
    run = namespace["bind"](np.dtype(float), *sizes.values())
    with way_of_running("arrays"):
        # At these sizes arrays may lie by columns, and then sums have another order.
        np.testing.assert_allclose(run(*arrays), function.bind(np.dtype(float), sizes)(*arrays), rtol=1e-14)
        at_sizes = function.source_at(np.dtype(float), sizes)
        namespace = {}
        exec(at_sizes, namespace)
        exact = namespace["bind"](np.dtype(float), *sizes.values())
        assert exact(*arrays) == function.bind(np.dtype(float), sizes)(*arrays)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("loss", ["huber", "categorical_cross_entropy_with_logits", "mean_absolute_error"])
def test_the_source_of_a_network_equals_its_function(loss, dtype):
    net = mlp(2, 3, 2, hidden="gelu", loss=loss)
    with way_of_running("arrays"):
        function = net.derive().compile()
        parameters, x, y = arrays_for(net, 4, dtype=dtype)
        value, gradients = function(parameters, x, y)
    namespace: dict = {}
    exec(function.source, namespace)
    given = {**parameters, "x": x, "y": y}
    run = namespace["bind"](np.dtype(dtype), *(4 for _ in function.kernel.code.sizes))
    found = run(*(given[variable.name] for variable in function.kernel.inputs))
    assert found[0] == value
    assert type(found[0]) is dtype
    for array, gradient in zip(found[1:], gradients.values(), strict=True):
        np.testing.assert_array_equal(array, gradient)


@pytest.mark.parametrize("name", SOURCES)
def test_the_source_is_the_same_each_time_and_for_every_batch(name):
    derivation = SOURCES[name].derive()
    function = derivation.compile()
    before = function.source
    if isinstance(SOURCES[name], sbp.Network) and not SOURCES[name].program.sizes[1:]:
        for batch in (1, 4):
            function(*arrays_for(SOURCES[name], batch))
    assert function.source == before == derivation.compile().source == SOURCES[name].derive().compile().source


def test_the_source_is_the_same_in_another_process():
    code = (
        "import symbackprop as sbp\n"
        "layers = [sbp.Dense('H', 'gelu'), sbp.Dense('K', 'softmax')]\n"
        "net = sbp.Network('D', layers, 'categorical_cross_entropy', l2=1)\n"
        "function = net.derive().compile()\n"
        "print(function.source + function.loss.source + function.predict.source)"
    )
    root = str(Path(__file__).resolve().parents[2])
    texts = set()
    for seed in ("1", "2"):
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        texts.add(done.stdout)
    assert len(texts) == 1


@pytest.mark.parametrize("name", SOURCES)
def test_every_equation_stands_as_a_comment_above_its_statements(name):
    derivation = SOURCES[name].derive()
    function = derivation.compile()
    comments = re.findall(r"^ +# (.*)$", function.source, re.MULTILINE)
    formulas = [str(equation) for equation in derivation.program.equations]
    assert set(comments) - {"what is returned is the caller's own"} <= set(formulas)
    assert {str(derivation[name].index) for name in derivation.gradients} <= set(comments)
    places = [formulas.index(comment) for comment in comments if comment in formulas]
    assert places == sorted(places)


@pytest.mark.parametrize("name", SOURCES)
def test_contractions_are_products_of_matrices_on_views(name):
    for reuse_buffers in (False, True):
        source = SOURCES[name].derive().compile(reuse_buffers=reuse_buffers).source
        assert re.search(r"\b(dot|matmul)\(", source)
        for other in ("tensordot", ".copy(", "ascontiguousarray", "einsum"):
            assert other not in source


@pytest.mark.parametrize("name", ["attention", "two layers", "layer norm in one", "layer norm in four", "recurrent"])
def test_known_contractions_are_products_of_matrices(name):
    derivation = sbp.api.Program._of(known_case(name).program).derive()
    assert "einsum" not in derivation.compile().source


def test_attention_over_a_batch_is_right():
    derivation = ATTENTION.derive()
    rng = np.random.default_rng(0)
    parameters = {name: rng.normal(size=(4, 3)) for name in ("Wq", "Wk", "Wv")}
    x, y = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5, 4))
    expected = derivation.values(parameters, x, y)
    loss, gradients = derivation.compile()(parameters, x, y)
    assert loss == pytest.approx(expected["L"], rel=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[f"{name}_bar"], rtol=1e-10, atol=1e-12)


def statements(source):
    return [line.strip() for line in source.splitlines() if line.startswith("        ") and "#" not in line]


def test_softmax_and_its_logarithm_share_their_exponentials():
    lines = statements(mlp("D", "H", "K", **SOFTMAX).derive().compile().source)
    assert sum(line.startswith("exp(") for line in lines) == 1
    assert sum(line.startswith("log(") for line in lines) == 1
    assert sum("exp(" in line or "log(" in line for line in lines) == 2


def test_the_loss_and_its_adjoint_share_the_residual():
    lines = statements(mlp("D", "H", "K").derive().compile().source)
    assert sum(line.startswith("subtract(") and ", y, " in line for line in lines) == 1


def test_the_forward_functions_compute_forward_equations_alone():
    function = mlp("D", "H", "K", **SOFTMAX).derive().compile()
    assert "_bar" in function.source
    assert "_bar" not in function.loss.source
    assert "_bar" not in function.predict.source
    assert "logp" not in function.predict.source


AWKWARD = [
    *("def_", "dot", "t1", "c1", "s1", "T", "W_T", "dtype", "bind", "run", "scalar", "again", "known", "parameters"),
    *("more", "call", "finish", "integer", "ndarray", "inf", "vdot", "isfinite", "again_shape", "print", "len", "type"),
    *("float", "max", "Struct", "empty", "array", "arrays", "np", "e", "x_0", "W_shape", "pack_L", "L_memory"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", AWKWARD)
def test_no_name_of_a_variable_breaks_the_code(name, way):
    program = sbp.Program(
        [f"a[n,j] = tanh(Sum({name}[j,i]*x[n,i], i) + c2[j])", "L = Sum((a[n,j] - y[n,j])**2, n, j)/N"],
        "L",
        inputs={"x": ("N", "D")},
        targets={"y": ("N", "H")},
        parameters={name: ("H", "D"), "c2": ("H",)},
    )
    derivation = program.derive()
    rng = np.random.default_rng(0)
    parameters = {name: rng.normal(size=(3, 2)), "c2": rng.normal(size=3)}
    x, y = rng.normal(size=(4, 2)), rng.normal(size=(4, 3))
    expected = derivation.values(parameters, x, y)
    with way_of_running(way):
        for reuse_buffers in (False, True):
            function = derivation.compile(reuse_buffers=reuse_buffers)
            for _ in range(2):
                loss, gradients = function(parameters, x, y)
                assert loss == pytest.approx(expected["L"], rel=1e-12)
                assert list(gradients) == [name, "c2"]
                for key, gradient in gradients.items():
                    np.testing.assert_allclose(gradient, expected[derivation[key].adjoint_name], rtol=1e-12)


@pytest.mark.parametrize("size", ["dtype", "run", "t1", "c1", "dot", "scalar", "empty", "np"])
def test_no_name_of_a_size_breaks_the_code(size):
    weight = "walk" if size == "run" else "run"
    program = sbp.Program(
        [f"L = Sum(tanh({weight}[j])*x[j], j)/{size} + Sum({weight}[j], j)"],
        "L",
        inputs={"x": (size,)},
        parameters={weight: (size,)},
    )
    derivation = program.derive()
    (name,) = derivation.gradients
    parameters, x = {name: np.array([0.5, 1.0, 2.0])}, np.array([1.0, -1.0, 3.0])
    expected = derivation.values(parameters, x)
    for way in WAYS:
        with way_of_running(way):
            loss, gradients = derivation.compile()(parameters, x)
        assert loss == pytest.approx(expected["L"], rel=1e-14)
        np.testing.assert_allclose(gradients[name], expected[derivation[name].adjoint_name], rtol=1e-14)


def test_functions_of_sizes_and_of_numbers_are_computed():
    program = sbp.Program(
        ["a[i] = W[i]*sigmoid(0)/sqrt(D) + tanh(D)*exp(2)*sqrt(2)", "L = Sum(a[i]**2, i) + gelu(1) + log(D)"],
        "L",
        parameters={"W": ("D",)},
    )
    derivation = program.derive()
    parameters = {"W": np.array([1.0, 2.0, -1.0])}
    expected = derivation.values(parameters)
    for way in WAYS:
        with way_of_running(way):
            function = derivation.compile()
            loss, gradients = function(parameters)
        assert loss == pytest.approx(expected["L"], rel=1e-14)
        np.testing.assert_allclose(gradients["W"], expected["W_bar"], rtol=1e-14)
    namespace: dict = {}
    exec(function.source, namespace)
    assert namespace["bind"](np.dtype(float), 3)(parameters["W"])[0] == pytest.approx(expected["L"], rel=1e-14)


def test_constants_keep_all_their_digits():
    third = sympy.Rational(1, 3)
    own = sbp.Activation("own", lambda z: third * z + sympy.pi)
    net = sbp.Network(1, [sbp.Dense(1, own, bias=False)], "upstream")
    for way in WAYS:
        with way_of_running(way):
            loss, gradients = net.derive().compile()({"W1": np.zeros((1, 1))}, np.ones((1, 1)), np.ones((1, 1)))
        assert loss == np.pi
        assert gradients["W1"] == 1 / 3
