"""The kinds of faults that have a name, from the most to the least specific.

Where several faults give the same numbers, all are told, in this order.
"""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["KINDS", "rank"]

KINDS = MappingProxyType(
    {
        "not finite": "an entry is NaN or infinite",
        "rounding": "right to single precision: computed in float32 somewhere",
        "transposed": "the array is the transpose of the right one",
        "swapped arrays": "an array holds the gradient of another",
        "sign": "the sign is wrong at one place",
        "derivative left out": "the error goes back through an activation without its derivative",
        "derivative twice": "a derivative too many",
        "derivative of another activation": "the derivative belongs to another function",
        "derivative at the wrong argument": "the derivative is taken at another value: at a in place of z, or z of a",
        "assumption": "a form that holds only under an assumption, which the data do not keep",
        "diagonal": "only the diagonal of a Jacobian is used: softmax taken for an elementwise function",
        "bias not summed": "the sum over the examples is missing",
        "wrong axis": "summed over units in place of examples",
        "averaged": "the mean over the batch in place of the sum",
        "penalty missing": "the penalty's part of the gradient is missing",
        "penalty on biases": "the penalty also pulls at a parameter that it does not contain",
        "penalty scale": "the penalty's part has another factor",
        "not transposed": "a square matrix is used without its transpose",
        "weights updated": "the error went back through weights that had been updated already",
        "elementwise": "an elementwise product in place of a matrix product",
        "wrong weights": "another layer's weights",
        "wrong activation": "another stored value in place of the right one",
        "wrong error signal": "the error signal of another variable",
        "examples": "examples are left out, or do not belong together",
        "wrong index": "an index runs the wrong way, or without its stride",
        "cut off": "a part of the error is not passed on",
        "scale": "a factor such as 2, 1/2, N or 1/N at one place",
        "another network": "the right gradient of another network",
        "learning rate": "a constant that is none of the usual ones: a step size multiplied in",
        "entries": "single entries differ, the others are right",
        "shape": "the array has another shape",
    }
)


_RANKS = MappingProxyType({kind: place for place, kind in enumerate(KINDS)})


def rank(kind: str) -> int:
    """The place of ``kind`` in the order."""
    return _RANKS[kind]
