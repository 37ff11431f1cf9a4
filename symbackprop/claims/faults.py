"""The kinds of faults that a wrong formula may have, the most specific first where several give the same."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["FAULTS"]

FAULTS = MappingProxyType(
    {
        "sign": "a sign is wrong",
        "factor": "a constant factor, such as 2, 1/2, N or 1/N, is missing or too many",
        "update sign": "the update goes up the slope",
        "updated weights": "weights that have been updated already stand in place of those of the forward pass",
        "transpose": "a transpose is missing, or is too many",
        "order": "the factors of a product stand in the wrong order",
        "elementwise": "a product entry by entry stands in place of a matrix product",
        "matrix product": "a matrix product stands in place of one entry by entry",
        "wrong function": "another function stands in place of the right one",
        "wrong argument": "the derivative of the activation is taken at another value",
        "wrong layer": "a symbol of another layer stands in place of the right one",
        "wrong index": "an index is another, or indices are swapped",
        "missing sum": "a sum over the examples, or over what comes behind, is missing",
        "extra sum": "a sum too many",
        "missing factor": "a factor is missing, such as the derivative of the activation",
        "extra factor": "a factor too many",
        "diagonal only": "the terms off the diagonal of the softmax are left out",
        "penalty": "the penalty's part is missing, or has another factor",
        "missing term": "a term is missing",
        "extra term": "a term too many",
        "wrong symbol": "another symbol stands in place of the right one",
        "number": "the number is another",
        "shape": "a shape that cannot be",
    }
)
