"""Text to the terms that the keyword index holds: words and the parts of identifiers, lower-cased, as English stems.

A text has few different words, so each is split and stemmed once and remembered. The index then takes the terms as
they come, between spaces: to have its own tokenizer stem every occurrence costs three times as much.
"""

from __future__ import annotations

import tantivy

from agentd.kernels.tokens import parts_of, query_terms, words_of

LONGEST_TERM = 100
"""Bytes. Longer runs are data (base64, hashes): they would fill the dictionary, and nobody types them."""

REMEMBERED = 50_000
"""Words whose terms are kept, some 10 MB; a large code base has a few times as many, most of them met once."""

JOINER = "º"
"""Stands for ``_`` in terms: the stemmer's tokenizer splits at everything but letters and digits, and this sign is a
letter to it, so ``get_user`` stays one term beside its parts."""


def build_analyzer() -> tantivy.TextAnalyzer:
    """Letters and digits, lower-cased, English stems."""
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(LONGEST_TERM))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


class Terms(dict[str, str]):
    """Word -> its terms, joined by spaces. Used by one thread at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._analyzer = build_analyzer()

    def __missing__(self, word: str) -> str:
        """Work the terms out and remember them."""
        if len(self) >= REMEMBERED:
            self.clear()
        terms = self[word] = " ".join(term for form in (word, *parts_of(word)) for term in self._stems(form))
        return terms

    def of_text(self, text: str) -> str:
        """Terms of every word of ``text``, in order, joined by spaces."""
        return " ".join(map(self.__getitem__, words_of(text)))

    def of_query(self, query: str) -> list[str]:
        """Terms of a query, each once; stop words only where there is nothing else."""
        return list(dict.fromkeys(term for word in query_terms(encodable(query)) for term in self._stems(word)))

    def _stems(self, word: str) -> list[str]:
        return self._analyzer.analyze(word.replace("_", JOINER))


def encodable(text: str) -> str:
    """``text`` without lone surrogates, which the index refuses; they come from JSON and from names of files."""
    return text if text.isascii() else text.encode(errors="replace").decode()
