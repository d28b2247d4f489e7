"""Texts that people tell apart by looking at them: without characters that show nothing and change nothing."""

import unicodedata
from typing import Final

# Letters, marks and symbols by Unicode's categories, which show nothing all the same: fillers of Hangul, vowels of Khmer, a joiner of
# marks, and Braille without dots.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# Formatting characters that are seen: signs around numbers in Arabic and Kaithi, and an abbreviation in Syriac.
_SEEN: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_NON_JOINER, _JOINER, _VOWEL_SEPARATOR, _BLACK_FLAG, _KEYCAP = "\u200c", "\u200d", "\u180e", "\U0001f3f4", "\u20e3"
_VIRAMA: Final = 9  # the combining class of the sign that joins consonants of Indic scripts
_CURSIVE: Final = (("\u0600", "\u08ff"), ("\u1800", "\u18aa"), ("\ufb50", "\ufdff"), ("\ufe70", "\ufefc"))
_MONGOLIAN: Final = (("\u1820", "\u18aa"),)
_IDEOGRAPHS: Final = (("\u3400", "\u9fff"), ("\uf900", "\ufaff"), ("\U00020000", "\U0003ffff"))
_VARIANTS_OF_IDEOGRAPHS: Final = (("\ufe00", "\ufe02"), ("\U000e0100", "\U000e01ef"))
_VARIANTS: Final = (("\ufe00", "\ufe0f"), ("\U000e0100", "\U000e01ef"))
_TAGS: Final = (("\U000e0020", "\U000e007f"),)


def visible(text: str) -> str:
    """Return a text without what shows nothing: formatting, fillers, variants and tags without effect.

    What other scripts and emoji need stays where it has an effect: joiners in Persian and Indic names, variants of Chinese characters.

    >>> visible("Mei\\u3164\\u202e\\u200d")
    'Mei'
    """
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    for at, each in enumerate(text):
        if not _is_unseen(each) or _has_effect(each, kept[-1] if kept else "", text[at + 1 : at + 2]):
            kept.append(each)
    return "".join(kept)


def is_visible(text: str) -> bool:
    """Return whether everything in a text is seen, or has an effect on what is seen; spaces are plain ones."""
    return visible(text) == text == in_one_line(text)


def shown(text: str) -> str:
    """Return what is seen of a text, in one line with single spaces: it can't turn the direction of reading.

    >>> shown(" Mei\\u202e\\n Lin ")
    'Mei Lin'
    """
    return " ".join(in_one_line(visible(text)).split())


def in_one_line(text: str) -> str:
    """Return a text with spaces for what can't be printed, but for formatting: line ends, other controls, other kinds of spaces."""
    return "".join(each if each.isprintable() or unicodedata.category(each) == "Cf" else " " for each in text)


def _is_unseen(letter: str) -> bool:
    formats = unicodedata.category(letter) == "Cf" and letter not in _SEEN
    return formats or letter in _BLANK or _among(letter, _VARIANTS)


def _has_effect(letter: str, before: str, after: str) -> bool:
    """Return whether an unseen character changes those around it. The joiners' rules are those of domain names (RFC 5892, appendix A)."""
    if not before:
        return False
    kind = unicodedata.category(before)
    if letter in (_NON_JOINER, _JOINER):
        joined = unicodedata.combining(before) == _VIRAMA or (after != "" and unicodedata.combining(after) == _VIRAMA)
        cursive = _among(before, _CURSIVE) and _among(after, _CURSIVE)
        emoji = letter == _JOINER and (kind in ("So", "Sk") or before == "\ufe0f") and after != "" and unicodedata.category(after) == "So"
        return joined or cursive or emoji
    if letter in ("\ufe0e", "\ufe0f"):
        return kind in ("So", "Sm") or (after == _KEYCAP and before in "0123456789#*")
    if _among(letter, _VARIANTS_OF_IDEOGRAPHS):
        return _among(before, _IDEOGRAPHS)
    if _among(letter, _TAGS):
        return before == _BLACK_FLAG or (_among(before, _TAGS) and before != "\U000e007f")
    return letter == _VOWEL_SEPARATOR and _among(before, _MONGOLIAN)


def _among(letter: str, ranges: tuple[tuple[str, str], ...]) -> bool:
    return letter != "" and any(first <= letter <= last for first, last in ranges)
