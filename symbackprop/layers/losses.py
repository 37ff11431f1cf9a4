"""Losses as equations: one row a loss. N examples, K outputs; a is the output, y the target.

What is averaged: "examples" means 1/N sum_n sum_k, "entries" means 1/(N K) sum_n sum_k, None means a plain sum.
With ``reduction="sum"`` the 1/N or 1/(N K) falls away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import sympy

from symbackprop.errors import UsageError, nearest
from symbackprop.functions.library import FUNCTIONS
from symbackprop.functions.translate import translate
from symbackprop.layers.activations import ACTIVATIONS, Activation, Softmax
from symbackprop.notation.expressions import index, total
from symbackprop.notation.program import Assumption, Equation, Role, Variable
from symbackprop.notation.terms import Term

__all__ = ["LOSSES", "REDUCTIONS", "Loss", "LossEquations", "loss_equations", "loss_named"]

REDUCTIONS = ("mean", "sum")
"""What becomes of the losses of the examples."""

Average = Literal["examples", "entries"] | None
Entry = Callable[[sympy.Expr, sympy.Expr], sympy.Expr]
_A, _Y = sympy.symbols("a y", real=True)


@dataclass(frozen=True, init=False)
class Loss:
    """A loss of one's own: an expression in an output a and a target y, for one entry.

    ``function`` is a callable of two SymPy arguments (output, target), or an expression in two symbols named
    ``a`` and ``y``. ``average`` says what ``reduction="mean"`` averages over: "examples" (1/N sum_n sum_k) or
    "entries" (1/(N K) sum_n sum_k, as PyTorch does)::

        Loss("quartic", lambda a, y: (a - y)**4)
    """

    name: str
    entry: sympy.Expr
    average: Average
    expects: str
    says: str

    def __init__(
        self,
        name: str,
        function: Entry | sympy.Expr,
        average: Average = "examples",
        expects: str = "real",
        says: str = "",
    ) -> None:
        if average not in ("examples", "entries", None):
            raise UsageError(f"loss {name!r}: average is {average!r}; it is 'examples' or 'entries'")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "entry", translate(_in_output_and_target(name, function)))
        object.__setattr__(self, "average", average)
        object.__setattr__(self, "expects", expects)
        object.__setattr__(self, "says", says)
        object.__setattr__(self, "__doc__", says or f"The loss {name!r} of one's own, averaged over {average}.")


def _in_output_and_target(name: str, function: Entry | sympy.Expr) -> sympy.Expr:
    if isinstance(function, str):
        raise UsageError(f"loss {name!r} is given as the string {function!r}; give a SymPy expression or a callable")
    if isinstance(function, sympy.Basic) and not isinstance(function, sympy.Lambda):
        by_name = {"a": _A, "y": _Y}
        unknown = sorted(symbol.name for symbol in function.free_symbols if symbol.name not in by_name)
        if unknown:
            raise UsageError(
                f"loss {name!r} has the symbol {unknown[0]!r}; write it in a (output) and y (target) alone"
            )
        expression = function.xreplace({symbol: by_name[symbol.name] for symbol in function.free_symbols})
    else:
        try:
            expression = sympy.sympify(function(_A, _Y))
        except TypeError as error:
            raise UsageError(f"loss {name!r} cannot be applied to two SymPy symbols: {error}") from error
    if not expression.has(_A):
        raise UsageError(f"loss {name!r} = {expression} does not contain the output a")
    if expression.free_symbols - {_A, _Y}:
        raise UsageError(f"loss {name!r} = {expression} contains more than the output a and the target y")
    return expression


_F = FUNCTIONS

LOSSES: MappingProxyType[str, Loss] = MappingProxyType(
    {
        loss.name: loss
        for loss in (
            Loss(
                "half_squared_error",
                lambda a, y: (a - y) ** 2 / 2,
                "examples",
                says="1/N sum_n 1/2 sum_k (a - y)^2: the mean over the examples of half the squared error; "
                "equal to torch.nn.MSELoss(reduction='sum')(a, y) / (2 N)",
            ),
            Loss(
                "mean_squared_error",
                lambda a, y: (a - y) ** 2,
                "entries",
                says="1/(N K) sum_n sum_k (a - y)^2: the mean over all entries; equal to torch.nn.MSELoss()",
            ),
            Loss(
                "mean_absolute_error",
                lambda a, y: _F["absolute"](a - y),
                "entries",
                says="1/(N K) sum_n sum_k |a - y|: the mean over all entries; equal to torch.nn.L1Loss()",
            ),
            Loss(
                "huber",
                lambda a, y: _F["huber"](a - y),
                "entries",
                says="the mean over all entries of d^2/2 where |d| <= 1 and |d| - 1/2 elsewhere, d = a - y; "
                "equal to torch.nn.HuberLoss(delta=1.0)",
            ),
            Loss(
                "log_cosh",
                lambda a, y: _F["log_cosh"](a - y),
                "entries",
                says="1/(N K) sum_n sum_k log cosh(a - y): the mean over all entries; PyTorch has none, it is "
                "torch.log(torch.cosh(a - y)).mean()",
            ),
            Loss(
                "hinge",
                lambda a, y: _F["relu"](1 - y * a),
                "entries",
                "real",
                says="1/(N K) sum_n sum_k max(0, 1 - y a), y = -1 or +1: the mean over all entries; PyTorch has none "
                "of this form, it is torch.relu(1 - y * a).mean()",
            ),
            Loss(
                "binary_cross_entropy",
                lambda a, y: -y * sympy.log(a) - (1 - y) * sympy.log(1 - a),
                "entries",
                "probability",
                says="-1/(N K) sum_n sum_k [y log a + (1 - y) log(1 - a)], a a probability: the mean over all entries; "
                "equal to torch.nn.BCELoss(), which in addition cuts the logarithms off at -100",
            ),
            Loss(
                "binary_cross_entropy_with_logits",
                lambda a, y: _F["softplus"](a) - y * a,
                "entries",
                "logit",
                says="1/(N K) sum_n sum_k [softplus(z) - y z], z a logit: the mean over all entries; "
                "equal to torch.nn.BCEWithLogitsLoss()",
            ),
            Loss(
                "categorical_cross_entropy",
                lambda a, y: -y * sympy.log(a),
                "examples",
                "probability",
                says="-1/N sum_n sum_k y log a, a a probability: the mean over the examples; on top of softmax "
                "equal to torch.nn.CrossEntropyLoss()(z, y) of the logits z",
            ),
            Loss(
                "categorical_cross_entropy_with_logits",
                lambda a, y: -y * a,
                "examples",
                "logit",
                says="-1/N sum_n sum_k y log softmax(z): the mean over the examples; equal to "
                "torch.nn.CrossEntropyLoss()(z, y) with probabilities y",
            ),
            Loss(
                "upstream",
                lambda a, y: y * a,
                None,
                says="sum_n sum_k y a with y the upstream gradient, never averaged: its gradients are those of "
                "a.backward(y), the backward pass of the layers alone",
            ),
        )
    }
)
"""Every loss that has a name."""


__doc__ = f"{__doc__}\nThe losses:\n\n" + "\n".join(f"{loss.name}: {loss.says}." for loss in LOSSES.values())


def loss_named(name: str) -> Loss:
    """The loss called ``name``."""
    if name not in LOSSES:
        raise UsageError(f"unknown loss {name!r}; {nearest(name, LOSSES)}")
    return LOSSES[name]


@dataclass(frozen=True)
class LossEquations:
    """The equations from the last layer to the loss, and the assumptions that shorten its gradient."""

    equations: tuple[Equation, ...]
    assumptions: tuple[Assumption, ...] = ()


@dataclass(frozen=True)
class _Setting:
    """What a loss is built on: the last layer's z and output, the target, the loss's name and its scale."""

    loss: Loss
    z: Variable
    output: Variable
    target: Variable
    left: Variable
    scale: sympy.Expr


def loss_equations(
    loss: Loss,
    activation: Activation | Softmax,
    z: Variable,
    output: Variable,
    target: Variable,
    reduction: str,
    name: str = "L",
    fused: bool = True,
    hint: str = "",
) -> LossEquations:
    """The equations of ``loss`` on ``output`` = activation(``z``), fused with the activation where it can be.

    ``fused=False`` leaves the cross-entropies on top of the probabilities, for showing the chain through them;
    ``hint`` is added to the error where output and loss do not fit.
    """
    if reduction not in REDUCTIONS:
        raise UsageError(f"unknown reduction {reduction!r}; {nearest(str(reduction), REDUCTIONS)}")
    _check_output(loss, activation, hint)
    average = loss.average if reduction == "mean" else None
    examples, outputs = target.shape
    scale = {"examples": 1 / examples, "entries": 1 / (examples * outputs), None: sympy.Integer(1)}[average]
    left = Variable(name, meaning="the loss" if name == "L" else "the loss without penalties")
    setting = _Setting(loss, z, output, target, left, scale)
    build: Callable[[_Setting], LossEquations] | None = None
    # A user's own function may go by the name of a known one; only the known ones are known to fuse.
    if loss == LOSSES.get(loss.name):
        build = _ON_LOGITS.get(loss.name)
        if build is None and fused and activation == ACTIVATIONS.get(activation.name):
            build = _FUSED.get((loss.name, activation.name))
    return build(setting) if build else _plain(setting)


def _check_output(loss: Loss, activation: Activation | Softmax, hint: str) -> None:
    low, high = activation.bounds
    known = activation == ACTIVATIONS.get(activation.name)
    if loss.expects == "probability" and known and not (low >= 0 and high <= 1):
        raise UsageError(
            f"loss {loss.name!r} expects probabilities, but the output layer has activation {activation.name!r}; "
            f"use softmax or sigmoid there, or the loss {loss.name + '_with_logits'!r}{hint}"
        )
    if loss.expects == "logit" and known and activation.name in ("sigmoid", "softmax"):
        raise UsageError(
            f"loss {loss.name!r} expects logits, but the output layer already applies {activation.name!r}; "
            f"use the loss {loss.name.removesuffix('_with_logits')!r}, or no activation there"
        )


def _sum_over_entries(setting: _Setting, entry: sympy.Expr, note: str = "") -> Equation:
    """``scale * sum_n sum_k entry``, with the parts that do not differ between entries in front."""
    n, k = setting.target.indices
    examples, outputs = setting.target.shape
    number, body = entry.as_coeff_Mul()
    over = ((k, outputs), (n, examples))
    term = Term(setting.scale * number, over, (body,))
    return Equation(setting.left, setting.scale * number * total(body, *over), (term,), note)


def _entry(setting: _Setting) -> sympy.Expr:
    n, k = setting.target.indices
    return setting.loss.entry.xreplace({_A: setting.output.at(n, k), _Y: setting.target.at(n, k)})


def _plain(setting: _Setting) -> LossEquations:
    return LossEquations((_sum_over_entries(setting, _entry(setting)),))


def _on_log_softmax(setting: _Setting, probability: Variable | None) -> LossEquations:
    """Cross-entropy by log softmax(z) = z - log sum_k exp(z_k), which neither overflows nor takes log 0."""
    n, k = setting.target.indices
    j = index("j")
    z = setting.z
    shape = z.shape
    log_p = Variable("logp", shape, indices=(n, j), meaning="logarithms of the probabilities", symbol=r"\ell")
    logsumexp = sympy.log(total(sympy.exp(z.at(n, k)), (k, shape[-1])))
    equations = [
        Equation(log_p, z.at(n, j) - logsumexp, note="log softmax, written so that nothing overflows or vanishes")
    ]
    if probability is not None:
        equations.insert(0, Softmax().equation(probability, z))
    entry = -setting.target.at(n, k) * log_p.at(n, k)
    equations.append(_sum_over_entries(setting, entry))
    one = Assumption(
        f"sum_k {setting.target.name}_k = 1",
        total(setting.target.at(n, k), (k, shape[-1])),
        sympy.Integer(1),
        (n,),
    )
    return LossEquations(tuple(equations), (one,))


def _softmax_logits(setting: _Setting) -> LossEquations:
    probability = Variable(
        "p", setting.z.shape, Role.DEFINED, (index("n"), index("j")), meaning="probabilities, softmax of the logits"
    )
    return _on_log_softmax(setting, probability)


def _sigmoid_logits(setting: _Setting) -> LossEquations:
    n, j = index("n"), index("j")
    probability = Variable("p", setting.z.shape, Role.DEFINED, (n, j), meaning="probabilities, sigmoid of the logits")
    sigmoid = Equation(probability, _F["sigmoid"](setting.z.at(n, j)))
    return LossEquations((sigmoid, _sum_over_entries(setting, _entry(setting))))


def _sigmoid_and_binary(setting: _Setting) -> LossEquations:
    """-y log s - (1 - y) log(1 - s) = softplus(z) - y z, since log s = -softplus(-z), log(1 - s) = -softplus(z)."""
    n, k = setting.target.indices
    z = setting.z.at(n, k)
    note = "log sigma(z) = z - softplus(z) and log(1 - sigma(z)) = -softplus(z)"
    return LossEquations((_sum_over_entries(setting, _F["softplus"](z) - setting.target.at(n, k) * z, note),))


def _sigmoid_and_categorical(setting: _Setting) -> LossEquations:
    n, k = setting.target.indices
    note = "-log sigma(z) = softplus(-z)"
    entry = setting.target.at(n, k) * _F["softplus"](-setting.z.at(n, k))
    return LossEquations((_sum_over_entries(setting, entry, note),))


_FUSED: dict[tuple[str, str], Callable[[_Setting], LossEquations]] = {
    ("binary_cross_entropy", "sigmoid"): _sigmoid_and_binary,
    ("categorical_cross_entropy", "softmax"): lambda setting: _on_log_softmax(setting, None),
    ("categorical_cross_entropy", "sigmoid"): _sigmoid_and_categorical,
}
_ON_LOGITS = {
    "binary_cross_entropy_with_logits": _sigmoid_logits,
    "categorical_cross_entropy_with_logits": _softmax_logits,
}
