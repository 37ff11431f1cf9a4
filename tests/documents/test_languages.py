"""Every language says all that English says: the tables are alike, and no English is left in a document."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from string import Formatter
from types import MappingProxyType

import pytest
from click.testing import CliRunner
from documents import MODELS, NAMES, document, references, story, texts
from hypothesis import given, settings
from random_networks import networks

import symbackprop as sbp
from symbackprop.cli.application import application
from symbackprop.documents.derivation import derivation_document
from symbackprop.documents.drawings.drawing import Label
from symbackprop.documents.formats.tex import tex
from symbackprop.documents.languages.tables import LANGUAGES
from symbackprop.documents.languages.words import Words, words_of
from symbackprop.documents.options import Options
from symbackprop.documents.tree import Display, Figure, Heading, Math
from symbackprop.functions.elementary import ELEMENTARY
from symbackprop.functions.library import FUNCTIONS
from symbackprop.layers.activations import ACTIVATIONS
from symbackprop.layers.losses import LOSSES
from symbackprop.notation.program import Role

ENGLISH = LANGUAGES["en"]
OTHERS = [code for code in LANGUAGES if code != "en"]
OPTIONS = Options(date="2026-01-31", detail="every")
needs_latex = pytest.mark.skipif(
    not (shutil.which("pdflatex") and shutil.which("pdftotext")), reason="pdflatex or pdftotext is not installed"
)

# Tables


def places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def faults(language):
    """What is wrong with the tables of ``language``."""
    for key in ENGLISH.sentences.keys() ^ language.sentences.keys():
        # Not every language has something to remark.
        if not key.startswith("remark "):
            yield f"key {key}"
    for key in ENGLISH.sentences.keys() & language.sentences.keys():
        if places(ENGLISH.sentences[key]) != places(language.sentences[key]):
            yield f"places of {key}"
    for phrase, said in language.phrases.items():
        if places(phrase) != places(said):
            yield f"places of {phrase}"
    if len(set(language.months)) != 12:
        yield "months"


def changed(table, **entries):
    """``table`` with other entries; without those that are None."""
    return MappingProxyType({key: said for key, said in {**table, **entries}.items() if said is not None})


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_tables_are_alike(code):
    assert list(faults(LANGUAGES[code])) == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_fault_in_a_table_is_noticed(code):
    good = LANGUAGES[code]
    for entries, fault in (
        ({"backward": None}, "key backward"),
        ({"unasked": "Niemand fragt danach."}, "key unasked"),
        ({"definition": "{meaning}, {symbol}"}, "places of definition"),
        ({"update title": "{rate}"}, "places of update title"),
    ):
        assert list(faults(replace(good, sentences=changed(good.sentences, **entries)))) == [fault]
    few = {"derivative of {function}": "Ableitung"}
    assert list(faults(replace(good, phrases=changed(good.phrases, **few)))) == ["places of derivative of {function}"]
    assert list(faults(replace(good, months=good.months[1:]))) == ["months"]
    assert list(faults(replace(good, sentences=changed(good.sentences, **{"remark hinge": None})))) == []


@pytest.mark.parametrize("code", OTHERS)
def test_no_sentence_is_left_in_english(code):
    """What is the same in both has no words, or none but those that both languages have."""
    same = {key for key, said in LANGUAGES[code].sentences.items() if said == ENGLISH.sentences[key]}
    assert {re.sub(r"\{\w+\}|\W", "", ENGLISH.sentences[key]) for key in same} <= {"", "bias", "error"}


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_fonts_have_every_letter(code):
    language = LANGUAGES[code]
    for said in (*language.sentences.values(), *language.phrases.values(), *language.months):
        assert "U+" not in tex(_document_of(said)), said


def _document_of(title):
    return replace(document("softmax"), title=title, blocks=())


def test_a_date():
    assert words_of("en").date("2026-03-01") == "1 March 2026"
    assert words_of("de").date("2026-03-01") == "1. M\u00e4rz 2026"


# Phrases

ELEMENTARY_NAMES = {function.__name__ for function in ELEMENTARY}
"""These are formulas rather than words: log, cosh."""


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("chain rule", "Kettenregel"),
        ("weights of layer 12", "Gewichte der Schicht 12"),
        ("derivative of sigmoid", "Ableitung der Sigmoidfunktion"),
        ("derivative of cosh", "Ableitung von cosh"),
        ("derivative of my_own", "Ableitung von my_own"),
        (
            "constant factor rule, then product rule, then derivative of exp",
            "Faktorregel, dann Produktregel, dann Ableitung von exp",
        ),
        ("slope 1/100", "Steigung 1/100"),
        ("weights of layer {number}", "Gewichte der Schicht {number}"),
        ("weights of layer #", "Gewichte der Schicht #"),
        ("what nobody knows", "what nobody knows"),
        ("", ""),
    ],
)
def test_a_phrase(english, german):
    assert words_of("de").phrase(english) == german
    assert words_of("en").phrase(english) == english


def unknown(build):
    """What ``build()`` gives, and the phrases asked for that the language has no words for."""
    known, found = Words.phrase, set()

    def phrase(self, text):
        said = known(self, text)
        own = said == text and text not in self.language.phrases
        if own and text not in ELEMENTARY_NAMES and re.search("[A-Za-z]{2}", text):
            found.add(text)
        return said

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Words, "phrase", phrase)
        return build(), found


@cache
def in_language(name, code):
    return unknown(lambda: document.__wrapped__(name, replace(OPTIONS, language=code)))


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("name", NAMES)
def test_every_phrase_of_a_document_is_known(name, code):
    assert in_language(name, code)[1] == set()


@settings(max_examples=15)
@given(networks())
def test_every_phrase_of_any_network_is_known(net):
    for code in OTHERS:
        options = replace(OPTIONS, language=code)
        _, found = unknown(lambda o=options: derivation_document(story(net, options=o), o))
        assert found == set()


@pytest.mark.parametrize("code", OTHERS)
def test_the_names_conventions_and_roles_are_known(code):
    phrases = LANGUAGES[code].phrases
    assert {name.replace("_", " ") for name in (*ACTIVATIONS, *LOSSES)} <= phrases.keys()
    # What an adjoint is has a sentence of its own.
    assert {role.value for role in Role if role is not Role.ADJOINT} <= phrases.keys()
    words = words_of(code)
    for name, function in FUNCTIONS.items():
        if function.record.kinks:
            assert name.replace("_", " ") in phrases
            assert words.phrase(function.record.convention) != function.record.convention


def test_a_phrase_that_is_missing_is_noticed(monkeypatch):
    good = LANGUAGES["de"]
    for phrase in ("chain rule", "weights of layer {number}", "relu"):
        bad = replace(good, phrases=changed(good.phrases, **{phrase: None}))
        monkeypatch.setattr("symbackprop.documents.languages.words.LANGUAGES", {"de": bad})
        _, found = unknown(lambda: document.__wrapped__("softmax", replace(OPTIONS, language="de")))
        assert found
        assert all(re.fullmatch(re.sub(r"\{\w+\}", ".*", phrase), text) for text in found)


# Documents

ENGLISH_WORDS = re.compile(
    r"\b(the|and|of|is|are|has|have|its|with|without|by|for|from|to|at|where|no|each|layers?|weights?|bias(?=es)|inputs?"
    r"|units?|loss|derivatives?|rule|then|number|shape|value|examples?|arrows|drawn)\b"
)


def said_in(doc):
    """Every text a reader sees or hears, but for the title, formulas, and words for a computer."""
    for block in doc.blocks:
        if isinstance(block, Heading):
            yield block.title
        if isinstance(block, Figure):
            yield from (block.alternative, block.drawing.alternative)
            for mark in block.drawing.marks:
                if isinstance(mark, Label):
                    yield " ".join(part for part in mark.text if isinstance(part, str))
        for text in texts(block):
            yield " ".join(part for part in text if isinstance(part, str))
    yield from (doc.captions.figure, doc.captions.in_words, doc.captions.contents)


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("name", MODELS)
def test_no_english_is_left(name, code):
    doc, _ = in_language(name, code)
    assert doc.language == code
    assert [text for text in said_in(doc) if ENGLISH_WORDS.search(text)] == []
    titles = [block.drawing.title for block in doc.blocks if isinstance(block, Figure)]
    assert not any(re.search(r"\b(The|of)\b", title) for title in titles)


def test_english_would_be_noticed():
    """Almost every sentence in English has one of the words that are looked for."""
    found = [text for text in said_in(document("softmax")) if ENGLISH_WORDS.search(text)]
    assert len(found) > 60
    for key, said in ENGLISH.sentences.items():
        if len(re.sub(r"\{\w+\}", "", said).split()) > 7:
            assert ENGLISH_WORDS.search(said), key


def formulas_of(block):
    """The formulas of a block; those in running text stand in an order that depends on the language."""
    if isinstance(block, Display):
        return [(row.left, row.relation, *row.right) for row in block.rows], block.label
    if isinstance(block, Figure):
        # What a symbol is made of, and how often it stands there.
        parts = (part for mark in block.drawing.marks if isinstance(mark, Label) for part in mark.text)
        return sorted(part.latex for part in parts if not isinstance(part, str)), block.label
    return sorted(part.latex for text in texts(block) for part in text if isinstance(part, Math)), ""


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("name", NAMES)
def test_the_formulas_are_those_of_the_english_document(name, code):
    english, other = document(name, OPTIONS), in_language(name, code)[0]
    assert len(english.blocks) == len(other.blocks)
    for block, same in zip(english.blocks, other.blocks, strict=True):
        assert type(block) is type(same)
        assert formulas_of(block) == formulas_of(same)
    assert sorted(references(english)) == sorted(references(other))


def test_a_name_of_ones_own_stays():
    own = sbp.Activation("weights_of_layer", lambda z: z**3)
    net = sbp.Network(1, [sbp.Dense(1, own)], sbp.Loss("My loss", lambda a, y: (a - y) ** 4))
    options = Options(date="", language="de")
    text = " ".join(said_in(derivation_document(story(net, options=options), options)))
    assert "die Aktivierung weights of layer." in text
    assert "My loss" in text


# Choosing a language

TOML = """
[network]
inputs = 2
loss = "half_squared_error"
[[layers]]
type = "dense"
units = 1
activation = "sigmoid"
"""


def derive(folder, *flags, says=""):
    (folder / "network.toml").write_text(TOML + says)
    run = CliRunner().invoke(application, ["derive", str(folder / "network.toml"), "-o", str(folder / "d.md"), *flags])
    assert run.exit_code == 0, run.output
    return (folder / "d.md").read_text(encoding="utf-8")


def test_the_command_line_chooses(tmp_path):
    text = derive(tmp_path, "--language", "de", "--date", "2026-01-31")
    assert "## Ergebnis" in text
    assert "31. Januar 2026" in text
    assert "symbackprop derive network.toml --date 2026-01-31 --language de -o FILE" in text


def test_the_file_chooses_and_the_command_line_more_so(tmp_path):
    says = '[document]\nlanguage = "de"\n'
    assert "## R\u00fcckw\u00e4rtsrechnung" in derive(tmp_path, says=says)
    assert "## Backward pass" in derive(tmp_path, "--language", "en", says=says)
    assert "> In Worten: Spalten von Kreisen" in sbp.Network.load(tmp_path / "network.toml").derive().save(
        tmp_path / "d.md"
    ).read_text(encoding="utf-8")


def test_a_language_that_there_is_not(tmp_path):
    (tmp_path / "network.toml").write_text(TOML + '[document]\nlanguage = "deutsch"\n')
    run = CliRunner().invoke(application, ["derive", str(tmp_path / "network.toml"), "-o", str(tmp_path / "d.md")])
    assert run.exit_code == 2
    assert "unknown language 'deutsch'" in run.output


def test_the_formats_know_the_language(tmp_path):
    derivation = MODELS["softmax"].derive()
    page = derivation.save(tmp_path / "d.html", language="de").read_text(encoding="utf-8")
    assert '<html lang="de">' in page
    assert "<desc>Spalten von Kreisen" in page
    source = derivation.save(tmp_path / "d.tex", language="de").read_text(encoding="utf-8")
    assert "pdflang={de}" in source
    assert r"\renewcommand{\figurename}{Abbildung}" in source
    assert "[U+" not in source


@needs_latex
def test_a_pdf_in_german(tmp_path):
    path = MODELS["softmax"].derive().save(tmp_path / "d.pdf", language="de")
    text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True).stdout.decode()
    assert "R\u00fcckw\u00e4rtsrechnung" in text
    assert "Abbildung 1" in text
    assert "\u00bbrows\u00ab" in text
