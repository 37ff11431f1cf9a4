"""Stand-alone modules: they say what the derivation says, need NumPy alone, and are the same bytes each time."""

from __future__ import annotations

import ast
import itertools
import os
import subprocess
import sys
import types

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st
from known_programs import KNOWN, known_case
from random_programs import cases

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.codegen.module_source import module_source
from symbackprop.errors import UsageError
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.losses import LOSSES
from symbackprop.notation.program import Role


def executed(source):
    module = types.ModuleType("gradients")
    exec(compile(source, "gradients.py", "exec"), module.__dict__)
    return module


def call(module, function, program, arrays):
    parameters = {v.name: arrays[v.name] for v in program.parameters}
    data = {v.name: arrays[v.name] for v in program.inputs if v.role is not Role.PARAMETER}
    return getattr(module, function)(parameters, **data)


def assert_module_agrees(program, arrays, rtol=1e-11):
    differentiation = differentiate(program)
    gradients = {adjoint.of.name: adjoint.equation.name for adjoint in differentiation.adjoints}
    gradients = {name: gradients[name] for name in differentiation.wrt if name in gradients}
    source = module_source(differentiation.adjoint_program, program.loss, gradients, ["A program."])
    values = evaluate_program(differentiation.adjoint_program, arrays)
    module = executed(source)
    with np.errstate(all="ignore"):
        loss, found = call(module, "loss_and_gradients", program, arrays)
        assert loss == call(module, "loss", program, arrays)
    np.testing.assert_allclose(loss, values[program.loss], rtol=rtol, atol=1e-12)
    assert list(found) == list(gradients)
    for name, adjoint in gradients.items():
        scale = np.abs(values[adjoint]).max()
        np.testing.assert_allclose(found[name], values[adjoint], rtol=rtol, atol=1e-12 * max(scale, 1), err_msg=source)
        assert found[name].shape == values[adjoint].shape
        assert found[name].flags.owndata or found[name].base is None


@given(case=cases("general"))
def test_any_program_as_a_module(case):
    # A size that stands in the shape of no array cannot be read off; random programs have such.
    extents = {extent for variable in case.program.inputs for extent in variable.shape}
    assume(set(case.program.sizes) <= extents)
    assert_module_agrees(*program_and_arrays(case))


def program_and_arrays(case):
    kinds = {variable.name: int if variable.integer else float for variable in case.program.inputs}
    return case.program, {name: np.array(value, dtype=kinds[name]) for name, value in case.values.items()}


NETWORKS = list(itertools.product(ACTIVATIONS, ["half_squared_error", "upstream"])) + [
    ("tanh", loss) for loss in LOSSES
]


def network(activation, loss, **options):
    last = {"binary_cross_entropy": "sigmoid", "categorical_cross_entropy": "softmax"}.get(loss, "identity")
    layers = [sbp.Dense("H", activation), sbp.Dense(3, last)]
    return sbp.Network("D", layers, loss, **options)


def numbers(net, seed=0, batch=4, dtype=float):
    rng = np.random.default_rng(seed)
    sizes = {"N": batch, "D": 3, "H": 5}
    shapes = {v.name: [sizes.get(str(s), s) for s in v.shape] for v in net.program.inputs}
    arrays = {name: rng.normal(size=[int(s) for s in shape]).astype(dtype) for name, shape in shapes.items()}
    arrays["y"] = np.eye(3, dtype=dtype)[rng.integers(3, size=batch)]
    if net.description.loss.name == "hinge":
        arrays["y"] = 2 * arrays["y"] - 1
    return arrays


@pytest.mark.parametrize(("activation", "loss"), NETWORKS)
def test_every_activation_and_loss_in_both_floating_types(activation, loss):
    options = {"weight_layout": "in_out", "l1": 0.1} if len(activation) % 2 else {"reduction": "sum", "l2": 0.1}
    net = network(activation, loss, **options)
    arrays = numbers(net)
    derivation = net.derive()
    values = derivation.values({p: arrays[p] for p in derivation.gradients}, arrays["x"], arrays["y"])
    module = executed(derivation.module())
    result, gradients = call(module, "loss_and_gradients", net.program, arrays)
    assert result == pytest.approx(values["L"], rel=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, values[f"{name}_bar"], rtol=1e-11, atol=1e-13)
    small = {name: array.astype(np.float32) for name, array in arrays.items()}
    single, gradients32 = call(module, "loss_and_gradients", net.program, small)
    assert single.dtype == np.float32
    for name, gradient in gradients32.items():
        assert gradient.dtype == np.float32
        np.testing.assert_allclose(gradient, gradients[name], rtol=1e-3, atol=1e-4)


