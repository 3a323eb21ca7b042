"""Answers, and whatever else is kept as they are, into the store and out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from agentd.answer.records import Answer
from agentd.errors import NotFoundError
from agentd.storage.kept_table import Head

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

R = TypeVar("R")


class Store(Protocol):
    """Where records are kept as bytes."""

    async def put(self, head: Head, roots: Collection[str], body: bytes) -> None:
        """Keep one, in the place of what has its id. Raises StateUnusableError."""
        ...

    async def get(self, kept_id: str, /) -> bytes | None:
        """One of them."""
        ...


class Kind(NamedTuple, Generic[R]):
    """What is kept: its ``name`` and the command that lists what there is, for messages, and how a list shows it.
    ``roots`` are those whose text is in it, or that were asked for by name.
    """

    name: str
    listed_by: str
    type: type[R]
    head: Callable[[R], Head]
    roots: Callable[[R], Collection[str]]


def _answer_head(answer: Answer) -> Head:
    return Head(answer.id, answer.at, answer.mode, answer.question)


ANSWER = Kind("answer", "agentctl answers", Answer, _answer_head, lambda answer: answer.roots)


class Keeper(Generic[R]):
    """Keeps records of one kind. ``check`` is asked about the roots of each first, and refuses by raising: a root that
    was removed while it was asked about must leave no text behind.
    """

    def __init__(self, kind: Kind[R], store: Store, check: Callable[[Collection[str]], None]) -> None:
        self._kind = kind
        self._store = store
        self._check = check

    async def put(self, record: R) -> None:
        """Keep it, as it is at this moment; see ``pipeline.Keeps``."""
        head, roots = self._kind.head(record), frozenset(self._kind.roots(record))
        self._check(roots)
        await self._store.put(head, roots, msgspec.json.encode(record))

    async def get(self, kept_id: str) -> R:
        """The one of that id. Raises NotFoundError, also where what is kept of it cannot be read."""
        body = await self._store.get(kept_id)
        if body is None:
            raise NotFoundError(f"no {self._kind.name} {kept_id!r} is kept; `{self._kind.listed_by}` lists them")
        try:
            return msgspec.json.decode(body, type=self._kind.type)
        except msgspec.DecodeError as error:
            message = f"the {self._kind.name} {kept_id!r} was damaged on disk and cannot be read: {error}"
            raise NotFoundError(message) from error
