"""``symbackprop train``: what does not fit is one line and status 2, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_runs import DATA, RUN, run, text

USAGE = {
    "another suffix": (["network.toml", "-o", "run.npy"], ["run.npy", "ends in .npz, such as 'run.npz'"]),
    "no suffix": (["network.toml", "-o", "run"], ["run: a run of training is kept in a file whose name ends in .npz"]),
    "no folder": (["network.toml", "-o", "absent/run.npz"], ["absent/run.npz", "no directory"]),
    "a folder": (["network.toml", "-o", "folder.npz"], ["folder.npz", "directory"]),
    "another format of pictures": (["network.toml", "--plot", "curve.doc"], ["'.doc'", "known are .png, .pdf, .svg"]),
    "no folder for the picture": (["network.toml", "--plot", "absent/curve.png"], ["absent/curve.png", "no directory"]),
    "a rate of 0": (["network.toml", "--learning-rate", "0"], ["learning_rate is 0.0; give a positive number"]),
    "a rate that is no number": (["network.toml", "--learning-rate", "nan"], ["learning_rate is nan"]),
    "a rate in words": (["network.toml", "--learning-rate", "fast"], ["--learning-rate", "'fast' is not a valid"]),
    "no epochs": (["network.toml", "--epochs", "0"], ["--epochs", "0 is not in the range x>=1"]),
    "no batch": (["network.toml", "--batch-size", "0"], ["--batch-size", "0 is not in the range x>=1"]),
    "too large a batch": (["network.toml", "--batch-size", "6"], ["batch_size is 6, but there are 5 examples"]),
    "half a batch": (["network.toml", "--batch-size", "2.5"], ["--batch-size", "'2.5' is not a valid integer"]),
    "an unknown rule": (["network.toml", "--optimizer", "adm"], ["--optimizer", "'sgd', 'adam'"]),
    "momentum of 1": (["network.toml", "--momentum", "1"], ["momentum is 1.0; give a number from 0 to below 1"]),
    "momentum of Adam": (
        ["network.toml", "--optimizer", "adam", "--momentum", "0.9"],
        ["momentum is 0.9, but adam takes none"],
    ),
    "a negative seed": (["network.toml", "--seed", "-1"], ["--seed", "-1 is not in the range x>=0"]),
    "an unknown initialization": (
        ["network.toml", "--initialization", "hee"],
        ["unknown initialization 'hee'; did you mean 'he"],
    ),
    "an unknown parameter": (["network.toml", "--wrt", "W3"], ["'W3'", "did you mean"]),
    "data are no parameter": (["network.toml", "--wrt", "x"], ["wrt names 'x', which is no parameter to train"]),
    "an unknown report": (["network.toml", "--report", "avg"], ["--report", "'mean', 'sum'"]),
    "every 0 epochs": (["network.toml", "--every", "0"], ["--every", "0 is not in the range x>=1"]),
    "no file to resume": (["network.toml", "--resume", "absent.npz"], ["absent.npz", "no such file"]),
    "arrays to resume": (["network.toml", "--resume", "arrays.npz"], ["arrays.npz", "no run of training"]),
    "no network": (["absent.toml"], ["absent.toml"]),
    "no data": (["bare.toml"], ["small has no data for x(N, 2), y(N, 1)", "[data]"]),
    "no data in a module": (["trained_of_test:without_data"], ["bare has no data for x(N, 2), y(N, 1)"]),
    "no targets": (["inputs.toml"], ["small has no data for y(N, 1)", "[data]"]),
    "Adam with momentum in the file": (["adam.toml"], ["momentum is 0.5, but adam takes none"]),
    "a loss that is infinite": (["steep.toml"], ["the loss is inf before the first step; give other"]),
    "penalties": (["penalty.toml", "--report", "sum"], ["report is 'sum'", "penalties", "leave report out"]),
}


@pytest.mark.parametrize("what", USAGE)
def test_what_does_not_fit_is_status_2_before_anything_is_trained(what: str, place: Path, trained: list[Any]):
    files = {
        "bare.toml": text(data="", run=""),
        "inputs.toml": text(data="[data]\nx = [[1.0, 2.0]]\n"),
        "adam.toml": text(run=RUN.replace('"sgd"', '"adam"')),
        "steep.toml": text(data=DATA + "[parameters]\nb2 = [1e200]\n", run=RUN.replace("batch_size = 2", "")),
        "penalty.toml": text().replace("inputs = 2", "inputs = 2\nl2 = 0.5"),
    }
    for name, content in files.items():
        (place / name).write_text(content)
    (place / "folder.npz").mkdir()
    np.savez(place / "arrays.npz", W1=np.ones((3, 2)))
    before = sorted(path.name for path in place.rglob("*") if "__pycache__" not in path.parts)
    arguments, says = USAGE[what]
    for more in ([], ["--json"]):
        result = run(*arguments, *more)
        assert result.exit_code == 2, result.output
        assert result.stdout == ""
        last = result.stderr.splitlines()[-1]
        assert last.startswith("symbackprop: ")
        for part in says:
            assert part in last
    assert trained == [] or what == "a loss that is infinite"
    assert sorted(path.name for path in place.rglob("*") if "__pycache__" not in path.parts) == before
