"""Blocks of weights done elsewhere: by processes, by a cluster, by workers that die."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import dying_worker
import numpy as np
import pytest
import sympy
from known_programs import KNOWN

import symbackprop as sbp
from symbackprop.codegen.bound import KernelFunction
from symbackprop.functions.library import FUNCTIONS
from symbackprop.functions.records import Record, function_class
from symbackprop.verification import dispatch
from symbackprop.verification.dispatch import Workers, blocks_of
from symbackprop.verification.incremental import Increments


def derivation():
    layers = [sbp.Dense(30, "relu"), sbp.Dense(8, "sigmoid"), sbp.Dense(3, "softmax")]
    return sbp.Network(6, layers, "categorical_cross_entropy", l2=0.1).derive()


def alike(one, other):
    return one.as_dict()["arrays"] == other.as_dict()["arrays"] and one.as_dict()["worst"] == other.as_dict()["worst"]


@pytest.fixture(scope="module")
def here():
    return derivation().verify(method="incremental")


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


# -- who does it -------------------------------------------------------------------------------------------------------


def test_processes(here, pool):
    report = derivation().verify(executor=pool)
    assert alike(report, here)
    assert report.notes == here.notes
    assert report.method == "incremental"


def test_jobs(here):
    report = derivation().verify(jobs=2)
    assert alike(report, here)
    assert report.notes == here.notes


def test_threads(here):
    with ThreadPoolExecutor(3) as threads:
        assert alike(derivation().verify(executor=threads), here)


def test_a_cluster(here):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        report = derivation().verify(executor=client.get_executor())
    assert alike(report, here)
    assert report.notes == here.notes


def test_progress(pool):
    seen = []
    report = derivation().verify(executor=pool, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (report.weights * len(report.points),) * 2


# -- workers that die --------------------------------------------------------------------------------------------------


@pytest.fixture
def mark(tmp_path, monkeypatch):
    path = tmp_path / "mark"
    path.touch()
    monkeypatch.setenv("SYMBACKPROP_TEST_MARK", str(path))
    # The workers find this module where this process does.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    return path


def point():
    derived = derivation()
    rng = np.random.default_rng(0)
    shapes = {v.name: tuple(int(e) if e.is_Integer else 3 for e in v.shape) for v in derived.network.program.inputs}
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    arrays["y"] = np.eye(3)
    return Increments(derived.network.program, arrays, {}, 1e-16), blocks_of([("W1", 180), ("b1", 30), ("W2", 240)])


def same(found, where, blocks):
    assert set(found) == set(blocks)
    for block in blocks:
        for one, other in zip(found[block].columns, where.derivatives(*block).columns, strict=True):
            np.testing.assert_array_equal(one, other)


class Dying(Executor):
    """Its worker dies at a block, and with it all that was asked for; then it refuses everything, or does not."""

    def __init__(self, dies, recovers=False):
        self.dies, self.recovers, self.calls = dies, recovers, 0

    def submit(self, function, /, *arguments, **options):
        self.calls += 1
        if self.calls > self.dies and not self.recovers:
            raise BrokenExecutor("a worker died")
        future = Future()
        if self.calls == self.dies:
            future.set_exception(BrokenExecutor("a worker died"))
        else:
            future.set_result(function(*arguments, **options))
        return future


class Raising(Executor):
    """What it is asked for comes to an error of its own."""

    def submit(self, function, /, *arguments, **options):
        future = Future()
        future.set_exception(ConnectionError("no scheduler"))
        return future


def test_an_executors_own_error_is_not_called_a_death():
    where, blocks = point()
    found, notes = Workers(Raising()).derivatives(where, blocks)
    same(found, where, blocks)
    (note,) = notes
    assert "the executor raised ConnectionError" in note
    assert "died" not in note


def test_jobs_have_a_new_pool(mark, monkeypatch):
    monkeypatch.setattr(dispatch, "run_block", dying_worker.fatal)
    where, blocks = point()
    found, notes = Workers(jobs=1).derivatives(where, blocks)
    same(found, where, blocks)
    (note,) = notes
    assert not mark.exists()
    assert "done again because" in note
    assert "in this process" not in note


def test_an_executor_that_refuses_leaves_the_rest_to_the_caller():
    where, blocks = point()
    found, notes = Workers(Dying(3)).derivatives(where, blocks)
    same(found, where, blocks)
    count = len(blocks) - 2
    assert notes == (f"{count} blocks were done again because their worker died, {count} of them in this process",)


def test_an_executor_that_was_shut_down_refuses_and_no_worker_died():
    where, blocks = point()
    threads = ThreadPoolExecutor(1)
    threads.shutdown()
    found, (note,) = Workers(threads).derivatives(where, blocks)
    same(found, where, blocks)
    count = len(blocks)
    assert note == (
        f"{count} blocks were done again because the executor refused them "
        f"(RuntimeError: cannot schedule new futures after shutdown), {count} of them in this process"
    )


class Strange(Executor):
    """Refuses the first blocks with an error of its own, and gives ``result`` for the next ones, once each."""

    def __init__(self, refused, strange, result=None):
        self.refused, self.strange, self.result = refused, strange, result

    def submit(self, function, /, *arguments, **options):
        if self.refused:
            self.refused -= 1
            raise OSError(f"no {{room}} for {arguments[-1]}")
        future = Future()
        future.set_result(self.result if self.strange else function(*arguments, **options))
        self.strange = max(0, self.strange - 1)
        return future


def test_any_error_of_submit_is_the_executors():
    where, blocks = point()
    found, (note,) = Workers(Strange(2, 0)).derivatives(where, blocks)
    same(found, where, blocks)
    assert note.startswith("2 blocks were done again because the executor refused them (OSError: no {room} for ")
    assert "in this process" not in note


@pytest.mark.parametrize("result", [None, 3, "done"])
def test_a_result_that_is_none_is_lost(result):
    where, blocks = point()
    found, notes = Workers(Strange(0, 1, result)).derivatives(where, blocks)
    same(found, where, blocks)
    assert notes == (f"1 block was done again because the executor gave {type(result).__name__} for it",)
    found, (note,) = Workers(Strange(0, 10**6, result)).derivatives(where, blocks)
    same(found, where, blocks)
    assert note.endswith(f"for them, {len(blocks)} of them in this process")


def test_every_reason_is_counted_by_itself():
    where, blocks = point()
    found, notes = Workers(Strange(1, 2)).derivatives(where, blocks)
    same(found, where, blocks)
    refused, strange = notes
    assert refused.startswith("1 block was done again because the executor refused it")
    assert strange.startswith("2 blocks were done again because the executor gave NoneType for them")


def test_an_interrupt_of_an_executor_is_nobodys_refusal():
    class Interrupted(Executor):
        def submit(self, function, /, *arguments, **options):
            raise KeyboardInterrupt

    where, blocks = point()
    with pytest.raises(KeyboardInterrupt):
        Workers(Interrupted()).derivatives(where, blocks)


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C as a shell sends it")
def test_an_interrupt_ends_all_processes_without_a_word(tmp_path):
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == ""


INTERRUPTED = """
import sys
import symbackprop as sbp
from symbackprop.verification import dispatch

