"""Article 002: the 4-3-1 network, its formulas, and the sentences and lines of code that do not fit them."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from article_claims import as_printed, claim, exactly, example

import symbackprop as sbp
from symbackprop.verification.verdicts import Verdict


def network(*, bias=False, reduction="sum"):
    layers = [sbp.Dense(3, "sigmoid", bias=bias), sbp.Dense(1, "sigmoid", bias=bias)]
    return sbp.Network(4, layers, "half_squared_error", reduction=reduction, weight_layout="in_out").derive()


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def only_weights(name):
    """The example of this name without biases."""
    parameters, x, y = example(name)
    return {key: parameters[key] for key in ("W1", "W2")}, x, y


def with_biases(fact):
    """The example of a claim, with the biases that the claim brings, if any."""
    parameters, x, y = example(fact.example)
    return {**parameters, **{key: np.array(value) for key, value in fact.data.items() if key in ("b1", "b2")}}, x, y


def errors(parameters, x, y):
    """The errors (y - o)^2/2 of the examples, by the package."""
    values = network().values(parameters, x, y)
    return (values["a2"] - values["y"]).ravel() ** 2 / 2


def deltas(parameters, x, y, error=lambda y, output: y - output):
    """What the code of the article computes: hidden activations, d_output and d_hiddenlayer."""
    h = sigmoid(x @ parameters["W1"] + parameters.get("b1", 0))
    output = sigmoid(h @ parameters["W2"] + parameters.get("b2", 0))
    d_output = error(y, output) * output * (1 - output)
    return h, d_output, d_output @ parameters["W2"].T * h * (1 - h)


def weight_steps(parameters, x, y, **options):
    """What the code adds to the weights, over the learning rate."""
    h, d_output, d_hidden = deltas(parameters, x, y, **options)
    return {"W1": x.T @ d_hidden, "W2": h.T @ d_output}


def as_gradients(steps):
    """The gradients of which the steps would be descent with rate 1."""
    return {name: -step for name, step in steps.items()}


# -- the perceptron ----------------------------------------------------------------------------------------------------


def test_s002_threshold_answers_1():
    fact = claim("S002-threshold")
    perceptron = sbp.Program(
        equations=["z = Sum(x[i], i)", "out = where(z > threshold, 1, 0)"],
        loss="out",
        inputs={"x": ("D",), "threshold": ()},
    ).derive(wrt="x")
    threshold = fact.data["threshold"]
    out = perceptron.values({}, fact.data["x"], threshold=threshold)["out"]
    assert out == fact.verified["out"] == fact.claimed["out"]
    assert perceptron.values({}, np.zeros(3), threshold=threshold)["out"] == 0


def test_s002_bias_weight_count_is_3():
    fact = claim("S002-bias-weight-count")
    two, displayed = (sbp.Network(inputs, [sbp.Dense(1)], "half_squared_error").derive() for inputs in (2, 3))
    assert two.verify().weights == fact.verified["parameters"]
    # What the formula has is a perceptron of three inputs, and two do not fit it.
    assert displayed.verify().weights == fact.claimed["parameters"]
    x, y, b = np.ones((1, 2)), np.ones((1, 1)), np.ones(1)
    assert two.values({"W1": np.ones((1, 2)), "b1": b}, x, y)["z1"] == 3
    with pytest.raises(sbp.SizeError, match="x"):
        displayed.values({"W1": np.ones((1, 3)), "b1": b}, x, y)


# -- the numbers of the notebook ---------------------------------------------------------------------------------------


def test_s002_initial_errors_as_printed():
    fact = claim("S002-initial-errors")
    found = errors(*only_weights(fact.example))
    assert found.tolist() == as_printed(fact.claimed["E"])
    assert found == exactly(fact.verified["E"])


def test_s002_epoch0_vs_array_is_of_another_draw():
    fact = claim("S002-epoch0-vs-array")
    parameters, x, y = only_weights(fact.example)
    function = network(reduction="mean").compile()
    shown = function.loss(parameters, x, y)
    assert shown == pytest.approx(fact.verified["mean"], abs=5e-9)
    assert shown != as_printed(fact.claimed["mean"])
    # The weights that are shown are the first ones drawn from the seed; those after them give epoch 0.
    random = np.random.RandomState(fact.data["seed"])
    first, second = ({name: random.uniform(size=parameters[name].shape) for name in ("W1", "W2")} for _ in range(2))
    for name, array in parameters.items():
        np.testing.assert_array_equal(first[name], array)
    assert function.loss(second, x, y) == as_printed(fact.claimed["mean"])


def test_s002_useful_column_is_the_first_alone():
    fact = claim("S002-useful-column")
    _, x, y = example(fact.example)
    assert y.ravel().tolist() == fact.verified["y"] == fact.claimed["y"]
    function = sbp.Network(1, [sbp.Dense(1, bias=False)], "half_squared_error").derive().compile()
    least = []
    for column in x.T[:, :, np.newaxis]:
        # The loss is a parabola in the one weight: its slopes at 0 and 1 say where it is least.
        slopes = [function({"W1": np.array([[w]])}, column, y)[1]["W1"] for w in (0.0, 1.0)]
        best = {"W1": slopes[0] / (slopes[0] - slopes[1])}
        loss, gradients = function(best, column, y)
        assert gradients["W1"] == exactly([[0]])
        least.append(loss)
    assert least[0] == 0
    assert min(least[1:]) > 0.05


def test_s002_two_inputs_have_different_errors():
    fact = claim("S002-two-inputs")
    of_2017, of_notebook = (errors(*only_weights(name)) for name in (fact.example, "notebook"))
    assert of_2017 == exactly(fact.claimed["E"])
    assert of_notebook == exactly(fact.verified["E"])
    printed = as_printed(claim("S002-initial-errors").claimed["E"])
    assert of_notebook.tolist() == printed
    assert of_2017.tolist() != printed


def test_s002_shapes_of_the_five_factors():
    fact = claim("S002-shapes")
    _, x, _ = example(fact.example)
    derivation = network()
    batch = {derivation.program.batch: len(x)}
    forms = [gradient.matrix_form("columns").right for gradient in derivation.adjoints.values()]
    symbols = set().union(*(form.atoms(sympy.MatrixSymbol) for form in forms))
    shapes = {symbol.name: [int(extent.subs(batch)) for extent in symbol.shape] for symbol in symbols}
    factors = []
    for inner in ("a2", "z2", "a1", "z1", "W1"):
        (contribution,) = derivation[inner].contributions
        shape, *others = (shapes[base.name] for base in contribution.derivative.atoms(sympy.IndexedBase))
        assert all(other == shape for other in others)
        factors.append(shape)
    assert factors == fact.verified["shapes"] == fact.claimed["shapes"]


# -- the mathematical part ---------------------------------------------------------------------------------------------


def formulas(parameters, x, t):
    """Both formulas as they are written, summed over the examples."""
    h = sigmoid(x @ parameters["W1"])
    output = sigmoid(h @ parameters["W2"])
    delta = (output - t) * output * (1 - output)
    return {"W1": np.einsum("nj,nj,ni->ij", delta @ parameters["W2"].T, h * (1 - h), x), "W2": h.T @ delta}


def test_s002_formula_wh_is_the_chain():
    fact = claim("S002-formula-Wh")
    parameters, x, y = only_weights(fact.example)
    derivation = network()
    scalar = derivation.scalar(parameters, x, y)
    variable = derivation.program.variable
    for place in scalar.places("W2"):
        gradient = scalar.gradient("W2", *place)
        for n, path in enumerate(gradient.paths()):
            output, target, h = variable("a2").at(n, 0), variable("y").at(n, 0), variable("a1").at(n, place[0])
            assert sympy.expand(path.expression - (output - target) * output * (1 - output) * h) == 0
        assert gradient.value == exactly(np.array(fact.verified["dV"])[place])


def test_s002_formula_wi_is_the_chain():
    fact = claim("S002-formula-Wi")
    parameters, x, y = only_weights(fact.example)
    derivation = network()
    scalar = derivation.scalar(parameters, x, y)
    variable = derivation.program.variable
    for i, j in scalar.places("W1"):
        gradient = scalar.gradient("W1", i, j)
        for n, path in enumerate(gradient.paths()):
            output, target, h = variable("a2").at(n, 0), variable("y").at(n, 0), variable("a1").at(n, j)
            bracket = (output - target) * output * (1 - output) * variable("W2").at(j, 0)
            assert sympy.expand(path.expression - bracket * h * (1 - h) * variable("x").at(n, i)) == 0
        assert gradient.value == exactly(fact.verified["dW"][i][j])


@pytest.mark.parametrize(("name", "array", "key"), [("W1", "Wi", "dW"), ("W2", "Wh", "dV")])
def test_s002_formulas_as_code_pass_and_have_the_numbers(name, array, key):
    fact = claim(f"S002-formula-{array}")
    parameters, x, y = only_weights(fact.example)
    assert network().verify(parameters, x, y, gradients=formulas).ok
    assert network().verify(gradients=formulas).ok  # and at drawn points
    compiled = network().compile()(parameters, x, y)[1][name]
    assert compiled == exactly(fact.claimed[key])
    assert formulas(parameters, x, y)[name] == exactly(compiled)


def test_s002_update_plus_climbs():
    fact = claim("S002-update-plus")
    parameters, x, y = only_weights(fact.example)
    function = network().compile()
    before, gradients = function(parameters, x, y)

    def after(sign):
        moved = {name: array + sign * fact.data["rate"] * gradients[name] for name, array in parameters.items()}
        return function.loss(moved, x, y)

    assert {"E0": before, "E_plus": after(+1), "E_minus": after(-1)} == {
        name: exactly(value) for name, value in fact.verified.items()
    }
    assert after(-1) < before < after(+1)
    assert bool(after(+1) < before) is not fact.claimed["E_after_plus_decreases"]


def test_s002_typo_dy_du_is_dh_du():
    fact = claim("S002-typo-dY-du")
    point = fact.data
    equations = ["h = sigmoid(u)", "Y = sigmoid(Wh*h)"]
    derivation, inner = (
        sbp.Program(equations=equations, loss=loss, parameters={"u": (), "Wh": ()}).derive(wrt="u") for loss in "Yh"
    )
    h = sigmoid(point["u"])
    output = sigmoid(point["Wh"] * h)
    theirs = {"u": h * (1 - h)}
    right = {"u": output * (1 - output) * point["Wh"] * h * (1 - h)}
    assert theirs["u"] == exactly(fact.claimed["dY_du"])
    assert derivation.values(point)["u_bar"] == exactly(fact.verified["dY_du"])
    assert not derivation.verify(point, gradients=theirs).ok
    assert derivation.verify(point, gradients=right).ok
    assert inner.verify(point, gradients=theirs).ok  # dh/du is what it is


def test_s002_e_sign_map_climbs():
    fact = claim("S002-E-sign-map")
    parameters, x, y = only_weights(fact.example)
    derivation = network()
    function = derivation.compile()
    before = function.loss(parameters, x, y)

    def output_minus_target(y, output):
        return output - y

    for error, numbers, right in (
        (output_minus_target, fact.claimed, False),
        (lambda y, output: y - output, fact.verified, True),
    ):
        steps = weight_steps(parameters, x, y, error=error)
        assert steps["W2"] == exactly(numbers["step/rate"])
        assert derivation.verify(parameters, x, y, gradients=as_gradients(steps)).ok is right
        moved = {name: array + fact.data["rate"] * steps[name] for name, array in parameters.items()}
        assert bool(function.loss(moved, x, y) < before) is right
    _, gradients = function(parameters, x, y)
    assert -gradients["W2"] == exactly(fact.verified["step/rate"])


# -- the steps in words and in code ------------------------------------------------------------------------------------


def bias_steps(parameters, x, y):
    """What the NumPy code adds to the parameters, over the learning rate: sums over the examples for the biases."""
    _, d_output, d_hidden = deltas(parameters, x, y)
    return {**weight_steps(parameters, x, y), "b1": d_hidden.sum(0), "b2": d_output.sum(0)}


def test_s002_hidden_bias_text_fails_and_the_code_below_it_passes():
    fact = claim("S002-hidden-bias-text")
    parameters, x, y = with_biases(fact)
    derivation = network(bias=True)
    right = bias_steps(parameters, x, y)
    theirs = {**right, "b1": np.broadcast_to(right["b2"], 3)}
    assert theirs["b1"] == exactly(fact.claimed["step/rate"])
    assert -derivation.values(parameters, x, y)["b1_bar"] == exactly(fact.verified["step/rate"])
    report = derivation.verify(parameters, x, y, gradients=as_gradients(theirs))
    assert [name for name, array in report.arrays.items() if array.counts[Verdict.FAIL]] == ["b1"]
    assert derivation.verify(parameters, x, y, gradients=as_gradients(right)).ok
    # As it is written, it has not even the shape.
    with pytest.raises(sbp.SizeError, match="b1"):
        derivation.verify(parameters, x, y, gradients=as_gradients({**right, "b1": right["b2"]}))


def test_s002_lr_twice_is_a_tenth_of_the_step():
    fact = claim("S002-lr-twice")
    parameters, x, y = only_weights(fact.example)
    derivation, rate = network(), fact.data["rate"]
    right = weight_steps(parameters, x, y)
    theirs = weight_steps(parameters, x, y, error=lambda y, output: (y - output) * rate)
    assert rate * theirs["W2"] == exactly(fact.claimed["step"])
    _, gradients = derivation.compile()(parameters, x, y)
    assert -rate * gradients["W2"] == exactly(fact.verified["step"])
    assert not derivation.verify(parameters, x, y, gradients=as_gradients(theirs)).ok
    assert derivation.verify(parameters, x, y, gradients=as_gradients(right)).ok


def test_s002_sigmoid_x1mx_holds_of_activations_only():
    fact = claim("S002-sigmoid-x1mx")
    point = fact.data
    derivation = sbp.Program(equations=["a = sigmoid(z)"], loss="a", parameters={"z": ()}).derive()

    def derivatives_sigmoid(x):
        return x * (1 - x)

    assert derivatives_sigmoid(point["z"]) == exactly(fact.claimed["slope"])
    assert derivation.values(point)["z_bar"] == exactly(fact.verified["slope"])
    assert not derivation.verify(point, gradients={"z": derivatives_sigmoid(point["z"])}).ok
    assert derivation.verify(point, gradients={"z": derivatives_sigmoid(sigmoid(point["z"]))}).ok


def test_s002_star_in_product_is_another_array():
    fact = claim("S002-star-in-product")
    parameters, x, y = only_weights(fact.example)
    values = network().values(parameters, x, y)
    assert values["z2"] == exactly(fact.verified["z"])
    # In index notation the star pairs hidden units with examples: it can be said where there are three of both,
    given = {"equations": ["z[n,j] = h[n,j]*wout[n]", "L = Sum(z[n,j], n, j)"], "loss": "L"}
    of_three = sbp.Program(**given, inputs={"h": (3, 3)}, parameters={"wout": (3,)}).derive()
    theirs = of_three.values({"wout": parameters["W2"][:, 0]}, h=values["a1"])["z"]
    assert theirs == exactly(fact.claimed["z"])
    assert theirs == exactly(values["a1"] * parameters["W2"])
    # and nowhere else.
    with pytest.raises(sbp.SizeError, match="wout"):
        sbp.Program(**given, inputs={"h": ("N", "H")}, parameters={"wout": ("H",)})
    two = network().values(parameters, x[:2], y[:2])
    assert two["z2"].shape == (2, 1)
    with pytest.raises(ValueError, match="broadcast"):
        two["a1"] * parameters["W2"]


# -- rowSums in R ------------------------------------------------------------------------------------------------------


def row_sums(d):
    """R's rowSums of an examples x units matrix: one number for each example."""
    return d.sum(1)


