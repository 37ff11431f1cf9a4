"""Blocks of weights done elsewhere: by processes, by a cluster, by workers that die."""

from __future__ import annotations

import os
import pickle
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
