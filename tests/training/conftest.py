"""Makes the helper modules of this folder importable, and those of the compiled functions beside it."""

import functools
import sys
from pathlib import Path

import pytest

from symbackprop.codegen import bound

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "codegen")]
_FLATTEN = functools.lru_cache(maxsize=256)(bound.flatten)


@pytest.fixture(autouse=True, scope="session")
def _flattened_once():
    """What a program comes to as a kernel depends on nothing else; the same ones are trained here again and again."""
    right = bound.flatten
    bound.flatten = _FLATTEN
    yield
    bound.flatten = right