# Its window has a size that stands in no shape by itself, and a module has nowhere to read it off.
@pytest.mark.parametrize("name", [name for name in KNOWN if name != "convolution"])
def test_known_programs(name):
    assert_module_agrees(*program_and_arrays(known_case(name)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("activation", [a for a in ACTIVATIONS if a != "softmax"])
def test_far_out_there_is_neither_a_warning_nor_nan(activation, dtype):
    net = sbp.Network(1, [sbp.Dense(4, activation), sbp.Dense(2, "softmax")], "categorical_cross_entropy")
    far = 1e4 if dtype is np.float64 else 100
    parameters = {"W1": [[far], [-far], [0.5], [-1.0]], "b1": [0.0] * 4, "W2": np.ones((2, 4)), "b2": [0.0, 1.0]}
    parameters = {name: np.asarray(value, dtype) for name, value in parameters.items()}
    module = executed(net.derive().module())
    loss, gradients = module.loss_and_gradients(parameters, np.ones((1, 1)), np.array([[0.0, 1.0]]))
    assert np.isfinite(loss)
    assert all(np.isfinite(gradient).all() for gradient in gradients.values())


def test_the_same_bytes_each_time_in_every_process():
    source = network("gelu", "huber", l1=0.1).derive().module()
    assert source == network("gelu", "huber", l1=0.1).derive().module()
    script = (
        "import symbackprop as sbp\n"
        "layers = [sbp.Dense('H', 'gelu'), sbp.Dense(3)]\n"
        "print(sbp.Network('D', layers, 'huber', l1=0.1).derive().module(), end='')\n"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, env=environment, text=True
        )
        assert run.stdout == source


def test_it_imports_numpy_and_nothing_else():
    tree = ast.parse(network("gelu", "log_cosh").derive().module())
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imported] == ["import numpy as np"]


def test_one_statement_an_equation_under_its_formula():
    net = network("sigmoid", "categorical_cross_entropy")
    lines = [line.strip() for line in net.derive().module().splitlines()]
    for equation in net.derive().program.equations:
        if equation.name in ("a2", "logp_bar"):
            continue  # computed for nobody
        place = lines.index(f"# {equation}")
        assert lines[place + 1].startswith(f"{equation.name} = ")
        assert lines[place + 2].startswith(("#", "gradients", "return"))


def test_parameters_are_named_with_their_shapes():
    module = executed(network("tanh", "huber").derive().module())
    assert module.PARAMETERS == {"W1": ("H", "D"), "b1": ("H",), "W2": (3, "H"), "b2": (3,)}
    fixed = sbp.Network(2, [sbp.Dense(3)], "huber", weight_layout="in_out")
    assert executed(fixed.derive().module()).PARAMETERS == {"W1": (2, 3), "b1": (3,)}


def test_it_says_what_it_was_made_from():
    text = network("tanh", "huber").derive().module()
    docstring = ast.get_docstring(ast.parse(text))
    assert sbp.__version__ in docstring
    assert "tanh" in docstring
    assert "huber" in docstring


def test_a_name_with_quotes_and_backslashes_stays_a_name():
    net = sbp.Network(2, [sbp.Dense(1)], "huber", name='a """name\\n" of \'mine\'')
    assert net.name in ast.get_docstring(ast.parse(net.derive().module()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W1": None}, "W1 is missing; give an array of shape"),
        ({"b1": np.zeros(3)}, r"b1 has shape \(3,\); \('H',\) was expected, where H is 5"),
        ({"b2": np.zeros((1, 3))}, r"b2 has shape \(1, 3\)"),
        ({"x": np.zeros((0, 3))}, r"x has shape \(0, 3\); give at least one entry"),
        ({"y": np.zeros((3, 3))}, "where N is 4"),
        ({"W2": np.full((3, 5), "a")}, "give real numbers"),
        ({"W2": np.full((3, 5), 1j)}, "give real numbers"),
        ({"x": np.full((4, 3), np.nan)}, r"x\[0, 0\] is nan; give finite numbers"),
        ({"W9": np.zeros(3)}, "there is no parameter 'W9'; known are W1, b1, W2, b2"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    net = network("tanh", "huber")
    module = executed(net.derive().module())
    arrays = {**numbers(net), **change}
    x, y = arrays.pop("x"), arrays.pop("y")
    with pytest.raises(ValueError, match=message):
        module.loss_and_gradients(arrays, x, y)


def test_what_is_returned_is_the_callers_own():
    program = sbp.Program(
        inputs={"x": ("N",)},
        parameters={"v": ("N",), "w": ("N",)},
        equations=["L = Sum((v[n] + w[n])*x[n], n)"],
        loss="L",
    )
    module = executed(program.derive().module())
    x = np.ones(3)
    _, gradients = module.loss_and_gradients({"v": np.ones(3), "w": np.ones(3)}, x)
    gradients["v"][:] = 7
    assert (x == 1).all()
    assert (gradients["w"] == 1).all()
    assert not hasattr(module, "predict")


def test_an_activation_of_ones_own_is_written_out():
    swish = sbp.Activation("swish", lambda z: z / (1 + sympy.exp(-z)))
    net = sbp.Network(2, [sbp.Dense(3, swish), sbp.Dense(1)], "half_squared_error")
    assert_module_agrees(net.program, {**numbers_of(net), "x": np.ones((4, 2))})


def numbers_of(net):
    rng = np.random.default_rng(3)
    return {v.name: rng.normal(size=[4 if str(s) == "N" else int(s) for s in v.shape]) for v in net.program.inputs}


def test_files_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "gradients.py"
    path.write_text("what was there")
    derivation = network("tanh", "huber").derive()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(sbp.SymbackpropError, match="No space left"):
        derivation.save_module(path)
    assert path.read_text() == "what was there"
    assert [p.name for p in tmp_path.iterdir()] == ["gradients.py"]


def test_a_wrong_suffix_is_an_error(tmp_path):
    with pytest.raises(UsageError, match=r"gradients.txt: a module's name ends in .py"):
        network("tanh", "huber").derive().save_module(tmp_path / "gradients.txt")


@given(seed=st.integers(0, 3))
def test_a_planted_fault_in_the_module_is_noticed(seed):
    net = network("sigmoid", "half_squared_error")
    arrays = numbers(net, seed)
    source = net.derive().module()
    faults = [("(1 - a1)", "(1 + a1)"), ("z1_bar.T @ x", "-z1_bar.T @ x"), ("(z2 - y)/N", "(z2 - y)")]
    right = call(executed(source), "loss_and_gradients", net.program, arrays)[1]
    for old, new in faults:
        assert old in source
        wrong = call(executed(source.replace(old, new)), "loss_and_gradients", net.program, arrays)[1]
        assert any(not np.allclose(wrong[name], right[name], rtol=1e-9) for name in right)
