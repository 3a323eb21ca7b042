"""What of a sentence can be looked up to the letter: its numbers, names and quotations. Pure."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from agentd.kernels.tokens import parts_of, words_of
from agentd.kernels.words import content_words

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODE = re.compile(r"`+([^`]+)`+")
_QUOTED = re.compile(r"[\"\u201c\u201d]([^\"\u201c\u201d]{2,})[\"\u201c\u201d]")
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:0[xob][\da-fA-F]+|\d+(?:[,_]\d{3})*(?:\.\d+)*)(?!\w*_)")
_PATH = re.compile(r"(?<![\w/])[~.]{0,2}/?(?:[\w.-]+/)+[\w.-]*\w")
_IDENTIFIER = re.compile(r"(?<![^\W_])[^\W\d]\w*(?:(?:\.|::)[^\W\d]\w*)*(?:\(\))?")
_HYPHENATED = re.compile(r"(?<!\w)\w++(?:-\w++)+")
_CAPITAL = re.compile(r"(?<![^\W_])[A-Z][\w-]*")
_CAMEL = re.compile(r"[a-z0-9][A-Z]|[A-Z]{2}|[A-Z]\d")
_SENTENCE_START = re.compile(r"^[\W\d_]*$|[.:!?]\s+[\"'(\[]*$")
_SPACE = re.compile(r"\s+")
_MARKUP = re.compile(r"[`*\"'\u2018\u2019\u201c\u201d\\]+")
_POSSESSIVE = re.compile(r"[\u2019']s\b")
_LITERAL = re.compile(r"\b(True|False|None)\b")
MATTER_WORDS = 5
"""After a literal, that say when it holds."""
SETTING_CHARS = 40
"""Between a setting and its value, where a text speaks of both."""
_ORDINARY = frozenset({"I", "A", "OK"})

_IN_WORDS = dict(
    zip(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
        range(13),
        strict=True,
    )
)
_UNITS = (
    {"microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "year"},
    {"bit", "byte", "kilobyte", "megabyte", "gigabyte", "kb", "mb", "gb", "kib", "mib", "gib"},
)
_UNIT = re.compile(rf"(?<![^\W_])({'|'.join(sorted(chain(*_UNITS)))})s?(?![^\W_])")
_SHORT_UNITS = re.compile(r"(?<=\d)\s?(ms|s|min|h)\b")
_LONG = {"ms": "millisecond", "s": "second", "min": "minute", "h": "hour"}


def missing(sentence: str, span: str) -> list[str]:
    """What ``span`` would have to say and does not, in words.

    >>> missing("`retry` tries 4 times.", "def retry(): return call(tries=3)")
    ['the number 4 is not there']
    """
    there = _folded(span)
    words = _words(span)
    found = [f"the name {name} is not there" for name in names(sentence) if not _holds(name, there, words)]
    found += [f"{code} is not said there" for code in _CODE.findall(sentence) if _unsaid(code, span)]
    found += _other_literals(_CODE.sub(r" \1 ", sentence), _MARKUP.sub(" ", span))
    values = _values(span)
    found += [f"the number {text} is not there" for text, value in _numbers(_plain(sentence)) if value not in values]
    said = (quotation.strip() for quotation in _QUOTED.findall(_CODE.sub(" ", sentence)))
    found += [f'"{each}" is not said there' for each in said if _folded(each).rstrip(".,;:!?") not in there]
    return [*found, *_units(sentence, span)]


def names(sentence: str) -> list[str]:
    """Code, paths, identifiers and what is written with a capital within the sentence, as written, each once."""
    code = _CODE.findall(sentence)
    rest = _CODE.sub(" x ", sentence)  # a letter, so that what follows does not begin the sentence
    rest = _POSSESSIVE.sub("", _QUOTED.sub(" x ", rest))
    paths = [path for path in _PATH.findall(rest) if path.count("/") > 1 or "." in path or path.startswith("/")]
    rest = _PATH.sub(" x ", rest)
    found = [*code, *paths, *_identifiers(rest), *_capitalised(rest)]
    return list(dict.fromkeys(name.strip() for name in found if name.strip() and name not in _ORDINARY))


def _identifiers(text: str) -> Iterator[str]:
    for token in _IDENTIFIER.findall(text):
        plain = token.removesuffix("()")
        if (
            token != plain
            or "_" in plain.strip("_")
            or "::" in plain
            or _CAMEL.search(plain)
            or plain.count(".") > 1
            or ("." in plain and not plain.endswith(".") and len(plain) > 4)
        ):
            yield token


def _capitalised(text: str) -> Iterator[str]:
    for match in _CAPITAL.finditer(text):
        if len(match[0]) > 1 and not _SENTENCE_START.search(text[: match.start()]):
            yield match[0]


def _holds(name: str, there: str, words: frozenset[str]) -> bool:
    """Whether a name stands in a text: as it is, or each of its words for itself, as in ``limit=5``."""
    folded = _folded(name).removesuffix("()")
    if not folded[:1].isalnum() and folded in there:
        return True
    own = [word.strip("_").casefold() for word in words_of(folded)]
    return all(word in words or word.removesuffix("s") in words for word in own) if own else folded in there


def _unsaid(assignment: str, span: str) -> bool:
    """Whether ``limit=5`` is said nowhere, be it so or as in ``limit`` is set to 5."""
    key, _, value = assignment.replace(" ", "").partition("=")
    if not key.isidentifier() or not value or value.startswith("="):
        return False
    name, said = (rf"(?<!\w){re.escape(part)}(?!\w)" for part in (key, value))
    near = rf"{name}.{{0,{SETTING_CHARS}}}?{said}|{said}.{{0,{SETTING_CHARS}}}?{name}"
    return re.search(near, span, re.IGNORECASE | re.DOTALL) is None


def _words(text: str) -> frozenset[str]:
    whole = [word.strip("_") for word in words_of(text)]  # reStructuredText marks references by ``_``
    parts = [part for word in whole for part in parts_of(word)]
    joined = _HYPHENATED.findall(text)
    return frozenset(word.casefold() for word in (*whole, *parts, *(word.replace("-", "") for word in joined)))


def _plain(sentence: str) -> str:
    """The sentence without code: numbers in there are part of names."""
    return _CODE.sub(" x ", sentence)


def _other_literals(sentence: str, span: str) -> list[str]:
    """Where it says ``True`` here and, of the same matter, ``False`` there."""
    there = _after_literals(span)
    found = []
    for literal, matter in _after_literals(sentence):
        own = max((len(matter & other) for name, other in there if name == literal), default=0)
        best = max(there, key=lambda each: len(matter & each[1]), default=None)
        if best is not None and best[0] != literal and len(matter & best[1]) >= max(2, own + 2):
            found.append(f"it says {best[0]} of this there, not {literal}")
    return found


def _after_literals(text: str) -> list[tuple[str, frozenset[str]]]:
    """Each ``True``, ``False`` and ``None`` with the next words that carry meaning, up to another one."""
    parts = _LITERAL.split(text)
    return [
        (literal, frozenset(content_words(after)[:MATTER_WORDS]))
        for literal, after in zip(parts[1::2], parts[2::2], strict=True)
    ]


def _numbers(text: str) -> list[tuple[str, str]]:
    """(as written, value) of each; ``one`` is as often a pronoun."""
    counted = (word for word in re.findall(r"[a-z]+", text.casefold()) if _IN_WORDS.get(word, 0) > 1)
    spelled = [(word, str(_IN_WORDS[word])) for word in counted]
    return [*((match[0], _value(match[0])) for match in _NUMBER.finditer(text)), *spelled]


def _value(text: str) -> str:
    """A spelling that numbers of equal value share; versions such as 3.2.1 stand for themselves.

    >>> _value("1,000.0"), _value("3.2.1")
    ('1000', '3.2.1')
    """
    bare = text.replace(",", "").replace("_", "").lstrip("+")
    try:
        number = float(int(bare, 0) if bare[:2].lower() in {"0x", "0o", "0b"} else bare)
    except (ValueError, OverflowError):  # a key in hexadecimal
        return bare
    return f"{number:.12g}"


def _values(span: str) -> frozenset[str]:
    spelled = {str(_IN_WORDS[word]) for word in re.findall(r"[a-z]+", span.casefold()) if word in _IN_WORDS}
    spelled |= {"2"} if re.search(r"\b(?:both|twice|pair|either)\b", span) else set()
    inside = {_value(digits) for digits in re.findall(r"\d+(?:\.\d+)?", span)}
    return frozenset({value for _, value in _numbers(span)} | inside | spelled)


def _units(sentence: str, span: str) -> list[str]:
    wanted, there = _units_of(_plain(sentence)), _units_of(span)
    return [
        f"the unit {unit} is not there, but {', '.join(sorted(there & kind))} is"
        for kind in _UNITS
        for unit in sorted(wanted & kind - there)
        if there & kind
    ]


def _units_of(text: str) -> set[str]:
    folded = text.casefold()
    return set(_UNIT.findall(folded)) | {_LONG[unit] for unit in _SHORT_UNITS.findall(folded)}


def _folded(text: str) -> str:
    return _SPACE.sub(" ", _MARKUP.sub("", text)).strip().casefold()
