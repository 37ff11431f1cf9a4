"""The language tables. Another language is another module with the same keys, and one line here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from types import MappingProxyType

from symbackprop.documents.languages.english import ENGLISH, ENGLISH_MONTHS
from symbackprop.documents.languages.german import GERMAN, GERMAN_MONTHS, GERMAN_PHRASES

__all__ = ["LANGUAGES", "Language"]


@dataclass(frozen=True)
class Language:
    """What documents say in one language.

    ``sentences`` by key, with places for formulas in braces. ``months`` are twelve. ``phrases`` translates what other
    parts of the package say in English: rules, reasons and meanings. A place in a phrase is for a number, a name, or
    another phrase; of several phrases that fit, the one without places is taken, or else the first.
    """

    sentences: Mapping[str, str]
    months: tuple[str, ...]
    phrases: Mapping[str, str]

    @cached_property
    def patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """The phrases with places: what finds them, and their translations."""
        return tuple((_pattern(phrase), said) for phrase, said in self.phrases.items() if "{" in phrase)


def _pattern(phrase: str) -> re.Pattern[str]:
    """What finds ``phrase``, with a group for each place in it."""
    parts = Formatter().parse(phrase)
    return re.compile("".join(re.escape(text) + (f"(?P<{place}>.+?)" if place else "") for text, place, _, _ in parts))


LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        "en": Language(ENGLISH, ENGLISH_MONTHS, MappingProxyType({})),
        "de": Language(GERMAN, GERMAN_MONTHS, GERMAN_PHRASES),
    }
)
"""The languages by their codes."""
