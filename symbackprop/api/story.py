"""What a derivation document is about, put together from a derivation, its numbers and the reader's choices."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import sympy

from symbackprop.adjoint.records import Differentiation
from symbackprop.adjoint.sweep import differentiate
from symbackprop.documents.derivation import Story, derivation_document
from symbackprop.documents.example import WorkedExample
from symbackprop.documents.options import Options
from symbackprop.documents.sections.context import Context
from symbackprop.documents.sections.recursion import recursion
from symbackprop.documents.sections.result import result_section
from symbackprop.documents.tree import Block, Document, Heading
from symbackprop.errors import UsageError
from symbackprop.forms.evaluate import evaluate_program
from symbackprop.forms.notation import Orientation
from symbackprop.forms.scalar import ScalarForm
from symbackprop.forms.views import Views
from symbackprop.notation.program import Program
from symbackprop.notation.single import one_example
from symbackprop.specification.examples import CompleteArrays, complete_arrays
from symbackprop.training.settings import check_rate
from symbackprop.verification.weight_checks import weight_checks

__all__ = ["core_of", "document_of", "story_of"]

if TYPE_CHECKING:
    from symbackprop.api.derivation import Derivation
    from symbackprop.api.models import Model

Array = npt.NDArray[Any]


def document_of(
    derivation: Derivation, given: Mapping[str, Any], learning_rate: float | None, options: Options
) -> Document:
    """The document, as ``options`` say, with the arrays in ``given`` and those that the network's file gives."""
    return derivation_document(story_of(derivation, given, learning_rate, options), options)


def core_of(derivation: Derivation, options: Options) -> list[Block]:
    """The heart of the document: the title, and the formulas it arrives at."""
    context = Context(_views(_oriented(derivation.differentiation, options), options), options)
    description = derivation.network.description
    general = None if description is None else recursion(context.views, description)
    title = Heading(options.title or context.words.plain("title", name=derivation.network.name), 2)
    return [title, *result_section(context, general, alone=True)[1:]]


def story_of(derivation: Derivation, given: Mapping[str, Any], learning_rate: float | None, options: Options) -> Story:
    """What the document tells."""
    model = derivation.network
    differentiation = _oriented(derivation.differentiation, options)
    unfused = None
    if model.unfused is not None:
        unfused = _oriented(differentiate(model.unfused, differentiation.wrt), options)
    return Story(
        views=_views(differentiation, options),
        title=model.name,
        unfused=None if unfused is None else _views(unfused, options),
        example=_example(model, differentiation, given, learning_rate, options),
        command=_command(derivation, learning_rate, options),
        network=model.description,
    )


def _views(differentiation: Differentiation, options: Options) -> Views:
    return Views(differentiation, options.as_notation, breakable=True)


def _oriented(differentiation: Differentiation, options: Options) -> Differentiation:
    """The derivation itself, or that of one example where only one is to be shown."""
    orientation = options.as_notation.examples_as
    if orientation is Orientation.ROWS:
        return differentiation
    if differentiation.program.batch is None:
        raise UsageError(
            f"{differentiation.program.name} names no batch size, so its examples lie in no orientation; leave "
            f"orientation {orientation.value!r} out, or declare batch"
        )
    if orientation is Orientation.COLUMNS:
        return differentiation
    return differentiate(one_example(differentiation.program), differentiation.wrt)


def _command(derivation: Derivation, learning_rate: float | None, options: Options) -> str:
    """What to type to make the document again; empty where the network is in no file."""
    model, wrt = derivation.network, derivation.differentiation.wrt
    if model.source is None:
        return ""
    words = ["symbackprop derive", shlex.quote(model.source)]
    if wrt != tuple(variable.name for variable in model.program.parameters):
        words += [f"--wrt {name}" for name in wrt]
    if learning_rate is not None and learning_rate != model.run.learning_rate:
        words.append(f"--learning-rate {learning_rate:g}")
    return " ".join([*words, *options.flags(model.document), "-o FILE"])


def _example(
    model: Model,
    differentiation: Differentiation,
    given: Mapping[str, Any],
    learning_rate: float | None,
    options: Options,
) -> WorkedExample | None:
    """The numbers to work; None where no section shows numbers, or there are none and none can be drawn."""
    program = model.program
    if not {"numbers", "checks", "figures"} & set(options.sections):
        return None
    complete = complete_arrays(
        program,
        given,
        model.sizes,
        seed=model.run.seed,
        initialization=model.run.initialization,
        loss="" if model.description is None else model.description.loss.name,
        layout="out_in" if model.description is None else model.description.weight_layout,
    )
    if complete is None:
        return None
    if differentiation.program.batch is None and program.batch is not None:
        complete = _first_example(program, complete)
    values = evaluate_program(differentiation.adjoint_program, complete.arrays)
    if not np.isfinite(values[differentiation.loss]).all():
        if not given:
            return None
        raise UsageError(f"{model.name}: with these numbers the loss is not finite; give smaller data or weights")
    form = ScalarForm(differentiation, complete.sizes, values)
    return WorkedExample(
        form=form,
        learning_rate=model.run.learning_rate if learning_rate is None else check_rate(learning_rate),
        drawn=complete.drawn,
        seed=model.run.seed,
        examples=complete.examples,
        checks=weight_checks(form) if "checks" in options.sections else (),
    )


def _first_example(program: Program, complete: CompleteArrays) -> CompleteArrays:
    """The arrays of the first example, without the axis that counts examples."""
    batched = {v.name for v in program.inputs if v.shape and v.shape[0] == program.batch}
    arrays = {name: array[0] if name in batched else array for name, array in complete.arrays.items()}
    count = next((len(complete.arrays[name]) for name in batched), 1)
    sizes: dict[sympy.Symbol, int] = {s: n for s, n in complete.sizes.items() if s != program.batch}
    examples = complete.examples or (count if count > 1 else None)
    return replace(complete, arrays=arrays, sizes=sizes, examples=examples)
