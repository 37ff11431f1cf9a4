"""What is wrong with a formula that differs: a constant, an edit that makes it right, a term that is left out.

A fault has a name only if undoing it makes the claim hold at every entry of every random point, at two sets of sizes.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from symbackprop.claims.edits.editor import Edit, Editor, Vocabulary
from symbackprop.claims.edits.products import without_factors
from symbackprop.claims.edits.table import ADDITIONS, CHANGES, edits
from symbackprop.claims.judge import Item, Judge, ratios
from symbackprop.claims.vocabulary import vocabulary
from symbackprop.errors import SymbackpropError
from symbackprop.notation.expressions import base_name, is_occurrence, limits
from symbackprop.notation.indices import free_indices, substitute
from symbackprop.notation.program import Assumption, Equation
from symbackprop.reading.elaborate import Options
from symbackprop.reading.notes import Relation
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.statements import Side
from symbackprop.reading.syntax import Addition

__all__ = ["Diagnosis", "diagnose"]

_SECONDS = 4.0
_TOLERANCE = 1e-7
_TERMS = 6
_FACTORS = 60


@dataclass(frozen=True)
class Diagnosis:
    """The kind of fault, a sentence, and the right relation in the notes' own notation; empty where it is not known.

    ``constant`` is what the right side lacks, where it is a constant alone.
    """

    fault: str = ""
    words: str = ""
    correct: str = ""
    constant: str = ""


@dataclass(frozen=True)
class _Constant:
    """A constant by its LaTeX, and its value at given sizes."""

    latex: str
    fault: str
    words: str


def diagnose(
    judge: Judge,
    relation: Relation,
    items: Sequence[Item],
    options: Options,
    misfit: str = "",
    assuming: tuple[Assumption, ...] = (),
) -> Diagnosis:
    """Name the fault of a relation that differs.

    ``misfit`` says which shapes do not fit, where that is what is wrong; ``assuming`` is what the notes take for true.
    """
    found = _Search(judge, relation, tuple(items), options, assuming).run()
    if found is not None:
        words = f"{misfit}; {found.words}" if misfit else found.words
        return replace(found, words=words)
    if misfit:
        return Diagnosis("shape", misfit)
    return Diagnosis()


class _Search:
    def __init__(
        self,
        judge: Judge,
        relation: Relation,
        items: tuple[Item, ...],
        options: Options,
        assuming: tuple[Assumption, ...],
    ) -> None:
        self.assuming = assuming
        self.judge = judge
        self.relation = relation
        self.items = items
        self.options = options
        self.deadline = time.monotonic() + _SECONDS
        self.tree = judge.tree(relation.right)

    def run(self) -> Diagnosis | None:
        # An edit of an update says more than a constant: where the sign stands.
        constant = self.constant() if self.items else None
        if constant is not None and not self.relation.update:
            return self.too_many(constant) or constant
        words = vocabulary(self.judge, self.relation, self.items, not self.items)
        found, scaled = self.edited(edits(self.relation.right, self.tree, words, CHANGES))
        if found is None and self.items:
            found = constant or self.term() or self.diagonal()
        if found is None:
            found, more = self.edited(edits(self.relation.right, self.tree, words, ADDITIONS))
            scaled = scaled or more
        if found is None and scaled is None and self.items:
            return self.factors(words) or self.one_for_all()
        return found or scaled

    def one_for_all(self) -> Diagnosis | None:
        """One number where every entry has its own."""
        item = self.step(self.items[0]) if self.relation.update else self.items[0]
        axes = [i for i, _ in item.free if i in free_indices(item.derived)]
        if axes and not free_indices(item.claimed) & set(axes):
            words = "the right side is one number for all entries, but every entry has its own"
            return Diagnosis("shape", words, "" if self.relation.update else self.derived_formula(self.items[0]))
        return None

    def factors(self, words: Vocabulary) -> Diagnosis | None:
        """Two factors that the right side lacks, or has too many: their product is what it is wrong by."""
        if any(item.shape for item in self.items):
            return None
        texts = [*words.slopes, *(text for rank in sorted(words.symbols) for text in words.symbols[rank])]
        texts += [f"(1 - {text})" for rank in sorted(words.symbols) for text in words.symbols[rank]]
        known = [(text, items) for text in texts[:_FACTORS] if (items := self.values(text))]
        wanted = self.profile(self.items, ratio=True)
        if wanted is None:
            return None
        profiles = [(text, p) for text, items in known if (p := self.profile(items, ratio=False)) is not None]
        for (one, first), (other, second) in itertools.combinations_with_replacement(profiles, 2):
            if len(first) != len(second):
                # One of them has no value at some point.
                continue
            for sign in (1, -1):
                product = [a * b if sign > 0 else a / b for a, b in zip(first, second, strict=True) if b]
                if len(product) != len(wanted):
                    continue
                for fault, values, said in (
                    ("missing factor", product, f"{one} {other}" if sign > 0 else f"{one} / {other}"),
                    ("extra factor", [1 / v if v else 0.0 for v in product], f"{one} {other}"),
                ):
                    if sign < 0 and fault == "extra factor":
                        continue
                    if all(abs(v - w) <= 1e-9 * abs(w) for v, w in zip(values, wanted, strict=True)):
                        verb = "is missing" if fault == "missing factor" else "is too many"
                        right = self.derived_formula(self.items[0])
                        if fault == "missing factor" and sign > 0:
                            editor = Editor(self.relation.right, self.tree, words)
                            inner = editor.bracketed(self.tree)
                            right = self.shown(editor.made("", "", editor.whole(f"{inner} {one} {other}")).side)
                        return Diagnosis(fault, f"the factor ${said}$ {verb}", right)
        return None

    def values(self, text: str) -> list[Item]:
        """The relation with ``text`` on its right side, to know the value of that."""
        editor = Editor(self.relation.right, self.tree, Vocabulary())
        items = self.read(editor.made("", "", editor.whole(text)).side)
        return items if len(items) == len(self.items) else []

    def profile(self, items: Sequence[Item], ratio: bool) -> list[float] | None:
        """What the claimed sides are at every entry of the points, or what they would have to be multiplied by."""
        found: list[float] = []
        for larger in (0, 2):
            try:
                points = self.judge.few_points(items, self.assuming, larger)
            except SymbackpropError:
                return None
            for point in points:
                for item in items:
                    pairs = ratios(item, point)
                    if pairs is None or (ratio and any(not claimed for claimed, _ in pairs)):
                        return None
                    found += [derived / claimed if ratio else claimed for claimed, derived in pairs]
        return found

    def too_many(self, constant: Diagnosis) -> Diagnosis | None:
        """A constant that is written and should not be, where that is what is wrong."""
        if constant.fault != "factor":
            return None
        words = vocabulary(self.judge, self.relation, self.items, False)
        for edit in edits(self.relation.right, self.tree, words, (without_factors,)):
            items = self.read(edit.side)
            if items and self.holds(items):
                return replace(constant, words=edit.words, correct=self.shown(edit.side))
        return None

    def edited(self, tried: Iterator[Edit]) -> tuple[Diagnosis | None, Diagnosis | None]:
        """The first edit that makes the relation hold; the first that does so up to a constant."""
        scaled: Diagnosis | None = None
        for edit in tried:
            if time.monotonic() > self.deadline:
                break
            items = self.read(edit.side)
            if not items or all(item.claimed == item.derived and is_occurrence(item.derived) for item in items):
                # That a derivative is itself says nothing.
                continue
            if self.holds(items):
                return Diagnosis(edit.fault, edit.words, self.shown(edit.side)), scaled
            if scaled is None and edit.fault not in ("missing factor", "wrong symbol", "extra term", "extra factor"):
                constant = self.named_constant(items)
                if constant is not None:
                    side = self.times(edit.side, constant)
                    right = "" if side is None or self.relation.update else self.shown(side)
                    scaled = Diagnosis(edit.fault, f"{edit.words}; besides, {constant.words}", right)
        return None, scaled

    # -- trying ------------------------------------------------------------------------------------------------------

    def read(self, side: Side) -> list[Item]:
        """The relation with another right side; nothing where that cannot be read."""
        notes = self.judge.notes
        before = (dict(notes.table.declared), notes.context.program, dict(notes.scalars))
        sizes = dict(notes.table.sizes)
        try:
            found = self.judge.items(self.relation, self.options, side)
        except (UnreadFormulaError, SymbackpropError, ArithmeticError, ValueError, RecursionError):
            found = []
        notes.table.sizes = sizes
        if notes.context.program is not before[1]:
            # A symbol that an edit brought up is none of the notes'.
            notes.table.declared = before[0]
            notes.context.program = before[1]
            notes.scalars = before[2]
            return []
        if self.items and found and len(found) < len(self.items):
            return []
        return found

    def holds(self, items: Sequence[Item]) -> bool:
        return all(self.judge.holds_here(items, self.assuming, larger) for larger in (0, 2))

    def shown(self, side: Side) -> str:
        return f"{self.relation.left.latex} {self.relation.sign.lstrip('&')} {side.latex}"

    # -- constants ---------------------------------------------------------------------------------------------------

    def constant(self) -> Diagnosis | None:
        """A constant that the right side lacks."""
        constant = self.named_constant(self.items)
        if constant is None:
            return None
        side = self.times(self.relation.right, constant)
        fault = "update sign" if constant.fault == "sign" and self.relation.update else constant.fault
        words = "the update goes up the slope, not down" if fault == "update sign" else constant.words
        right = "" if side is None or self.relation.update else self.shown(side)
        return Diagnosis(fault, words, right, constant.latex)

    def times(self, side: Side, constant: _Constant) -> Side | None:
        """A side times a constant."""
        tree = self.judge.tree(side)
        editor = Editor(side, tree, Vocabulary())
        text = side.latex
        if constant.latex == "-":
            if text.startswith("-") and not isinstance(tree, Addition):
                return editor.made("", "", (0, 1, "")).side
            single = isinstance(tree, Addition) and len(tree.terms) == 1
            if single and text.startswith("-"):
                return editor.made("", "", (0, 1, "")).side
        inner = f"\\left({text}\\right)" if isinstance(tree, Addition) else text
        return editor.made("", "", editor.whole(f"{constant.latex} {inner}")).side

    def named_constant(self, items: Sequence[Item]) -> _Constant | None:
        """The constant by which the right side is wrong, if it is one with a name at all sizes."""
        names: set[str] | None = None
        for larger in (0, 2):
            try:
                points = self.judge.few_points(items, self.assuming, larger)
            except SymbackpropError:
                return None
            for point in points:
                ratio = self.ratio(items, point)
                if ratio is None:
                    return None
                here = {
                    latex for latex, value in _constants(point.sizes) if abs(ratio - value) <= _TOLERANCE * abs(value)
                }
                names = here if names is None else names & here
                if not names:
                    return None
        if not names:
            return None
        latex = min(names, key=lambda text: (len(text), text))
        return _named(latex)

    def ratio(self, items: Sequence[Item], point: object) -> float | None:
        """derived / claimed, where that is the same everywhere; of an update, of its step."""
        found: float | None = None
        for item in items:
            pairs = ratios(item if not self.relation.update else self.step(item), point)  # type: ignore[arg-type]
            if pairs is None:
                return None
            for claimed, derived in pairs:
                if abs(derived) < 1e-9 and abs(claimed) < 1e-9:
                    continue
                if abs(claimed) < 1e-12:
                    return None
                here = derived / claimed
                if found is not None and abs(here - found) > _TOLERANCE * abs(found):
                    return None
                found = here
        return found

    def step(self, item: Item) -> Item:
        """The change of an update in place of the new value."""
        old = next((part for part in sympy.Add.make_args(item.derived) if is_occurrence(part)), sympy.S.Zero)
        return Item(item.labels, item.derived - old, item.claimed - old, item.free, item.notes, item.shape)

    # -- terms -------------------------------------------------------------------------------------------------------

    def diagonal(self) -> Diagnosis | None:
        """Right where two indices are equal, and elsewhere not 0 as it should be, or what else it is."""
        for item in self.items:
            pairs = [
                (i, j)
                for place, (i, one) in enumerate(item.free)
                for j, other in item.free[place + 1 :]
                if one == other and not i.name.startswith("_a") and item.derived.has(i) and item.derived.has(j)
            ]
            for i, j in pairs:
                same = Item(
                    item.labels,
                    substitute(item.derived, {j: i}),
                    substitute(item.claimed, {j: i}),
                    tuple(limit for limit in item.free if limit[0] != j),
                )
                if self.holds([same]) and not self.holds([item]):
                    words = f"right for ${i} = {j}$ only; the terms off the diagonal are left out"
                    return Diagnosis("diagonal only", words, self.derived_formula(item))
        return None

    def term(self) -> Diagnosis | None:
        """The derived formula with one of its terms left out, or with a sum cut down to its diagonal."""
        item = self.items[0]
        equation = self.equation(item)
        if equation is None:
            return None
        right = substitute(equation.right, dict(zip(equation.indices, _positions(item.derived), strict=True)))
        for cut in _cut(right):
            if self.is_claimed(item, cut):
                words = "only the diagonal of the Jacobian is used; the other terms of its sum are left out"
                return Diagnosis("diagonal only", words, self.derived_formula(item))
        parts = sympy.Add.make_args(right)
        if 1 < len(parts) <= _TERMS:
            for count in range(1, len(parts)):
                for gone in itertools.combinations(parts, count):
                    if self.is_claimed(item, right - sympy.Add(*gone)):
                        words = f"a term is left out: ${self.in_notes(sympy.Add(*gone))}$"
                        return Diagnosis("missing term", words, self.derived_formula(item))
        return None

    def is_claimed(self, item: Item, other: sympy.Expr) -> bool:
        return self.holds([Item(item.labels, other, item.claimed, item.free)])

    def equation(self, item: Item) -> Equation | None:
        """The derived equation of the left side, where it is one derivative."""
        if not is_occurrence(item.derived):
            return None
        return self.judge.derived.program().definitions.get(base_name(item.derived))

    def derived_formula(self, item: Item) -> str:
        """The derived equation in the notes' symbols, as far as they can be printed."""
        from symbackprop.claims.printing import formula

        equation = self.equation(item)
        return "" if equation is None else formula(self.judge, equation)

    def in_notes(self, expression: sympy.Expr) -> str:
        from symbackprop.claims.printing import expression_latex

        return expression_latex(self.judge, expression)


