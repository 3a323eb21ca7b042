"""From names as they are written, in any language, to dotted ones."""

from __future__ import annotations

import re
from functools import lru_cache

from agentd.kernels.edges.words import words

_SEPARATORS = re.compile(r"\s*(?:::|\?->|->|\?\.|!!?\.|\\)\s*")
_DOTTED = re.compile(r"[^\W\d][\w$]*(?:\.[^\W\d][\w$]*)*(?:\(\))?")
_LITERAL = re.compile(r"""[rbfuRBFU]{0,2}["'`]|[\d\[{]""")
_CALLED = re.compile(r"([\w$.]+)\([^()]*(?:\([^()]*\)[^()]*)*\)")
_QUALIFIERS = re.compile(r"^(?:[&*\s]|'\w+\s|\b(?:mut|const|dyn|impl|final|struct|class|ref|inout|some|any)\s)+")
_APPLIED = re.compile(r"([\w.]+)\s*[\[<](.*)[\]>]", re.DOTALL)
_NEW = re.compile(r"\(?new\s+")
_MEMBER_END = re.compile(r"\.[a-z_]\w*$")

_ARROW = re.compile(r".*->\s*([^{]+?)[\s:{]*$", re.DOTALL)
_COLON = re.compile(r".*\)\s*:\s*([^{=]+?)[\s{=]*$", re.DOTALL)
_GO = re.compile(r"\)\s*\(?\s*([\w.*]+)(?:\s*,[^()]*)?\)?[\s{]*$")
_RETURNS = {"python": _ARROW, "rust": _ARROW, "swift": _ARROW, "go": _GO}
"""What a signature has before the type of its value."""

TRANSPARENT = words(
    """
    Annotated Arc Awaitable Box ClassVar Final Lazy Optional Option Rc Readonly Required Type reference_wrapper
    shared_ptr type unique_ptr
    """
)
"""Types that are used like the one they are applied to."""

NOTHING = frozenset(("None", "null", "undefined", "nil", "void", ""))


def dotted(receiver: str, language: str) -> str:
    """A receiver as ``a.b.c``; with ``()`` at its end where it is the value of a call. ``""`` for any other expression.

    A field of Ruby (``@a``) becomes ``self.a``, ``new A(...)`` and ``A.new(...)`` a call of ``A``; the ``$`` of PHP and
    the last ``.`` of a path are dropped.
    """
    return receiver if receiver.isidentifier() else _dotted(receiver, language)


@lru_cache(maxsize=4096)
def _dotted(receiver: str, language: str) -> str:
    text = receiver.strip()
    if _NEW.match(text) and language != "python":
        text = _NEW.sub("", text).removesuffix(")" if text.startswith("(") else "")
    if language == "ruby":
        text = re.sub(r"^@@?", "self.", text)
    elif language == "php":
        text = text.lstrip("$")
    if language != "python":
        text = _SEPARATORS.sub(".", text).strip(".?!:")
    if language == "python" and text.startswith("super("):
        return "super()" if text.find(")") == len(text) - 1 else ""
    if called := _CALLED.fullmatch(text):
        made = called.group(1)
        text = f"{made.removesuffix('.new') if language == 'ruby' else made}()"
    return text if _DOTTED.fullmatch(text) else ""


def is_literal(receiver: str) -> bool:
    """Whether a receiver is a string, a number or a list that is written down."""
    return _LITERAL.match(receiver.lstrip()) is not None


def class_of(text: str, language: str) -> str:
    """The dotted name of the class whose members something of type ``text`` has; ``""`` where that is no one class."""
    return text if text.isidentifier() else _class_of(text, language)


@lru_cache(maxsize=4096)
def _class_of(text: str, language: str) -> str:
    text = text.strip().strip("\"'")
    options = [part for part in map(str.strip, text.split("|")) if part not in NOTHING]
    if len(options) > 1 and "[" not in text and "<" not in text:
        return ""
    plain = _QUALIFIERS.sub("", options[0] if len(options) == 1 else text).rstrip("&*?! ")
    if applied := _APPLIED.fullmatch(plain):
        head, inner = applied.groups()
        last = head.replace("::", ".").rpartition(".")[2]
        return class_of(inner.split(",")[0], language) if last in TRANSPARENT else dotted(head, language)
    name = dotted(plain, language)
    return _MEMBER_END.sub("", name) if language == "rust" and name[:1].isupper() else name


@lru_cache(maxsize=4096)
def returned(signature: str, language: str) -> str:
    """The class that a function's signature says it returns; ``""`` where it says nothing."""
    found = _RETURNS.get(language, _COLON).search(signature)
    return class_of(found.group(1), language) if found else ""


def is_class_itself(text: str) -> bool:
    """Whether something of type ``text`` is a class, not one of its instances."""
    return re.match(r"\"?(?:\w+\.)?[tT]ype\[", text) is not None