def test_s002_r_rowsums_fails_and_sums_over_examples_pass():
    fact = claim("S002-R-rowsums")
    parameters, x, y = example(fact.example)
    derivation = network(bias=True)
    right = bias_steps(parameters, x, y)
    theirs = {**right, "b1": row_sums(deltas(parameters, x, y)[2])}
    assert theirs["b1"] == exactly(fact.claimed["step/rate"])
    assert -derivation.values(parameters, x, y)["b1_bar"] == exactly(fact.verified["step/rate"])
    report = derivation.verify(parameters, x, y, gradients=as_gradients(theirs))
    assert [name for name, array in report.arrays.items() if array.counts[Verdict.FAIL]] == ["b1"]
    assert derivation.verify(parameters, x, y, gradients=as_gradients(right)).ok


def test_s002_r_rowsums_has_a_bias_shape_for_three_examples_only():
    parameters, x, y = example(claim("S002-R-rowsums").example)
    derivation = network(bias=True)
    x, y = np.vstack([x, [[0, 0, 1, 1]]]), np.vstack([y, [[0]]])
    right = bias_steps(parameters, x, y)
    assert derivation.verify(parameters, x, y, gradients=as_gradients(right)).ok
    for name, d in zip(("b2", "b1"), deltas(parameters, x, y)[1:], strict=True):
        with pytest.raises(sbp.SizeError, match=name):
            derivation.verify(parameters, x, y, gradients=as_gradients({**right, name: row_sums(d)}))


