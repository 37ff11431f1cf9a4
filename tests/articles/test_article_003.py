"""Article 003: the slides print some weights of a 2-3-1 network and not others; what follows from those they print."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from article_claims import as_printed, claim, exactly, table

import symbackprop as sbp

SLIDES = table()["examples"]["slides"]
RATE = SLIDES["learning rate"]


def network():
    return sbp.Network(2, [sbp.Dense(3, "sigmoid"), sbp.Dense(1)], "half_squared_error").derive()


def first_unit():
    """o11 as the package writes it, as a function of w112: its expression in w112, and the symbol."""
    program = sbp.Program(
        equations=[f"h11 = {SLIDES['w111']}*1 + w112*2 + {SLIDES['bias']}", "o11 = sigmoid(h11)"],
        loss="o11",
        parameters={"w112": ()},
    )
    h11, o11 = (equation.right for equation in program.program.equations)
    (w112,) = h11.free_symbols
    return o11.record.definition(h11), w112


def w112_where(o11):
    """The w112 that gives this o11."""
    expression, w112 = first_unit()
    (solution,) = sympy.solveset(sympy.nsimplify(expression) - sympy.Rational(str(o11)), w112, sympy.Reals)
    return float(solution)


def weights(seed):
    """Weights that are printed, and others drawn, but so that o11 and the output are as printed."""
    rng = np.random.default_rng(seed)
    biases = {"b1": np.full(3, SLIDES["bias"]), "b2": np.full(1, SLIDES["bias"])}
    first = [[SLIDES["w111"], w112_where(SLIDES["o11"])], *rng.normal(size=(2, 2))]
    parameters = {"W1": np.array(first), "W2": np.array([[SLIDES["w211"], rng.normal(), 0.0]]), **biases}
    values = network().values(parameters, SLIDES["x"], SLIDES["y"])
    parameters["W2"][0, 2] = (SLIDES["output"] - values["z2"][0, 0]) / values["a1"][0, 2]
    return parameters


@pytest.fixture(params=[0, 1, 2], scope="module")
def slides(request):
    """The network in scalar form; what is not printed differs from case to case."""
    return network().scalar(weights(request.param), SLIDES["x"], SLIDES["y"])


def test_s003_forward_pass_is_the_printed_one(slides):
    assert slides.values["a1"][0, 0] == exactly(SLIDES["o11"])
    assert slides.values["z2"][0, 0] == exactly(SLIDES["output"])


def test_s003_chain_of_w211_as_printed(slides):
    gradient = slides.gradient("W2", 0, 0)
    (path,) = gradient.paths()
    assert str(path) == "dL/dz2[0,0] * dz2[0,0]/dW2[0,0]"
    after = SLIDES["w211"] - RATE * gradient.value
    for fact, key, number in (
        (claim("S003-dLoss-dOut"), "d", path.links[0].value),
        (claim("S003-dLoss-dw211"), "d", gradient.value),
        (claim("S003-w211-new"), "w", after),
    ):
        assert number == as_printed(fact.claimed[key])
        assert number == exactly(fact.verified[key])


def test_s003_chain_of_w111_as_printed(slides):
    gradient = slides.gradient("W1", 0, 0)
    (path,) = gradient.paths()
    assert str(path) == "dL/dz2[0,0] * dz2[0,0]/da1[0,0] * da1[0,0]/dz1[0,0] * dz1[0,0]/dW1[0,0]"
    assert path.links[1].value == SLIDES["w211"]
    assert path.links[3].value == SLIDES["x"][0][0]
    for fact, number in (
        (claim("S003-sigmoid-slope"), path.links[2].value),
        (claim("S003-dLoss-dw111"), gradient.value),
    ):
        assert number == as_printed(fact.claimed["d"])
        assert number == exactly(fact.verified["d"])


def test_s003_w111_new_is_cut_off_where_the_other_numbers_are_rounded(slides):
    fact = claim("S003-w111-new")
    after = SLIDES["w111"] - RATE * slides.gradient("W1", 0, 0).value
    assert after == as_printed(fact.verified["w"])
    assert after != as_printed(fact.claimed["w"])
    assert round(after, 3) == 0.5
    assert np.floor(1000 * after) / 1000 == fact.claimed["w"]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_s003_gradients_are_right(seed):
    assert network().verify(weights(seed), SLIDES["x"], SLIDES["y"]).ok


def test_s003_typo_w311_would_leave_the_loss_without_w211(slides):
    fact = claim("S003-typo-w311")
    # In the network there are two matrices, and the chain of w211 names the second.
    matrices = [name for name in slides.differentiation.wrt if name.startswith("W")]
    assert matrices == ["W1", "W2"]
    (path,) = slides.gradient("W2", 0, 0).paths()
    assert str(path.links[-1].by) == f"W{fact.verified['layer']}[0, 0]"
    with pytest.raises(sbp.UsageError, match=f"W{fact.claimed['layer']}"):
        network()[f"W{fact.claimed['layer']}"]
    # The line as it stands is a program in which w211 does not reach the loss.
    rest = SLIDES["output"] - SLIDES["w211"] * SLIDES["o11"]
    theirs, right = (
        sbp.Program(
            equations=[f"output = {name}*{SLIDES['o11']} + {rest}", f"L = ({SLIDES['y'][0][0]} - output)**2/2"],
            loss="L",
            parameters={"w211": (), "w311": ()},
        ).derive()
        for name in ("w311", "w211")
    )
    assert theirs.unreached == ("w211",)
    assert right.unreached == ("w311",)
    point = {"w211": SLIDES["w211"], "w311": SLIDES["w211"]}
    printed = {"w211": claim("S003-dLoss-dw211").verified["d"], "w311": 0.0}
    assert right.verify(point, gradients=printed).ok
    assert not theirs.verify(point, gradients=printed).ok


def test_s003_reconstruct_w112_interval():
    fact = claim("S003-reconstruct-w112")
    half = 0.5 * 10 ** -fact.data["decimals of o11"]
    ends = {"w112_low": -half, "w112_centre": 0.0, "w112_high": half}
    expression, w112 = first_unit()
    assert expression.diff(w112).is_positive  # so that the ends of o11 give the ends of w112
    for name, off in ends.items():
        o11 = round(SLIDES["o11"] + off, 3)
        assert w112_where(o11) == exactly(fact.verified[name])
        # The network itself has this activation there.
        parameters = weights(0)
        parameters["W1"][0, 1] = fact.verified[name]
        assert network().values(parameters, SLIDES["x"], SLIDES["y"])["a1"][0, 0] == exactly(o11)


def test_s003_reconstruct_w112_what_else_is_tied(slides):
    fact = claim("S003-reconstruct-w112")
    expression, w112 = first_unit()
    o11 = float(expression.subs(w112, 0.3))
    assert o11 == exactly(fact.verified["o11_if_0.30"])
    assert o11 == as_printed(SLIDES["o11"])
    # w212 o12 + w213 o13 is the rest of the output, whatever the two weights are.
    _, *others = (slides.values["W2"] * slides.values["a1"])[0]
    assert sum(others) == exactly(fact.verified["rest_of_output_if_b21_1"])
