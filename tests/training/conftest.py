"""Makes the helper modules of this folder importable, and those of the compiled functions beside it."""

import functools
import sys
from pathlib import Path
from typing import Any

import pytest

from symbackprop.codegen import bound
from symbackprop.training.compiled_step import CompiledStep

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "codegen")]
_FLATTEN = functools.lru_cache(maxsize=256)(bound.flatten)


@pytest.fixture(autouse=True, scope="module")
def _flattened_once():
    """What a program comes to as a kernel depends on nothing else; the same ones are trained here again and again."""
    right = bound.flatten
    bound.flatten = _FLATTEN
    yield
    bound.flatten = right


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a network, a program and a module in it, the current one."""
    import command_runs

    (tmp_path / "network.toml").write_text(command_runs.text())
    (tmp_path / "line.toml").write_text(command_runs.PROGRAM)
    (tmp_path / "trained_of_test.py").write_text(command_runs.MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "trained_of_test", raising=False)
    return tmp_path


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was trained in spite of all."""
    calls: list[Any] = []
    epoch = CompiledStep.epoch
    monkeypatch.setattr(CompiledStep, "epoch", lambda self, *given: (calls.append(given), epoch(self, *given))[1])
    return calls
