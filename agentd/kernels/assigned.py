"""Values that are given to a name which says that they are secret: ``api_key = "..."``, ``- DB_PASSWORD=...``. Pure.

The name alone proves nothing: most of what is assigned to a ``token`` in code is another name. So a value has to look
as if a machine had drawn it, and the more so the less its surroundings say that it is text: within quotes, alone on the
line of a settings file, or in the middle of anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from agentd.kernels.secret_rules import looks_random

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class SecretName(NamedTuple):
    """Characters ``start`` to ``end`` say that a secret follows; ``short`` where people choose it, and shorter."""

    start: int
    end: int
    short: bool


NAMES = {
    **dict.fromkeys(("secret", "pass", "pwd", "identified by"), True),
    **dict.fromkeys(("token", "credential", "bearer", "key", "auth"), False),
}
"""What such names hold, in lower case, and whether people choose those secrets themselves."""
_KEY = re.compile(
    r"(?:access|account|admin|api|app|auth|client|crypto|deploy|encryption|license|master|private|service|shared|signing|storage)"
    r"[_.-]?\Z"
)
"""What kind of key is one; ``primary`` and ``foreign`` ones are not."""
_KEY_CHARS = 11
_WHOLE = ("auth", "pass")
"""Alone these begin other words; ``_auth`` and ``DB_PASS`` are meant, and ``password`` in all its spellings."""
_JOINTS = ("_", "-")
_LONGER = ("w", "phrase")

_ABOUT = re.compile(
    r"(?:ids?|ur[il]s?|names?|paths?|files?|types?|class|count|length|size|(?<=[_.-])at|At|expires|expiry|ttl|version|arn"
    r"|field|header|label|prefix|pattern|regexp?|(?<=[_.-])re|format|endpoint|alg(?:orithm)?|chars)\Z",
    re.IGNORECASE,
)
"""How a name ends that speaks of a secret and does not hold it: ``token_url``, ``secretName``."""

_QUOTE = r"[brfu]{0,2}(?P<quote>\\?[\"'`])"
_TYPE = r"(?::[ \t]{0,2}[A-Za-z&][\w\[\].<> |]{0,30}?[ \t]{0,2})?"
_GIVES = rf"[\\\"'`\])]{{0,3}}(?:[ \t]{{0,8}}{_TYPE}(?::=|=>|->|[:=](?!=))|(?P<gap>(?=[ ])))"
_VALUE_OF = r"[\\\"'`]{0,2},?\s{1,40}[\\\"']{0,2}value[\\\"']{0,2}[ \t]{0,4}[:=]"
_TELLS = r"`?(?: \w{1,12}){0,4}(?: is|:)|`?[ \t]{0,20}\|"
_REST = r"(?P<rest>[\w.-]{0,30})"
_ENDS = re.compile(r"[\w.-]{0,30}(?![\w.-])")
"""Whether the name ends as soon as all forms expect it: they take longer to find that out."""
_BEFORE_QUOTE = "|".join(
    (
        rf"(?:{_GIVES})[ \t]{{0,8}}\(?\s{{0,80}}",
        rf"(?:{_VALUE_OF})[ \t]{{0,8}}",
        r"[\"'][ \t]{0,4},[ \t]{0,4}",
        r"\([ \t]{0,4}",
        rf"(?:{_TELLS})[ \t]{{0,4}}",
    )
)
"""Between a name and a quotation: what assigns (also ``NAME: str =``), which may end its line; ``- name: NAME`` and
``value:``; ``define("NAME",``; ``set_password(``; some words of notes, or the next cell of a table."""
_QUOTED = re.compile(rf"{_REST}(?:{_BEFORE_QUOTE}){_QUOTE}(?P<secret>[!#-&(-\[\]-_a-~]{{8,2048}})(?P=quote)")
"""From the name on; the value has no quotes, backslashes and spaces."""
_LINE = re.compile(
    rf"{_REST}(?:(?:{_GIVES})[ \t]{{0,8}}(?:[|>][+-]?[ \t]*\r?\n[ \t]{{1,80}})?|(?:{_VALUE_OF})[ \t]{{0,8}})"
    r"(?P<secret>(?![\[({])[!#-&(-_a-~]{8,2048})[ \t]*(?=\r?\n|\Z)"
)
"""The same without quotes, up to the end of the line."""
_BARE = re.compile(
    rf"{_REST}(?:(?:{_GIVES})[ \t]{{0,8}}|>)(?P<secret>[\w+/.~!@#$%^*?=-]{{8,256}})(?=[\s,;&)\]}}\"'`<|]|\Z)"
)
_FIELD = re.compile(rf"{_REST}(?:=(?!=)|>)(?P<secret>(?![\[({{])[!#-&(-;=?-~]{{8,128}})(?=\s|</|\Z)")
"""``name=value`` in a log, ``<name>value</name>``: up to the next space or element."""

_ITEM = re.compile(
    r"[ \t]*(?:(?:-|#|//|;|export|ENV|ARG|set|setx|-e|--env|env)[ \t]{1,4})?[\"']?(?:name:[ \t]{0,4}[\"']?)?[\w.-]*\Z"
)
"""What stands before a name on its line where the line is an item of settings."""
_ITEM_CHARS = 60
_BEFORE_FIELD = "\n\t <?&;,\"'{("
_CLOSING = ",.;:+)]}"
"""What follows a string in code: after a name and a space, the quote may be the end of one."""
_BEFORE_WHOLE = "\n\t <"
"""Before fields that end with a space or an element, whatever characters are in them."""

_WORDY = re.compile(r"(?:[A-Za-z]*[0-9]{0,5}[_./@+:#?=&%-]+)*[A-Za-z]*[0-9]{0,5}[()\[\]]{0,2}")
"""Words and numbers, joined: ``tests/test_ticket_11722``, ``token_v2()``."""
_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
WORD = 2.5
DRAWN = 1.9
"""Letters of a word in the mean, where each word of ``camelCase`` counts; drawn letters have 1.5 at most times."""
_CODE = re.compile(r"[A-Za-z_$][\w$.:>-]*(?:[({\[,]|[)\]},;]+)\Z|\$[({].*|.*(?:&&|\|\||=>|===).*|.*\{[A-Za-z_]\w*\}.*")
"""The beginning of a call, an expansion, a condition, a template, a name and the end of a statement."""
_CALL = re.compile(r"([A-Za-z_$][\w$.:>-]*)[(\[{]")
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))
CALLED = 4
"""Characters of a name that is called or indexed, where the brackets are not all closed in the value."""
_OTHER = re.compile(
    r".*://|arn:|.*\d{4}-\d\d-\d\d|.*(?:A-Z|a-z|0-9|\\d|\(\?)|[0-9.,:+-]+\Z|#[0-9a-fA-F]{3,8};?\Z|data:|sha\d+[:-]"
)
"""Addresses, dates, regular expressions, hashes that say so."""
_TURNS = re.compile(r"(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")

VARIED = 3
"""Kinds of characters, of four."""
LONG = 12
"""Characters; shorter values must be of more kinds of characters."""
BARE = 16
"""Characters of a value without quotes that is of letters of one case and digits alone."""
TURNS = 4
"""Changes between letters and digits in such a value; names of code rarely have them."""
MIN_ENTROPIES = (2.7, 3.0)
"""Bits a character of values of three or four kinds of characters: short ones, and others."""
_HEX = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}")
MIN_HEX_ENTROPY = 2.8


def secret_names(text: str) -> list[SecretName]:
    """Where the text says that a secret follows."""
    lower = text.lower()
    if len(lower) != len(text):  # U+0130 becomes two characters
        lower = text.replace("\u0130", "I").lower()
    found: list[SecretName] = []
    for name, short in NAMES.items():
        at = lower.find(name)
        while at >= 0:
            end = at + len(name)
            if _says_secret(lower, name, at, end):
                found.append(SecretName(at, end, short))
            at = lower.find(name, end)
    return found


def assigned_values(text: str, names: Iterable[SecretName]) -> Iterator[tuple[int, int]]:
    """(start, end) of each value that looks secret behind one of ``names``."""
    for start, end, short in names:
        if value := _value_after(text, start, end, short=short):
            yield value


def _says_secret(lower: str, name: str, start: int, end: int) -> bool:
    if name == "key":
        return _KEY.search(lower, max(0, start - _KEY_CHARS), start) is not None
    if name not in _WHOLE:
        return True
    if name == "pass" and lower.startswith(_LONGER, end):
        return True
    return lower[start - 1 : start] in _JOINTS and not lower[end : end + 1].isalpha()


def _value_after(text: str, start: int, end: int, *, short: bool) -> tuple[int, int] | None:
    """The value given to the name at ``start`` to ``end``."""
    if not _ENDS.match(text, end):
        return None
    if quoted := _QUOTED.match(text, end):
        of_code = quoted.start("gap") >= 0 and quoted["secret"][0] in _CLOSING
        return None if of_code or not _is_secret(quoted, short=short, quoted=True) else quoted.span("secret")
    for form in _forms(text, start):
        match = form.match(text, end)
        if match is not None and _is_secret(match, short=short):
            return match.span("secret")
    return None


def _forms(text: str, start: int) -> list[re.Pattern[str]]:
    """How a value may stand without quotes behind the name at ``start``, most of it first."""
    forms = [_BARE]
    before = _before_word(text, start)
    if before in _BEFORE_FIELD:
        forms.insert(before not in _BEFORE_WHOLE, _FIELD)
    begin = text.rfind("\n", max(0, start - _ITEM_CHARS), start) + 1
    if (begin or start <= _ITEM_CHARS) and _ITEM.match(text, begin, start):
        forms.insert(0, _LINE)
    return forms


def _before_word(text: str, at: int) -> str:
    """The character before the word around ``at``, by which a field of a log, an address or an element is known."""
    first = max(0, at - _ITEM_CHARS)
    while at > first and (text[at - 1].isalnum() or text[at - 1] in "_.-"):
        at -= 1
    return text[at - 1] if at else "\n"


def _is_secret(match: re.Match[str], *, short: bool, quoted: bool = False) -> bool:
    return not _ABOUT.search(match["rest"]) and is_drawn(match["secret"], short=short, quoted=quoted)


def is_drawn(value: str, *, short: bool = False, quoted: bool = False) -> bool:
    """Whether a value looks as if a machine had drawn it, or a person a good password where ``short``."""
    kinds = kinds_of(value)
    varied = kinds >= VARIED
    if _is_wordy(value, kinds) or _OTHER.match(value) or (not quoted and _is_code(value)):
        return False
    if varied and short:
        return looks_random(value, MIN_ENTROPIES[len(value) >= LONG], digits=kinds - has_marks(value) < 2)
    if len(value) < LONG:
        return False
    if _HEX.fullmatch(value):
        return looks_random(value, MIN_HEX_ENTROPY)
    if _changes_case(value):
        return looks_random(value, MIN_ENTROPIES[1], digits=False)
    told = quoted or varied or (len(value) >= BARE and len(_TURNS.findall(value)) >= TURNS)
    return told and looks_random(value)


def kinds_of(value: str) -> int:
    """How many there are of capitals, small letters, digits and marks, other than those that join words."""
    return sum(any(map(each, value)) for each in (str.isupper, str.islower, str.isdigit)) + has_marks(value)


def has_marks(value: str) -> bool:
    """Whether it has characters that neither words nor paths have."""
    return any(not each.isalnum() and each not in "_-./" for each in value)


def _is_wordy(value: str, kinds: int) -> bool:
    if not _WORDY.fullmatch(value) or _changes_case(value):
        return False
    return kinds < VARIED or _mean_piece(value) >= WORD


def _changes_case(value: str) -> bool:
    """Whether capitals and small letters change as they do in no name."""
    return len(value) >= LONG and value.lower() != value != value.upper() and 0 < _mean_piece(value) <= DRAWN


def _mean_piece(value: str) -> float:
    pieces = _PIECES.findall(value)
    return sum(map(len, pieces)) / len(pieces) if pieces else 0.0


def _is_code(value: str) -> bool:
    if _CODE.fullmatch(value):
        return True
    call = _CALL.match(value)
    balanced = all(value.count(left) == value.count(right) for left, right in _PAIRS)
    return call is not None and (balanced or (len(call[1]) >= CALLED and _is_wordy(call[1], kinds_of(call[1]))))
