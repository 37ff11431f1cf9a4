"""Documents to try emitters on: each activation, each loss, and programs that are no networks; and what is in them."""

from __future__ import annotations

from functools import cache

from known_programs import KNOWN

import symbackprop as sbp
from symbackprop.adjoint.sweep import differentiate
from symbackprop.api.story import story_of
from symbackprop.documents.derivation import Story, derivation_document
from symbackprop.documents.options import Options
from symbackprop.documents.tree import Bullets, Display, Figure, Math, Paragraph, Ref, Table
from symbackprop.forms.views import Views
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.losses import LOSSES

OPTIONS = Options(date="2026-01-31")
ENDINGS = {"binary_cross_entropy": "sigmoid", "categorical_cross_entropy": "softmax"}
MODELS = {
    "softmax": sbp.Network(2, [sbp.Dense(3, "relu"), sbp.Dense(2, "softmax")], "categorical_cross_entropy", l2=0.1),
    "six layers": sbp.Network(
        2,
        [
            sbp.Dense(units, activation)
            for units, activation in zip(
                (3, 3, 2, 2, 2, 1), ("tanh", "gelu_tanh", "selu", "elu", "hard_sigmoid", "identity"), strict=True
            )
        ],
        "huber",
    ),
    "symbolic": sbp.Network("D", [sbp.Dense("H", "tanh"), sbp.Dense("K")], "mean_squared_error"),
    "Greek": sbp.Program(
        ["gamma[n] = Sum(alpha[i]*x[n,i], i)", "L = Sum((gamma[n] - psi[n])**2, n)"],
        "L",
        inputs={"x": ("N", "D")},
        targets={"psi": ("N",)},
        parameters={"alpha": ("D",)},
    ),
    **{
        f"activation {name}": sbp.Network(2, [sbp.Dense(2, name), sbp.Dense(1)], "half_squared_error")
        for name in ACTIVATIONS
    },
    **{
        f"loss {name}": sbp.Network(2, [sbp.Dense(2, "tanh"), sbp.Dense(2, ENDINGS.get(name, "identity"))], name)
        for name in LOSSES
    },
}
NAMES = [*MODELS, *(f"program {name}" for name in KNOWN)]


def story(model, parameters=None, x=None, y=None, options=OPTIONS, learning_rate=None):
    """What the document of ``model`` tells, with these numbers."""
    derivation = model.derive()
    return story_of(derivation, derivation._given(parameters, x, y, {}), learning_rate, options)


@cache
def document(name, options=OPTIONS):
    if name in MODELS:
        return derivation_document(story(MODELS[name], options=options), options)
    known = KNOWN[name.removeprefix("program ")].build()
    views = Views(differentiate(known), options.as_notation, breakable=True)
    return derivation_document(Story(views, name), options)


def texts(block):
    """Every running text of a block."""
    match block:
        case Paragraph(text):
            yield text
        case Bullets(items):
            yield from items
        case Table(header, rows):
            yield from header
            for row in rows:
                yield from row
        case Figure(caption=caption):
            yield caption


def formulas(document):
    """The LaTeX of every formula, in the order in which they are read."""
    for block in document.blocks:
        if isinstance(block, Display):
            for row in block.rows:
                yield from (row.left, row.relation, *row.right)
        for text in texts(block):
            yield from (part.latex for part in text if isinstance(part, Math))


def references(document):
    """The labels that are referred to, of displays and of figures."""
    return [part.label for block in document.blocks for text in texts(block) for part in text if isinstance(part, Ref)]


def cited(document):
    """The labels of the displays that are referred to."""
    parts = (part for block in document.blocks for text in texts(block) for part in text if isinstance(part, Ref))
    return [part.label for part in parts if not part.figure]
