"""A run in a file: everything comes back, it is there whole or not at all, and what is no run is refused."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from descents import Descent, descents, program_descent, small
from hypothesis import given, settings
from training_laws import equal

import symbackprop as sbp


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@settings(max_examples=10)
@given(descent=descents())
def test_everything_comes_back(place: Path, descent: Descent):
    run = descent.train()
    path = run.save(place / "run.npz")
    assert path == place / "run.npz"
    found = sbp.Training.load(path)
    equal(found, run)
    assert found.settings == run.settings
    assert (found.seconds, found.stopped, found.interrupted) == (run.seconds, None, False)
    assert repr(found) == repr(run)
    with np.load(path, allow_pickle=False) as archive:
        assert {name for name in archive.files if "." not in name} == set(run.parameters)
        for name, array in run.parameters.items():
            np.testing.assert_array_equal(archive[name], array)
        assert archive["training.losses"].tolist() == run.losses.tolist()
        # Nothing needs pickle, the rest included.
        assert all(archive[name].dtype != object for name in archive.files)


@pytest.mark.parametrize("name", ["file", "allow_pickle", "args", "kwds", "self", "about", "losses", "training", "W1"])
def test_parameters_may_be_called_as_they_like(name: str, tmp_path: Path):
    program = sbp.Program([f"L = Sum(({name}[i] - 1)**2, i)"], "L", parameters={name: ("D",)})
    run = program.train({name: [0.5, 2.0]}, epochs=3, momentum=0.5, progress=False)
    path = run.save(tmp_path / "run.npz")
    equal(sbp.Training.load(path), run)
    with np.load(path) as archive:
        np.testing.assert_array_equal(archive[name], run.parameters[name])


def test_a_reason_to_stop_comes_back(tmp_path: Path):
    run = small(epochs=50, learning_rate=1e60).train()
    assert run.stopped is not None
    found = sbp.Training.load(run.save(tmp_path / "run.npz"))
    assert (found.stopped, found.epochs) == (run.stopped, run.epochs)
    equal(found, run)


def test_the_same_run_is_the_same_file(tmp_path: Path):
    """But for the seconds that it took."""
    descent = small(batch_size=2, optimizer=sbp.Adam(), epochs=5)
    files = []
    for number in range(2):
        run = dataclasses.replace(descent.train(), seconds=1.5)
        files.append(run.save(tmp_path / f"{number}.npz").read_bytes())
        # Saved and loaded and saved again, too.
        again = sbp.Training.load(tmp_path / f"{number}.npz")
        files.append(again.save(tmp_path / "again.npz").read_bytes())
    assert len(set(files)) == 1


def test_a_program_without_output(tmp_path: Path):
    run = program_descent("unreached", epochs=2, learning_rate=0.1).train()
    assert run.predictions is None
    found = sbp.Training.load(run.save(tmp_path / "run.npz"))
    assert found.predictions is None
    equal(found, run)


# -- whole, or not at all ----------------------------------------------------------------------------------------------


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = small(epochs=2).train().save(tmp_path / "run.npz")
    before = path.read_bytes()
    longer = small(epochs=3).train()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    for name in ("symbackprop.files.os.replace", "symbackprop.files.os.open"):
        with monkeypatch.context() as patch:
            patch.setattr(name, full)
            with pytest.raises(sbp.UnreadableError, match=r"run\.npz cannot be written: No space left"):
                longer.save(path)
        assert path.read_bytes() == before
        assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]
    longer.save(path)
    assert sbp.Training.load(path).epochs == 3


def test_numpy_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = small(epochs=2).train().save(tmp_path / "run.npz")
    before, longer = path.read_bytes(), small(epochs=3).train()
    write = zipfile.ZipFile.open
    opened = []

    def failing(self: zipfile.ZipFile, name: Any, mode: str = "r", **more: Any) -> Any:
        opened.append(name)
        if mode == "w" and len(opened) == 3:
            raise MemoryError
        return write(self, name, mode, **more)

    monkeypatch.setattr(zipfile.ZipFile, "open", failing)
    with pytest.raises(MemoryError):
        longer.save(path)
    assert len(opened) == 3
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


@pytest.mark.parametrize("name", ["run", "run.npy", "run.npz.gz", "run.NPY", "run.toml", ".npz"])
def test_a_name_that_does_not_end_in_npz(name: str, tmp_path: Path):
    with pytest.raises(sbp.UsageError, match=r"kept in a file whose name ends in \.npz, such as 'run\.npz'"):
        small(epochs=1).train().save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_not_there(tmp_path: Path):
    with pytest.raises(sbp.UnreadableError, match="cannot be written: No such file or directory; choose another"):
        small(epochs=1).train().save(tmp_path / "absent" / "run.npz")


# -- what is no run ----------------------------------------------------------------------------------------------------


def contents(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def about(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, np.ndarray]], None]:
    """Change what the file says of the run."""

    def changed(arrays: dict[str, np.ndarray]) -> None:
        says = json.loads(str(arrays["training.about"]))
        says = change(says) or says
        arrays["training.about"] = np.array(json.dumps(says))

    return changed


def settings_with(**more: Any) -> Callable[[dict[str, np.ndarray]], None]:
    return about(lambda says: says["settings"].update(more))


def put(**arrays: Any) -> Callable[[dict[str, np.ndarray]], None]:
    return lambda found: found.update({name.replace("__", "."): np.asarray(array) for name, array in arrays.items()})


def without(name: str) -> Callable[[dict[str, np.ndarray]], None]:
    return lambda found: found.__delitem__(name) if name in found else found.clear()


NO_RUN = "holds arrays, but is no run of training; give a file that 'save' or 'train -o' wrote"
DAMAGE: Mapping[str, tuple[Callable[[dict[str, np.ndarray]], None], str]] = {
    "no word on the run": (without("training.about"), NO_RUN),
    "no losses": (without("training.losses"), NO_RUN),
    "broken JSON": (put(training__about="{'network': "), NO_RUN),
    "JSON that is a list": (put(training__about="[1, 2]"), NO_RUN),
    "JSON that is a number": (put(training__about="3"), NO_RUN),
    "a word that is no text": (put(training__about=np.zeros(3)), NO_RUN),
    "no settings": (about(lambda says: says.pop("settings") and None), NO_RUN),
    "no loss": (about(lambda says: says.pop("loss") and None), NO_RUN),
    "a loss in words": (about(lambda says: says.update(loss="small")), "its loss is 'small'; train anew"),
    "a loss that is infinite": (about(lambda says: says.update(loss=1e400)), "its loss is .*; train anew"),
    "less than no steps": (about(lambda says: says.update(steps=-1)), "its steps is '-1'; train anew"),
    "a name that is none": (about(lambda says: says.update(network=3)), "its network is '3'; train anew"),
    "trained is a word": (about(lambda says: says.update(trained="W1")), "its trained is 'W1'; train anew"),
    "a memory without a weight": (put(training__velocity=np.zeros(3)), NO_RUN),
    "a rate of 0": (settings_with(learning_rate=0), "its settings do not fit: learning_rate is 0; .*; train anew"),
    "half an epoch": (settings_with(epochs=0.5), r"its settings do not fit: epochs is 0\.5; .*; train anew"),
    "a negative seed": (settings_with(seed=-1), "its settings do not fit: seed is -1; .*; train anew"),
    "an unknown rule": (settings_with(optimizer={"name": "adm"}), "unknown optimizer 'adm'; .*; train anew"),
    "a rule without a name": (settings_with(optimizer={"momentum": 0.5}), "its settings do not fit.*; train anew"),
    "a rule in words": (settings_with(optimizer="sgd"), "its settings are .*; train anew"),
    "a setting too many": (settings_with(colour="red"), "its settings are .*; train anew"),
    "a setting too few": (about(lambda says: says["settings"].pop("seed") and None), "its settings .*; train anew"),
    "settings that are a list": (about(lambda says: says.update(settings=[])), "its settings are .*; train anew"),
    "losses that are no row": (put(training__losses=np.zeros((2, 2))), r"its losses have shape \(2, 2\); train anew"),
    "losses in words": (put(training__losses=np.array(["a", "b"])), "its arrays are no finite numbers; train anew"),
    "a parameter that is infinite": (put(W1=np.full((3, 2), np.inf)), "its arrays are no finite numbers; train anew"),
    "a format of the future": (
        about(lambda says: says.update(format=99)),
        "it has format 99, and this version reads format 1; train anew",
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_file_is_refused(what: str, tmp_path: Path):
    change, says = DAMAGE[what]
    path = small(epochs=2, momentum=0.5).train().save(tmp_path / "run.npz")
    arrays = contents(path)
    change(arrays)
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array, allow_pickle=False)
            archive.writestr(f"{name}.npy", content.getvalue())
    with pytest.raises(sbp.UnreadableError, match=says) as error:
        sbp.Training.load(path)
    assert "run.npz" in str(error.value)
    with pytest.raises(sbp.UnreadableError, match=says):
        small().model.train(**small().data, resume=path, epochs=5)


def test_what_is_no_archive_is_refused(tmp_path: Path):
    files = {"text.npz": b"once upon a time", "empty.npz": b"", "short.npz": b"", "array.npz": b"", "pickled.npz": b""}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    whole = small(epochs=2).train().save(tmp_path / "run.npz").read_bytes()
    (tmp_path / "short.npz").write_bytes(whole[: len(whole) // 2])
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    (tmp_path / "array.npz").write_bytes(content.getvalue())
    np.savez(tmp_path / "pickled.npz", W1=np.array([{}], dtype=object))
    for name in files:
        with pytest.raises(sbp.UnreadableError, match=name):
            sbp.Training.load(tmp_path / name)
    with pytest.raises(sbp.UnreadableError, match=r"absent\.npz: there is no such file; did you mean"):
        sbp.Training.load(tmp_path / "absent.npz")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(sbp.UnreadableError, match="is a directory"):
        sbp.Training.load(tmp_path / "folder.npz")
    with pytest.raises(sbp.UsageError, match=r"network\.toml: a run of training is kept in a file whose name ends in"):
        sbp.Training.load(tmp_path / "network.toml")


def test_an_archive_of_arrays_alone_is_no_run(tmp_path: Path):
    np.savez(tmp_path / "arrays.npz", W1=np.ones((3, 2)))
    with pytest.raises(sbp.UnreadableError, match=r"arrays\.npz holds arrays, but is no run of training"):
        sbp.Training.load(tmp_path / "arrays.npz")
