"""The PDF is typeset by pdflatex where there is one; where there is none, or it fails, the LaTeX is kept."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import textwrap
from dataclasses import replace

import pytest
from click.testing import CliRunner
from documents import document

from symbackprop.cli.application import application
from symbackprop.documents.formats import pdf as emitter
from symbackprop.documents.formats.emitters import write_document
from symbackprop.documents.formats.pdf import pdf
from symbackprop.documents.formats.tex import tex
from symbackprop.documents.tree import Display, Document, Math, Paragraph, Ref, Row
from symbackprop.errors import UsageError

needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
SMALL = Document(
    "Größe & <Formel>",
    (Paragraph(("See ", Ref("z"), ".")), Display((Row("z", ("x", "+ y")),), "z")),
    "by hand",
)
WRONG = Document("t", (Paragraph((Math(r"a + \notacommand"),)),), "m")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder for temporary files, which is empty again afterwards."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield
    assert not list(place.iterdir())


@pytest.fixture
def pretended(tmp_path, monkeypatch):
    """Puts a program of one's own in the place of pdflatex; what it notes is returned."""

    def pretend(body):
        programs = tmp_path / "programs"
        programs.mkdir()
        program = programs / "pdflatex"
        notes = tmp_path / "notes"
        start = f"#!{sys.executable}\nimport os, pathlib, sys, time\nnotes = open({str(notes)!r}, 'a')\n"
        program.write_text(start + textwrap.dedent(body))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(programs))
        return notes

    return pretend


@needs_latex
def test_it_is_a_pdf_and_the_same_each_time(tmp_path):
    written = [write_document(SMALL, tmp_path / name).read_bytes() for name in ("a.pdf", "b.pdf")]
    assert written[0].startswith(b"%PDF-1.")
    assert written[0] == written[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "b.pdf", "temporary"]
    assert b"/CreationDate" not in written[0]


@needs_latex
def test_who_wrote_what_is_in_the_data_of_the_file():
    named = replace(SMALL, title="Größe & <ф> -- 50% \U0001f600", author="Ä. {Ö}_1", date="3 May 2024", language="de")
    content = pdf(named)
    assert information(content, "Title") == named.title
    assert information(content, "Author") == named.author
    assert information(pdf(SMALL), "Author") == ""


def information(content, key):
    """A text of the PDF's own data; its bytes may be written as three octal digits."""
    (found,) = re.findall(rb"/" + key.encode() + rb"\(((?:[^()\\]|\\.)*)\)", content, re.DOTALL)
    raw = re.sub(rb"\\(\d{3}|.)", lambda part: octal(part[1]), found, flags=re.DOTALL)
    return raw.decode("utf-16")


def octal(digits):
    return bytes([int(digits, 8)]) if len(digits) == 3 else digits


@needs_latex
def test_a_whole_document(tmp_path):
    assert write_document(document("softmax"), tmp_path / "d.pdf").stat().st_size > 50_000


@needs_latex
def test_the_first_error_of_the_log_is_named_and_the_source_kept(tmp_path):
    place = tmp_path / "d.pdf"
    place.write_bytes(b"old")
    says = (
        r"d\.pdf is not written: pdflatex failed: .*Undefined control sequence; .*; the document in LaTeX is .*d\.tex$"
    )
    with pytest.raises(UsageError, match=says):
        write_document(WRONG, place)
    assert place.read_bytes() == b"old"
    assert (tmp_path / "d.tex").read_text() == tex(WRONG)


def test_without_latex_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError) as caught:
        write_document(SMALL, tmp_path / "d.pdf")
    message = str(caught.value)
    for word in ("not installed", "texlive-latex-recommended, texlive-pictures and lmodern", ".tex", "d.tex"):
        assert word in message
    assert "\n" not in message
    assert not (tmp_path / "d.pdf").exists()
    assert (tmp_path / "d.tex").read_text(encoding="utf-8") == tex(SMALL)


def test_a_file_of_the_users_is_not_written_over(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    own = tmp_path / "d.tex"
    own.write_text("mine")
    for _ in range(2):
        with pytest.raises(UsageError, match=r"the document in LaTeX is .*d\.pdf\.tex$"):
            write_document(SMALL, tmp_path / "d.pdf")
    assert own.read_text() == "mine"
    assert (tmp_path / "d.pdf.tex").read_text(encoding="utf-8") == tex(SMALL)


def test_the_command_line_says_it_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.toml").write_text(
        '[network]\ninputs = 2\nloss = "half_squared_error"\n[[layers]]\ntype = "dense"\nunits = 1\n'
    )
    result = CliRunner().invoke(application, ["derive", "net.toml", "-o", "d.pdf"])
    assert result.exit_code != 0
    assert "pdflatex, which is not installed" in result.output
    assert "Traceback" not in result.output
    assert (tmp_path / "d.tex").exists()


def test_it_is_run_again_until_the_references_are_right(pretended):
    notes = pretended(
        """
        print(*sys.argv[1:], os.environ["SOURCE_DATE_EPOCH"], sys.stdin.read() == "", file=notes)
        runs = len(pathlib.Path(notes.name).read_text().splitlines())
        notes.flush()
        text = "LaTeX Warning: Label(s) may have changed. Rerun to get cross-references right." if runs < 2 else "fine"
        pathlib.Path("derivation.log").write_text(text)
        pathlib.Path("derivation.pdf").write_bytes(b"%PDF-made")
        """
    )
    assert pdf(SMALL) == b"%PDF-made"
    first, *others = notes.read_text().splitlines()
    assert len(others) == 2
    assert "-no-shell-escape" in first
    assert first.endswith("0 True")


def test_it_is_not_run_for_ever(pretended):
    notes = pretended(
        """
        print("run", file=notes)
        pathlib.Path("derivation.log").write_text("Rerun to get outlines right")
        pathlib.Path("derivation.pdf").write_bytes(b"%PDF-made")
        """
    )
    assert pdf(SMALL) == b"%PDF-made"
    assert len(notes.read_text().splitlines()) == 4


def test_a_program_that_hangs_is_ended(pretended, monkeypatch):
    pretended("time.sleep(60)")
    monkeypatch.setattr(emitter, "_SECONDS", 0.3)
    with pytest.raises(UsageError, match=r"did not finish within 0\.3 seconds"):
        pdf(SMALL)


def test_a_program_that_fails_without_a_log(pretended):
    pretended("sys.exit(3)")
    with pytest.raises(UsageError, match="pdflatex failed: its log names no error"):
        pdf(SMALL)


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("This is pdfTeX\n./derivation.tex:7: Undefined control sequence.\nl.7", "derivation.tex:7: Undefined"),
        ("fine.sty:1 no\n! LaTeX Error: File `lmodern.sty' not found.\n\n!  ==> Fatal", "File `lmodern.sty' not found"),
        ("derivation.tex:3: LaTeX Error: X\n! second", "derivation.tex:3: LaTeX Error: X;"),
    ],
)
def test_the_first_error_is_found(pretended, log, said):
    pretended(f"pathlib.Path('derivation.log').write_text({log!r}); sys.exit(1)")
    with pytest.raises(UsageError) as caught:
        pdf(SMALL)
    assert said in str(caught.value)
    assert "second" not in str(caught.value)
