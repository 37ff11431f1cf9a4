"""The committed derivations are what the package writes today, byte for byte. ``-n 0 --accept`` takes changes over."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symbackprop as sbp

FOLDER = Path(__file__).parents[2] / "derivations"
NETWORKS = sorted(path.parent.name for path in FOLDER.glob("*/network.toml"))


def test_the_networks_of_the_articles_are_there():
    assert {
        "article-000-2-3-1",
        "article-001-three-layers",
        "article-002-4-3-1",
        "article-002-moons",
        "article-003-2-3-1",
        "mazur-2-2-2",
        "six-layers",
        "softmax-2-3-3",
    } == set(NETWORKS)


@pytest.mark.parametrize("suffix", [".tex", ".md", ".html"])
@pytest.mark.parametrize("name", NETWORKS)
def test_regenerated_byte_for_byte(name, suffix, accept, tmp_path):
    committed = FOLDER / name / f"derivation{suffix}"
    derivation = sbp.Network.load(FOLDER / name / "network.toml").derive()
    if accept:
        derivation.save(committed)
    written = derivation.save(tmp_path / f"derivation{suffix}")
    assert committed.exists(), f"{committed} is missing; run pytest -n 0 tests/derivations --accept and look at it"
    assert written.read_bytes() == committed.read_bytes(), "changed; run with --accept and look at the difference"


def words_of(pdf):
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True).stdout.split()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_module_is_regenerated_byte_for_byte(name, accept, tmp_path):
    committed = FOLDER / name / "gradients.py"
    derivation = sbp.Network.load(FOLDER / name / "network.toml").derive()
    if accept:
        derivation.save_module(committed)
    written = derivation.save_module(tmp_path / "gradients.py")
    assert committed.exists(), f"{committed} is missing; run pytest -n 0 tests/derivations --accept and look at it"
    assert written.read_bytes() == committed.read_bytes(), "changed; run with --accept and look at the difference"


_WITHOUT_SYMPY = """
import json, sys
sys.modules["sympy"] = None  # what makes "import sympy" fail
import gradients, numpy as np
given = json.load(open("given.json"))
loss, found = gradients.loss_and_gradients(given["parameters"], given["x"], given["y"])
assert loss == gradients.loss(given["parameters"], given["x"], given["y"])
assert "symbackprop" not in sys.modules
prediction = gradients.predict(given["parameters"], given["x"])
print(json.dumps([loss, {name: array.tolist() for name, array in found.items()}, prediction.tolist()]))
"""


@pytest.mark.parametrize("name", NETWORKS)
def test_the_module_runs_where_sympy_cannot_be_imported(name, tmp_path):
    network = sbp.Network.load(FOLDER / name / "network.toml")
    derivation = network.derive()
    parameters = network.initial_parameters()
    values = derivation.values(parameters, network.data["x"], network.data["y"])
    shutil.copy(FOLDER / name / "gradients.py", tmp_path)
    lists = {key: array.tolist() for key, array in parameters.items()}
    given = {"parameters": lists, **{key: array.tolist() for key, array in network.data.items()}}
    (tmp_path / "given.json").write_text(json.dumps(given), encoding="utf-8")
    command = [sys.executable, "-W", "error", "-c", _WITHOUT_SYMPY]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    loss, gradients, prediction = json.loads(run.stdout)
    assert loss == pytest.approx(values["L"], rel=1e-13)
    np.testing.assert_allclose(prediction, values[network.program.output], rtol=1e-13)
    assert list(gradients) == list(derivation.gradients)
    for parameter, gradient in gradients.items():
        np.testing.assert_allclose(gradient, values[f"{parameter}_bar"], rtol=1e-12)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("name", NETWORKS)
def test_compiles_without_a_warning_to_what_the_pdf_says(name, accept, tmp_path):
    """The words, not the bytes: another TeX makes other bytes of the same pages."""
    shutil.copy(FOLDER / name / "derivation.tex", tmp_path)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "derivation.tex"]
    for _ in range(2):
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout[-2000:]
    log = (tmp_path / "derivation.log").read_text(encoding="latin-1")
    warnings = r"^(?:(?:LaTeX|Package \w+|pdfTeX) [Ww]arning|Overfull|Underfull \\hbox).*"
    assert not re.findall(warnings, log, re.MULTILINE)
    committed = FOLDER / name / "derivation.pdf"
    if accept:
        sbp.Network.load(FOLDER / name / "network.toml").derive().save(committed)
    assert committed.exists(), f"{committed} is missing; run pytest -n 0 tests/derivations --accept and look at it"
    if shutil.which("pdftotext") is not None:
        assert words_of(committed) == words_of(tmp_path / "derivation.pdf"), "changed; run with --accept and look at it"


# Article 003, "Working of Neural Networks": what the slides print, to the digits they print.


@pytest.fixture(scope="module")
def slides():
    network = sbp.Network.load(FOLDER / "article-003-2-3-1" / "network.toml")
    derivation = network.derive()
    return derivation.scalar(network.parameters, network.data["x"], network.data["y"])


def test_article_003_forward_pass(slides):
    assert slides.values["a1"][0, 0] == pytest.approx(0.89, abs=0.005)
    assert slides.values["z2"][0, 0] == pytest.approx(1.106, abs=0.0005)


def test_article_003_output_weight(slides):
    gradient = slides.gradient("W2", 0, 0)
    output_error, activation = gradient.paths()[0].links
    assert output_error.value == pytest.approx(-1.894, abs=0.0005)
    assert activation.value == pytest.approx(0.89, abs=0.005)
    assert gradient.value == pytest.approx(-1.686, abs=0.0005)
    assert -0.23 - 0.01 * gradient.value == pytest.approx(-0.213, abs=0.0005)


def test_article_003_hidden_weight(slides):
    gradient = slides.gradient("W1", 0, 0)
    (path,) = gradient.paths()
    assert [link.value for link in path.links] == pytest.approx([-1.894, -0.23, 0.0979, 1], abs=0.0005)
    assert gradient.value == pytest.approx(0.0426, abs=0.00005)
    # The slides print 0.499; rounded it is 0.500, with four digits 0.4996.
    assert round(0.5 - 0.01 * gradient.value, 4) == 0.4996


# Article 002, "Neural Networks From Scratch in Python & R": errors and gradients of the first step.


@pytest.fixture(scope="module")
def article_002():
    network = sbp.Network.load(FOLDER / "article-002-4-3-1" / "first_draw.toml")
    return network.derive().values(network.parameters, network.data["x"], network.data["y"])


def test_article_002_errors_of_the_examples(article_002):
    errors = (article_002["a2"] - article_002["y"]) ** 2 / 2
    np.testing.assert_allclose(errors.ravel(), [0.05013458, 0.03727248, 0.25388062], atol=5e-9)
    assert article_002["L"] == pytest.approx(0.34128768127051884, rel=1e-12)


def test_article_002_gradients(article_002):
    expected = [[0.03318467336538263], [-0.01676956396433862], [0.014665588595003531]]
    np.testing.assert_allclose(article_002["W2_bar"], expected, rtol=1e-12)
    first_row = [-0.022050436055330885, -0.004288451962596305, -0.0035460484015667113]
    np.testing.assert_allclose(article_002["W1_bar"][0], first_row, rtol=1e-12)
