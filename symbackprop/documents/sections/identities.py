"""What matrix notation means, entry by entry: numbered, so that each matrix form can say why it is the index form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields

from symbackprop.documents.sections.context import Context
from symbackprop.documents.tree import Block, Display, Paragraph, Ref, Row, Text
from symbackprop.forms.arrays import Apply, Expand, MatMul, Multiply, Node, Outer, Permute, SumOver
from symbackprop.forms.lower import Lowered

__all__ = ["identity_blocks", "identity_refs"]


@dataclass(frozen=True)
class _Identity:
    """An operation of matrix notation, and what an entry of it is."""

    left: str
    right: str
    applies: Callable[[Node], bool]


def _is(*kinds: type[Node]) -> Callable[[Node], bool]:
    return lambda node: isinstance(node, kinds)


def _is_entrywise(node: Node) -> bool:
    return isinstance(node, Multiply) and sum(operand.rank > 0 for operand in node.operands) > 1


def _is_outer(node: Node) -> bool:
    # A vector that is repeated is its product with a vector of ones.
    return isinstance(node, Outer) or (isinstance(node, Expand) and node.operand.rank == 1)


_IDENTITIES = {
    "product": _Identity("(A B)_{ik}", r"\sum_{j} a_{ij}\,b_{jk}", _is(MatMul)),
    "outer": _Identity(r"(u v^{\top})_{ij}", "u_{i}\\,v_{j}", _is_outer),
    "transpose": _Identity(r"(A^{\top})_{ij}", "a_{ji}", _is(Permute)),
    "entrywise": _Identity(r"(A \odot B)_{ij}", "a_{ij}\\,b_{ij}", _is_entrywise),
    "function": _Identity("f(A)_{ij}", "f(a_{ij})", _is(Apply)),
    "sum": _Identity(r"(A \mathbf{1})_{i}", r"\sum_{j} a_{ij}", _is(SumOver)),
}


def _label(name: str) -> str:
    return f"identity-{name}"


def identity_refs(context: Context, form: Lowered | None) -> list[Text]:
    """References to what makes the matrix form the index form; none where it is said nowhere."""
    if form is None or not context.says("notation") or context.options.detail == "result":
        return []
    return [(Ref(_label(name)),) for name in _used((form,))]


def identity_blocks(context: Context, forms: Iterable[Lowered]) -> list[Block]:
    """The identities that the matrix ``forms`` rest on."""
    if context.options.detail == "result":
        return []
    displays = [
        Display((Row(_IDENTITIES[name].left, (_IDENTITIES[name].right,)),), label=_label(name)) for name in _used(forms)
    ]
    return [Paragraph(context.words("identities")), *displays] if displays else []


def _used(forms: Iterable[Lowered]) -> list[str]:
    nodes = [node for form in forms for node in _walk(form.right)]
    return [name for name, identity in _IDENTITIES.items() if any(map(identity.applies, nodes))]


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for field in fields(node):
        value = getattr(node, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            for child in part if isinstance(part, tuple) else (part,):
                if isinstance(child, Node):
                    yield from _walk(child)
