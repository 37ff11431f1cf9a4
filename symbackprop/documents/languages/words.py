"""The words of documents: sentences of a language table, with formulas and references put in."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from string import Formatter

from symbackprop.documents.languages.tables import LANGUAGES, Language
from symbackprop.documents.tree import Inline, Text

__all__ = ["Words", "joined", "sentence", "words_of"]


@dataclass(frozen=True)
class Words:
    """What a document says, in one language."""

    language: Language

    def __call__(self, key: str, **parts: Inline | Text | int) -> Text:
        """The sentence called ``key`` with ``parts`` in the places that bear their names."""
        found: list[Inline] = []
        for text, name, _, _ in Formatter().parse(self.language.sentences[key]):
            found += [text] if text else []
            if name is not None:
                part = parts[name]
                found += part if isinstance(part, tuple) else [str(part) if isinstance(part, int) else part]
        return _merged(found)

    def plain(self, key: str, **parts: str | int) -> str:
        """The same where all parts are words: a heading, a cell, a caption in a drawing."""
        return "".join(str(part) for part in self(key, **parts))

    def phrase(self, text: str) -> str:
        """What another part of the package says in English: a rule, a reason, the meaning of a variable.

        What the language has no words for stays as it is: a name of one's own, a number, and English in English.
        """
        if text in self.language.phrases:
            return self.language.phrases[text]
        for pattern, said in self.language.patterns:
            found = pattern.fullmatch(text)
            if found:
                return said.format(**{place: self.phrase(part) for place, part in found.groupdict().items()})
        return text

    def listed(self, items: list[Text]) -> Text:
        """``items`` as an enumeration: a, b and c."""
        if not items:
            return ()
        if len(items) == 1:
            return items[0]
        return self("enumeration", first=joined(", ", items[:-1]), last=items[-1])

    def date(self, iso: str) -> str:
        """A date as it is written in a title."""
        day = datetime.date.fromisoformat(iso)
        return self.plain("date", day=day.day, month=self.language.months[day.month - 1], year=day.year)


def joined(joint: str, items: list[Text]) -> Text:
    """``items`` with ``joint`` between them."""
    found: list[Inline] = []
    for item in items:
        found += [joint, *item] if found else item
    return _merged(found)


def sentence(text: Text) -> Text:
    """``text`` with the capital letter that a sentence begins with."""
    first, *rest = text
    return (f"{first[:1].upper()}{first[1:]}", *rest) if isinstance(first, str) else text


def words_of(language: str) -> Words:
    """The words of the language with the code ``language``."""
    return Words(LANGUAGES[language])


def _merged(parts: list[Inline]) -> Text:
    """``parts`` with words that follow each other put together."""
    merged: list[Inline] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    return tuple(merged)
