"""The examples in docstrings print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import symbackprop as sbp

MODULES = [name for _, name, _ in pkgutil.walk_packages(sbp.__path__, "symbackprop.") if "__main__" not in name]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name):
    names = {"sbp": sbp, "Dense": sbp.Dense, "Network": sbp.Network, "np": np}
    result = doctest.testmod(importlib.import_module(name), extraglobs=names, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def test_there_are_examples():
    modules = (importlib.import_module(name) for name in MODULES)
    assert sum(bool(test.examples) for module in modules for test in doctest.DocTestFinder().find(module)) >= 5
