"""What a reader may choose: from Python, from a network file, and on the command line."""

from __future__ import annotations

import datetime
import re
import shlex

import pytest
from click.testing import CliRunner
from documents import MODELS, cited, derivation_document, story

import symbackprop as sbp
from symbackprop.cli.application import application
from symbackprop.documents.formats.markdown import markdown
from symbackprop.documents.options import DETAILS, SECTIONS, Options
from symbackprop.documents.tree import Display, Figure, Heading, Table
from symbackprop.errors import UsageError

NETWORK = sbp.Network(2, [sbp.Dense(3, "sigmoid"), sbp.Dense(1)], "half_squared_error", name="2-3-1")
TOML = """
[network]
name = "2-3-1"
inputs = 2
loss = "half_squared_error"
[[layers]]
type = "dense"
units = 3
activation = "sigmoid"
[[layers]]
type = "dense"
units = 1
[document]
"""


def document(**choices):
    options = Options(**{"date": "", **choices})
    return derivation_document(story(NETWORK, options=options), options)


def titles(doc):
    return [block.title for block in doc.blocks if isinstance(block, Heading) and block.level == 1]


@pytest.mark.parametrize(
    ("section", "title"),
    [
        ("result", "Result"),
        ("notation", "Notation"),
        ("forward", "Forward pass"),
        ("backward", "Backward pass"),
        ("numbers", "Worked in numbers"),
        ("checks", "Checks"),
    ],
)
def test_a_section_alone_and_all_but_one(section, title):
    alone = document(sections=section)
    assert titles(alone)[0] == title
    assert len(titles(alone)) == (2 if section == "forward" else 1)
    without = document(sections=[name for name in SECTIONS if name != section])
    assert title not in titles(without)
    for doc in (alone, without):
        labels = {block.label for block in doc.blocks if isinstance(block, Display)}
        assert set(cited(doc)) <= labels


def test_figures_may_be_left_out():
    assert [b for b in document(sections=["result", "backward"]).blocks if isinstance(b, Figure)] == []
    assert len([b for b in document().blocks if isinstance(b, Figure)]) == 2


def test_more_detail_is_longer():
    lengths = [sum(isinstance(b, Display) for b in document(detail=detail).blocks) for detail in DETAILS]
    rows = [sum(len(b.rows) for b in document(detail=d).blocks if isinstance(b, Display)) for d in DETAILS]
    assert lengths[0] < lengths[1] <= lengths[2]
    assert rows[0] < rows[1] < rows[2]


def test_every_document_has_every_weight():
    for detail in DETAILS:
        (table,) = (b for b in document(detail=detail).blocks if isinstance(b, Table) and b.header[1] == ("before",))
        assert len(table.rows) == 3 * 2 + 3 + 3 + 1


def test_title_author_and_date(tmp_path):
    text = NETWORK.derive().save(
        tmp_path / "d.md", title="A & B", author="Ada Lovelace", date=datetime.date(2026, 1, 31)
    )
    head = text.read_text().splitlines()[:6]
    assert head[0] == "# A \\& B"
    assert "Ada Lovelace" in "".join(head)
    assert "31 January 2026" in "".join(head)


def test_the_date_is_today_unless_reproducible_builds_say_otherwise(monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    today = datetime.date.today()
    assert re.search(str(today.year), derivation_document(story(NETWORK), Options()).date)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert derivation_document(story(NETWORK), Options()).date == "1 January 1970"
    assert document(date="").date == ""


def test_the_command_that_makes_it_again_makes_it_again(tmp_path, monkeypatch):
    """Whatever was chosen, against whatever the file chooses."""
    path = network_file(tmp_path, 'notation = "nielsen"', "digits = 4", 'title = "Mine"')
    monkeypatch.chdir(tmp_path)
    choices = {
        "notation": "superscript",
        "orientation": "columns",
        "sections": ["result", "notation", "numbers"],
        "title": 'It\'s a "title"',
        "author": "Ada Lovelace",
        "date": "2026-01-31",
    }
    first = sbp.Network.load(path).derive("W1").save("first.md", learning_rate=0.37, **choices).read_text()
    (command,) = set(re.findall(r"`(symbackprop derive .*) -o FILE`", first))
    result = run(*shlex.split(command)[1:], "-o", "second.md")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "second.md").read_text() == first
    assert command == (
        "symbackprop derive network.toml --wrt W1 --learning-rate 0.37 --notation superscript --orientation columns "
        "--sections result,notation,numbers --title 'It'\"'\"'s a \"title\"' --author 'Ada Lovelace' --date 2026-01-31"
    )


def test_a_network_in_no_file_has_no_command(tmp_path):
    text = NETWORK.derive().save(tmp_path / "d.md").read_text()
    assert "Derived by symbackprop" in text
    assert "symbackprop derive" not in text


@pytest.mark.parametrize("rate", [float("nan"), -1, 0, "a", float("inf")])
def test_a_learning_rate_that_is_none(rate, tmp_path):
    with pytest.raises(UsageError, match="learning_rate is"):
        NETWORK.derive().save(tmp_path / "d.md", learning_rate=rate)


