"""How arrays change where single entries do: the change is the new value less the old one, for any program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from known_programs import KNOWN, known_case
from random_programs import cases

from symbackprop.forms.changes import Changes
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.forms.lower import lower
from symbackprop.functions.library import FUNCTIONS
from symbackprop.notation.sizes import bind_sizes


def arrays_of(case):
    whole = {variable.name for variable in case.program.inputs if variable.integer}
    return {
        name: np.array(value) if name in whole else np.array(value, dtype=object).astype(float)
        for name, value in case.values.items()
    }


def changes_of(case, arrays):
    program = case.program
    sizes = bind_sizes(program, {name: array.shape for name, array in arrays.items()}, dict(case.sizes))
    return Changes(program, [lower(equation, program) for equation in program.equations], arrays, sizes)


def worst(case, step):
    """The largest error of a change, relative to the loss or to 1, against long double."""
    arrays = arrays_of(case)
    changes = changes_of(case, arrays)
    wide = {name: a.astype(np.longdouble) if a.dtype.kind == "f" else a for name, a in arrays.items()}
    before = evaluate_program(case.program, wide, dict(case.sizes))["L"]
    errors = [0.0]
    for variable in case.program.inputs:
        if variable.integer:
            continue
        count = arrays[variable.name].size
        found = changes.of("L", variable.name, np.arange(count), np.full(count, step))
        for place in range(count):
            moved = wide[variable.name].copy()
            moved.flat[place] += np.longdouble(step)
            exact = evaluate_program(case.program, {**wide, variable.name: moved}, dict(case.sizes))["L"] - before
            errors.append(float(abs(found[place] - exact) / (1 + abs(before) + abs(exact))))
    return max(errors)


@pytest.mark.parametrize("step", [0.4, -1e-3])
@pytest.mark.parametrize("name", KNOWN)
def test_known_programs(name, step):
    assert worst(known_case(name), step) < 1e-13


@pytest.mark.parametrize("family", ["rational", "general"])
@pytest.mark.parametrize("step", [0.3, -(2.0**-10)])
def test_random_programs(family, step):
    @settings(max_examples=40)
    @given(case=cases(family))
    def law(case):
        assert worst(case, step) < 1e-11

    law()


@settings(max_examples=40)
@given(case=cases("rational", maxima=False))
def test_steps_that_plain_differences_could_not_see(case):
    """A change is a step times a derivative, also for a step of 2^-70; in exact numbers that needs no third program."""
    arrays = arrays_of(case)
    changes = changes_of(case, arrays)
    for variable in case.program.parameters:
        count = arrays[variable.name].size
        if not changes.keeps_digits("L", variable.name):
            continue
        tiny, small = (
            changes.of("L", variable.name, np.arange(count), np.full(count, step)) / step
            for step in (2.0**-70, 2.0**-34)
        )
        scale = 1 + np.abs(changes.arrays["L"]) + np.abs(small).max(initial=0)
        assert np.all(np.abs(tiny - small) <= 1e-5 * scale)


def test_every_entry_may_move_by_its_own_step():
    case = known_case("two layers")
    arrays = arrays_of(case)
    changes = changes_of(case, arrays)
    name = case.program.parameters[0].name
    places = np.array([3, 0, 3])
    found = changes.of("L", name, places, np.array([0.1, 0.2, -0.3]))
    single = [changes.of("L", name, places[k : k + 1], np.array([s]))[0] for k, s in enumerate((0.1, 0.2, -0.3))]
    np.testing.assert_allclose(found, single, rtol=1e-13)


def test_what_changes_nothing_is_left_out():
    case = known_case("two layers, relu")
    arrays = {name: np.array(array) for name, array in arrays_of(case).items()}
    arrays["x"][:, 0] = 0
    found = changes_of(case, arrays).of("L", "W1", np.arange(arrays["W1"].size), np.full(arrays["W1"].size, 1e-3))
    assert not found.reshape(arrays["W1"].shape)[:, 0].any()
    assert found.any()


@pytest.mark.parametrize(("activation", "keeps"), [("tanh", True), ("relu", True), ("gelu", False)])
def test_who_keeps_digits(activation, keeps):
    known = {"tanh": "two layers", "relu": "two layers, relu", "gelu": "two layers, gelu"}
    case = known_case(known[activation])
    changes = changes_of(case, arrays_of(case))
    assert changes.keeps_digits("L", "W1") is keeps
    # Behind the activation there is nothing to subtract.
    assert changes.keeps_digits("L", "W2")


def test_a_wrong_difference_is_noticed(monkeypatch):
    case = known_case("two layers, relu")
    assert worst(case, 0.3) < 1e-13
    record = FUNCTIONS["relu"].record
    from symbackprop.forms import changes

    right = changes.difference_of

    def bent(function):
        found = right(function)
        if getattr(function, "record", None) is not record:
            return found
        return type(found)(found.coefficients, lambda t, *rest: found.change(t, *rest) + 0.1 * t)

    monkeypatch.setattr(changes, "difference_of", bent)
    assert worst(case, 0.3) > 1e-4
