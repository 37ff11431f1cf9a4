"""The table of the articles' claims is complete, and its commands say what stands beside them."""

from __future__ import annotations

import json
import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from symbackprop.cli.application import application

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "derivations" / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \| `([^|]*)` \|$", TABLE, re.MULTILINE)
RUNS = {"S002-curve-1000", "S002-curve-lr-text", "S002-moons", "S002-bias-run"}
COMMANDS = sorted({row[-1] for row in ROWS if row[-1].startswith("symbackprop ")})


@cache
def output(command: str) -> str:
    result = CliRunner().invoke(application, shlex.split(command)[1:], standalone_mode=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(autouse=True)
def _in_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_every_claim_has_a_row():
    table = json.loads((ROOT / "tests" / "data" / "articles.json").read_text(encoding="utf-8"))
    assert {row[0] for row in ROWS} - {""} == {claim["id"] for claim in table["claims"]} | RUNS


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command):
    assert output(command)


def test_tests_that_are_named_are_there():
    tests = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").glob("*/test_*.py")))
    names = re.findall(r"^def (test_\w+)", tests, re.MULTILINE)
    for *_, command in ROWS:
        match = re.search(r"-k (\w+)$", command)
        assert match is None or any(match[1] in name for name in names), command
        script = re.match(r"python (benchmarks/\w+\.py)( --\w+ \d+)*$", command)
        assert script is None or (ROOT / script[1]).exists()
        assert match or script or command in COMMANDS, command


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("S000-weight-count", [r"W1 +6 ", r"W2 +3 "]),
        ("S002-curve-lr-text", ["Error at epoch 0 is 0.11376", "Error at epoch 900 is 0.10620"]),
        ("S002-curve-1000", ["Error at epoch 0 is 0.11553", "Error at epoch 900 is 0.01190"]),
        ("S002-moons", ["Error at epoch 5000 is 0.02163", "Error at epoch 4000 is 0.05129"]),
    ],
)
def test_what_commands_print(claim, said):
    (command,) = (row[-1] for row in ROWS if row[0] == claim)
    for line in said:
        assert re.search(line, output(command)), output(command)
    numbers = re.findall(r"0\.\d{5}", next(row[2] for row in ROWS if row[0] == claim))
    if claim == "S002-curve-lr-text":
        assert numbers[0] in output(command)
        assert numbers[1] not in output(command)


def test_every_folder_stands_in_the_table():
    folders = re.findall(r"^\| \[([\w-]+)\]\(\1\) \|", TABLE, re.MULTILINE)
    assert folders == sorted(path.parent.name for path in (ROOT / "derivations").glob("*/network.toml"))


def test_links_and_pictures_are_there():
    for target in re.findall(r"\]\(([^)]+)\)", TABLE):
        assert (ROOT / "derivations" / target).exists(), target
