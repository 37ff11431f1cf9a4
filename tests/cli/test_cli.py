"""The command line: what it prints where, and the status it exits with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import symbackprop
from symbackprop.cli.application import application

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(symbackprop.__file__).parent.parent)}

NETWORK = """
[network]
name = "small"
inputs = 2
loss = "half_squared_error"
[[layers]]
type = "dense"
units = 3
activation = "sigmoid"
[[layers]]
type = "dense"
units = 1
"""

MODULE = """
import symbackprop as sbp

net = sbp.Network("D", [sbp.Dense("H", "relu"), sbp.Dense("K", "softmax")], "categorical_cross_entropy", name="soft")
program = sbp.Program(
    inputs={"x": ("N", "D")}, parameters={"w": ("D",), "unused": ("D",)},
    equations=["s[n] = Sum(w[i]*x[n,i], i)", "L = Sum(s[n]**2, n)"], loss="L", name="squares",
)
cube = sbp.Program(
    inputs={"x": ("N", "D", "E")}, parameters={"w": ("D", "E", "F")},
    equations=["t[n,f] = Sum(w[d,e,f]*x[n,d,e], d, e)", "L = Sum(t[n,f]**2, n, f)"], loss="L", name="cube",
)
number = 3


def build():
    print("noise")
    return net


def broken():
    raise RuntimeError("no net today")


def wrong():
    return sbp.Network(2, [sbp.Dense(3, "sigmiod")], "huber")


