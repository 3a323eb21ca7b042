"""Parameters of the methods about answers; docs/protocol.md says what they mean."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from agentd.server.params import AbsolutePath, Few, Params, Query

AnswerId = Annotated[str, Meta(min_length=1, max_length=64)]


class AskParams(Params, frozen=True, kw_only=True):
    """A question. None stands for the daemon's own; no roots for all."""

    question: Query
    roots: Annotated[tuple[AbsolutePath, ...], Few] = ()
    web: bool = False
    limit: Annotated[int, Meta(ge=1, le=50)] | None = None
    max_tokens: Annotated[int, Meta(ge=64, le=32_768)] | None = None


class AnswerParams(Params, frozen=True, kw_only=True):
    """The answer that is meant."""

    id: AnswerId


class AnswerListParams(Params, frozen=True, kw_only=True):
    """A page of the answers, the newest first; ``before`` pages."""

    before: AnswerId | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 20
