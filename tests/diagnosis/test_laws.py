"""What holds of the search whatever the network: it finds the mistakes it knows, and believes nothing less than all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from known_programs import KNOWN, known_case
from random_networks import networks

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.diagnosis.candidates import candidates_of
from symbackprop.diagnosis.evidence import Evidence
from symbackprop.diagnosis.faults.table import FAULTS, edits_of
from symbackprop.diagnosis.kinds import KINDS
from symbackprop.diagnosis.scene import Scene, scene_of
from symbackprop.diagnosis.search import Search

UNIT = 2.0**-53
LAYERS = [sbp.Dense(3, "sigmoid"), sbp.Dense(3, "tanh"), sbp.Dense(2, "softmax")]


def scene_at(net: sbp.Network, seed: int) -> Scene:
    """The scene of ``net`` at a drawn point."""
    rng = np.random.default_rng(seed)
    numbers = {symbol.name: number for symbol, number in zip(net.program.sizes, (4, 3, 2, 5), strict=False)}
    shapes = {
        v.name: tuple(int(extent.xreplace({s: numbers[s.name] for s in net.program.sizes})) for extent in v.shape)
        for v in net.program.inputs
    }
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    if "y" in arrays:
        arrays["y"] = rng.uniform(0.1, 0.9, shapes["y"])
    return scene_of(net.derive().differentiation, arrays, numbers)


def right_of(scene: Scene) -> dict[str, np.ndarray]:
    return {weight: scene.values[name] for name, weight in scene.gradients.items()}


def evidence_of(scene: Scene, theirs: dict[str, np.ndarray]) -> Evidence:
    right = right_of(scene)
    scale = {name: np.abs(array).max(initial=1e-300) for name, array in right.items()}
    tolerance = {name: np.full(array.shape, 1e4 * UNIT * scale[name]) for name, array in right.items()}
    return Evidence({**right, **theirs}, right, tolerance, UNIT)


@settings(max_examples=15)
@given(networks(layers=(1, 3)), st.integers(0, 100), st.data())
def test_a_mistake_of_the_dictionary_is_found(net, seed, data):
    scene = scene_at(net, seed)
    edits = [edit for adjoint in scene.adjoints.values() for edit in edits_of(scene, adjoint)]
    edit = data.draw(st.sampled_from(edits))
    factor = 1.7 if edit.neutral is not None else 1.0
    made = scene.replay({edit.adjoint: edit.equation}, factor)
    assume(made is not None and all(np.isfinite(array).all() for array in made.values()))
    evidence = evidence_of(scene, dict(made))
    assume(evidence.wrong)
    found = Search(scene, evidence).by_one()
    assert found, edit
    for explanation in found:
        for name in evidence.wrong:
            assert evidence.fits(name, explanation.predicted[name])


@settings(max_examples=15)
@given(networks(layers=(1, 3)), st.integers(0, 100), st.data())
def test_one_entry_that_is_not_predicted_refutes_a_mistake(net, seed, data):
    scene = scene_at(net, seed)
    edits = [edit for adjoint in scene.adjoints.values() for edit in edits_of(scene, adjoint) if edit.neutral is None]
    edit = data.draw(st.sampled_from(edits))
    made = scene.replay({edit.adjoint: edit.equation})
    assume(made and all(np.isfinite(array).all() for array in made.values()))
    name = data.draw(st.sampled_from(sorted(made)))
    evidence = evidence_of(scene, dict(made))
    assume(name in evidence.wrong and made[name].size > 1)
    changed = made[name].copy()
    changed.reshape(-1)[data.draw(st.integers(0, changed.size - 1))] += 0.37 * np.abs(made[name]).max()
    refuted = evidence_of(scene, {**made, name: changed})
    for explanation in Search(scene, refuted).by_one():
        assert explanation.mistakes[0].edits != (edit,)


@settings(max_examples=8)
@given(networks(layers=(1, 3)), st.integers(0, 100))
def test_random_arrays_are_given_no_name(net, seed):
    scene = scene_at(net, seed)
    rng = np.random.default_rng(seed)
    theirs = {name: rng.normal(size=array.shape) for name, array in right_of(scene).items()}
    evidence = evidence_of(scene, theirs)
    # One or two numbers are always a multiple of something.
    assume(sum(array.size for array in theirs.values()) > 8)
    assert candidates_of(Search(scene, evidence).by_one(), evidence, {}) == []


def test_the_right_gradients_are_replayed_where_nothing_is_exchanged():
    scene = scene_at(sbp.Network(3, LAYERS, "categorical_cross_entropy", l2=0.1), 0)
    again = scene.replay({adjoint.name: adjoint.equation for adjoint in scene.adjoints.values()})
    for name, array in right_of(scene).items():
        np.testing.assert_array_equal(again[name], array)


def test_every_kind_is_told_apart_and_every_fault_makes_some():
    net = sbp.Network(3, LAYERS, "categorical_cross_entropy", l2=0.1)
    fused = scene_at(net, 0)
    given = {variable.name: fused.values[variable.name] for variable in net.program.inputs}
    scenes = [fused, scene_of(differentiate(net.unfused), given)]
    made = dict.fromkeys(FAULTS, 0)
    kinds = set()
    for scene in scenes:
        for adjoint in scene.adjoints.values():
            for fault in FAULTS:
                edits = list(fault(scene, adjoint))
                made[fault] += len(edits)
                kinds |= {edit.kind for edit in edits}
    silent = {fault.__name__ for fault, number in made.items() if number == 0}
    # A strided window needs a convolution.
    assert silent <= {"another_index"}
    assert kinds <= set(KINDS)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_edit_of_the_known_programs_is_an_equation_with_numbers_or_has_no_meaning(name):
    case = known_case(name)
    whole = {variable.name for variable in case.program.inputs if variable.integer}
    arrays = {n: np.asarray(a).astype(int if n in whole else float) for n, a in case.values.items()}
    scene = scene_of(differentiate(case.program), arrays, case.sizes)
    for adjoint in scene.adjoints.values():
        for edit in edits_of(scene, adjoint):
            made = scene.replay({edit.adjoint: edit.equation}, 0.5)
            assert made is None or set(made) <= set(scene.gradients.values())
            assert edit.kind in KINDS