if __name__ == "__main__":
    real = dispatch._Run.collect

    def collect(self, *arguments, **options):
        print("begun", flush=True)
        return real(self, *arguments, **options)

    dispatch._Run.collect = collect
    network = sbp.Network(100, [sbp.Dense(200, "tanh"), sbp.Dense(20)], "half_squared_error")
    try:
        while True:
            network.derive().verify(jobs=2)
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_an_executor_that_recovers_is_asked_again():
    where, blocks = point()
    found, notes = Workers(Dying(3, recovers=True)).derivatives(where, blocks)
    same(found, where, blocks)
    assert notes == ("1 block was done again because its worker died",)


def test_the_report_says_so():
    report = derivation().verify(executor=Dying(2, recovers=True))
    assert report.ok
    assert "1 block was done again because its worker died" in str(report)


def test_what_a_block_raises_is_no_dead_worker(monkeypatch):
    def broken(self, *block):
        raise ZeroDivisionError("the block's own")

    monkeypatch.setattr(Increments, "derivatives", broken)
    where, blocks = point()
    for executor in (ThreadPoolExecutor(1), None):
        with pytest.raises(ZeroDivisionError, match="the block's own"):
            Workers(executor).derivatives(where, blocks)
        if executor is not None:
            executor.shutdown()


# -- what travels ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KNOWN)
def test_programs_travel(name):
    program = KNOWN[name].build()
    assert pickle.loads(pickle.dumps(program)) == program


@pytest.mark.parametrize("activation", ["selu", "gelu_tanh", "relu", sbp.Activation("own", lambda z: z / (2 + z**2))])
def test_derivations_travel(activation):
    program = sbp.Network(2, [sbp.Dense(3, activation), sbp.Dense(1)], "huber", l1=0.1).derive().program
    assert pickle.loads(pickle.dumps(program)) == program


def test_functions_travel():
    for function in FUNCTIONS.values():
        assert pickle.loads(pickle.dumps(function)) is function
    z, t = 0.3, 1e-3
    cube = Record(
        "cube",
        "c",
        lambda z: z**3,
        lambda z, a: 3 * z**2,
        "",
        difference=lambda z, a, t: t * (3 * z**2 + 3 * z * t + t**2),
    )
    own = function_class(cube)
    again = pickle.loads(pickle.dumps(own))
    symbol = sympy.Symbol("z")
    assert again.record.name == "cube"
    assert again(symbol).diff(symbol) == own(symbol).diff(symbol)
    assert float(again.record.difference(z, z**3, t)) == pytest.approx((z + t) ** 3 - z**3, rel=1e-12)
    assert again.record.stable is None
    assert pickle.loads(pickle.dumps(own)) is again


def test_compiled_functions_travel_as_source():
    program = derivation().network.program
    kernel = KernelFunction(program, (program.loss,))
    again = pickle.loads(pickle.dumps(kernel))
    where, _ = point()
    arrays = [where.arrays[name] for name in (v.name for v in kernel.inputs)]
    sizes = where.changes.sizes
    one, other = (k.bind(np.dtype(float), sizes)(*arrays)[0] for k in (kernel, again))
    assert one == other
    assert again.source == kernel.source