class Box:
    inner = net
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a network and a module in it, the current one."""
    (tmp_path / "network.toml").write_text(NETWORK, encoding="utf-8")
    (tmp_path / "nets_of_test.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "nets_of_test", raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application, list(arguments))


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=ENVIRONMENT,
        check=False,
        **options,
    )


def one_line(result: Result) -> str:
    """What a failure says: one line on standard error, nothing on standard output, no traceback."""
    assert result.stdout == ""
    assert result.stderr.startswith("symbackprop: ")
    assert result.stderr.endswith("\n")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("symbackprop: ").rstrip("\n")


# -- the good paths ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("place")
def test_gradients_are_printed_in_both_forms() -> None:
    result = run("derive", "network.toml")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert "dL/dW1, shape (3, 2)" in lines
    assert "index   W1_bar[j,i] = Sum(z1_bar[n,j]*x[n,i], n)" in lines
    assert "matrix  W1_bar = z1_bar.T*x" in lines
    assert "matrix  b1_bar = z1_bar.T*ones(N, 1)" in lines
    # The names that the gradients are written in are explained below them.
    assert "index   z1_bar[n,j] = a1_bar[n,j]*a1[n,j]*(1 - a1[n,j])" in lines
    assert "a1[n,j] = sigmoid(z1[n,j])" in lines
    assert "Kinks" not in lines
    assert "Unreached" not in lines


@pytest.mark.usefixtures("place")
def test_kinks_assumptions_and_the_unreached_are_named() -> None:
    soft = run("derive", "nets_of_test:net").stdout
    assert "a1: relu has no derivative where z1" in soft
    assert "taken there: slope 0" in soft
    assert "where sum_k y_k = 1:  z2_bar[n,j] = (a2[n,j] - y[n,j])/N" in soft
    assert "matrix  z1_bar = HadamardProduct([z1 > 0], a1_bar)" in soft
    squares = run("derive", "nets_of_test:program").stdout
    assert "L does not depend on unused" in squares
    assert "dL/dunused" not in squares


@pytest.mark.usefixtures("place")
def test_what_matrices_cannot_say_is_said() -> None:
    result = run("derive", "nets_of_test:cube")
    assert result.exit_code == 0
    assert "matrix  none: " in result.stdout
    assert json.loads(run("derive", "nets_of_test:cube", "--json").stdout)["gradients"]["w"]["matrix_latex"] is None


@pytest.mark.usefixtures("place")
def test_wrt() -> None:
    printed = json.loads(run("derive", "network.toml", "--wrt", "x", "--wrt", "W2", "--json").stdout)
    assert sorted(printed["gradients"]) == ["W2", "x"]
    assert "W1" not in printed["adjoints"]


@pytest.mark.parametrize("suffix", [".tex", ".md"])
def test_document(place: Path, suffix: str) -> None:
    result = run("derive", "network.toml", "-o", f"out{suffix}", "--learning-rate", "0.125")
    # A notice is for a terminal, and this is none.
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    text = (place / f"out{suffix}").read_text(encoding="utf-8")
    assert "0.125" in text
    assert sorted(p.name for p in place.iterdir() if p.name.startswith(".out")) == []


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudoterminal")
def test_notice_on_a_terminal(place: Path) -> None:
    ours, theirs = os.openpty()
    try:
        command = [sys.executable, "-m", "symbackprop", "derive", "network.toml", "-o", "out.md"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env=ENVIRONMENT, check=True)
        assert done.stdout == b""
        assert os.read(ours, 1000).split() == [b"wrote", b"out.md"]
    finally:
        os.close(ours)
        os.close(theirs)
    assert (place / "out.md").exists()


def test_json(place: Path) -> None:
    result = run("derive", "network.toml", "--json", "-o", "out.md")
    assert (result.exit_code, result.stderr) == (0, "")
    printed = json.loads(result.stdout)
    assert (place / "out.md").exists()
    assert printed["network"] == "small"
    assert printed["version"] == symbackprop.__version__
    assert printed["loss"] == "L"
    assert printed["file"] == "out.md"
    assert printed["equations"][-1].startswith("L = ")
    assert list(printed["gradients"]) == ["W1", "b1", "W2", "b2"]
    assert sorted(printed["adjoints"]) == ["a1", "z1", "z2"]
    assert printed["gradients"]["W1"] == {
        "shape": [3, 2],
        "index": "W1_bar[j,i] = Sum(z1_bar[n,j]*x[n,i], n)",
        "index_latex": r"\frac{\partial L}{\partial w^{(1)}_{ji}} = \sum_{n=1}^{N} \delta^{(1)}_{nj}\,x_{ni}",
        "matrix_latex": r"\frac{\partial L}{\partial W^{(1)}} = \Delta^{(1)\top} X",
        "contributions": [
            {
                "through": "z1",
                "expression": "Sum(z1_bar[n,j]*x[n,i], n)",
                "rules": ["sum rule", "constant factor rule", "index"],
            }
        ],
        "assuming": {},
    }
    assert printed["adjoints"]["z1"]["shape"] == ["N", 3]
    assert printed["kinks"] == printed["assumptions"] == printed["unreached"] == []


@pytest.mark.usefixtures("place")
def test_json_of_kinks_and_assumptions() -> None:
    printed = json.loads(run("derive", "nets_of_test:net", "--json").stdout)
    (kink,) = printed["kinks"]
    assert kink == {
        "equation": "a1",
        "function": "relu",
        "argument": "z1[n,j]",
        "point": 0,
        "convention": "slope 0",
    }
    assert printed["assumptions"] == ["sum_k y_k = 1"]
    assert printed["adjoints"]["z2"]["assuming"]["sum_k y_k = 1"]["index"] == "z2_bar[n,j] = (a2[n,j] - y[n,j])/N"
    assert printed["file"] is None
    squares = json.loads(run("derive", "nets_of_test:program", "--json").stdout)
    assert squares["unreached"] == ["unused"]


@pytest.mark.parametrize("attribute", ["net", "build", "Box.inner"])
@pytest.mark.usefixtures("place")
def test_module_and_attribute(attribute: str) -> None:
    result = run("derive", f"nets_of_test:{attribute}", "--json")
    assert result.exit_code == 0
    # What the module prints does not get in the way of the one JSON object.
    assert json.loads(result.stdout)["network"] == "soft"


@pytest.mark.usefixtures("place")
def test_the_path_is_left_as_it_was() -> None:
    before = list(sys.path)
    run("derive", "nets_of_test:net")
    assert sys.path == before


def test_console_script_finds_modules_in_the_current_directory(place: Path) -> None:
    # A console script, unlike python -m, has its own directory on the path in place of the current one.
    script = "import sys; sys.path.pop(0); from symbackprop.cli import main; main()"
    done = process("-c", script, "derive", "nets_of_test:net", "--json", cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["network"] == "soft"


def test_no_module_of_the_current_directory_stands_in_for_a_library(place: Path) -> None:
    (place / "sympy.py").write_text("raise RuntimeError('not SymPy')\n", encoding="utf-8")
    script = "import sys; sys.path.pop(0); from symbackprop.cli import main; main()"
    done = process("-c", script, "derive", "nets_of_test:net", "--json", cwd=place)
    assert (done.returncode, done.stderr) == (0, "")


# -- help and version --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["-h"],
        ["derive", "--help"],
        ["compile", "--help"],
        ["verify", "--help"],
        ["--version"],
        ["drive"],
        [],
    ],
)
def test_help_needs_no_heavy_module(arguments: list[str]) -> None:
    script = (
        "import atexit, sys\n"
        "heavy = ('sympy', 'numpy', 'mpmath', 'latex2sympy2', 'antlr4')\n"
        "atexit.register(lambda: print('loaded:', [name for name in heavy if name in sys.modules]))\n"
        "from symbackprop.cli import main\n"
        "main()\n"
    )
    assert process("-c", script, *arguments).stdout.endswith("loaded: []\n")


def test_help() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command, example in (
        ("derive", "symbackprop derive network.toml -o derivation.tex"),
        ("compile", "symbackprop compile network.toml -o gradients.py"),
        ("verify", "symbackprop verify network.toml"),
        ("train", "symbackprop train network.toml"),
    ):
        assert f"\n  {command} " in result.stdout
        help_text = run(command, "--help")
        assert help_text.exit_code == 0
        assert example in help_text.stdout


def test_version() -> None:
    done = process("-m", "symbackprop", "--version")
    assert (done.returncode, done.stdout) == (0, f"symbackprop {symbackprop.__version__}\n")


# -- bad input ---------------------------------------------------------------------------------------------------------

USAGE = {
    "no command": ([], "missing command"),
    "unknown command": (["derve", "network.toml"], "unknown command 'derve'; did you mean 'derive'?"),
    "no network": (["derive"], "missing argument 'NETWORK'"),
    "unknown option": (["derive", "network.toml", "--jsn"], "no such option"),
    "too much": (["derive", "network.toml", "other.toml"], "unexpected extra argument"),
    "no number": (["derive", "network.toml", "-o", "a.md", "--learning-rate", "fast"], "'fast' is not a valid float"),
    "not finite": (["derive", "network.toml", "-o", "a.md", "--learning-rate", "nan"], "not a positive finite number"),
    "backwards": (["derive", "network.toml", "-o", "a.md", "--learning-rate", "-1"], "not a positive finite number"),
    "rate of nothing": (["derive", "network.toml", "--learning-rate", "0.1"], "give -o FILE with it"),
}

INPUT = {
    "missing file": (["absent.toml"], ["absent.toml"]),
    "directory": (["folder"], ["folder"]),
    "directory with a suffix": (["folder.toml"], ["folder.toml"]),
    "not TOML": (["text.toml"], ["text.toml"]),
    "not text": (["bytes.toml"], ["bytes.toml"]),
    "wrong suffix": (["network.json"], ["network.json"]),
    "notes": (["notes.tex"], ["notes.tex", "defines no network with a loss", "forward equations"]),
    "other notes": (["notes.md"], ["notes.md", "defines no network with a loss", "forward equations"]),
    "unknown key": (["key.toml"], ["key.toml", "inptus", "inputs"]),
    "unknown activation": (["activation.toml"], ["sigmiod", "did you mean 'sigmoid'?"]),
    "unknown variable": (["network.toml", "--wrt", "W3"], ["W3", "did you mean"]),
    "unwritable output": (["network.toml", "-o", "absent/out.tex"], ["absent/out.tex"]),
    "output onto a directory": (["network.toml", "-o", "folder.tex"], ["folder.tex"]),
    "unknown output suffix": (["network.toml", "-o", "out.tx"], ["out.tx", ".tex"]),
    "output without suffix": (["network.toml", "-o", "out"], ["out", ".tex"]),
    "no such module": (["netz_of_test:net"], ["netz_of_test", "no module"]),
    "no such submodule": (["nets_of_test.sub:net"], ["nets_of_test.sub"]),
    "module without attribute": (["nets_of_test:nte"], ["'nte'", "did you mean 'net'?"]),
    "no network": (["nets_of_test:number"], ["int", "Network", "Program"]),
    "raises": (["nets_of_test:broken"], ["RuntimeError: no net today"]),
    "needs arguments": (["nets_of_test:Box.__init_subclass__"], ["NoneType"]),
    "network refused": (["nets_of_test:wrong"], ["sigmiod", "did you mean 'sigmoid'?"]),
    "import fails": (["fails_of_test:net"], ["fails_of_test", "ZeroDivisionError"]),
    "import leaves": (["leaves_of_test:net"], ["leaves_of_test", "SystemExit: 7"]),
    "import lacks": (["lacks_of_test:net"], ["lacks_of_test", "absent_dependency"]),
    "half a reference": (["nets_of_test:"], ["neither a file nor module:attribute"]),
    "expression": (["nets_of_test:build()"], ["neither a file nor module:attribute"]),
    "nothing": ([""], ["NETWORK is empty"]),
    "line break": (["absent\nfile.toml"], ["absent"]),
}


@pytest.mark.parametrize(("arguments", "says"), USAGE.values(), ids=USAGE.keys())
@pytest.mark.usefixtures("place")
def test_usage_errors(arguments: list[str], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    line = one_line(result)
    assert says in line
    assert "--help'" in line


@pytest.mark.parametrize(("arguments", "says"), INPUT.values(), ids=INPUT.keys())
def test_unusable_input(place: Path, arguments: list[str], says: list[str]) -> None:
    for name in ("folder", "folder.toml", "folder.tex"):
        (place / name).mkdir()
    files = {
        "text.toml": "once upon a time",
        "network.json": "{}",
        "notes.tex": "",
        "notes.md": "",
        "key.toml": NETWORK.replace("inputs", "inptus"),
        "activation.toml": NETWORK.replace("sigmoid", "sigmiod"),
        "fails_of_test.py": "1 / 0",
        "leaves_of_test.py": "raise SystemExit(7)",
        "lacks_of_test.py": "import absent_dependency",
    }
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")
    (place / "bytes.toml").write_bytes(b"\xff\xfe\x00name")
    before = sorted(path.name for path in place.rglob("*") if "__pycache__" not in path.parts)
    result = run("derive", *arguments)
    assert result.exit_code == 2
    line = one_line(result)
    for part in says:
        assert part in line
    assert sorted(path.name for path in place.rglob("*") if "__pycache__" not in path.parts) == before


@pytest.mark.parametrize("arguments", [["absent.toml"], ["absent.toml", "--json"]])
def test_one_line_from_a_process(place: Path, arguments: list[str]) -> None:
    done = process("-m", "symbackprop", "derive", *arguments, cwd=place)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("symbackprop: ")
    assert done.stderr.count("\n") == 1


def test_traceback_with_debug(place: Path) -> None:
    done = process("-m", "symbackprop", "derive", "absent.toml", "--debug", cwd=place)
    assert done.returncode == 2
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("symbackprop: ")


# -- what is nobody's input --------------------------------------------------------------------------------------------


@pytest.fixture
def failing(place: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], Result]:
    """Runs ``derive`` so that it raises an exception in its middle."""

    def runs(error: BaseException) -> Result:
        def load_model(network: str) -> None:
            raise error

        monkeypatch.setattr("symbackprop.cli.networks.load_model", load_model)
        return run("derive", str(place / "network.toml"))

    return runs


def test_a_mistake_of_ours_is_called_so(failing: Callable[[BaseException], Result]) -> None:
    result = failing(KeyError("z1"))
    assert result.exit_code == 70
    line = one_line(result)
    assert line.startswith("internal error: KeyError: 'z1'")
    assert "--debug" in line


def test_interrupted(failing: Callable[[BaseException], Result]) -> None:
    result = failing(KeyboardInterrupt())
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "")


def test_an_error_of_the_system_names_its_file(failing: Callable[[BaseException], Result]) -> None:
    result = failing(PermissionError(13, "Permission denied", "secret.toml"))
    assert result.exit_code == 2
    assert one_line(result) == "secret.toml: Permission denied"


def _with_output(place: Path, output: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "symbackprop", "derive", "network.toml"],
        stdout=output,
        stderr=subprocess.PIPE,
        cwd=place,
        env=ENVIRONMENT,
        check=False,
    )


@pytest.mark.skipif(os.name != "posix", reason="a closed pipe is another error there")
def test_a_reader_that_has_gone(place: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = _with_output(place, writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device without space")
def test_an_output_without_space(place: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = _with_output(place, full)
    assert done.returncode == 2
    assert done.stderr.decode() == "symbackprop: No space left on device\n"


def test_an_output_without_unicode(place: Path) -> None:
    text = NETWORK.replace('"small"', '"→"')
    (place / "network.toml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "symbackprop", "derive", "network.toml"],
        capture_output=True,
        cwd=place,
        env={**ENVIRONMENT, "PYTHONIOENCODING": "latin-1"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"Network('\u2192'" in done.stdout
