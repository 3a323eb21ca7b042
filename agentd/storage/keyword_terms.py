"""Text and queries to the terms of the keyword index: words and the parts of identifiers, lower-cased, English stems.

The index stems natively and off the interpreter; the parts, which take Python, come ready-made from the workers.
"""

from __future__ import annotations

import tantivy

from agentd.kernels.tokens import identifier_parts, query_terms

LONGEST_TERM = 100
"""Bytes. Longer runs are data (base64, hashes): they would fill the dictionary, and nobody types them."""

JOINER = "º"
"""Stands for ``_`` in the index: the fast tokenizer splits at everything but letters and digits, and this sign is a
letter to it, so ``get_user`` stays one term. A tokenizer by regular expression would do, at three times the cost."""


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
    """Terms of a query, each once; stop words only where there is nothing else."""
    words = (term.replace("_", JOINER) for term in query_terms(encodable(query)))
    return list(dict.fromkeys(term for word in words for term in analyzer.analyze(word)))


def encodable(text: str) -> str:
    """``text`` without lone surrogates, which the index refuses; they come from JSON and from names of files."""
    return text if text.isascii() else text.encode(errors="replace").decode()
