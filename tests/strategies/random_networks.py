"""Random feed-forward networks: widths, activations, biases, layouts, losses that fit, and penalties."""

from __future__ import annotations

from hypothesis import strategies as st

import symbackprop as sbp
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.losses import LOSSES

__all__ = ["networks"]

_ENDINGS = {"binary_cross_entropy": "sigmoid", "categorical_cross_entropy": "softmax"}


@st.composite
def networks(
    draw: st.DrawFn, *, layers: tuple[int, int] = (1, 4), symbolic: bool = True, penalties: bool = True
) -> sbp.Network:
    """Networks with ``layers`` (fewest, most) layers."""
    widths = st.integers(1, 3) if not symbolic else st.one_of(st.integers(1, 3), st.sampled_from(["D", "H", "K"]))
    loss = draw(st.sampled_from(sorted(LOSSES)))
    hidden = draw(
        st.lists(
            st.tuples(widths, st.sampled_from(sorted(ACTIVATIONS)), st.booleans()),
            min_size=layers[0] - 1,
            max_size=layers[1] - 1,
        )
    )
    last = (draw(widths), _ENDINGS.get(loss, draw(st.sampled_from(["identity", "tanh", "relu"]))), draw(st.booleans()))
    if loss.endswith("logits"):
        last = (last[0], "identity", last[2])
    penalty = st.sampled_from([0, 0, 0.1]) if penalties else st.just(0)
    return sbp.Network(
        draw(widths),
        [sbp.Dense(units, activation, bias) for units, activation, bias in (*hidden, last)],
        loss,
        reduction=draw(st.sampled_from(["mean", "sum"])),
        weight_layout=draw(st.sampled_from(["out_in", "in_out"])),
        l1=draw(penalty),
        l2=draw(penalty),
    )
