"""The notes with three faults in them: each is found and named, and the annotated notes are what is committed."""

from __future__ import annotations

from pathlib import Path

import symbackprop as sbp

FOLDER = Path(__file__).parents[2] / "derivations" / "notes-with-faults"


def test_three_faults_are_found_and_named():
    check = sbp.check_document(FOLDER / "notes.tex")
    wrong = [(claim.about, claim.fault) for claim in check.claims if not claim.outcome.holds]
    assert wrong == [("dL/dz1", "wrong argument"), ("dL/dW1", "order"), ("update of W1", "update sign")]
    assert [claim.outcome.value for claim in check.claims].count("proved") == 5


def test_what_is_called_right_is_right(tmp_path):
    text = (FOLDER / "notes.tex").read_text(encoding="utf-8")
    check = sbp.check_document(FOLDER / "notes.tex")
    mended = "\n".join(rf"\[ {claim.correct} \]" for claim in check.claims if claim.correct)
    path = tmp_path / "mended.tex"
    path.write_text(
        text.replace(r"\paragraph{The update.}", mended + "\n" + r"\paragraph{The update.}"), encoding="utf-8"
    )
    outcomes = [claim.outcome.value for claim in sbp.check_document(path).claims]
    assert outcomes.count("differs") == 3
    assert outcomes.count("proved") == 8


def test_the_annotated_notes_are_what_is_committed(accept):
    annotated = sbp.check_document(FOLDER / "notes.tex").annotated()
    if accept:
        (FOLDER / "annotated.tex").write_text(annotated, encoding="utf-8")
    assert annotated == (FOLDER / "annotated.tex").read_text(encoding="utf-8"), (
        "changed; run with --accept and look at it"
    )