def test_digits():
    few, many = (markdown(document(digits=digits)) for digits in (3, 9))
    assert "rounded for display to 3 significant figures" in few
    assert "rounded for display to 9 significant figures" in many
    assert not re.search(r"0\.\d{7}", few)
    assert re.search(r"0\.\d{9}", many)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"detail": "step"}, "unknown detail 'step'; did you mean 'steps'"),
        ({"sections": ["results"]}, "unknown section 'results'; did you mean 'result'"),
        ({"sections": []}, "sections is empty; name some of figures, result"),
        ({"digits": 0}, "digits is 0; give a number of significant figures from 1 to 15"),
        ({"digits": 2.5}, "digits is 2.5"),
        ({"digits": True}, "digits is True"),
        ({"date": "31.1.2026"}, "date is '31.1.2026'; give it as 2026-01-31"),
        ({"title": 3}, "title is 3; give a text"),
        ({"language": "xx"}, "unknown language 'xx'; known are en, de"),
        ({"orientation": "column"}, "unknown orientation 'column'; did you mean 'columns'"),
        ({"notation": "bishop"}, "unknown notation 'bishop'"),
    ],
)
def test_a_choice_that_there_is_not(choices, message, tmp_path):
    with pytest.raises(UsageError, match=re.escape(message)):
        NETWORK.derive().save(tmp_path / "d.md", **choices)
    assert not list(tmp_path.iterdir())


def test_a_program_without_a_batch_lies_in_no_orientation(tmp_path):
    program = sbp.Program(["L = Sum(w[i]**2, i)"], "L", parameters={"w": (3,)}, name="bare")
    for orientation in ("columns", "vector"):
        with pytest.raises(UsageError, match="bare names no batch size"):
            program.derive().save(tmp_path / "d.md", orientation=orientation)


@pytest.mark.parametrize("orientation", ["rows", "columns", "vector"])
@pytest.mark.parametrize("notation", ["superscript", "subscript", "nielsen", "ng"])
def test_every_notation_lies_in_every_orientation(notation, orientation):
    for name in ("softmax", "six layers"):
        options = Options(notation, orientation=orientation, date="")
        doc = derivation_document(story(MODELS[name], options=options), options)
        (shape,) = next(block for block in doc.blocks if isinstance(block, Table)).rows[0][2]
        size = "m" if notation == "ng" else "N"
        shapes = {"rows": rf"{size} \times 2", "columns": rf"2 \times {size}", "vector": "2"}
        assert shape.latex == shapes[orientation]


def test_of_several_examples_a_column_vector_is_the_first():
    told = story(NETWORK, None, [[1.0, 2.0], [3.0, 4.0]], [[1.0], [2.0]], Options(orientation="vector"))
    assert told.example.array("x").tolist() == [1.0, 2.0]
    assert told.example.examples == 2
    alone = story(NETWORK, None, [[1.0, 2.0]], [[1.0]], Options())
    assert told.example.array("W1_bar").tolist() == alone.example.array("W1_bar").tolist()


def network_file(folder, *lines):
    path = folder / "network.toml"
    path.write_text(TOML + "\n".join(lines) + "\n")
    return path


def test_a_file_says_how_its_document_is_written(tmp_path):
    path = network_file(tmp_path, 'notation = "ng"', 'orientation = "columns"', "date = 2026-01-31", 'author = "Ada"')
    text = sbp.Network.load(path).derive().save(tmp_path / "d.md").read_text()
    assert r"\frac{\partial J}{\partial W^{[1]}}" in text
    assert "31 January 2026" in text
    changed = sbp.Network.load(path).derive().save(tmp_path / "d.md", notation="nielsen").read_text()
    assert r"\frac{\partial C}{\partial w^{1}}" in changed


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('notation = "bishop"', r"[document]: unknown notation 'bishop'"),
        ("digits = 99", "[document]: digits is 99"),
        ("digit = 3", "[document]: unknown key 'digit'; did you mean 'digits'"),
        ('date = "soon"', "[document]: date is 'soon'"),
        ("sections = []", "[document]: sections is []"),
    ],
)
def test_a_file_that_chooses_what_there_is_not(line, message, tmp_path):
    path = network_file(tmp_path, line)
    with pytest.raises(UsageError, match=re.escape(message)):
        sbp.Network.load(path).derive().save(tmp_path / "d.md")


def run(*arguments):
    return CliRunner().invoke(application, [str(argument) for argument in arguments])


def test_the_command_line_has_every_choice(tmp_path):
    path = network_file(tmp_path)
    flags = "--notation ng --derivative partial --functions expanded --orientation columns --detail every --digits 3"
    result = run(
        *("derive", path, "-o", tmp_path / "d.md", *flags.split(), "--sections", "result,forward,backward"),
        *("--title", "T", "--author", "A", "--date", "2026-01-31", "--language", "en"),
    )
    assert result.exit_code == 0, result.output
    text = (tmp_path / "d.md").read_text()
    assert "symbackprop derive network.toml --notation ng --derivative partial" in text
    assert "Worked in numbers" not in text
    missing = set(Options.__dataclass_fields__) - {name.replace("-", "_") for name in re.findall(r"--([a-z-]+)", HELP)}
    assert missing == set()


HELP = CliRunner().invoke(application, ["derive", "--help"]).output


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--digits", "3"), "--digits is for a document; give -o FILE with it"),
        (("--learning-rate", "0.1"), "--learning-rate is for a document; give -o FILE with it"),
        (("-o", "d.md", "--notation", "ngg"), "unknown notation 'ngg'; did you mean 'ng'"),
        (("-o", "d.md", "--sections", ","), "sections is empty"),
    ],
)
def test_a_wrong_choice_is_one_sentence(flags, message, tmp_path, monkeypatch):
    path = network_file(tmp_path)
    monkeypatch.chdir(tmp_path)
    result = run("derive", path, *flags)
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "d.md").exists()
