"""The elementwise functions, one record each.

Slopes at kinks are PyTorch's: relu and its kin have slope 0 at 0, the absolute value has slope 0 at 0.
Sources: the PyTorch documentation for the definitions and constants; Hendrycks and Gimpel (2016) for gelu;
Klambauer et al. (2017) for selu; Elfwing et al. (2018) for silu.
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import sympy

from symbackprop.functions.primitives import erfc, expm1, larger, log1p, magnitude, smaller
from symbackprop.functions.records import Record, constant, function_class, packed
from symbackprop.notation.expressions import Bracket, ElementwiseClass, ElementwiseFunction

__all__ = ["FUNCTIONS"]

_HALF = sympy.Rational(1, 2)
_SLOPE = sympy.Rational(1, 100)
_GELU_CUBIC = sympy.Rational("0.044715")
# Klambauer et al., appendix A1: the fixed point that keeps mean 0 and variance 1.
_SELU_ALPHA = constant("selu_alpha", r"\alpha", "1.6732632423543772848170429916717")
_SELU_SCALE = constant("selu_scale", r"\lambda", "1.0507009873554804934193349852946")


def _sigmoid(z: sympy.Expr) -> sympy.Expr:
    # 1/(1 + exp(-z)) to the right of 0, exp(z)/(1 + exp(z)) to the left: small values keep their digits in float32 too.
    return sympy.exp(smaller(z, 0)) / (1 + sympy.exp(-magnitude(z)))


def _log_cosh(d: sympy.Expr) -> sympy.Expr:
    size = magnitude(d)
    # cosh d = 1 + 2 sinh(d/2)^2 keeps the digits near 0; both cases are computed everywhere, and neither overflows.
    near = log1p(2 * sympy.sinh(smaller(size, 1) / 2) ** 2)
    far = size + log1p(sympy.exp(-2 * size)) - sympy.log(2)
    return sympy.Piecewise((near, size < 1), (far, True))


def _ramp_change(z: sympy.Expr, t: sympy.Expr) -> sympy.Expr:
    # max(z + t, 0) - max(z, 0): to the right of 0 it is max(t, -z), to the left max(z + t, 0), each without rounding t.
    return larger(t + smaller(z, 0), -larger(z, 0))


def _clamp_change(z: sympy.Expr, t: sympy.Expr, reach: int) -> sympy.Expr:
    return _ramp_change(z + reach, t) - _ramp_change(z - reach, t)


def _exponential_change(z: sympy.Expr, t: sympy.Expr) -> sympy.Expr:
    # exp(min(z + t, 0)) - exp(min(z, 0)), where min(z + t, 0) - min(z, 0) is t less the change of the ramp.
    return sympy.exp(smaller(z, 0)) * expm1(t - _ramp_change(z, t))


def _sigmoid_change(z: sympy.Expr, t: sympy.Expr) -> sympy.Expr:
    # c e / (1 + a e) with e = exp(t) - 1 and c = sigma(z) sigma(-z), by e = 2 T / (1 - T) with T = tanh(t/2): NumPy is
    # several times as fast at tanh.
    steepness = FUNCTIONS["sigmoid"](z) * FUNCTIONS["sigmoid"](-z)
    half = sympy.tanh(t / 2)
    return 2 * steepness * half / (1 + sympy.tanh(z / 2) * half)


def _log_cosh_change(d: sympy.Expr, t: sympy.Expr) -> sympy.Expr:
    # cosh(d + t) / cosh d = cosh t + tanh d sinh t, and cosh t - 1 = 2 sinh(t/2)^2.
    half = sympy.sinh(t / 2)
    return log1p(2 * half * (half + sympy.tanh(d) * sympy.cosh(t / 2)))


def _gelu_gate_change(z: sympy.Expr, t: sympy.Expr) -> sympy.Expr:
    # The gate is sigma(2 u), and u is a polynomial: (z + t)^3 - z^3 = t (3 z^2 + 3 z t + t^2).
    change = t * (1 + _GELU_CUBIC * (3 * z**2 + t * (3 * z + t)))
    u, by = 2 * _gelu_inner(z), 2 * sympy.sqrt(2 / sympy.pi) * change
    # sigma(u + s) - sigma(u) = sigma(u + s) sigma(-u) (1 - exp(-s)), for s of any size: z^2 makes it large.
    return -FUNCTIONS["sigmoid"](u + by) * FUNCTIONS["sigmoid"](-u) * expm1(-by)


def _huber(d: sympy.Expr) -> sympy.Expr:
    near = FUNCTIONS["clamp"](d)
    return near * (d - near / 2)


def _huber_change(d: sympy.Expr, t: sympy.Expr) -> sympy.Expr:
    # Of c (d - c/2) with c = clamp(d), as a product.
    clamped, change = FUNCTIONS["clamp"](d), _clamp_change(d, t, 1)
    return clamped * t + change * ((d - clamped) + t - change / 2)


def _gelu_inner(z: sympy.Expr) -> sympy.Expr:
    return sympy.sqrt(2 / sympy.pi) * (z + _GELU_CUBIC * z**3)


def _gelu_gate(z: sympy.Expr) -> sympy.Expr:
    return (1 + sympy.tanh(_gelu_inner(z))) / 2


def _gelu_gate_stable(z: sympy.Expr) -> sympy.Expr:
    # (1 + tanh u) / 2 = sigma(2 u), which keeps its digits where tanh u is near -1. NumPy is slow at cubes.
    return FUNCTIONS["sigmoid"](2 * sympy.sqrt(2 / sympy.pi) * z * (1 + _GELU_CUBIC * z**2))


def _gelu_gate_slope(z: sympy.Expr, gate: sympy.Expr) -> sympy.Expr:
    return 2 * gate * (1 - gate) * sympy.sqrt(2 / sympy.pi) * (1 + 3 * _GELU_CUBIC * z**2)


def _gelu_tanh_slope(z: sympy.Expr) -> sympy.Expr:
    gate = FUNCTIONS["gelu_gate"]
    # Where the gate is shut, z^3 times it is 0, also where z^2 would overflow.
    near = smaller(larger(z, -1000), 1000)
    # 1 - gate(z) is gate(-z), which keeps its digits where the gate is open.
    steepness = 2 * gate(z) * gate(-z) * sympy.sqrt(2 / sympy.pi) * (1 + 3 * _GELU_CUBIC * near**2)
    return gate(z) + near * steepness


def _second_slope(z: sympy.Expr) -> sympy.Expr:
    gate = FUNCTIONS["gelu_gate"](z)
    slope = _gelu_gate_slope(z, gate)
    # d/dz of 2 g (1 - g) c (1 + 3 k z^2) is g' (1 - 2 g) 2 c (1 + 3 k z^2) + 2 g (1 - g) c 6 k z.
    scale = sympy.sqrt(2 / sympy.pi)
    bend = 2 * scale * slope * (1 - 2 * gate) * (1 + 3 * _GELU_CUBIC * z**2)
    return 2 * slope + z * (bend + 12 * scale * _GELU_CUBIC * z * gate * (1 - gate))


_RECORDS = (
    Record(
        name="sigmoid",
        latex=r"\sigma",
        definition=lambda z: 1 / (1 + sympy.exp(-z)),
        derivative=lambda z, a: a * (1 - a),
        identity=r"\sigma'(z) = \sigma(z)\,(1 - \sigma(z))",
        direct=True,
        stable=_sigmoid,
        bounds=(sympy.Integer(0), sympy.Integer(1)),
        difference=lambda z, a, t: _sigmoid_change(z, t),
    ),
    Record(
        name="relu",
        latex=r"\operatorname{relu}",
        definition=lambda z: sympy.Piecewise((z, z > 0), (0, True)),
        derivative=lambda z, a: Bracket(z > 0),
        identity=r"\operatorname{relu}'(z) = [z > 0]",
        stable=lambda z: larger(z, 0),
        kinks=(sympy.Integer(0),),
        convention="slope 0",
        bounds=(sympy.Integer(0), sympy.oo),
        difference=lambda z, a, t: _ramp_change(z, t),
    ),
    Record(
        name="leaky_relu",
        latex=r"\operatorname{lrelu}",
        definition=lambda z: sympy.Piecewise((z, z > 0), (_SLOPE * z, True)),
        derivative=lambda z, a: Bracket(z > 0) + _SLOPE * Bracket(z <= 0),
        identity=r"\operatorname{lrelu}'(z) = [z > 0] + \tfrac{1}{100}[z \le 0]",
        stable=lambda z: larger(z, _SLOPE * z),
        kinks=(sympy.Integer(0),),
        convention="slope 1/100",
        difference=lambda z, a, t: _SLOPE * t + (1 - _SLOPE) * _ramp_change(z, t),
    ),
    Record(
        name="elu",
        latex=r"\operatorname{elu}",
        definition=lambda z: sympy.Piecewise((z, z > 0), (sympy.exp(z) - 1, True)),
        derivative=lambda z, a: Bracket(z > 0) + (a + 1) * Bracket(z <= 0),
        identity=r"\operatorname{elu}'(z) = [z > 0] + (\operatorname{elu}(z) + 1)[z \le 0]",
        stable=lambda z: larger(z, 0) + expm1(smaller(z, 0)),
        bounds=(sympy.Integer(-1), sympy.oo),
        difference=lambda z, a, t: _ramp_change(z, t) + _exponential_change(z, t),
    ),
    Record(
        name="selu",
        latex=r"\operatorname{selu}",
        definition=lambda z: _SELU_SCALE * sympy.Piecewise((z, z > 0), (_SELU_ALPHA * (sympy.exp(z) - 1), True)),
        derivative=lambda z, a: _SELU_SCALE * Bracket(z > 0) + (a + _SELU_SCALE * _SELU_ALPHA) * Bracket(z <= 0),
        identity=r"\operatorname{selu}'(z) = \lambda [z > 0] + (\operatorname{selu}(z) + \lambda\alpha)[z \le 0]",
        stable=lambda z: _SELU_SCALE * (larger(z, 0) + _SELU_ALPHA * expm1(smaller(z, 0))),
        kinks=(sympy.Integer(0),),
        convention="the left slope, lambda*alpha = 1.758",
        bounds=(-_SELU_SCALE * _SELU_ALPHA, sympy.oo),
        difference=lambda z, a, t: _SELU_SCALE * (_ramp_change(z, t) + _SELU_ALPHA * _exponential_change(z, t)),
    ),
    Record(
        name="softplus",
        latex=r"\operatorname{softplus}",
        definition=lambda z: sympy.log(1 + sympy.exp(z)),
        derivative=lambda z, a: FUNCTIONS["sigmoid"](z),
        identity=r"\operatorname{softplus}'(z) = \sigma(z)",
        stable=lambda z: larger(z, 0) + log1p(sympy.exp(-magnitude(z))),
        bounds=(sympy.Integer(0), sympy.oo),
        difference=lambda z, a, t: log1p(FUNCTIONS["sigmoid"](z) * expm1(t)),
    ),
    Record(
        name="normal_cdf",
        latex=r"\Phi",
        definition=lambda z: (1 + sympy.erf(z / sympy.sqrt(2))) / 2,
        derivative=lambda z, a: FUNCTIONS["normal_pdf"](z),
        identity=r"\Phi'(z) = \varphi(z)",
        stable=lambda z: erfc(-z / sympy.sqrt(2)) / 2,
        bounds=(sympy.Integer(0), sympy.Integer(1)),
    ),
    Record(
        name="normal_pdf",
        latex=r"\varphi",
        definition=lambda z: sympy.exp(-(z**2) / 2) / sympy.sqrt(2 * sympy.pi),
        derivative=lambda z, a: -z * a,
        identity=r"\varphi'(z) = -z\,\varphi(z)",
        bounds=(sympy.Integer(0), sympy.Integer(1)),
        difference=lambda z, a, t: a * expm1(-t * (z + t / 2)),
    ),
    Record(
        name="gelu",
        latex=r"\operatorname{gelu}",
        definition=lambda z: z * (1 + sympy.erf(z / sympy.sqrt(2))) / 2,
        derivative=lambda z, a: FUNCTIONS["normal_cdf"](z) + z * FUNCTIONS["normal_pdf"](z),
        identity=r"\operatorname{gelu}(z) = z\,\Phi(z),\ \operatorname{gelu}'(z) = \Phi(z) + z\,\Phi'(z)",
        stable=lambda z: z * FUNCTIONS["normal_cdf"](z),
        bounds=(sympy.Rational("-0.17"), sympy.oo),
    ),
    Record(
        name="gelu_gate",
        latex=r"\gamma",
        definition=_gelu_gate,
        derivative=_gelu_gate_slope,
        identity=r"\gamma'(z) = 2\sqrt{2/\pi}\,\gamma(z)\,(1 - \gamma(z))\,(1 + 0.134145\,z^2)",
        stable=_gelu_gate_stable,
        bounds=(sympy.Integer(0), sympy.Integer(1)),
        difference=lambda z, a, t: _gelu_gate_change(z, t),
    ),
    Record(
        name="gelu_tanh",
        latex=r"\operatorname{gelu_{tanh}}",
        definition=lambda z: z * FUNCTIONS["gelu_gate"](z),
        derivative=lambda z, a: FUNCTIONS["gelu_tanh_slope"](z),
        identity=r"\operatorname{gelu_{tanh}}'(z) = \gamma(z) + z\,\gamma'(z)",
        bounds=(sympy.Rational("-0.171"), sympy.oo),
        difference=lambda z, a, t: t * FUNCTIONS["gelu_gate"](z) + (z + t) * _gelu_gate_change(z, t),
    ),
    Record(
        name="gelu_tanh_slope",
        latex=r"\operatorname{gelu_{tanh}}'",
        definition=lambda z: FUNCTIONS["gelu_gate"](z) + z * _gelu_gate_slope(z, FUNCTIONS["gelu_gate"](z)),
        derivative=lambda z, a: _second_slope(z),
        identity=r"\operatorname{gelu_{tanh}}''(z) = 2\gamma'(z) + z\,\gamma''(z)",
        stable=_gelu_tanh_slope,
        bounds=(sympy.Rational("-0.13"), sympy.Rational("1.13")),
    ),
    Record(
        name="silu",
        latex=r"\operatorname{silu}",
        definition=lambda z: z / (1 + sympy.exp(-z)),
        derivative=lambda z, a: FUNCTIONS["sigmoid"](z) + a * (1 - FUNCTIONS["sigmoid"](z)),
        identity=r"\operatorname{silu}'(z) = \sigma(z) + \operatorname{silu}(z)\,(1 - \sigma(z))",
        stable=lambda z: z * FUNCTIONS["sigmoid"](z),
        bounds=(sympy.Rational("-0.279"), sympy.oo),
        difference=lambda z, a, t: t * FUNCTIONS["sigmoid"](z) + (z + t) * _sigmoid_change(z, t),
    ),
    Record(
        name="hard_sigmoid",
        latex=r"\operatorname{hardsigmoid}",
        definition=lambda z: sympy.Piecewise((0, z <= -3), (1, z >= 3), (z / 6 + _HALF, True)),
        derivative=lambda z, a: Bracket(sympy.And(z > -3, z < 3)) / 6,
        identity=r"\operatorname{hardsigmoid}'(z) = \tfrac16 [-3 < z < 3]",
        stable=lambda z: smaller(larger(z / 6 + _HALF, 0), 1),
        kinks=(sympy.Integer(-3), sympy.Integer(3)),
        convention="slope 0",
        bounds=(sympy.Integer(0), sympy.Integer(1)),
        difference=lambda z, a, t: _clamp_change(z, t, 3) / 6,
    ),
    Record(
        name="absolute",
        latex=r"\operatorname{abs}",
        definition=lambda z: sympy.Piecewise((z, z > 0), (-z, True)),
        derivative=lambda z, a: Bracket(z > 0) - Bracket(z < 0),
        identity=r"|z|' = [z > 0] - [z < 0]",
        stable=magnitude,
        kinks=(sympy.Integer(0),),
        convention="slope 0",
        bounds=(sympy.Integer(0), sympy.oo),
        difference=lambda z, a, t: 2 * _ramp_change(z, t) - t,
    ),
    Record(
        name="huber",
        latex=r"\operatorname{huber}",
        definition=lambda d: sympy.Piecewise((d - _HALF, d > 1), (-d - _HALF, d < -1), (d**2 / 2, True)),
        derivative=lambda d, a: FUNCTIONS["clamp"](d),
        identity=r"\operatorname{huber}'(z) = \operatorname{clamp}(z)",
        stable=_huber,
        bounds=(sympy.Integer(0), sympy.oo),
        difference=lambda d, a, t: _huber_change(d, t),
    ),
    Record(
        name="clamp",
        latex=r"\operatorname{clamp}",
        definition=lambda d: sympy.Piecewise((1, d > 1), (-1, d < -1), (d, True)),
        derivative=lambda d, a: Bracket(sympy.And(d > -1, d < 1)),
        identity=r"\operatorname{clamp}'(z) = [-1 < z < 1]",
        stable=lambda d: smaller(larger(d, -1), 1),
        kinks=(sympy.Integer(-1), sympy.Integer(1)),
        convention="slope 0",
        bounds=(sympy.Integer(-1), sympy.Integer(1)),
        difference=lambda d, a, t: _clamp_change(d, t, 1),
    ),
    Record(
        name="log_cosh",
        latex=r"\operatorname{logcosh}",
        definition=lambda d: sympy.log(sympy.cosh(d)),
        derivative=lambda d, a: sympy.tanh(d),
        identity=r"\operatorname{logcosh}'(z) = \tanh(z)",
        stable=_log_cosh,
        bounds=(sympy.Integer(0), sympy.oo),
        difference=lambda d, a, t: _log_cosh_change(d, t),
    ),
)

FUNCTIONS: Mapping[str, type[ElementwiseFunction]] = MappingProxyType(
    {record.name: function_class(record) for record in _RECORDS}
)
"""The SymPy function of each record, by name."""


def _named(name: str) -> type[ElementwiseFunction]:
    return FUNCTIONS[name]


def _reduced(function: type[ElementwiseFunction]) -> Any:
    """How a function is pickled: one of these by its name, another by its record."""
    record = function.record
    if record is None:
        return function.__qualname__
    return (_named, (record.name,)) if FUNCTIONS.get(record.name) is function else packed(record)


copyreg.pickle(ElementwiseClass, _reduced)
