"""What a claim is about, in plain words: "dL/dW2", "a1", "update of W1", "numbers"."""

from __future__ import annotations

from symbackprop.claims.judge import Judge
from symbackprop.reading.declarations import identifier
from symbackprop.reading.names import name_of, readings
from symbackprop.reading.notes import Relation
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.survey import nodes
from symbackprop.reading.syntax import Derivative, Differential, Node

__all__ = ["subject"]


def subject(judge: Judge, relation: Relation) -> str:
    """What the left side of a relation is, or that of the chain it is part of."""
    try:
        return _subject(judge, relation)
    except UnreadFormulaError:
        return ""


def _subject(judge: Judge, relation: Relation) -> str:
    tree = judge.tree(relation.left)
    if relation.update:
        name = name_of(tree)
        return f"update of {_variable(judge, tree)}" if name is not None else "an update"
    if isinstance(tree, Derivative) and tree.of is not None:
        return f"d{_variable(judge, tree.of)}/d{_variable(judge, tree.by)}"
    if isinstance(tree, Differential) and tree.body is not None:
        return f"d{judge.notes.table.loss or 'loss'}/d{_variable(judge, tree.body)}"
    name = name_of(tree)
    if name is not None:
        labels = judge.instances(relation)[0]
        for reading in readings(name, labels):
            declared = judge.notes.table.find_entry(name.key, reading.label)
            if declared is not None and declared.adjoint:
                return f"d{judge.notes.table.loss}/d{declared.variable}"
        return _variable(judge, tree)
    if not any(name_of(node) for node in nodes(tree)):
        return "numbers"
    inner = next((node for node in nodes(tree) if isinstance(node, Derivative | Differential)), None)
    if inner is not None and isinstance(inner, Derivative) and inner.of is not None:
        return f"d{_variable(judge, inner.of)}/d{_variable(judge, inner.by)}"
    return "an equation"


def _variable(judge: Judge, node: Node) -> str:
    """A variable by its plain name."""
    name = name_of(node)
    if name is None:
        inner = next((n for part in nodes(node) if (n := name_of(part)) is not None), None)
        return "..." if inner is None else identifier(inner.base, "")
    for labels in ({**judge.notes.table.last, **{k: v[0] for k, v in judge.notes.table.generic.items()}},):
        for reading in readings(name, labels):
            declared = judge.notes.table.find_entry(name.key, reading.label)
            if declared is not None and not declared.adjoint:
                generic = [s.text for s in (*name.above, *name.below) if s.text[:1] in judge.notes.table.generic]
                if generic:
                    return identifier(name.base, "") + generic[0]
                return declared.variable
    return identifier(name.base, ",".join(script.text for script in (*name.below, *name.above)))