@pytest.mark.parametrize("examples", [2, 3])
def test_s002_r_rowsums_is_no_gradient_of_biases_for_each_example_either(examples):
    """R keeps a matrix of biases, examples x units, and recycles rowSums along its columns: that runs at any size."""
    parameters, x, y = example(claim("S002-R-rowsums").example)
    x, y = x[:examples], y[:examples]
    derivation = sbp.Program(
        equations=[
            "h[n,j] = sigmoid(Sum(x[n,i]*W1[i,j], i) + b1[n,j])",
            "o[n,k] = sigmoid(Sum(h[n,j]*W2[j,k], j) + b2[n,k])",
            "L = Sum((o[n,k] - y[n,k])**2, n, k)/2",
        ],
        loss="L",
        inputs={"x": ("N", "D")},
        targets={"y": ("N", "K")},
        parameters={"W1": ("D", "H"), "W2": ("H", "K"), "b1": ("N", "H"), "b2": ("N", "K")},
    ).derive()
    # matrix(rep(bias, n), nrow = n) fills columns first.
    parameters["b1"] = np.tile(parameters["b1"], examples).reshape(examples, 3, order="F")
    parameters["b2"] = np.tile(parameters["b2"], examples).reshape(examples, 1, order="F")
    _, d_output, d_hidden = deltas(parameters, x, y)
    right = {**weight_steps(parameters, x, y), "b1": d_hidden, "b2": d_output}
    theirs = {**right, **{name: np.zeros_like(right[name]) + row_sums(right[name])[:, None] for name in ("b1", "b2")}}
    report = derivation.verify(parameters, x, y, gradients=as_gradients(theirs))
    # With one output unit, the sum over units is that unit's.
    assert [name for name, array in report.arrays.items() if array.counts[Verdict.FAIL]] == ["b1"]
    assert derivation.verify(parameters, x, y, gradients=as_gradients(right)).ok
    # Every example has biases of its own, so that an example that comes later has none.
    assert report.arrays["b1"].weights == 3 * examples
