"""Text and queries to the terms of the keyword index: words and the parts of identifiers, lower-cased, English stems.

The index stems natively and off the interpreter; the parts, which take Python, come ready-made from the workers.
"""

from __future__ import annotations

import tantivy

from agentd.kernels.tokens import identifier_parts, words_of

LONGEST_TERM = 100
"""Bytes. Longer runs are data (base64, hashes): they would fill the dictionary, and nobody types them."""

JOINER = "º"
"""Stands for ``_`` in the index: the fast tokenizer splits at everything but letters and digits, and this sign is a
letter to it, so ``get_user`` stays one term. A tokenizer by regular expression would do, at three times the cost."""

MAX_TERMS = 64
"""Terms of a query: a pasted file must not become a query of thousands."""

MAX_WORDS = 256
"""Words of a query that are looked at one by one."""

MAX_QUERY = 10_000
"""Characters of a query that are looked at."""

_STOP = (
    "a about all also an and any are as at be been but by can could did do does for from had has have how i if in into"
    " is it its me my no not of on or our should so some than that the their them then there these they this those to"
    " us was we were what when where which who why will with would you your"
)


def build_analyzer() -> tantivy.TextAnalyzer:
    """Letters and digits, lower-cased, English stems."""
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(LONGEST_TERM))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


def indexed(text: str, parts: str | None = None) -> str:
    """What goes into the index for ``text``; its ``parts`` are worked out where they are not at hand."""
    if parts is None:
        parts = identifier_parts(text)
    return encodable(f"{text}\n{parts}" if parts else text).replace("_", JOINER)


def query_stems(analyzer: tantivy.TextAnalyzer, query: str) -> list[str]:
    """Terms of a query, each once, at most ``MAX_TERMS``; stop words only where there is nothing else.

    The query goes the way of a text, so that whatever the tokenizer takes for a letter, both sides agree.
    """
    terms = list(dict.fromkeys(analyzer.analyze(indexed(query[:MAX_QUERY]))))
    telling = [term for term in terms if term not in STOP_STEMS]
    return (telling or terms)[:MAX_TERMS]


def query_words(analyzer: tantivy.TextAnalyzer, query: str) -> list[tuple[str, list[str]]]:
    """The words of a query that :func:`query_stems` keeps, as written, each once, with their stems: its own comes
    first, those of its parts follow.
    """
    stems = {word: analyzer.analyze(indexed(word)) for word in dict.fromkeys(words_of(query[:MAX_QUERY])[:MAX_WORDS])}
    telling = {word: each for word, each in stems.items() if each and each[0] not in STOP_STEMS}
    return [(word, each) for word, each in (telling or stems).items() if each][:MAX_TERMS]


def encodable(text: str) -> str:
    """``text`` without lone surrogates, which the index refuses; they come from JSON and from names of files."""
    return text if text.isascii() else text.encode(errors="replace").decode()


STOP_STEMS = frozenset(build_analyzer().analyze(_STOP))
"""As the index would hold them."""
