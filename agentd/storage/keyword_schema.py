"""The shape of the keyword index: fields, analyzer, documents and queries.

Measured on judged sets, nDCG@10: mean of five sets of texts and functions, then 120 questions on six Python packages,
by file. The body alone: words as they are 0.509 and 0.680, English stems 0.530 and 0.694. Both forms, each term taking
the better, reach 0.535 and nothing on the repositories, for twice the size and time of indexing: so stems alone it is.
With symbol, context and path beside the body, weighted as in ``WEIGHTS``, the repositories reach 0.793. The weights sit
on a plateau: 0.782 to 0.793 for up to twice the path, three quarters of the context, and ``TIE`` from 0.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import tantivy
from msgspec import Struct
from tantivy import Document, Occur, Query

from agentd.errors import InvalidParamsError
from agentd.storage.keyword_terms import encodable, indexed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.storage.rows import ViewRow

FORMAT = 3
"""Changes whenever rows written before would not be found by queries made now: fields, analyzer, splitting."""

WEIGHTS = {"body": 1.0, "symbol": 1.25, "context": 1.0, "path_text": 0.5}
"""Fields that are searched. A term counts in its best field, and a little (``TIE``) in the others."""

TIE = 0.2

ANALYZER = "words"

_META = "generation"
_FREQUENCIES = "freq"  # positions would only serve phrase queries, at half again the size
_PRESENCE = "basic"


class KeywordFilter(Struct, frozen=True):
    """Rows a search is restricted to; an empty tuple restricts nothing.

    A path passes when one of ``path_regexes`` matches all of it. Their dialect is that of finite automata: no anchors,
    no look-around, no back-references.
    """

    root_ids: tuple[int, ...] = ()
    path_regexes: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


def build_schema() -> tantivy.Schema:
    """Searched text, raw fields to filter by, the chunk id as a column, and the record that holds the generation."""
    builder = tantivy.SchemaBuilder()
    for field in WEIGHTS:
        builder.add_text_field(field, tokenizer_name=ANALYZER, index_option=_FREQUENCIES)
    for field in ("path", "language", "kind", "meta"):
        builder.add_text_field(field, tokenizer_name="raw", index_option=_PRESENCE)
    builder.add_unsigned_field("chunk_id", fast=True, indexed=True)
    for field in ("document_id", "root_id"):
        builder.add_unsigned_field(field, indexed=True)
    builder.add_unsigned_field("generation", stored=True)
    return builder.build()


def row_document(row: ViewRow) -> Document:
    """A row as the index takes it."""
    document = Document()
    document.add_unsigned("chunk_id", row.chunk_id)
    document.add_unsigned("document_id", row.document_id)
    document.add_unsigned("root_id", row.root_id)
    document.add_text("body", indexed(row.text, row.parts))
    for field, text in (("symbol", named(row)), ("context", row.context), ("path_text", row.path)):
        if text:
            document.add_text(field, indexed(text))
    document.add_text("path", encodable(row.path))
    document.add_text("language", row.language)
    document.add_text("kind", row.kind)
    return document


def named(row: ViewRow) -> str:
    """What the row defines: the qualified name it belongs to, and the last parts of the others that begin in it.

    A scope that many names share is no more telling for it, so it counts once.
    """
    others = dict.fromkeys(name.rpartition(".")[2] for name in row.names.split())
    others.pop(row.symbol.rpartition(".")[2], None)
    return " ".join((row.symbol, *others)) if others else row.symbol


def generation_document(generation: int) -> Document:
    """The record that says how far the view is; it has no words, so no search finds it."""
    document = Document()
    document.add_text("meta", _META)
    document.add_unsigned("generation", generation)
    return document


def generation_query(schema: tantivy.Schema) -> Query:
    """Finds the record that holds the generation."""
    return Query.term_query(schema, "meta", _META, _PRESENCE)


def documents_query(schema: tantivy.Schema, document_ids: Sequence[int]) -> Query:
    """Finds every row of these documents; deleting by term finds nothing in an unsigned field, and says nothing."""
    return Query.term_set_query(schema, "document_id", list(document_ids))


def chunks_query(schema: tantivy.Schema, terms: Sequence[str], chunk_ids: Sequence[int]) -> Query | None:
    """Any of the terms, among these chunks alone; None when there are none."""
    words = search_query(schema, terms, KeywordFilter())
    if words is None or not chunk_ids:
        return None
    # A set of terms would go through the whole dictionary: for a hundred chunks, thrice the time of looking up each.
    chunks = Query.boolean_query([(Occur.Should, Query.term_query(schema, "chunk_id", each)) for each in chunk_ids])
    return Query.boolean_query([(Occur.Must, words), (Occur.Must, Query.const_score_query(chunks, 0.0))])


def search_query(schema: tantivy.Schema, terms: Sequence[str], restriction: KeywordFilter) -> Query | None:
    """Any of the terms, each in its best field, within the restriction; None when there are none.

    Raises:
        InvalidParamsError: a path pattern is no regular expression of the dialect.
    """
    if not terms:
        return None
    words = Query.boolean_query([(Occur.Should, _best_field(schema, term)) for term in terms])
    filters = _filters(schema, restriction)
    if not filters:
        return words
    # A constant score of zero: a filter says which rows, never how good they are.
    bounds = [(Occur.Must, Query.const_score_query(bound, 0.0)) for bound in filters]
    return Query.boolean_query([(Occur.Must, words), *bounds])


def _best_field(schema: tantivy.Schema, term: str) -> Query:
    fields = [
        Query.boost_query(Query.term_query(schema, field, term, _FREQUENCIES), weight)
        for field, weight in WEIGHTS.items()
    ]
    return Query.disjunction_max_query(fields, TIE)


def _filters(schema: tantivy.Schema, restriction: KeywordFilter) -> list[Query]:
    filters = [
        Query.term_set_query(schema, field, list(values))
        for field, values in (
            ("root_id", restriction.root_ids),
            ("language", tuple(map(encodable, restriction.languages))),
            ("kind", tuple(map(encodable, restriction.kinds))),
        )
        if values
    ]
    if restriction.path_regexes:
        filters.append(
            Query.boolean_query([(Occur.Should, _path_query(schema, each)) for each in restriction.path_regexes])
        )
    return filters


def _path_query(schema: tantivy.Schema, pattern: str) -> Query:
    try:
        return Query.regex_query(schema, "path", encodable(pattern))
    except ValueError as error:
        raise InvalidParamsError(
            f"The path pattern {pattern!r} cannot be searched for: {error}. Use a simpler pattern", pattern=pattern
        ) from error
