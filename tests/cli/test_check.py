"""``symbackprop check``: what it prints where, and the status it exits with.

What is said of formulas is tested with the claims; here canned outcomes stand in for it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import symbackprop as sbp
from symbackprop.claims.result import Check, Claim, Counterexample, Outcome
from symbackprop.cli.application import application

NOTES = """Let $x \\in \\mathbb{R}^D$.

\\[ y = 2 x \\]

The gradient is

\\[ \\frac{\\partial y}{\\partial x} = 3 \\]
"""
WRONG = r"\frac{\partial y}{\partial x} = 3"
RIGHT = r"\frac{\partial y}{\partial x} = 2"
NETWORK = """
[network]
name = "small"
inputs = 2
loss = "half_squared_error"
[[layers]]
type = "dense"
units = 1
"""


def claim(outcome: Outcome, **more: Any) -> Claim:
    start = NOTES.index("\\[ \\frac")
    stop = NOTES.index("\\]", start) + 2
    return Claim(7, 4, WRONG, "dy/dx", outcome, by="by hand", start=start, stop=stop, **more)


HOLDS = claim(Outcome.PROVED, assumptions=("read as scalars",))
DIFFERS = claim(
    Outcome.DIFFERS,
    fault="factor",
    diagnosis="the factor is 3, not 2",
    correct=RIGHT,
    counterexample=Counterexample({"D": 1}, 0, (), 3.0, float("nan")),
)
UNREADABLE = claim(Outcome.UNREADABLE, diagnosis="this is no formula; write one")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with notes and a network in it, the current one."""
    (tmp_path / "notes.tex").write_text(NOTES, encoding="utf-8")
    (tmp_path / "notes.md").write_text(NOTES, encoding="utf-8")
    (tmp_path / "network.toml").write_text(NETWORK, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Engine:
    """Stands in for what reads and judges formulas."""

    def __init__(self) -> None:
        self.claims: tuple[Claim, ...] = (HOLDS,)
        self.calls: list[tuple[str, str, Any, str]] = []

    def __call__(self, text: str, kind: str, model: Any, *, path: str = "", progress: Any = None) -> Check:
        self.calls.append((text, kind, model, path))
        if progress is not None:
            progress(1, 1)
        return Check(self.claims, network="y = 2x", path=path, text=text)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    found = Engine()
    monkeypatch.setattr("symbackprop.claims.document.check_text", found)
    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(application, ["check", *arguments])


def one_line(result: Result) -> str:
    """What a failure says: status 2, one line on standard error, nothing on standard output, no traceback."""
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("symbackprop: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("symbackprop: ").rstrip("\n")


# -- outcomes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ((HOLDS,), 0),
        ((HOLDS, claim(Outcome.AGREES)), 0),
        ((HOLDS, DIFFERS), 1),
        ((UNREADABLE, HOLDS), 1),
        ((DIFFERS, UNREADABLE), 1),
    ],
)
@pytest.mark.usefixtures("place")
def test_exit_status(engine: Engine, claims: tuple[Claim, ...], status: int) -> None:
    engine.claims = claims
    for more in ((), ("--json",)):
        result = run("notes.tex", *more)
        assert (result.exit_code, result.stderr) == (status, "")


@pytest.mark.usefixtures("place")
def test_the_table_is_printed(engine: Engine) -> None:
    engine.claims = (HOLDS, DIFFERS)
    shown = run("notes.tex").stdout
    assert shown == f"{Check(engine.claims, network='y = 2x', path='notes.tex')}\n"
    assert "wrong: the factor is 3, not 2" in shown
    assert shown.endswith("\n2 claims: 1 holds (1 proved), 1 differs\n")


@pytest.mark.usefixtures("place")
def test_json(engine: Engine) -> None:
    engine.claims = (HOLDS, DIFFERS)
    result = run("notes.tex", "--json")
    common = {"line": 7, "column": 4, "latex": WRONG, "about": "dy/dx", "by": "by hand", "given": []}
    assert result.stderr == ""
    assert json.loads(result.stdout) == {
        "ok": False,
        "network": "y = 2x",
        "claims": [
            {
                **common,
                "outcome": "proved",
                "assumptions": ["read as scalars"],
                "diagnosis": "",
                "correct": "",
                "counterexample": None,
            },
            {
                **common,
                "outcome": "differs",
                "assumptions": [],
                "diagnosis": "the factor is 3, not 2",
                "correct": RIGHT,
                "counterexample": {"sizes": {"D": 1}, "seed": 0, "entry": [], "claimed": 3.0, "derived": None},
            },
        ],
    }


