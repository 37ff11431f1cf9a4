"""Edits of products: transposes, the order of factors, entry by entry or not, factors too many and missing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from symbackprop.claims.edits.editor import Edit, Editor
from symbackprop.reading.syntax import (
    Addition,
    Fraction,
    Group,
    Number,
    Product,
    Summation,
)
from symbackprop.reading.tokens import joined

__all__ = ["operators", "orders", "transposes", "with_factors", "without_factors"]


def transposes(editor: Editor) -> Iterator[Edit]:
    """A transpose put in, or taken away."""
    for node, new in editor.transposed():
        was = editor.latex(node)
        words = f"${was}$ is transposed and should not be" if len(new) < len(was) else f"${was}$ wants a transpose"
        yield editor.made("transpose", words, (node.start, node.stop, new))
    groups = [n for n in editor.nodes if isinstance(n, Group) and n.bracket == "(" and not editor.is_argument(n)]
    for group in groups:
        yield editor.made(
            "transpose", f"${editor.latex(group)}$ wants a transpose", (group.stop, group.stop, "^{\\top}")
        )


def orders(editor: Editor) -> Iterator[Edit]:
    """Two neighbours of a product in every order, each transposed or not."""
    for node in editor.nodes:
        if not isinstance(node, Product):
            continue
        for place in range(len(node.factors) - 1):
            first, second = node.factors[place : place + 2]
            if (
                node.operators[place] not in ("", "\\cdot")
                or editor.is_function_name(first)
                or editor.is_argument(second)
            ):
                continue
            if isinstance(first, Number | Fraction) or isinstance(second, Number | Fraction):
                continue
            operator = " " if node.operators[place] == "" else " \\cdot "
            one, other = editor.factors_with_tops(first), editor.factors_with_tops(second)
            words = f"the factors ${one[0]}$ and ${other[0]}$ stand in the wrong order"
            for a, b in itertools.product((0, 1), repeat=2):
                yield editor.made("order", words, (first.start, second.stop, f"{other[b]}{operator}{one[a]}"))
            words = f"${one[0]}$ and ${other[0]}$ want another transpose"
            yield editor.made("transpose", words, (first.start, second.stop, f"{one[1]}{operator}{other[1]}"))
        if len(node.factors) > 2 and not set(node.operators) - {"", "\\cdot"} and not editor.calls:
            reverse = " ".join(editor.latex(factor) for factor in reversed(node.factors))
            words = "the factors stand in the wrong order"
            yield editor.made("order", words, (node.start, node.stop, reverse))


def operators(editor: Editor) -> Iterator[Edit]:
    """A product entry by entry for a matrix product, and the other way round."""
    for node in editor.nodes:
        if not isinstance(node, Product):
            continue
        for place, operator in enumerate(node.operators):
            before, after = node.factors[place], node.factors[place + 1]
            start, stop = before.stop, after.start
            if editor.is_argument(after) or editor.is_function_name(before):
                continue
            one, other = editor.latex(before), editor.latex(after)
            if operator in ("\\odot", "\\circ", "\\cdot"):
                words = f"the product of ${one}$ and ${other}$ is a matrix product, not one entry by entry"
                yield editor.made("elementwise", words, (start, stop, " "))
                turned = editor.factors_with_tops(before)[1]
                yield editor.made("elementwise", words, (before.start, stop, f"{turned} "))
                turned = editor.factors_with_tops(after)[1]
                yield editor.made("elementwise", words, (start, after.stop, f" {turned}"))
            if operator in ("", "\\cdot"):
                words = f"the product of ${one}$ and ${other}$ is one entry by entry, not a matrix product"
                yield editor.made("matrix product", words, (start, stop, " \\odot "))
                for a, b in ((0, 1), (1, 0), (1, 1)):
                    new = f"{editor.factors_with_tops(before)[a]} \\odot {editor.factors_with_tops(after)[b]}"
                    yield editor.made("matrix product", words, (before.start, after.stop, new))


def without_factors(editor: Editor) -> Iterator[Edit]:
    """One factor fewer, or two."""
    for node in editor.nodes:
        if not isinstance(node, Product):
            continue
        units = editor.units(node)
        for first in range(len(units)):
            for last in range(first, min(first + 2, len(units))):
                if last - first + 1 == len(units):
                    continue
                left, right = units[first][0], units[last][1]
                start = node.factors[left].start
                stop = node.factors[right].stop
                gone = joined(editor.tokens[start:stop])
                if left:
                    start = node.factors[left - 1].stop
                elif right + 1 < len(node.factors):
                    stop = node.factors[right + 1].start
                numbers = all(isinstance(f, Number) for f in node.factors[left : right + 1])
                fault = "factor" if numbers else "extra factor"
                yield editor.made(fault, f"the factor ${gone.strip()}$ is too many", (start, stop, " "))
    for node in editor.nodes:
        if isinstance(node, Fraction):
            below = editor.latex(node.below)
            words = f"the division by ${below}$ is too many"
            yield editor.made("extra factor", words, (node.start, node.stop, editor.bracketed(node.above)))


def with_factors(editor: Editor) -> Iterator[Edit]:
    """A factor put in: a slope, a symbol."""
    symbols = [text for rank in sorted(editor.vocabulary.symbols) for text in editor.vocabulary.symbols[rank]]
    operator = " \\odot " if editor.vocabulary.rank else " "
    values = (f"{text}{operator}(1 - {text})" for text in symbols)
    for factor in (*editor.vocabulary.slopes, *symbols, *values, *(f"(1 - {text})" for text in symbols)):
        yield from times(editor, factor, f"the factor ${factor}$ is missing")


def times(editor: Editor, factor: str, words: str) -> Iterator[Edit]:
    """The side, or one of its parts, times a factor."""
    text = editor.latex(editor.tree)
    inner = f"\\left({text}\\right)" if isinstance(editor.tree, Addition) else text
    operators = (" \\odot ", " ") if editor.vocabulary.rank else (" ",)
    for operator in operators:
        yield editor.made("missing factor", words, editor.whole(f"{inner}{operator}{factor}"))
    if editor.vocabulary.rank:
        yield editor.made("missing factor", words, editor.whole(f"{inner} {factor}^{{\\top}}"))
        yield editor.made("missing factor", words, editor.whole(f"{factor} {inner}"))
        yield editor.made("missing factor", words, editor.whole(f"{factor}^{{\\top}} {inner}"))
    terms = [term for node in editor.nodes if isinstance(node, Addition) for _, term in node.terms]
    for term in (*terms, *(node.body for node in editor.nodes if isinstance(node, Summation))):
        whole = f"\\left({editor.latex(term)}\\right)" if isinstance(term, Addition) else editor.latex(term)
        for operator in operators:
            yield editor.made("missing factor", words, (term.start, term.stop, f"{whole}{operator}{factor}"))
    for node in editor.nodes:
        if not isinstance(node, Group) or editor.is_argument(node):
            continue
        inside = editor.latex(node.body if isinstance(node.body, Product) else node)
        new = f"({inside}{operators[0]}{factor})"
        yield editor.made("missing factor", words, (node.start, node.stop, new))
