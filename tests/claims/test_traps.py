"""Notes that once were read wrongly: what must never be accepted, and what must not be called wrong."""

from __future__ import annotations

import pytest

from symbackprop.claims.document import check_text

NIELSEN = r"""
$$a^l_j=\sigma\left(\sum_k w^l_{jk}a^{l-1}_k+b^l_j\right)$$
$$z^l_j=\sum_k w^l_{jk}a^{l-1}_k+b^l_j$$
$$C = \frac12 \sum_j (y_j - a^L_j)^2$$
"""
TWO = r"""
$x \in \mathbb{R}^{D}$, $W_1 \in \mathbb{R}^{H\times D}$, $W_2\in\mathbb{R}^{K\times H}$, $y\in\mathbb{R}^K$
$$z_1 = W_1 x, \quad a_1 = \tanh(z_1), \quad z_2 = W_2 a_1, \quad L = \frac12 \|z_2 - y\|^2$$
"""
STEPS = r"""
$x_1, x_2 \in \mathbb{R}^{D}$, $h_0, y \in \mathbb{R}^{H}$, $U \in \mathbb{R}^{H\times H}$, $V\in\mathbb{R}^{H\times D}$
$$h_1 = \tanh(U h_0 + V x_1), \quad h_2 = \tanh(U h_1 + V x_2), \quad L = \frac12 \|h_2 - y\|^2$$
"""
ROWS = r"""
$X \in \mathbb{R}^{N\times D}$, $W \in \mathbb{R}^{D\times K}$, $b \in \mathbb{R}^{K}$, $Y\in\mathbb{R}^{N \times K}$.
$$Z = X W + b, \quad L = \frac12 \|Z - Y\|^2$$
"""
# (notes, formula, outcome); "holds" is proved or agrees.
TRAPS = {
    "a variable that is named after it was used": (NIELSEN, r"\frac{\partial C}{\partial z^l_j}=0", "differs"),
    "its error signal": (NIELSEN, r"\delta^L = (a^L - y) \odot \sigma'(z^L)", "holds"),
    "the layer before on the left": (NIELSEN, r"\delta^{l-1}=(w^l)^\top\delta^l\odot\sigma'(z^{l-1})", "holds"),
    "the same, wrong": (NIELSEN, r"\delta^{l-1}=(w^l)^\top\delta^l\odot\sigma'(z^{l})", "differs"),
    "by what is never mentioned": (NIELSEN, r"\frac{\partial C}{\partial h} = 0", "unreadable"),
    "nothing is repeated entry by entry": (
        TWO,
        r"\frac{\partial L}{\partial W_1}=W_2^\top(z_2-y)x^\top\odot\tanh'(z_1)",
        "differs",
    ),
    "an update under a new name": (TWO, r"W_1^{new}=W_1+\eta\frac{\partial L}{\partial W_1}", "unreadable"),
    "an update by steps": (TWO, r"W_1^{(t+1)}=W_1^{(t)}+\eta\frac{\partial L}{\partial W_1}", "unreadable"),
    "a proportion": (TWO, r"\frac{\partial L}{\partial W_2} \propto x", "unreadable"),
    "no rate": (TWO, r"W_2\leftarrow W_2-\frac{\partial L}{\partial W_2}", "holds"),
    "a number behind a bracket": (TWO, r"\frac{\partial L}{\partial z_2} = \frac{1}{2} (1) 2 (z_2 - y)", "holds"),
    "a square where numbers stand below": (
        STEPS,
        r"\frac{\partial L}{\partial h_1}=U^\top((1-h_2^2)\odot(h_2-y))",
        "holds",
    ),
    "a condition below a 1": (
        STEPS,
        r"\frac{\partial L}{\partial h_1}=U^\top(\mathbf{1}_{h_2 > 0}\odot(h_2-y))",
        "differs",
    ),
    "a row for a bias": (
        ROWS,
        r"\frac{\partial L}{\partial b} = \mathbf{1}^\top \frac{\partial L}{\partial Z}",
        "holds",
    ),
    "what two examples make true": (ROWS, r"dW = \frac{2}{N} X^\top dZ", "differs"),
    "a number without numbers": (ROWS, r"\frac{\partial L}{\partial Z} = 0.5", "unreadable"),
    "a loss that is averaged": (ROWS, r"\frac{\partial L}{\partial W} = \frac{1}{N} X^\top (Z - Y)", "differs"),
}


@pytest.mark.parametrize(("notes", "formula", "outcome"), TRAPS.values(), ids=TRAPS.keys())
def test_a_trap_is_seen(notes, formula, outcome):
    check = check_text(f"{notes}\n$${formula}$$\n", "markdown", seconds=None)
    (claim,) = check.claims
    found = "holds" if claim.outcome.holds else claim.outcome.value
    assert found == outcome, (claim.diagnosis, claim.by)


def test_an_update_without_a_rate_says_which_is_meant():
    check = check_text(TWO + "\n" + r"$$W_2\leftarrow W_2-\frac{\partial L}{\partial W_2}$$", "markdown", seconds=None)
    assert check.assumptions == ("right with the learning rate 1",)


def test_a_loss_that_all_claims_average_is_an_assumption():
    claims = r"""
$$\frac{\partial L}{\partial Z} = \frac{1}{N} (Z - Y)$$
$$\frac{\partial L}{\partial W} = \frac{1}{N} X^\top (Z - Y)$$
"""
    check = check_text(ROWS + claims, "markdown", seconds=None)
    assert check.ok
    assert "right with the loss averaged over the batch; your loss sums" in check.assumptions


def test_a_line_that_uses_a_wrong_value_says_whose():
    claims = r"""
$$\frac{\partial L}{\partial z_2} = y - z_2$$
$$\frac{\partial L}{\partial W_2} = (y - z_2) a_1^\top$$
$$\frac{\partial L}{\partial a_1} = W_2^\top \frac{\partial L}{\partial z_2}$$
"""
    first, second, third = check_text(TWO + claims, "markdown", seconds=None).claims
    assert (first.fault, first.given) == ("sign", ())
    assert (second.fault, second.given) == ("sign", (first.line,))
    assert third.outcome.holds