@pytest.mark.parametrize(("name", "kind"), [("notes.tex", "tex"), ("notes.md", "markdown")])
@pytest.mark.usefixtures("place")
def test_what_is_checked_is_the_file(engine: Engine, name: str, kind: str) -> None:
    run(name)
    assert engine.calls == [(NOTES, kind, None, name)]


def test_line_ends_and_a_mark_of_byte_order_are_taken(place: Path, engine: Engine) -> None:
    (place / "notes.tex").write_bytes(b"\xef\xbb\xbf$a = b$\r\n")
    run("notes.tex")
    assert engine.calls[0][0] == "$a = b$\r\n"


@pytest.mark.usefixtures("place")
def test_the_network_is_given(engine: Engine) -> None:
    assert run("notes.tex", "--network", "network.toml").exit_code == 0
    assert engine.calls[0][2] is not None


# -- annotations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("notes", "out"), [("notes.tex", "out.tex"), ("notes.md", "out.md")])
def test_annotations(place: Path, engine: Engine, notes: str, out: str) -> None:
    engine.claims = (DIFFERS,)
    result = run(notes, "--annotate", out)
    assert (result.exit_code, result.stderr) == (1, "")
    written = (place / out).read_text(encoding="utf-8")
    assert "the factor is 3, not 2" in written
    assert WRONG in written
    assert (place / notes).read_text(encoding="utf-8") == NOTES
    assert sorted(path.name for path in place.iterdir() if path.name.startswith(".")) == []


@pytest.mark.usefixtures("place")
def test_annotations_do_not_get_into_the_json(engine: Engine) -> None:
    result = run("notes.tex", "--json", "--annotate", "out.tex")
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (0, True)
    assert Path("out.tex").exists()


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("notes.tex", "notes themselves"),
        ("./notes.tex", "notes themselves"),
        ("link.tex", "notes themselves"),
        ("out.md", ".tex"),
        ("out.txt", ".tex"),
        ("out", ".tex"),
        ("absent/out.tex", "absent"),
        ("folder.tex", "directory"),
    ],
)
def test_annotations_that_cannot_be(place: Path, engine: Engine, out: str, says: str) -> None:
    (place / "folder.tex").mkdir()
    (place / "link.tex").symlink_to("notes.tex")
    before = sorted(path.name for path in place.iterdir())
    assert says in one_line(run("notes.tex", "--annotate", out))
    assert engine.calls == []
    assert sorted(path.name for path in place.iterdir()) == before
    assert (place / "notes.tex").read_text(encoding="utf-8") == NOTES


