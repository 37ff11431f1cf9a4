"""A derivation as one JSON object. Indices count from 0 there, as in the API."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sympy

from symbackprop._version import __version__
from symbackprop.api import Derivation, Gradient
from symbackprop.functions.kinks import Kink
from symbackprop.notation.text import expression_text, terms_text

__all__ = ["derivation_json"]


def derivation_json(derivation: Derivation, file: Path | None = None) -> str:
    """The JSON text of ``derivation``; ``file`` is where its document was written."""
    asked = derivation.gradients
    everything = {
        "network": derivation.network.name,
        "version": __version__,
        "loss": derivation.differentiation.loss,
        "equations": list(derivation.network.equations),
        "gradients": {name: _gradient(gradient) for name, gradient in asked.items()},
        "adjoints": {name: _gradient(g) for name, g in derivation.adjoints.items() if name not in asked},
        "kinks": [_kink(kink) for kink in derivation.kinks],
        "assumptions": list(derivation.assumptions),
        "unreached": list(derivation.unreached),
        "file": None if file is None else str(file),
    }
    return json.dumps(everything, indent=2, allow_nan=False)


def _gradient(gradient: Gradient) -> dict[str, Any]:
    return {
        "shape": _shape(gradient.shape),
        "index": str(gradient.index),
        "index_latex": gradient.index.latex,
        "matrix_latex": gradient.matrix_latex(),
        "contributions": [
            {
                "through": contribution.through,
                "expression": terms_text((contribution.term,)),
                "rules": [factor.rule for factor in contribution.chain] + [step.rule for step in contribution.steps],
            }
            for contribution in gradient.contributions
        ],
        "assuming": {
            text: {"index": str(formula), "index_latex": formula.latex} for text, formula in gradient.assuming.items()
        },
    }


def _shape(shape: Sequence[sympy.Expr]) -> list[int | str]:
    return [int(size) if size.is_Integer else str(size) for size in shape]


def _kink(kink: Kink) -> dict[str, Any]:
    return {
        "equation": kink.equation,
        "function": kink.function,
        "argument": expression_text(kink.argument),
        "point": None if kink.point is None else _number(kink.point),
        "convention": kink.convention,
    }


def _number(value: sympy.Expr) -> float | int | None:
    """A number as JSON can say it; JSON has none for infinity."""
    if value.is_Integer:
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None
