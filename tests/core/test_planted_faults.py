"""Wrong rules planted on purpose: for each there is a law that notices.

Without the fault the same law holds on the same program; ``test_known_programs`` says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import sympy
from dual_numbers import TieError
from known_programs import KNOWN, known_case
from laws import LAWS, BrokenLawError

from symbackprop.adjoint import accumulate, brackets, fold, pullback, records, sweep
from symbackprop.errors import EquationError, SizeError
from symbackprop.functions.library import FUNCTIONS
from symbackprop.notation import indices
from symbackprop.notation.expressions import Bracket, index
from symbackprop.notation.terms import Term

FORWARD = "gradients equal forward mode"
BRUTE_FORCE = "gradients equal SymPy's derivatives of the expanded loss"
INTERMEDIATES = "adjoints of intermediates equal forward mode"
CONTRIBUTIONS = "contributions and terms sum to the adjoint"
CHAINS = "chains multiply to the contribution"
CHECKED = "the adjoint program is a program"
TWICE = "deriving twice gives the same"
SECOND = "second derivatives equal forward mode"
HESSIAN = "Hessian-vector products equal SymPy's second derivatives"
INDICES = "renaming the indices changes nothing"
SIZES = "renaming the sizes changes nothing"
VARIABLES = "renaming the variables changes nothing"

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Fault:
    """What is wrong, and by which law on which program it is noticed."""

    plant: Plant
    program: str
    laws: tuple[str, ...]


def _wrapped(module: object, name: str, change: Callable[[Callable], Callable]) -> Plant:
    """Replaces ``module.name`` by ``change`` of it."""
    return lambda patch: patch.setattr(module, name, change(getattr(module, name)))


def _slope(change: Callable[[sympy.Expr, sympy.Symbol, sympy.Expr], sympy.Expr]) -> Plant:
    """A wrong derivative of scalar expressions."""
    return _wrapped(pullback, "derivative", lambda right: lambda e, s: change(e, s, right(e, s)))


def _resolution(change: Callable[[brackets.Resolution], brackets.Resolution]) -> Plant:
    return _wrapped(pullback, "resolve", lambda right: lambda *given: change(right(*given)))


def _record(name: str, **changes: object) -> Plant:
    function = FUNCTIONS[name]
    return lambda patch: patch.setattr(function, "record", replace(function.record, **changes))


def _sum_left_out(resolution: brackets.Resolution) -> brackets.Resolution:
    """The sum over the first index is forgotten; only its first term is left."""
    if not resolution.sums:
        return resolution
    first, _ = resolution.sums[0]
    values = {name: value.xreplace({first: sympy.Integer(0)}) for name, value in resolution.values.items()}
    return replace(resolution, sums=resolution.sums[1:], values={**values, first: sympy.Integer(0)})


def _transposed(right: Callable) -> Callable:
    return lambda variable, positions, scope: right(variable, positions[::-1], scope)


def _last_use_only(right: Callable) -> Callable:
    return lambda of, adjoint, contributions, context: right(of, adjoint, contributions[-1:], context)


def _naive(expression: sympy.Expr, values: dict) -> sympy.Expr:
    return expression.xreplace(dict(values))


def _uncounted(right: Callable) -> Callable:
    return lambda self, contribution, variable: replace(
        right(self, contribution, variable), coefficient=contribution.coefficient
    )


def _no_bracket_at_a_maximum(patch: pytest.MonkeyPatch) -> None:
    def enter(self, reduction, place):
        body, opened = pullback.open_reduction(reduction, self.fresh)
        self.visit(body, body, replace(place, scope=place.scope + opened))

    patch.setattr(pullback._Pullback, "enter", enter)


def _first_factor_only(right: Callable) -> Callable:
    def completed(*given):
        found = right(*given)
        return None if found is None else found[:1]

    return completed


def _changing_order(right: Callable) -> Callable:
    """Now one way round and now the other, in a pattern without period."""
    turn = itertools.count()

    def accumulated(of, adjoint, contributions, context):
        return right(of, adjoint, contributions[:: -1 if next(turn).bit_count() % 2 else 1], context)

    return accumulated


def _doubled_where(condition: Callable) -> Callable[[Callable], Callable]:
    """The contributions of an equation are doubled where something about its names is so."""

    def change(right: Callable) -> Callable:
        def pulled(equation, *given):
            found = right(equation, *given)
            if not condition(equation):
                return found
            return tuple(replace(c, coefficient=2 * c.coefficient) for c in found)

        return pulled

    return change


FAULTS: dict[str, Fault] = {
    "a factor 2": Fault(_slope(lambda e, s, slope: 2 * slope), "two layers", (FORWARD, BRUTE_FORCE, SECOND)),
    "a factor 2 on powers alone": Fault(
        _slope(lambda e, s, slope: 2 * slope if e.is_Pow else slope), "two layers", (FORWARD, BRUTE_FORCE)
    ),
    "a missing factor 2": Fault(
        _slope(lambda e, s, slope: e.base if e.is_Pow else slope), "two layers", (FORWARD, BRUTE_FORCE)
    ),
    "a wrong sign": Fault(_slope(lambda e, s, slope: -slope), "two layers", (FORWARD, BRUTE_FORCE)),
    "a wrong sign in quotients": Fault(
        _slope(lambda e, s, slope: -slope if e.is_Mul and e.has(sympy.Pow) else slope),
        "layer norm in four",
        (FORWARD, BRUTE_FORCE, INTERMEDIATES),
    ),
    "a derivative left out": Fault(
        _slope(lambda e, s, slope: sympy.S.One if isinstance(e, FUNCTIONS["sigmoid"]) else slope),
        "two layers",
        (FORWARD, BRUTE_FORCE, INTERMEDIATES),
    ),
    "a derivative at the wrong place": Fault(
        _slope(lambda e, s, slope: slope.xreplace({s: s + 1}) if slope.has(s) else slope),
        "two layers",
        (FORWARD, BRUTE_FORCE),
    ),
    "a record wrong by a twentieth of a percent": Fault(
        _record("sigmoid", derivative=lambda z, a: a * (1 - a) * sympy.Rational(10005, 10000)),
        "two layers",
        (FORWARD, BRUTE_FORCE, SECOND),
    ),
    "a second derivative wrong by a twentieth of a percent": Fault(
        _record("normal_pdf", derivative=lambda z, a: -z * a * sympy.Rational(10005, 10000)),
        "two layers, gelu",
        (SECOND, HESSIAN),
    ),
    "relu with slope 1 everywhere": Fault(
        _record("relu", derivative=lambda z, a: sympy.S.One), "two layers, relu", (FORWARD, BRUTE_FORCE)
    ),
    "relu with its bracket turned round": Fault(
        _record("relu", derivative=lambda z, a: Bracket(z < 0)), "residual", (FORWARD, BRUTE_FORCE)
    ),
    "a sum left out": Fault(_resolution(_sum_left_out), "two layers, square", (FORWARD, BRUTE_FORCE, INTERMEDIATES)),
    "a sum left out, its index left in": Fault(
        _resolution(lambda r: replace(r, sums=r.sums[1:])), "two layers", (CHECKED,)
    ),
    "indices swapped": Fault(_wrapped(pullback, "resolve", _transposed), "two layers, square", (FORWARD, BRUTE_FORCE)),
    "indices swapped, sizes different": Fault(
        _wrapped(pullback, "resolve", _transposed), "two layers", (FORWARD, BRUTE_FORCE)
    ),
    "a diagonal's bracket forgotten": Fault(
        _resolution(lambda r: replace(r, brackets=())), "diagonal", (FORWARD, BRUTE_FORCE)
    ),
    "a constant index's bracket forgotten": Fault(
        _resolution(lambda r: replace(r, brackets=())), "constant index", (FORWARD, BRUTE_FORCE)
    ),
    "a gather's bracket forgotten": Fault(
        _resolution(lambda r: replace(r, brackets=())), "embedding", (FORWARD, BRUTE_FORCE)
    ),
    "a window's guards forgotten": Fault(
        _resolution(lambda r: replace(r, brackets=())), "convolution", (FORWARD, CHECKED)
    ),
    "a window's guard one too narrow": Fault(
        _wrapped(
            brackets,
            "_range_guards",
            lambda right: lambda value, reach, extent, alone: right(value, reach - 1, extent - 1, alone),
        ),
        "convolution",
        (FORWARD, BRUTE_FORCE),
    ),
    "part of an axis taken for the whole": Fault(
        _wrapped(brackets, "_range_guards", lambda right: lambda value, reach, extent, alone: []),
        "part of an axis",
        (FORWARD, CHECKED),
    ),
    "a maximum taken for a sum": Fault(_no_bracket_at_a_maximum, "max", (FORWARD, INTERMEDIATES)),
    "the last use alone": Fault(
        _wrapped(sweep, "accumulate", _last_use_only), "shared weights", (FORWARD, BRUTE_FORCE)
    ),
    "the last use alone, within one equation": Fault(
        _wrapped(sweep, "accumulate", _last_use_only), "trace of a cube", (FORWARD, BRUTE_FORCE)
    ),
    "a name given back that is in use": Fault(
        _wrapped(pullback, "close", lambda right: lambda e, scope, taken, hints: right(e, scope, (), hints)),
        "two layers, square",
        (FORWARD, BRUTE_FORCE),
    ),
    "a substitution that captures": Fault(
        lambda patch: [patch.setattr(module, "substitute", _naive) for module in (pullback, brackets, accumulate)],
        "crossed names",
        (FORWARD, BRUTE_FORCE),
    ),
    "unlike terms added": Fault(
        _wrapped(accumulate, "_alike", lambda right: lambda left, other: True), "layer norm in one", (CONTRIBUTIONS,)
    ),
    "unlike terms added, in the gradient": Fault(
        _wrapped(accumulate, "_alike", lambda right: lambda left, other: True), "layer norm in one", (FORWARD,)
    ),
    "a sum over a constant not counted": Fault(
        _wrapped(pullback._Pullback, "closed", _uncounted), "counting", (FORWARD, BRUTE_FORCE)
    ),
    "a sum over a constant not counted, in the adjoint": Fault(
        _wrapped(Term, "without_idle_sums", lambda right: lambda t: replace(right(t), coefficient=t.coefficient)),
        "counting",
        (FORWARD, BRUTE_FORCE, CONTRIBUTIONS),
    ),
    "an equation's name for what lies outside its range": Fault(
        _wrapped(sweep, "foldable", lambda right: lambda equation, variables: fold.has_functions((equation.right,))),
        "part of an axis",
        (CHECKED, FORWARD),
    ),
    "a fold that forgets what is left over": Fault(
        _wrapped(fold, "_complete", _first_factor_only), "softmax, cross-entropy", (FORWARD, BRUTE_FORCE, CHAINS)
    ),
    "a chain that is not what was multiplied": Fault(
        _wrapped(
            records.Factor,
            "rename",
            lambda right: lambda self, names: replace(right(self, names), expression=2 * right(self, names).expression),
        ),
        "two layers",
        (CHAINS,),
    ),
    "contributions that do not add up": Fault(
        _wrapped(
            sweep,
            "accumulate",
            lambda right: lambda *given: replace(right(*given), contributions=given[2][:1]),
        ),
        "shared weights",
        (CONTRIBUTIONS,),
    ),
    "an order that changes": Fault(_wrapped(sweep, "accumulate", _changing_order), "shared weights", (TWICE,)),
    "a rule that looks at index names": Fault(
        _wrapped(sweep, "pullback", _doubled_where(lambda e: any(i.name == "n" for i in e.indices))),
        "two layers",
        (INDICES, FORWARD),
    ),
    "a rule that looks at size names": Fault(
        _wrapped(sweep, "pullback", _doubled_where(lambda e: any(str(s) == "N" for s in e.left.shape))),
        "two layers",
        (SIZES, FORWARD),
    ),
    "a rule that looks at variable names": Fault(
        _wrapped(sweep, "pullback", _doubled_where(lambda e: e.name == "a1")), "two layers", (VARIABLES, FORWARD)
    ),
    "an internal name that comes out": Fault(
        _wrapped(indices, "_candidates", lambda right: lambda hint: itertools.chain((index("_9"),), right(hint))),
        "two layers",
        (CHECKED,),
    ),
    "adjoint names that repeat": Fault(
        _wrapped(sweep._Sweep, "_adjoint_name", lambda right: lambda self, name: f"{name[0]}_bar"),
        "two layers",
        (SECOND,),
    ),
}


@pytest.mark.usefixtures("empty_caches")
@pytest.mark.parametrize(("what", "says"), [(what, says) for what, fault in FAULTS.items() for says in fault.laws])
def test_a_planted_fault_is_noticed(what: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[what]
    case, family = known_case(fault.program), KNOWN[fault.program].family
    fault.plant(monkeypatch)
    with pytest.raises((BrokenLawError, EquationError, SizeError)) as noticed:
        LAWS[says](case, family)
    assert not isinstance(noticed.value, TieError)


def test_every_law_notices_something() -> None:
    assert {says for fault in FAULTS.values() for says in fault.laws} == set(LAWS)
