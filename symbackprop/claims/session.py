"""One way to read notes, and the outcome of every claim in them: compared, and if it differs, diagnosed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import sympy

from symbackprop.claims.arbitrary import is_arbitrary
from symbackprop.claims.consequences import WrongLine, loss_scale, through_wrong_lines, wrong_line
from symbackprop.claims.diagnosis import diagnose
from symbackprop.claims.judge import Item, Judge, Verdict, has_brackets
from symbackprop.claims.numbers import Figures, NumberVerdict
from symbackprop.claims.result import Claim, Outcome
from symbackprop.claims.subjects import subject
from symbackprop.claims.workers import Reporter, unread
from symbackprop.errors import SymbackpropError
from symbackprop.forms.symbols import split_name
from symbackprop.notation.expressions import base_name, index, occurrence, total
from symbackprop.notation.program import Assumption, occurrences
from symbackprop.reading.elaborate import ShapeMismatchError
from symbackprop.reading.notes import Notes, Relation, Unread
from symbackprop.reading.sources import UnreadFormulaError
from symbackprop.reading.watch import Place, begun, reason_for

__all__ = ["Session", "place_of_relation"]

_SCORED = 40
"""The most relations by which a reading of the whole is chosen."""
_ON_THE_OUTPUT = "right for the loss on top of the output, as it is defined"


def place_of_relation(stage: str, relation: Relation) -> Place:
    """Where a relation stands, for whoever watches."""
    formula = relation.formula
    share = 0.4 if stage == "score" else 1.0
    return Place(stage, relation.line, relation.column, relation.latex, formula.start, formula.stop, share)


@dataclass
class Session:
    """One way to read notes, and the claims in it."""

    notes: Notes
    judge: Judge
    read_as: tuple[str, ...] = ()
    unfused: Callable[[], Judge | None] = field(default=lambda: None)
    figures: Figures = field(init=False)
    taken: dict[Assumption, None] = field(default_factory=dict)
    wrong: list[WrongLine] = field(default_factory=list)
    constants: dict[int, str] = field(default_factory=dict)
    absolute: dict[int, tuple[Verdict, bool]] = field(default_factory=dict)
    number: int = 0
    alone: bool = False
    so_far: Callable[[Claim], None] = field(default=lambda claim: None)
    marks: list[float] = field(default_factory=list)
    _beside: tuple[Judge | None] | None = None

    def __post_init__(self) -> None:
        self.figures = Figures(self.judge)

    def network(self) -> str:
        """The network in words."""
        program = self.notes.program
        if not program.equations:
            return "no network"
        loss = "an unknown loss" if self.notes.unknown_loss else f"loss {program.loss}" if program.loss else "no loss"
        names = ", ".join(equation.name for equation in program.equations if equation.name != program.loss)
        return f"the network of the notes: {names}; {loss}" if names else f"the equations of the notes; {loss}"

    def readings(self) -> tuple[str, ...]:
        """How the notes were read where there was a choice."""
        return self.read_as

    @property
    def scored(self) -> tuple[Relation, ...]:
        """The relations by which this reading is held against others: some of them, where there are many."""
        relations = self.notes.relations
        step = -(-len(relations) // _SCORED) or 1
        return relations[::step]

    def score(self) -> float:
        """How many of them hold at random points; half counts what holds at the worked example's sizes alone."""
        if not self.marks:
            self.marks = [self.holds(relation) for relation in self.scored]
        return sum(self.marks)

    @property
    def nothing_fails(self) -> bool:
        """Whether each of them holds, most of them for all sizes."""
        return all(self.marks) and 2 * sum(self.marks) > 1.5 * len(self.marks) - 0.1

    def gain(self, other: Session) -> float:
        """How much more holds of what does not hold under another reading of the same."""
        pairs = zip(self.scored, other.marks, strict=False)
        return sum(max(0.0, self.holds(relation) - mark) for relation, mark in pairs if mark < 1)

    def holds(self, relation: Relation) -> float:
        """How far a claim holds at random points: 1, 0.5 at the sizes of the worked example only, or 0."""
        found = 0.0
        for options in () if begun(place_of_relation("score", relation)) else self.judge.options:
            try:
                items = self.judge.items(relation, options)
                if self.judge.holds_here(items) or self.holds_assuming(items):
                    return 1.0
                if self.worked_sizes() and self.judge.holds_here(items, sizes=self.worked_sizes()):
                    found = 0.5
            except Exception:
                # What is wrong with it is said when it is checked.
                continue
        return found

    def holds_assuming(self, items: Sequence[Item]) -> bool:
        """Whether a claim holds at random points under an assumption about the targets."""
        for assumption in (*self.taken, *self.assumptions()):
            if self.judge.holds_here(items, (assumption,)):
                self.taken[assumption] = None
                return True
        return False

    def worked_sizes(self) -> Mapping[str, int]:
        """The sizes of the worked example, where there is one and it has any."""
        return self.figures.worked_sizes()

    # -- claims ------------------------------------------------------------------------------------------------------

    def report(self, reporter: Reporter) -> None:
        """Check every claim that is not finished yet, in the order of the notes."""
        for number, entry in enumerate(self.notes.unread):
            reporter.finished(-1 - number, self.unread(entry))
        count = len(self.notes.relations)
        for number, relation in enumerate(self.notes.relations):
            if number in reporter.found.claims:
                continue
            reporter.progress(number, count, f"line {relation.line}")
            self.so_far = partial(reporter.so_far, number)
            self.number = number
            reporter.finished(number, self.watched(relation))
        self.rescaled(reporter)
        if count:
            reporter.progress(count, count, "")

    def rescaled(self, reporter: Reporter) -> None:
        """Claims that all have the loss averaged where the notes sum it, or summed where they average."""
        batch = self.notes.table.batch
        claims = {number: claim for number, claim in reporter.found.claims.items() if claim is not None}
        constant = loss_scale(self.constants, claims, self.absolute, str(batch), self.alone)
        if not constant or batch is None:
            return
        averages = constant == str(batch)
        factor = batch if averages else 1 / batch
        said = (
            "right with the loss averaged over the batch; your loss sums"
            if averages
            else "right with the loss summed over the batch; your loss averages"
        )
        for number, (verdict, _) in self.absolute.items():
            items = [replace(item, claimed=factor * item.claimed) for item in verdict.items]
            found = self.judge.compared(items, assuming=tuple(self.taken))
            if found.outcome.holds:
                claim = claims[number]
                reporter.finished(
                    number,
                    replace(
                        claim,
                        outcome=found.outcome,
                        by=found.by,
                        assumptions=(said, *self.assumed(verdict)),
                        given=(),
                        fault="",
                        diagnosis="",
                        correct="",
                        counterexample=None,
                    ),
                )

    def watched(self, relation: Relation) -> Claim | None:
        """The outcome of one relation; whatever goes wrong on the way is its outcome."""
        place = place_of_relation("claim", relation)
        reason = begun(place)
        if reason:
            return unread(place, reason)
        try:
            return self.claim(relation)
        except Exception as error:
            return unread(place, reason_for(error))

    def unread(self, entry: Unread) -> Claim:
        """What could not be read, as a claim."""
        outcome = Outcome.DIFFERS if entry.misfit else Outcome.UNREADABLE
        return Claim(
            entry.line,
            entry.column,
            entry.latex,
            "",
            outcome,
            fault="shape" if entry.misfit else "",
            diagnosis=entry.reason,
            start=entry.formula.start,
            stop=entry.formula.stop,
        )

    def claim(self, relation: Relation) -> Claim | None:
        """The outcome of one relation; None where it only says what is assumed of the data."""
        plain = Claim(
            relation.line,
            relation.column,
            relation.latex,
            subject(self.judge, relation),
            Outcome.UNREADABLE,
            start=relation.formula.start,
            stop=relation.formula.stop,
        )
        try:
            number = self.figures.verdict(relation)
            if number is not None:
                return self.in_numbers(plain, relation, number)
            verdict = self.for_one_weight(relation) or self.judge.verdict(relation)
        except ShapeMismatchError as error:
            found = diagnose(self.judge, relation, (), self.judge.options[0], error.reason, tuple(self.taken))
            return replace(
                plain,
                outcome=Outcome.DIFFERS,
                by="the shapes",
                fault=found.fault,
                diagnosis=found.words,
                correct=found.correct,
            )
        except UnreadFormulaError as error:
            beside = self.on_the_output(relation)
            if beside is not None:
                return replace(plain, outcome=beside.outcome, by=beside.by, assumptions=self.assumed(beside))
            return replace(plain, line=error.line, column=error.column, diagnosis=error.reason)
        except (SymbackpropError, ArithmeticError, RecursionError) as error:
            return replace(plain, diagnosis=f"this cannot be computed: {error}")
        if self.is_about_data(verdict.items):
            return None
        if not verdict.outcome.holds:
            others = (self.assuming, self.at_worked_sizes, self.entry_by_entry, partial(self.on_the_output, relation))
            verdict = next((other for way in others if (other := way(verdict)) is not None), verdict)
        verdict = self.proved_in_the_example(verdict)
        if not verdict.outcome.holds and self.figures.lacks_numbers(relation):
            return replace(plain, diagnosis="no numbers are given for this; write them, as in $x_1 = 0.5$")
        if not relation.update and self.shows_scale(verdict.items):
            self.absolute[self.number] = (verdict, verdict.outcome.holds)
        if verdict.outcome.holds:
            return replace(plain, outcome=verdict.outcome, by=verdict.by, assumptions=self.assumed(verdict))
        return self.differing(plain, relation, verdict)

    def shows_scale(self, items: Sequence[Item]) -> bool:
        """Whether a claim says how large a derivative of the loss is, and not only how two of them belong together."""
        loss = self.notes.table.loss
        of_loss = {name for request, name in self.notes.context.requests.items() if request.of == loss}
        return all(
            {base_name(o) for o in occurrences(item.derived)} & of_loss
            and not {base_name(o) for o in occurrences(item.claimed)} & of_loss
            for item in items
        )

    def in_numbers(self, plain: Claim, relation: Relation, number: NumberVerdict) -> Claim:
        """The claim that a verdict on numbers makes."""
        if number.outcome.holds:
            return replace(plain, outcome=number.outcome, by=number.by)
        correct = f"{relation.left.latex} {relation.sign.lstrip('&')} {number.right}"
        return replace(
            plain,
            outcome=Outcome.DIFFERS,
            by=number.by,
            fault="number",
            diagnosis=f"the value is {number.right}",
            correct=correct,
            given=number.given,
            counterexample=number.counterexample,
        )

    def is_about_data(self, items: Sequence[Item]) -> bool:
        """Whether both sides are about given values alone: what is assumed of them, no claim about the network."""
        # Numbers and matrices of any kind, as in sigma'(z) = ..., are no data.
        inputs = (v.name for v in self.notes.program.inputs if not is_arbitrary(v.name))
        given = {name for name in inputs if name not in self.notes.scalars}
        names = {base_name(o) for item in items for side in (item.claimed, item.derived) for o in occurrences(side)}
        return bool(names) and bool(self.notes.program.equations) and names <= given and len(names) == 1

    def assumed(self, verdict: Verdict) -> tuple[str, ...]:
        """What a claim that holds was read or assumed with."""
        found = list(verdict.notes)
        if verdict.assumption:
            found.insert(0, verdict.assumption)
        names = {
            base_name(o) for item in verdict.items for side in (item.claimed, item.derived) for o in occurrences(side)
        }
        program = self.judge.derived.program()
        upstream = program.used_by(name for name in names if name in program.variables)
        scalars = sorted(self.notes.scalars[name] for name in upstream if name in self.notes.scalars)
        if scalars:
            noun = "a scalar" if len(scalars) == 1 else "scalars"
            found.append(f"{', '.join(scalars)} read as {noun}, since no shape was declared")
        if verdict.outcome is Outcome.AGREES and has_brackets(verdict.items):
            found.append("right off the kinks, where the derivative jumps")
        return tuple(dict.fromkeys(found))

    def at_worked_sizes(self, verdict: Verdict) -> Verdict | None:
        """The verdict at the sizes of the worked example, if they make the claim hold: a sum over its two examples."""
        sizes = self.worked_sizes()
        try:
            if not sizes or not self.judge.holds_here(verdict.items, sizes=sizes):
                return None
            found = self.judge.compared(verdict.items, sizes=sizes)
        except SymbackpropError:
            return None
        if not found.outcome.holds:
            return None
        said = ", ".join(f"{name} = {number}" for name, number in sizes.items())
        return replace(found, notes=verdict.notes, assumption=f"right for the worked example, {said}")

    def for_one_weight(self, relation: Relation) -> Verdict | None:
        """The verdict on a claim about single entries, by all sums written out at the sizes of the worked example."""
        sizes = self.worked_sizes()
        if not sizes or relation.update:
            return None
        try:
            items = self.judge.items(relation)
            if any(item.free for item in items) or not self.judge.holds_here(items, sizes=sizes):
                return None
            if not self.judge.proved_at(items, sizes):
                return None
            said = ", ".join(f"{name} = {number}" for name, number in sizes.items())
            assumption = "" if self.judge.holds_here(items) else f"right for the worked example, {said}"
        except (UnreadFormulaError, SymbackpropError, ArithmeticError):
            return None
        notes = tuple(dict.fromkeys(note for item in items for note in item.notes))
        return Verdict(Outcome.PROVED, f"index form at sizes {said}", tuple(items), notes, None, assumption)

    def proved_in_the_example(self, verdict: Verdict) -> Verdict:
        """A verdict that only agrees, proved at the sizes of the worked example, if it can be."""
        sizes = self.worked_sizes()
        if verdict.outcome is not Outcome.AGREES or (not sizes and self.notes.program.sizes):
            return verdict
        try:
            proved = self.judge.proved_at(verdict.items, sizes)
        except (SymbackpropError, ArithmeticError, RecursionError):
            return verdict
        said = ", ".join(f"{name} = {number}" for name, number in sizes.items())
        by = f"index form at sizes {said}" if said else "index form, all sums written out"
        return replace(verdict, outcome=Outcome.PROVED, by=by) if proved else verdict

    def entry_by_entry(self, verdict: Verdict) -> Verdict | None:
        """The verdict for the layers whose activation works entry by entry, if that makes a claim for all hold."""
        activations = self.notes.table.activations
        without = {split_name(name)[1] for name, function in activations.items() if function is None}
        generic = self.notes.table.generic
        kept = []
        for item in verdict.items:
            numbers = {str(item.labels[letter]) for letter in generic if letter in item.labels}
            kept += [] if numbers & without else [item]
        if not kept or len(kept) == len(verdict.items):
            return None
        found = self.judge.compared(kept)
        if not found.outcome.holds:
            return None
        said = "right for the layers whose activation works entry by entry"
        return replace(found, notes=verdict.notes, assumption=said)

    def on_the_output(self, relation: Relation, verdict: Verdict | None = None) -> Verdict | None:
        """The verdict for the loss as a function of the output, if the claim holds for that."""
        if self._beside is None:
            self._beside = (self.unfused(),)
        (judge,) = self._beside
        if judge is None:
            return None
        try:
            found = judge.verdict(relation)
        except (UnreadFormulaError, SymbackpropError):
            return None
        return replace(found, assumption=_ON_THE_OUTPUT) if found.outcome.holds else None

    def assuming(self, verdict: Verdict) -> Verdict | None:
        """The verdict under an assumption about the targets, if one makes the claim hold."""
        for assumption in self.assumptions():
            try:
                if not self.judge.holds_here(verdict.items, (assumption,)):
                    continue
                found = self.judge.compared(verdict.items, assuming=(assumption,))
            except SymbackpropError:
                continue
            if found.outcome.holds:
                self.taken[assumption] = None
                return replace(found, notes=verdict.notes, assumption=assumption.text)
        return None

    def assumptions(self) -> Iterator[Assumption]:
        """Targets that are probabilities: they sum to 1."""
        program = self.notes.program
        for assumption in program.assumptions:
            yield replace(assumption, text=f"right if {assumption.text}")
        if program.assumptions:
            return
        logarithms = [e for e in program.equations if e.right.has(sympy.log) or e.name == program.loss]
        beside = {base_name(o) for equation in logarithms for o in occurrences(equation.right)}
        for variable in program.inputs:
            if not variable.shape or variable.integer or variable.name not in beside:
                continue
            axis = len(variable.shape) - 1
            if len(variable.shape) == 2 and variable.shape[1] == self.notes.table.batch:
                continue
            others = tuple(index(letter) for letter in ("n", "m")[:axis])
            over = index("k")
            left = total(occurrence(variable.name, *others, over), (over, variable.shape[axis]))
            symbol = variable.symbol or variable.name
            below = f"{''.join(i.name for i in others)}k"
            yield Assumption(f"right if sum_k {symbol}_{below} = 1", left, sympy.S.One, others)

    def differing(self, plain: Claim, relation: Relation, verdict: Verdict) -> Claim:
        """A claim that differs, with its diagnosis."""
        evidence = verdict.evidence
        known = replace(
            plain,
            outcome=Outcome.DIFFERS,
            by=verdict.by,
            diagnosis="what is wrong was not found in time",
            counterexample=evidence.counterexample if evidence is not None else None,
        )
        self.so_far(known)
        found = diagnose(self.judge, relation, verdict.items, self.judge.options[0], assuming=tuple(self.taken))
        if not found.fault and not self.taken:
            for assumption in self.assumptions():
                found = diagnose(self.judge, relation, verdict.items, self.judge.options[0], assuming=(assumption,))
                if found.fault:
                    break
        given = through_wrong_lines(self.judge, verdict.items, self.wrong)
        self.wrong += wrong_line(relation.line, verdict.items, self.judge.derived.program())
        if found.constant:
            self.constants[self.number] = found.constant
        words = found.words or "what is wrong has no name here"
        return replace(
            plain,
            outcome=Outcome.DIFFERS,
            by=verdict.by,
            given=given,
            fault=found.fault,
            diagnosis=words,
            correct=found.correct,
            counterexample=evidence.counterexample if evidence is not None else None,
        )
