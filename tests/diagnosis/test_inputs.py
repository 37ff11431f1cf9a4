"""What ``check_gradients`` is given: what somebody gave reaches their code as it was, and what does not fit is told."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import symbackprop as sbp
from symbackprop.cli.application import application

RNG = np.random.default_rng(11)
X, Y = RNG.normal(size=(5, 2)), RNG.normal(size=(5, 2))
LABELS = [0, 1, 2, 1, 0]
NAMES = ("W1", "b1", "W2", "b2")


def network(loss="half_squared_error", outputs=2):
    return sbp.Network(2, [sbp.Dense(3, "tanh"), sbp.Dense(outputs)], loss)


def parameters(net):
    return {name: array + 0.1 for name, array in net.initial_parameters("normal", seed=1).items()}


def backward(p, x, y):
    a1 = np.tanh(x @ p["W1"].T + p["b1"])
    d2 = (a1 @ p["W2"].T + p["b2"] - y) / len(x)
    d1 = d2 @ p["W2"] * (1 - a1**2)
    return {"W1": d1.T @ x, "b1": d1.sum(0), "W2": d2.T @ a1, "b2": d2.sum(0), "x": d1 @ p["W1"]}


def classifier(p, x, y):
    a1 = np.tanh(x @ p["W1"].T + p["b1"])
    e = np.exp(a1 @ p["W2"].T + p["b2"])
    d2 = e / e.sum(1, keepdims=True)
    d2[np.arange(len(x)), y] -= 1
    d2 /= len(x)
    d1 = d2 @ p["W2"] * (1 - a1**2)
    return {"W1": d1.T @ x, "b1": d1.sum(0), "W2": d2.T @ a1, "b2": d2.sum(0)}


def check(theirs, **options):
    net = network()
    return sbp.check_gradients(theirs, net, parameters(net), X, Y, **options)


def refusal(theirs=backward, given=None, x=X, y=Y, net=None, **options):
    net = net or network()
    with pytest.raises((sbp.UsageError, sbp.SizeError)) as caught:
        sbp.check_gradients(theirs, net, parameters(net) if given is None else given, x, y, **options)
    return str(caught.value)


# -- what somebody gives, their function gets --------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [LABELS, np.array(LABELS, dtype=np.uint8)])
def test_labels_stay_labels(labels):
    net = network("categorical_cross_entropy_with_logits", 3)
    seen = []

    def theirs(p, x, y):
        seen.append(y.dtype)
        return classifier(p, x, y)

    assert sbp.check_gradients(theirs, net, parameters(net), X, labels).ok
    assert {dtype.kind for dtype in seen} == {np.asarray(labels).dtype.kind}


def test_arrays_come_back_in_their_shape_and_type_as_copies():
    net = network()
    given = {name: array.astype(np.float32) for name, array in parameters(net).items()}
    given["b1"] = given["b1"].reshape(1, 3)
    x = X.astype(np.float32)
    kept = {name: array.copy() for name, array in given.items()}

    def theirs(p, x, y):
        assert {name: (array.shape, array.dtype) for name, array in p.items()} == {
            name: (array.shape, array.dtype) for name, array in kept.items()
        }
        assert (x.dtype, y.dtype) == (np.float32, np.float64)
        found = backward({**p, "b1": p["b1"][0, :]}, x, y)
        for array in (*p.values(), x, y):
            array *= 0
        return {**found, "b1": found["b1"][None, :]}

    assert sbp.check_gradients(theirs, net, given, x, Y).ok
    assert all((given[name] == kept[name]).all() for name in kept)


def test_a_given_shape_stays_where_the_point_is_trained():
    net = network()
    given = parameters(net)
    given["b1"] = given["b1"].reshape(1, 3)
    biases = []

    def theirs(p, x, y):
        biases.append(p["b1"])
        return backward({**p, "b1": p["b1"][0, :]}, x, y)

    result = sbp.check_gradients(theirs, net, given)
    assert result.ok
    assert len(result.points) == len(biases) == 3
    assert not np.array_equal(biases[0], biases[-1])


def test_lists_of_whole_numbers_are_weights_but_for_labels():
    net = network()
    given = {"W1": [[1, 0], [0, 1], [1, 1]], "b1": [0, 0, 0], "W2": [[1, 0, 1], [0, 1, 1]], "b2": [0, 0]}

    def theirs(p, x, y):
        assert {array.dtype for array in (*p.values(), x)} == {np.dtype(np.float64)}
        return backward(p, x, y)

    assert sbp.check_gradients(theirs, net, given, [[1, 2], [3, 4]], [[0, 1], [1, 0]]).ok


def test_examples_as_columns_keep_the_biases_that_were_given():
    net = network()
    given = parameters(net)

    def theirs(p, x, y):
        assert p["b1"].shape == (3,)
        assert x.shape == (2, 5)
        return {name: array for name, array in backward(p, x.T, y.T).items() if name != "x"}

    assert sbp.check_gradients(theirs, net, given, X.T, Y.T, examples="columns").ok


def test_the_gradient_of_an_input_is_turned_where_examples_are_columns():
    net = network()

    def theirs(p, x, y):
        return {"dx": backward(p, x.T, y.T)["x"].T}

    result = sbp.check_gradients(theirs, net, parameters(net), X.T, Y.T, examples="columns", wrt="x")
    assert result.ok, str(result)
    assert result.arrays["x"].shape == (5, 2)


# -- precision ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f", "f4", "float32", np.float32, np.dtype(np.float32), ">f4", "single"])
def test_a_dtype_may_be_said_in_any_way(dtype):
    def single(p, x, y):
        p = {name: array.astype(np.float32) for name, array in p.items()}
        return backward(p, x.astype(np.float32), y.astype(np.float32))

    assert check(single, dtype=dtype).ok
    assert check(backward, dtype="d").ok


@pytest.mark.parametrize("dtype", ["float8", "int32", 3, "complex128"])
def test_another_dtype_is_refused(dtype):
    assert "unknown dtype" in refusal(dtype=dtype)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_coarsest_type_of_the_parameters_counts(dtype):
    net = network()
    given = parameters(net)
    given["W1"] = given["W1"].astype(dtype)

    def theirs(p, x, y):
        assert p["W1"].dtype == dtype
        return {name: array.astype(dtype) for name, array in backward(p, x, y).items()}

    assert sbp.check_gradients(theirs, net, given, X, Y).ok
    assert not sbp.check_gradients(theirs, net, given, X, Y, dtype="float64").ok


# -- what does not fit -------------------------------------------------------------------------------------------------


def test_ragged_arrays_are_named():
    assert "x is no array of numbers: its rows have different lengths" in refusal(x=[[1.0, 2.0], [3.0]])
    given = {**parameters(network()), "W1": [[1.0, 2.0], [3.0], [4.0, 5.0]]}
    assert "W1 is no array of numbers: its rows have different lengths" in refusal(given=given)
    ragged = [[1.0], [1.0, 2.0]]
    assert "the gradient of b1" in refusal(lambda p, x, y: (1.0, {**backward(p, x, y), "b1": ragged}))
    assert "no array of numbers" in refusal(lambda p, x, y: ([ragged, ragged], [ragged, ragged]), wrt=("W1", "b1"))


def test_masked_entries_are_not_taken_for_numbers():
    assert "masked" in refusal(x=np.ma.MaskedArray(X, mask=X > 1))
    given = {**parameters(network()), "b1": np.ma.MaskedArray(np.zeros(3), mask=[True, False, False])}
    assert "b1 has masked entries" in refusal(given=given)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"W1": 3}, "names says that W1 is called 3, which is no text; write it as '3'"),
        ({3: "W1"}, "names maps 3"),
        (["W1"], "names is of type list"),
        ({"W1": "q", "W2": "q"}, "both W1 and W2 are called 'q'"),
        ({"W1": "W2"}, "both W1 and W2 are called 'W2'"),
        ({"W1": "fc1.weight"}, "W1 is called 'fc1.weight', but parameters have 'W1'"),
        ({"x": "X"}, "x is passed by place"),
        ({"y": "Y"}, "y is passed by place"),
        ({"w9": "W1"}, "names maps 'w9'"),
    ],
)
def test_names_that_say_nothing_are_refused(names, words):
    assert words in refusal(names=names)


def test_names_may_be_exchanged_and_may_name_the_gradient_of_an_input():
    net = network()
    swapped = {"b1": "b2", "b2": "b1"}
    given = {swapped.get(name, name): array for name, array in parameters(net).items()}

    def theirs(p, x, y):
        found = backward({name: p[swapped.get(name, name)] for name in NAMES}, x, y)
        return {swapped.get(name, name): array for name, array in found.items()}

    assert sbp.check_gradients(theirs, net, given, X, Y, names=swapped).ok
    assert check(lambda p, x, y: {"delta0": backward(p, x, y)["x"]}, wrt="x", names={"x": "delta0"}).ok


def test_a_variable_between_has_no_gradient_to_check():
    assert "wrt names z1, which an equation defines" in refusal(wrt="z1")


def test_a_parameter_by_itself_is_refused():
    net = network()
    with pytest.raises(sbp.UsageError, match="W1 is a parameter, but it was given by itself; give it in parameters"):
        sbp.check_gradients(backward, net, x=X, y=Y, W1=parameters(net)["W1"])


def test_the_list_of_known_names_is_in_the_order_of_the_program():
    code = (
        "import symbackprop as sbp\n"
        "net = sbp.Network(2, [sbp.Dense(3, 'tanh'), sbp.Dense(2)], 'half_squared_error')\n"
        "try: sbp.check_gradients(lambda p, x, y: {}, net, names={'foo_bar_baz': 'q'})\n"
        "except sbp.UsageError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    order = ", ".join(variable.name for variable in network().program.inputs)
    assert f"known are {order}" in run.stdout


# -- what is returned --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "returned",
    [
        lambda g: g["W1"],
        lambda g: (g["W1"],),
        lambda g: [g["W1"]],
        lambda g: g["W1"].tolist(),
        lambda g: (0.5, g["W1"]),
        lambda g: (0.5, [g["W1"]]),
        lambda g: (0.5, {"dW1": g["W1"]}),
        lambda g: tuple(g[name] for name in NAMES),
    ],
)
def test_one_gradient_may_be_bare(returned):
    result = check(lambda p, x, y: returned(backward(p, x, y)), wrt="W1")
    assert result.ok
    assert tuple(result.arrays) == ("W1",)
    assert not check(lambda p, x, y: returned({**(g := backward(p, x, y)), "W1": 2 * g["W1"]}), wrt="W1").ok


@pytest.mark.parametrize("wrt", [("b1", "W1"), ("W2", "b1", "W1"), ("b2", "x")])
def test_several_gradients_come_in_the_order_of_wrt(wrt):
    assert check(lambda p, x, y: tuple(backward(p, x, y)[name] for name in wrt), wrt=wrt).ok
    assert check(lambda p, x, y: (0.5, [backward(p, x, y)[name] for name in wrt]), wrt=wrt).ok
    assert f"one for each of {', '.join(wrt)}" in refusal(lambda p, x, y: (1, 2, 3, 4, 5, 6), wrt=wrt)


def test_beside_a_gradient_its_weight_is_not_taken_for_it():
    for pattern in ("d{}", "grad_{}", "D{}"):

        def theirs(p, x, y, pattern=pattern):
            found = backward(p, x, y)
            return {**p, **{pattern.format(name): array for name, array in found.items()}}

        assert check(theirs).ok
    assert check(lambda p, x, y: {**p, **{f"d{n}".lower(): g for n, g in backward(p, x, y).items()}}).ok


def test_a_parameter_called_like_a_gradient_is_itself():
    program = sbp.Program(
        ["L = Sum((b[j] + db[j]**2)*x[j], j)"], "L", inputs={"x": (3,)}, parameters={"b": (3,), "db": (3,)}
    )
    p, x = {"b": RNG.normal(size=3), "db": RNG.normal(size=3)}, RNG.normal(size=3)
    assert sbp.check_gradients(lambda p, x, y: {"b": x, "db": 2 * p["db"] * x}, program, p, x).ok


# -- layout ------------------------------------------------------------------------------------------------------------


def symbolic():
    return sbp.Program(
        [
            "a[n,j] = tanh(Sum(W1[j,i]*x[n,i], i) + b1[j])",
            "z[n,k] = Sum(W2[k,j]*a[n,j], j) + b2[k]",
            "L = Sum((z[n,k] - y[n,k])**2, n, k)/2",
        ],
        "L",
        inputs={"x": ("N", "D")},
        targets={"y": ("N", "K")},
        parameters={"W1": ("H", "D"), "b1": ("H",), "W2": ("K", "H"), "b2": ("K",)},
    )


def turned_backward(p, x, y):
    found = backward({name: array.T for name, array in p.items()}, x, y)
    return {name: len(x) * found[name].T for name in NAMES}


def turned_parameters():
    shapes = {"W1": (4, 3), "b1": (3,), "W2": (3, 2), "b2": (2,)}
    return {name: RNG.normal(size=shape) for name, shape in shapes.items()}


def test_the_layout_is_seen_from_the_biases_where_sizes_are_symbols():
    given = turned_parameters()
    assert sbp.check_gradients(turned_backward, symbolic(), given, RNG.normal(size=(5, 4)), Y).ok
    assert sbp.check_gradients(turned_backward, symbolic(), given).ok


def test_the_layout_is_seen_from_the_data_where_there_is_no_bias():
    program = sbp.Program(
        ["L = Sum(W[j,i]*x[n,i], n, i, j)"], "L", inputs={"x": ("N", "D")}, parameters={"W": ("H", "D")}
    )
    w, x = RNG.normal(size=(4, 3)), RNG.normal(size=(5, 4))
    assert sbp.check_gradients(lambda p, x, y: np.tile(x.sum(0)[:, None], (1, 3)), program, {"W": w}, x).ok


def test_where_no_layout_fits_the_error_speaks_of_it():
    # Of one matrix of symbols both ways fit, so that the bias alone is at odds with either.
    given = {**turned_parameters(), "W2": np.ones((4, 3)), "b1": np.zeros(7)}
    said = refusal(turned_backward, given, RNG.normal(size=(5, 4)), Y, symbolic())
    assert "layout='in_out'" in said
    said = refusal(turned_backward, turned_parameters(), RNG.normal(size=(5, 4)), Y, symbolic(), layout="out_in")
    assert "without layout='out_in' the weights would fit" in said
    assert "layout" not in refusal(given={**parameters(network()), "b1": np.zeros(4)})
    square = {"W1": np.eye(3), "b1": np.zeros(7), "W2": np.eye(3), "b2": np.zeros(3)}
    assert "layout" not in refusal(given=square, net=symbolic())


# -- what their code raises --------------------------------------------------------------------------------------------


def test_what_their_code_raises_is_kept_with_a_note():
    def theirs(p, x, y):
        return p["w_one"]

    with pytest.raises(KeyError, match="w_one") as caught:
        check(theirs)
    (note,) = caught.value.__notes__
    assert "W1 (3, 2), b1 (3,), W2 (2, 3), b2 (2,), x (5, 2) of float64, y (5, 2) of float64" in note
    assert "names, layout and examples" in note
    assert caught.traceback[-1].name == "theirs"


NETWORK = """
[network]
inputs = 2
loss = "half_squared_error"
[[layers]]
type = "dense"
units = 2
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "network.toml").write_text(NETWORK)
    (tmp_path / "code_with_inputs.py").write_text("def broken(p, x, y):\n    return p['W7']\n")
    monkeypatch.chdir(tmp_path)
    sys.modules.pop("code_with_inputs", None)
    net = sbp.Network.load("network.toml")
    own = parameters(net)
    _, found = net.derive().compile()(own, X, Y)
    return {**own, "x": X, "y": Y, **{f"d{name}": array for name, array in found.items()}}


def against(*arguments):
    result = CliRunner().invoke(application, ["verify", "network.toml", "--against", *arguments])
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    return result.stderr


def test_the_command_says_what_a_function_was_called_with(here):
    said = against("code_with_inputs:broken")
    assert "W1 (2, 2), b1 (2,), x (1, 2) of float64, y (1, 2) of float64" in said
    assert "--name, --layout and --examples" in said


def test_the_command_refuses_what_does_not_fit(here):
    np.savez("gradients.npz", **here)
    assert "W1 is called 'w', but parameters have 'W1'" in against("gradients.npz", "--name", "W1=w")
    assert "called 'v' and 'w'" in against("gradients.npz", "--name", "W1=v", "--name", "W1=w")
    np.savez("gradients.npz", **here, seed=np.array(3))
    assert "gradients.npz holds 'seed'" in against("gradients.npz")
