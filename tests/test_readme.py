"""What README shows is what happens."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import symbackprop as sbp

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_examples_print_what_readme_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    checked = 0
    printed = ""
    for language, text in blocks:
        if language == "python":
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(text, "README.md", "exec"), names)
            printed = output.getvalue()
        elif not language and printed and not text.startswith(("python", "symbackprop")):
            assert text == printed
            printed = ""
            checked += 1
    assert checked == 5
    assert names["report"].ok
    assert names["further"].epochs == 300
    assert (tmp_path / "curve.png").exists()
    assert (tmp_path / "gradients.py").read_text(encoding="utf-8").count(_module_lines()) == 1


def _module_lines() -> str:
    """What README shows of a module."""
    (shown,) = re.findall(r"```\n(    # z1_bar.*?)```", README, re.DOTALL)
    return str(shown)


def test_the_two_commands_are_there():
    assert "\n<!-- ci: tests -->\n```\n" in README
    assert ".venv/bin/symbackprop derive derivations/article-003-2-3-1/network.toml -o derivation.tex\n" in README


def test_check_prints_what_readme_says():
    (shown,) = re.findall(r"<!-- check -->\n```text\n(.*?)```", README, re.DOTALL)
    root = Path(__file__).parents[1]
    assert shown == f"{sbp.check_document(root / 'derivations' / 'notes-with-faults' / 'notes.tex')}\n".replace(
        f"{root}/", ""
    )