def test_a_file_is_annotated_whole_or_stays_as_it_was(
    place: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "out.tex").write_text("before", encoding="utf-8")

    def fails(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("symbackprop.files.os.replace", fails)
    assert "No space left on device" in one_line(run("notes.tex", "--annotate", "out.tex"))
    assert (place / "out.tex").read_text(encoding="utf-8") == "before"
    assert len(engine.calls) == 1
    assert sorted(path.name for path in place.iterdir() if path.name.startswith(".")) == []


@pytest.mark.usefixtures("place")
def test_annotations_are_for_notes_and_their_kind(engine: Engine) -> None:
    check = sbp.check_document("notes.md")
    assert check.annotate("out.markdown") == Path("out.markdown")
    assert Path("out.markdown").read_text(encoding="utf-8") == check.annotated()
    with pytest.raises(sbp.UsageError, match="single formula"):
        Check((HOLDS,)).annotated()
    with pytest.raises(sbp.UsageError, match="single formula"):
        Check((HOLDS,)).annotate("out.tex")
    assert len(engine.calls) == 1


# -- what cannot be checked --------------------------------------------------------------------------------------------

USAGE = {
    "no notes": ([], "missing argument 'NOTES'"),
    "unknown option": (["notes.tex", "--jsn"], "no such option"),
    "too much": (["notes.tex", "more.tex"], "unexpected extra argument"),
    "no value": (["notes.tex", "--annotate"], "requires an argument"),
}

INPUT = {
    "missing": (["absent.tex"], "absent.tex: there is no such file"),
    "directory": (["folder.tex"], "folder.tex is a directory"),
    "empty": (["empty.tex"], "empty.tex is empty"),
    "blank": (["blank.tex"], "blank.tex is empty"),
    "not UTF-8": (["latin.tex"], "latin.tex, line 2: byte 0xe9 is not UTF-8"),
    "too large": (["large.tex"], "large.tex has 10,000,001 bytes"),
    "no file": (["device.tex"], "device.tex is no ordinary file"),
    "no formula": (["prose.tex"], "prose.tex has no formula"),
    "no claim": (["defines.tex"], "defines.tex has 2 formulas, but none of them claims anything"),
    "one that is none": (["one.tex"], "one.tex has 1 formula, but it claims nothing"),
    "another kind": (["network.toml"], "network.toml"),
    "no kind": (["notes"], "notes"),
    "standard input": (["-"], "-"),
    "nothing": ([""], ".tex"),
    "line break": (["absent\nfile.tex"], "absent"),
    "missing network": (["notes.tex", "--network", "absent.toml"], "absent.toml: there is no such file"),
    "no network": (["notes.tex", "--network", "notes.tex"], "defines no network with a loss"),
    "empty network": (["notes.tex", "--network", ""], "NETWORK is empty"),
}


@pytest.mark.parametrize(("arguments", "says"), USAGE.values(), ids=USAGE.keys())
@pytest.mark.usefixtures("place")
def test_usage_errors(arguments: list[str], says: str) -> None:
    line = one_line(run(*arguments))
    assert says in line
    assert "--help'" in line


@pytest.mark.parametrize("more", [(), ("--json",), ("--annotate", "out.tex")])
@pytest.mark.parametrize(("arguments", "says"), INPUT.values(), ids=INPUT.keys())
def test_unusable_input(place: Path, engine: Engine, arguments: list[str], says: str, more: tuple[str, ...]) -> None:
    engine.claims = ()
    (place / "folder.tex").mkdir()
    (place / "device.tex").symlink_to("/dev/zero")
    for name, content in {
        "empty.tex": b"",
        "blank.tex": b" \n\t\n",
        "latin.tex": b"first\nr\xe9seau\n",
        "large.tex": b"a" * 10_000_001,
        "prose.tex": b"Once upon a time.\n",
        "defines.tex": b"Let $x$ be a vector and $y$ another.\n",
        "one.tex": b"Let $x$ be a vector.\n",
        "notes": b"$a = b$\n",
    }.items():
        (place / name).write_bytes(content)
    before = sorted(path.name for path in place.iterdir())
    line = one_line(run(*arguments, *more))
    if not (more[:1] == ("--annotate",) and arguments[0] in ("network.toml", "notes", "-", "")):
        assert says in line
    assert sorted(path.name for path in place.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        ((3,), {}, "path is of type int"),
        (("notes.tex", 3), {}, "network is of type int"),
        (("notes.tex",), {"progress": 3}, "progress is 3"),
    ],
)
@pytest.mark.usefixtures("place", "engine")
def test_bad_arguments_are_named(arguments: tuple[Any, ...], options: dict[str, Any], says: str) -> None:
    with pytest.raises(sbp.UsageError, match=says):
        sbp.check_document(*arguments, **options)


@pytest.mark.usefixtures("place")
def test_in_python(engine: Engine) -> None:
    told = []
    network = sbp.Network(2, [sbp.Dense(1)], "half_squared_error")
    for given in (network, "network.toml", Path("network.toml")):
        check = sbp.check_document(Path("notes.tex"), given, progress=lambda *moved: told.append(moved))
        assert check.claims == (HOLDS,)
    assert told == [(1, 1)] * 3
    assert all(model is not None for _, _, model, _ in engine.calls)


# -- processes ---------------------------------------------------------------------------------------------------------


def process(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(sbp.__file__).parent.parent)}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment, check=False)


def test_help_needs_no_heavy_module() -> None:
    script = (
        "import atexit, sys\n"
        "heavy = ('sympy', 'numpy', 'mpmath', 'latex2sympy2', 'antlr4', 'pylatexenc')\n"
        "atexit.register(lambda: print('loaded:', [name for name in heavy if name in sys.modules]))\n"
        "from symbackprop.cli import main\n"
        "main()\n"
    )
    done = process(script, "check", "--help")
    assert done.returncode == 0
    assert done.stdout.endswith("loaded: []\n")
    assert "  symbackprop check notes.tex --annotate checked.tex\n" in done.stdout
    assert "Exit status: 0 every claim holds" in " ".join(done.stdout.split())


def test_deriving_does_not_load_the_parsers_of_notes() -> None:
    heavy = ("pylatexenc", "latex2sympy2", "latex2sympy2_extended")
    script = f"import sys, symbackprop.api; print([name for name in {heavy} if name in sys.modules])"
    assert process(script).stdout == "[]\n"


def test_the_command_is_listed() -> None:
    assert "\n  check " in CliRunner().invoke(application, ["--help"]).stdout
