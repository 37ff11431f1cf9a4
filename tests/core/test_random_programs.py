"""The laws of differentiation on random programs.

``HYPOTHESIS_PROFILE=explore`` tries new programs, ten times as many.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path

import pytest
from dual_numbers import TieError
from hypothesis import given, reject, seed, settings
from laws import LAWS
from random_programs import FAMILIES, Case, cases

from symbackprop.functions.library import FUNCTIONS

# How many programs of each family a law is tried on, and what kind they are. Second derivatives and expanded losses
# grow fast, so they get shorter programs; the largest of several symbols cannot be told, so no maximum there.
_SHORT = {"equations": (2, 4)}
_DECIDABLE = {"equations": (2, 5), "maxima": False, "largest_size": 2}
_SMALL = {"equations": (2, 3), "maxima": False, "largest_size": 2}
TRIES: dict[str, tuple[int, dict[str, object]]] = {
    "gradients equal SymPy's derivatives of the expanded loss": (100, _DECIDABLE),
    "gradients equal forward mode": (100, {}),
    "adjoints of intermediates equal forward mode": (30, {}),
    "contributions and terms sum to the adjoint": (30, {}),
    "chains multiply to the contribution": (30, {}),
    "the adjoint program is a program": (40, {}),
    "renaming the indices changes nothing": (30, _SHORT),
    "renaming the sizes changes nothing": (15, _SHORT),
    "renaming the variables changes nothing": (15, _SHORT),
    "deriving twice gives the same": (15, _SHORT),
    "second derivatives equal forward mode": (25, {**_SHORT, "largest_size": 2}),
    "Hessian-vector products equal SymPy's second derivatives": (12, _SMALL),
}
_EXPLORING = os.environ.get("HYPOTHESIS_PROFILE") == "explore"


def test_every_law_is_tried() -> None:
    assert set(TRIES) == set(LAWS)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("says", TRIES)
def test_random_programs_keep_the_law(says: str, family: str) -> None:
    count, kind = TRIES[says]

    @settings(max_examples=count * (10 if _EXPLORING else 1))
    @given(case=cases(family, **kind))
    def holds(case: Case) -> None:
        try:
            LAWS[says](case, family)
        except TieError:
            reject()

    if not _EXPLORING:
        # Otherwise every law would see the same programs.
        holds = seed(zlib.crc32(f"{says} {family}".encode()))(holds)
    holds()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_random_programs_have_every_construct(family: str) -> None:
    """What the strategy claims to make, it makes, and most of it is alive."""
    found: Counter[str] = Counter()

    @settings(max_examples=120)
    @given(case=cases(family))
    def look(case: Case) -> None:
        found.update(case.constructs)
        found["programs"] += 1
        values = sorted(case.sizes.values())
        found["distinct sizes"] += len(values) > 1 and len(set(values)) == len(values)
        found["equal sizes"] += len(set(values)) < len(values)
        found["rank 3"] += any(len(v.shape) == 3 for v in case.program.variables.values())
        found["scalar"] += any(not e.left.shape for e in case.program.equations[:-1])
        found["unreached"] += any(not _reaches(case, v.name) for v in case.program.parameters)

    look()
    wanted = ["constant index", "convolution", "diagonal", "distinct sizes", "equal sizes", "gather", "maximum"]
    wanted += ["nested sums", "normalisation", "piecewise", "quotient", "rank 3", "reduction over 2", "reversed index"]
    wanted += ["scalar", "unreached", "variable twice"]
    wanted += ["log-sum-exp", "softmax"] if family == "general" else ["relu", "huber"]
    missing = [construct for construct in wanted if not found[construct]]
    assert not missing, found
    functions = [name for name in FUNCTIONS if found[name]]
    assert len(functions) >= (8 if family == "general" else 4), functions
    assert found["unreached"] < found["programs"] / 2


def _reaches(case: Case, name: str) -> bool:
    reached = {name}
    for equation in case.program.equations:
        if case.program.uses[equation.name] & reached:
            reached.add(equation.name)
    return str(case.program.loss) in reached


_HANDFUL = ("two layers", "softmax, cross-entropy", "log-softmax", "layer norm in one", "convolution", "labels")
_WRITE_EVERYTHING = """
import sys
sys.path.insert(0, sys.argv[1])
from known_programs import KNOWN, known_case
from laws import written
from symbackprop.adjoint.sweep import differentiate
for name in sys.argv[2:]:
    print(written(differentiate(known_case(name).program)))
"""


def test_the_bytes_do_not_depend_on_the_hash_seed() -> None:
    strategies = str(Path(__file__).resolve().parent.parent / "strategies")
    outputs = set()
    for hash_seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-c", _WRITE_EVERYTHING, strategies, *_HANDFUL]
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert len(outputs.pop()) > 10_000


def test_the_strategy_refuses_an_unknown_family() -> None:
    with pytest.raises(ValueError, match="unknown family 'irrational'; known are rational, general"):
        cases("irrational")
