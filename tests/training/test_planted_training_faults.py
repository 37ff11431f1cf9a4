"""Each law of training notices the faults that it is for: one is planted, and the law does not hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from descents import Descent, small
from kernel_runs import way_of_running
from training_laws import (
    equals_descent_by_hand,
    goes_on_as_if_it_had_not_ended,
    keeps_what_is_finite,
    keeps_whole_epochs,
    leaves_the_rest,
    leaves_what_it_is_given,
    repeats_itself,
    reports_every_epoch,
)

import symbackprop as sbp
from symbackprop.api import models
from symbackprop.training import compiled_step, descent, train
from symbackprop.training.batches import Batches
from symbackprop.training.compiled_step import CompiledStep, StoppedError
from symbackprop.training.result import Training

Patch = pytest.MonkeyPatch
BATCHES = small(epochs=4, batch_size=2)
ADAM = small(epochs=4, batch_size=2, optimizer=sbp.Adam())
MOMENTUM = small(epochs=4, optimizer=sbp.SGD(0.9))
# w' = -3 w: half a dozen epochs, and the square is infinite.
STEEP = Descent(
    sbp.Network(1, [sbp.Dense(1, bias=False)], "half_squared_error"),
    {"W1": np.full((1, 1), 1e151)},
    {"x": np.ones((1, 1)), "y": np.zeros((1, 1))},
    {"x": 0, "y": 0},
    {"learning_rate": 4.0, "epochs": 50},
)
# A sigmoid that saturates hides an infinite weight from the loss.
SATURATED = Descent(
    sbp.Network(1, [sbp.Dense(1, "sigmoid")], "upstream"),
    {"W1": np.ones((1, 1)), "b1": np.ones(1)},
    {"x": np.ones((1, 1)), "y": np.full((1, 1), -3e3)},
    {"x": 0, "y": 0},
    {"learning_rate": 1e308, "epochs": 3},
)


def in_place_of(owner: Any, name: str) -> Callable[[Callable[..., Any]], Callable[[Patch], None]]:
    """A fault that replaces a function, which it is given as its first argument."""

    def planted(fault: Callable[..., Any]) -> Callable[[Patch], None]:
        right = vars(owner)[name]

        def plant(patch: Patch) -> None:
            patch.setattr(owner, name, lambda *given, **more: fault(right, *given, **more))

        plant.__name__ = fault.__name__
        return plant

    return planted


# -- the update --------------------------------------------------------------------------------------------------------


@in_place_of(sbp.Adam, "numbers")
def no_correction(right, self, rate, step):
    return {**right(self, rate, step), "rate": rate, "bias": 1.0}


@in_place_of(sbp.Adam, "numbers")
def counted_from_zero(right, self, rate, step):
    return right(self, rate, step + 1)


@in_place_of(sbp.Adam, "numbers")
def numbers_of_the_first_step(right, self, rate, step):
    return right(self, rate, 1)


@in_place_of(CompiledStep, "_stepped")
def steps_counted_by_epochs(right, self, carried, batch, done):
    return right(self, carried, batch, done - batch)


@in_place_of(sbp.SGD, "numbers")
def a_rate_that_is_a_little_off(right, self, rate, step):
    return {**right(self, rate, step), "rate": rate * (1 + 1e-10)}


# -- batches and losses ------------------------------------------------------------------------------------------------


@in_place_of(Batches, "shuffle")
def one_order_for_all_epochs(right, self, seed, epoch):
    right(self, seed, 0)


@in_place_of(Batches, "shuffle")
def no_shuffling(right, self, seed, epoch):
    for name in self.axes:
        self.shuffled[name][...] = self.source[name]


@in_place_of(Batches, "shuffle")
def another_seed(right, self, seed, epoch):
    right(self, seed + 1, epoch)


@in_place_of(Batches, "shuffle")
def the_targets_stay_where_they_were(right, self, *given):
    right(dataclasses.replace(self, axes={name: axis for name, axis in self.axes.items() if name != "y"}), *given)


@in_place_of(Batches, "shuffle")
def shuffled_further(right, self, seed, epoch):
    right(dataclasses.replace(self, source={name: array.copy() for name, array in self.shuffled.items()}), seed, epoch)


@in_place_of(train, "descend")
def orders_begin_anew(right, step, start, *given):
    epoch = step.epoch
    step.epoch = lambda carried, number, *more: epoch(carried, number - start.epochs, *more)
    return right(step, start, *given)


@in_place_of(compiled_step, "batches_of")
def the_last_batch_is_dropped(right, *given):
    batches = right(*given)
    return batches if batches is None else dataclasses.replace(batches, parts=batches.parts[:-1])


@in_place_of(compiled_step, "batches_of")
def the_last_batch_counts_as_a_whole_one(right, *given):
    batches = right(*given)
    (*whole, (views, _)) = batches.parts
    return dataclasses.replace(batches, parts=(*whole, (views, whole[0][1])))


@in_place_of(CompiledStep, "epoch")
def the_loss_of_the_last_batch(right, self, *given):
    stepped, losses = self._stepped, []
    self._stepped = lambda *more: (lambda result: (losses.append(float(result[0])), result)[1])(stepped(*more))
    try:
        _, after = right(self, *given)
    finally:
        del self._stepped
    return losses[-1], after


@in_place_of(CompiledStep, "epoch")
def the_loss_after_the_updates(right, self, *given):
    _, after = right(self, *given)
    return self.loss(after), after


@in_place_of(train, "descend")
def one_loss_too_many(right, *given):
    reached = right(*given)
    return dataclasses.replace(reached, losses=(*reached.losses, reached.losses[-1]))


# -- memory ------------------------------------------------------------------------------------------------------------


@in_place_of(compiled_step._Turns, "begin")
def no_turns_in_memory(right, self):
    right(self)
    self._turn = 0


@in_place_of(descent, "_copies")
def no_copies(right, carried):
    return tuple(carried)


@in_place_of(train, "_start")
def the_callers_own_arrays_are_trained(right, *given):
    reached = right(*given)
    reached.carried[0][...] -= 0.0
    return reached


@in_place_of(train, "_result")
def parameters_are_the_callers_own(right, arguments, step, given, *more):
    run = right(arguments, step, given, *more)
    first = next(iter(run.parameters))
    return dataclasses.replace(run, parameters={**run.parameters, first: given.arrays[first]})


@in_place_of(models, "train_model")
def all_are_trained(right, model, parameters, data, choices, initialization, wrt, *more):
    return right(model, parameters, data, choices, initialization, None, *more)


# -- going on ----------------------------------------------------------------------------------------------------------


@in_place_of(train, "_start")
def the_memory_is_lost(right, step, *given):
    reached = right(step, *given)
    count = len(step.weights)
    zeros = [np.zeros_like(array) for array in reached.carried[count:]]
    return dataclasses.replace(reached, carried=(*reached.carried[:count], *zeros))


@in_place_of(train, "_start")
def steps_begin_anew(right, *given):
    return dataclasses.replace(right(*given), steps=0)


@in_place_of(train, "_start")
def losses_begin_anew(right, *given):
    return dataclasses.replace(right(*given), losses=())


@in_place_of(Training, "save")
def rounded_to_float32(right, self, path):
    rounded = {name: array.astype(np.float32).astype(float) for name, array in self.parameters.items()}
    return right(dataclasses.replace(self, parameters=rounded), path)


@in_place_of(Training, "save")
def settings_are_not_written(right, self, path):
    return right(dataclasses.replace(self, settings=dataclasses.replace(self.settings, seed=0)), path)


@in_place_of(Training, "save")
def what_was_trained_is_not_written(right, self, path):
    return right(dataclasses.replace(self, trained=tuple(self.parameters)), path)


# -- stopping ----------------------------------------------------------------------------------------------------------


@in_place_of(descent, "_again")
def one_epoch_too_many_is_said(right, *given):
    reached, found = right(*given)
    return dataclasses.replace(reached, epochs=reached.epochs + 1), found


@in_place_of(descent, "_problem")
def nothing_is_a_problem(right, *given):
    return None


@in_place_of(descent, "_infinite")
def parameters_are_not_looked_at(right, *given):
    return []


@in_place_of(CompiledStep, "epoch")
def half_an_epoch_counts(right, self, carried, *given):
    try:
        return right(self, carried, *given)
    except StoppedError:
        return self.loss(carried), carried


@in_place_of(train, "descend")
def epochs_are_told_one_too_early(right, *given):
    *most, progress = given
    return right(*most, lambda done, of, note="": progress(done - 1, of, note))


@in_place_of(train, "descend")
def nothing_is_told(right, *given):
    return right(*given[:-1], None)


# -- laws, at one case -------------------------------------------------------------------------------------------------


def in_arrays(law: Callable[..., Any], *more: Any, **options: Any) -> Callable[[Descent], None]:
    """``law`` where kernels are of whole arrays."""

    def holds(case: Descent) -> None:
        with way_of_running("arrays"):
            law(case, *more, **options)

    holds.__name__ = f"{law.__name__}_in_arrays"
    return holds


AS_BY_HAND_IN_ARRAYS = in_arrays(equals_descent_by_hand)
FINITE_IN_ARRAYS = in_arrays(keeps_what_is_finite, by_hand=1e-9)
WHOLE_EPOCHS_IN_ARRAYS = in_arrays(keeps_whole_epochs, 8)


def resumed(case: Descent) -> None:
    goes_on_as_if_it_had_not_ended(case, 2, Path("run.npz"))


def only_one(case: Descent) -> None:
    leaves_the_rest(case, ["W1"])


FAULTS: list[tuple[Callable[[Patch], None], Callable[[Descent], Any], Descent]] = [
    (no_correction, equals_descent_by_hand, ADAM),
    (counted_from_zero, equals_descent_by_hand, ADAM),
    (numbers_of_the_first_step, equals_descent_by_hand, ADAM),
    (steps_counted_by_epochs, equals_descent_by_hand, ADAM),
    (a_rate_that_is_a_little_off, equals_descent_by_hand, BATCHES),
    (one_order_for_all_epochs, equals_descent_by_hand, BATCHES),
    (no_shuffling, equals_descent_by_hand, BATCHES),
    (another_seed, equals_descent_by_hand, BATCHES),
    (the_targets_stay_where_they_were, equals_descent_by_hand, BATCHES),
    (shuffled_further, equals_descent_by_hand, BATCHES),
    (the_last_batch_is_dropped, equals_descent_by_hand, BATCHES),
    (the_last_batch_counts_as_a_whole_one, equals_descent_by_hand, BATCHES),
    (the_loss_of_the_last_batch, equals_descent_by_hand, BATCHES),
    (the_loss_after_the_updates, equals_descent_by_hand, BATCHES),
    (one_loss_too_many, equals_descent_by_hand, MOMENTUM),
    (no_turns_in_memory, AS_BY_HAND_IN_ARRAYS, BATCHES),
    (no_copies, FINITE_IN_ARRAYS, STEEP),
    (the_callers_own_arrays_are_trained, leaves_what_it_is_given, BATCHES),
    (parameters_are_the_callers_own, repeats_itself, BATCHES),
    (all_are_trained, only_one, MOMENTUM),
    (orders_begin_anew, resumed, BATCHES),
    (the_memory_is_lost, resumed, MOMENTUM),
    (steps_begin_anew, resumed, ADAM),
    (losses_begin_anew, resumed, BATCHES),
    (rounded_to_float32, resumed, MOMENTUM),
    (settings_are_not_written, resumed, BATCHES.but(seed=3)),
    (what_was_trained_is_not_written, resumed, MOMENTUM.but(wrt=["W1"])),
    (one_epoch_too_many_is_said, FINITE_IN_ARRAYS, STEEP),
    (nothing_is_a_problem, FINITE_IN_ARRAYS, STEEP),
    (parameters_are_not_looked_at, keeps_what_is_finite, SATURATED),
    (half_an_epoch_counts, WHOLE_EPOCHS_IN_ARRAYS, BATCHES),
    (one_loss_too_many, WHOLE_EPOCHS_IN_ARRAYS, BATCHES),
    (epochs_are_told_one_too_early, reports_every_epoch, MOMENTUM),
    (nothing_is_told, reports_every_epoch, MOMENTUM),
]
SOUND = {(law.__name__, id(case)): (law, case) for _, law, case in FAULTS}


@pytest.mark.parametrize(("law", "case"), SOUND.values(), ids=[name for name, _ in SOUND])
def test_without_a_fault_the_laws_hold(
    law: Callable[[Descent], Any], case: Descent, monkeypatch: Patch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    law(case)


@pytest.mark.parametrize(("fault", "law", "case"), FAULTS, ids=[fault.__name__ for fault, _, _ in FAULTS])
def test_a_planted_fault_is_noticed(
    fault: Callable[[Patch], None], law: Callable[[Descent], Any], case: Descent, monkeypatch: Patch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    fault(monkeypatch)
    # A write to what may not be written raises ValueError, which is a way to notice it.
    with pytest.raises((AssertionError, ValueError)), np.errstate(all="ignore"):
        law(case)
