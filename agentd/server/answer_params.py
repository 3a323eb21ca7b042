"""Parameters of the methods about answers; docs/protocol.md says what they mean."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from agentd.server.params import AbsolutePath, Few, Params, Query


class AskParams(Params, frozen=True, kw_only=True):
    """A question. None stands for the daemon's own; no roots for all."""

    question: Query
    roots: Annotated[tuple[AbsolutePath, ...], Few] = ()
    web: bool = False
    limit: Annotated[int, Meta(ge=1, le=50)] | None = None
    max_tokens: Annotated[int, Meta(ge=64, le=32_768)] | None = None
