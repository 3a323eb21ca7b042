"""Answers into the store and out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from agentd.answer.records import Answer
from agentd.errors import NotFoundError
from agentd.storage.answer_table import AnswerHead

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


class Store(Protocol):
    """Where answers are kept as bytes."""

    async def put(self, head: AnswerHead, roots: Collection[str], body: bytes) -> None:
        """Keep one. Raises StateUnusableError."""
        ...

    async def get(self, answer_id: str) -> bytes | None:
        """One of them."""
        ...


class Keeper:
    """Keeps answers. ``check`` is asked about the roots of each first, and refuses by raising: a root that was removed
    while it was asked about must leave no text behind.
    """

    def __init__(self, store: Store, check: Callable[[Collection[str]], None]) -> None:
        self._store = store
        self._check = check

    async def put(self, answer: Answer) -> None:
        """See ``pipeline.Keeps``."""
        head = AnswerHead(answer.id, answer.at, answer.mode, answer.question)
        body = msgspec.json.encode(answer)
        self._check(answer.roots)
        await self._store.put(head, answer.roots, body)

    async def get(self, answer_id: str) -> Answer:
        """The answer of that id. Raises NotFoundError, also where what is kept of it cannot be read."""
        body = await self._store.get(answer_id)
        if body is None:
            raise NotFoundError(f"no answer {answer_id!r} is kept; `agentctl answers` lists them")
        try:
            return msgspec.json.decode(body, type=Answer)
        except msgspec.DecodeError as error:
            raise NotFoundError(f"the answer {answer_id!r} was damaged on disk and cannot be read: {error}") from error