def _positions(occurrence: sympy.Expr) -> tuple[sympy.Expr, ...]:
    return tuple(occurrence.indices) if isinstance(occurrence, sympy.Indexed) else ()


def _cut(expression: sympy.Expr) -> Iterator[sympy.Expr]:
    """The expression with one of its sums cut down to the term at an index outside it."""
    outside = expression.free_symbols
    for reduction in expression.atoms(sympy.Sum):
        over = limits(reduction)
        if len(over) != 1:
            continue
        for other in outside:
            if isinstance(other, sympy.Symbol) and other.is_integer and not other.is_positive:
                yield expression.xreplace({reduction: substitute(reduction.args[0], {over[0][0]: other})})


def _constants(sizes: Mapping[str, int]) -> Iterator[tuple[str, float]]:
    """Constants that formulas are often wrong by, by their LaTeX."""
    plain = [("2", 2.0), ("\\frac{1}{2}", 0.5), ("4", 4.0), ("\\frac{1}{4}", 0.25), ("3", 3.0), ("\\frac{1}{3}", 1 / 3)]
    for text, number in sizes.items():
        plain += [
            (text, float(number)),
            (f"\\frac{{1}}{{{text}}}", 1 / number),
            (f"2 {text}", 2.0 * number),
            (f"\\frac{{1}}{{2 {text}}}", 0.5 / number),
            (f"\\frac{{2}}{{{text}}}", 2.0 / number),
            (f"\\frac{{{text}}}{{2}}", 0.5 * number),
            (f"{text}^2", float(number) ** 2),
            (f"\\frac{{1}}{{{text}^2}}", 1.0 / number**2),
            (f"\\sqrt{{{text}}}", number**0.5),
            (f"\\frac{{1}}{{\\sqrt{{{text}}}}}", number**-0.5),
        ]
    yield ("-", -1.0)
    for latex, value in plain:
        yield latex, value
        yield f"-{latex}", -value


def _named(latex: str) -> _Constant:
    if latex == "-":
        return _Constant("-", "sign", "the sign is wrong")
    minus = "the sign is wrong, and " if latex.startswith("-") else ""
    return _Constant(latex, "factor", f"{minus}the factor ${latex.lstrip('-')}$ is missing")
