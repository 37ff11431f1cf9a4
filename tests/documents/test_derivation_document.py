"""The derivation document is complete and consistent, for every kind of network."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest
from documents import cited, story

import symbackprop as sbp
from symbackprop.adjoint.accumulate import put_in
from symbackprop.adjoint.sweep import differentiate
from symbackprop.documents.derivation import derivation_document
from symbackprop.documents.formats.emitters import EMITTERS
from symbackprop.documents.sections.backward import output_and_signal
from symbackprop.documents.tree import Display, Heading, Table
from symbackprop.errors import UnreadableError, UsageError
from symbackprop.forms.views import Views
from symbackprop.notation.indices import same_up_to_names

NETWORKS = {
    "sigmoid": sbp.Network(2, [sbp.Dense(3, "sigmoid"), sbp.Dense(1)], "half_squared_error"),
    "symbolic": sbp.Network("D", [sbp.Dense("H", "tanh"), sbp.Dense("K")], "mean_squared_error"),
    "softmax": sbp.Network(2, [sbp.Dense(3, "relu"), sbp.Dense(2, "softmax")], "categorical_cross_entropy", l2=0.1),
    "logits": sbp.Network(2, [sbp.Dense(2, "elu", bias=False), sbp.Dense(3)], "categorical_cross_entropy_with_logits"),
    "binary": sbp.Network(2, [sbp.Dense(2, "gelu"), sbp.Dense(1, "sigmoid")], "binary_cross_entropy", reduction="sum"),
    "hidden softmax": sbp.Network(2, [sbp.Dense(2, "softmax"), sbp.Dense(2)], "huber", weight_layout="in_out", l1=0.1),
    "deep": sbp.Network(2, [sbp.Dense(2, "selu")] * 4 + [sbp.Dense(2, "hard_sigmoid")], "mean_absolute_error"),
}


def document(name):
    return derivation_document(story(NETWORKS[name]))


@pytest.mark.parametrize("name", NETWORKS)
def test_references_resolve_and_labels_are_unique(name):
    doc = document(name)
    labels = [block.label for block in doc.blocks if isinstance(block, Display) and block.label]
    assert len(labels) == len(set(labels))
    assert set(cited(doc)) <= set(labels)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_equation_is_numbered(name):
    derivation = NETWORKS[name].derive()
    labels = {block.label for block in document(name).blocks if isinstance(block, Display)}
    assert {equation.name for equation in derivation.program.equations} <= labels


@pytest.mark.parametrize("name", NETWORKS)
def test_sections_come_in_reading_order(name):
    found = [block.title for block in document(name).blocks if isinstance(block, Heading) and block.level == 1]
    order = ["Result", "Notation", "Forward pass", "Loss", "Backward pass"]
    order += ["Points without derivative"] * (name in ("softmax", "hidden softmax", "deep"))
    assert found == order + ["Worked in numbers", "Checks"] * (name != "symbolic")
    below = [block.title for block in document(name).blocks if isinstance(block, Heading) and block.level == 2]
    assert ("The chain through the probabilities" in below) == (name in ("softmax", "binary"))
    assert below[0] == "Any layer"


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "symbolic"])
def test_every_weight_is_worked(name):
    model = NETWORKS[name]
    told = story(model)
    count = sum(told.example.form.values[p.name].size for p in model.program.parameters)
    (table,) = (b for b in document(name).blocks if isinstance(b, Table) and b.header[1] == ("before",))
    assert len(table.rows) == count
    tex = EMITTERS[".tex"](document(name))
    assert tex.count(r"&\leftarrow") == count


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("name", NETWORKS)
def test_tex_compiles(name, tmp_path):
    NETWORKS[name].derive().save(tmp_path / "d.tex")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "d.tex"]
    for _ in range(2):
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout[-2000:]
    log = (tmp_path / "d.log").read_text(encoding="latin-1")
    assert not re.findall(
        r"^(?:(?:LaTeX|Package \w+|pdfTeX) [Ww]arning|Overfull|Underfull \\hbox).*", log, re.MULTILINE
    )


def test_a_large_network_is_worked_for_one_weight_of_each_array(tmp_path):
    rng = np.random.default_rng(0)
    net = sbp.Network(784, [sbp.Dense(128, "relu"), sbp.Dense(10, "softmax")], "categorical_cross_entropy")
    parameters = {
        "W1": rng.normal(size=(128, 784)) / 28,
        "b1": np.zeros(128),
        "W2": rng.normal(size=(10, 128)) / 11,
        "b2": np.zeros(10),
    }
    path = net.derive().save(tmp_path / "d.md", parameters, x=rng.normal(size=(3, 784)), y=np.eye(10)[[1, 2, 3]])
    text = path.read_text()
    assert "One weight of each array" in text
    assert text.count(r"&\leftarrow") == 4
    assert len(text) < 60_000


@pytest.mark.parametrize(("examples", "worked"), [(8, 8), (9, 1), (500, 1)])
def test_of_many_examples_the_first_is_worked(examples, worked, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(examples, 2)), rng.normal(size=(examples, 1))
    example = story(NETWORKS["sigmoid"], None, x, y).example
    np.testing.assert_array_equal(example.form.values["x"], x[:worked])
    np.testing.assert_array_equal(example.form.values["y"], y[:worked])
    text = NETWORKS["sigmoid"].derive().save(tmp_path / "d.md", x=x, y=y).read_text()
    assert (f"The data have {examples} examples; the first one is worked here" in text) == (worked == 1)
    assert len(text) < 100_000


def test_the_first_example_is_a_batch_of_one_whatever_the_file_says():
    net = sbp.Network("D", [sbp.Dense(2)], "half_squared_error")
    x, y = np.ones((20, 3)), np.ones((20, 2))
    values = story(net, None, x, y).example.form.values
    alone = story(net, {name: values[name] for name in ("W1", "b1")}, x[:1], y[:1]).example.form.values
    assert values["L"] == alone["L"]


def test_examples_that_cannot_be_told_apart_are_all_worked():
    equations = ["z[n] = Sum(W[n,i]*x[n,i], i)", "L = Sum((z[n] - y[n])**2, n)"]
    net = sbp.Program(
        equations, "L", inputs={"x": ("N", 2)}, targets={"y": ("N",)}, parameters={"W": ("N", 2)}, batch="N"
    )
    example = story(net, {"W": np.ones((9, 2))}, np.ones((9, 2)), np.ones(9)).example
    assert example.examples is None
    assert example.form.values["x"].shape == (9, 2)


@pytest.mark.parametrize(("columns", "shown"), [(3, "W^{(1)} "), (10, r"W^{(1)\top} "), (60, None)])
def test_a_wide_matrix_is_turned_and_one_too_large_left_out(columns, shown, tmp_path):
    net = sbp.Network(2, [sbp.Dense(columns, "tanh", bias=False), sbp.Dense(1)], "huber", weight_layout="in_out")
    parameters = {name: array + 0.1 for name, array in net.initial_parameters().items()}
    text = net.derive().save(tmp_path / "d.md", parameters, x=[[0.5, 0.25]], y=[[1.0]]).read_text()
    given = text[text.index("### Given") : text.index("### Values on the way")]
    assert bool(re.search(r"W\^{\(1\)", given)) == (shown is not None)
    assert shown is None or f"{shown}&= " in given


def test_the_same_bytes_each_time(tmp_path):
    for suffix in EMITTERS:
        if suffix == ".pdf" and shutil.which("pdflatex") is None:
            continue
        written = [NETWORKS["softmax"].derive().save(tmp_path / f"{n}{suffix}").read_bytes() for n in range(2)]
        assert written[0] == written[1]


def test_given_numbers_are_the_numbers_shown(tmp_path):
    net = NETWORKS["sigmoid"]
    parameters = {"W1": np.full((3, 2), 0.125), "b1": np.zeros(3), "W2": np.full((1, 3), 0.75), "b2": np.zeros(1)}
    path = net.derive().save(tmp_path / "d.tex", parameters, x=[[4.0, 2.0]], y=[[1.0]], learning_rate=0.5)
    text = path.read_text()
    assert "0.125" in text
    assert r"\eta = 0.5" in text
    assert "drawn" not in text


def test_unknown_suffix_names_the_known_ones(tmp_path):
    with pytest.raises(UsageError, match=r"suffix '.texx', so no document format; known are .tex, .md"):
        NETWORKS["sigmoid"].derive().save(tmp_path / "d.texx")


def test_unwritable_place_leaves_nothing_behind(tmp_path):
    with pytest.raises(UnreadableError, match="cannot be written"):
        NETWORKS["sigmoid"].derive().save(tmp_path / "missing" / "d.tex")
    assert not list(tmp_path.iterdir())


def test_a_failing_emitter_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "d.tex"
    path.write_text("old")

    def broken(doc):
        raise RuntimeError("planted")

    monkeypatch.setitem(EMITTERS, ".tex", broken)
    with pytest.raises(RuntimeError):
        NETWORKS["sigmoid"].derive().save(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["d.tex"]


@pytest.mark.parametrize(
    ("activation", "loss"), [("softmax", "categorical_cross_entropy"), ("sigmoid", "binary_cross_entropy")]
)
@pytest.mark.parametrize("penalty", [0, 0.1])
def test_the_chain_through_the_probabilities_closes_to_the_fused_form(activation, loss, penalty):
    net = sbp.Network("D", [sbp.Dense("H", "tanh"), sbp.Dense("K", activation)], loss, l2=penalty)
    output, signal = output_and_signal(Views(differentiate(net.unfused)))
    stages = put_in(output, signal)
    assert stages is not None
    fused = net.derive().differentiation.by_variable["z2"].equation
    assert same_up_to_names(stages[1].right, fused.right)
    assert stages[0].right != signal.right
    assert put_in(output, output) is None
