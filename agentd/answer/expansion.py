"""The same question in other words: by rule always, by a chat model where there is one and it is quick."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from agentd.errors import AgentdError
from agentd.providers.contracts import ChatRequest, Discarded, Finished, Message, Outgoing, Role, Text, Usage
from agentd.retrieval.analysis import QueryType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.answer.contracts import Question
    from agentd.providers.contracts import ChatEvent, ChatModel

EXPANSION_SECONDS = 1.5
"""A model that takes longer to find other words is left alone: the first search has answered long before."""
MOST_QUERIES = 4
MAX_TOKENS = 200
SHORTEST_QUESTION = 3
"""Words; a question of fewer is a name, which has no other words."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOPWORDS = _words(
    "a about all an and any are as at be been but by can could did do does done for from get gets had has have he her"
    " here how i if in into is it its just me might must my no not of on or our out shall should so some than that the"
    " their them then there these they this those through to too us use used uses using was we were what when where"
    " which who whom whose why will with would you your"
)

SYSTEM = (
    "You rewrite a question about a code base into search queries. Give 2 to 4 short queries that use other words, "
    "likely names of functions, classes or settings, or parts of the question. Never answer it."
)
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"queries": {"type": "array", "minItems": 2, "maxItems": MOST_QUERIES, "items": {"type": "string"}}},
    "required": ["queries"],
    "additionalProperties": False,
}


class Queries(Struct, frozen=True):
    """What the model gives."""

    queries: list[Annotated[str, Meta(min_length=2, max_length=300)]]


class Expansion(Struct, frozen=True):
    """Other queries; ``problem`` says why there are none."""

    queries: list[str] = []
    usage: Usage = Usage()
    problem: str = ""


def by_rule(question: Question) -> list[str]:
    """The question, its words of content, and the names in it; each once, the question first."""
    words = [word for word in question.analysis.words if word.lower() not in STOPWORDS]
    names = [*question.analysis.names, *question.analysis.paths]
    others = [" ".join(each) for each in ([*names, *words], names) if each]
    return list(dict.fromkeys([question.text, *others]))


class Expander:
    """Asks a chat model for other words."""

    def __init__(self, chat: ChatModel, seconds: float = EXPANSION_SECONDS) -> None:
        self._chat = chat
        self._seconds = seconds

    async def expand(self, question: Question) -> Expansion:
        """Queries beside the question; none, and why, where the model is late, fails, or gives something else."""
        if question.analysis.type in {QueryType.IDENTIFIER, QueryType.QUALIFIED, QueryType.PATH}:
            return Expansion()
        if len(question.text.split()) < SHORTEST_QUESTION:
            return Expansion()
        try:
            async with asyncio.timeout(self._seconds):
                return await self._ask(question)
        except TimeoutError:
            return Expansion(problem=f"query expansion: {self._chat.name} was not ready within {self._seconds:g} s")
        except AgentdError as error:
            return Expansion(problem=f"query expansion: {error.message}")

    async def _ask(self, question: Question) -> Expansion:
        text, usage, who = "", Usage(), self._chat.name
        async with aclosing(self._chat.stream(expansion_request(question))) as events:
            async for event in events:
                text, usage = taken(event, text, usage)
                if isinstance(event, Finished):
                    who = f"{event.provider}/{event.model}"
        try:
            found = msgspec.json.decode(text, type=Queries).queries
        except msgspec.DecodeError:
            return Expansion(usage=usage, problem=f"query expansion: {who} gave something else than queries")
        return Expansion(distinct(found, question.text), usage)


def expansion_request(question: Question) -> ChatRequest:
    """What the model is asked: the question alone, no text of any file."""
    messages = (Message(Role.SYSTEM, SYSTEM), Message(Role.USER, question.text))
    return ChatRequest(messages, Outgoing("chat", question.roots), MAX_TOKENS, schema=SCHEMA)


def taken(event: ChatEvent, text: str, usage: Usage) -> tuple[str, Usage]:
    """The text so far and the usage, after ``event``."""
    match event:
        case Text(piece):
            return text + piece, usage
        case Finished():
            return text, event.usage
        case Discarded():
            return "", usage
    return text, usage


def distinct(queries: Sequence[str], question: str) -> list[str]:
    """The first few queries that say something else than the question."""
    known = {question.casefold().strip()}
    fresh: list[str] = []
    for query in (" ".join(query.split()) for query in queries):
        if query and query.casefold() not in known:
            known.add(query.casefold())
            fresh.append(query)
    return fresh[:MOST_QUERIES]
