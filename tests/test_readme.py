"""What README shows is what happens."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_examples_print_what_readme_says():
    blocks = re.findall(r"```(python|)\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    checked = 0
    printed = ""
    for language, text in blocks:
        if language == "python":
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(text, "README.md", "exec"), names)
            printed = output.getvalue()
        elif printed and not text.startswith(("python", "symbackprop")):
            assert text == printed
            printed = ""
            checked += 1
    assert checked == 2


def test_the_two_commands_are_there():
    assert "\n<!-- ci: tests -->\n```\n" in README
    assert ".venv/bin/symbackprop derive derivations/article-003-2-3-1/network.toml -o derivation.tex\n" in README
