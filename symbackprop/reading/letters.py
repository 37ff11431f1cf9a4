"""Letters that mean something without anybody saying so."""

from __future__ import annotations

__all__ = ["DATA", "GREEK_NUMBERS", "LOSSES", "NET_INPUTS"]

LOSSES = ("L", "J", "C", "E", "\\ell", "Loss", "loss", "Cost", "cost", "MSE", "CE", "NLL", "f", "R", "S")
"""The letters of losses, the likeliest first."""
NET_INPUTS = ("z", "Z", "net", "s", "u", "h", "v", "n", "i", "p", "x")
"""The letters of what an error signal is the derivative by, the likeliest first."""
GREEK_NUMBERS = frozenset(
    ("\\eta", "\\alpha", "\\lambda", "\\epsilon", "\\gamma", "\\beta", "\\mu", "\\rho", "lr", "\\kappa")
)
"""Letters that are numbers without anybody saying so."""
DATA = ("x", "X", "y", "Y", "t", "T")
"""The letters of inputs and targets."""
