"""Parameters of the methods about runs of the agent; docs/protocol.md says what they mean."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from agentd.server.params import AbsolutePath, Few, Params, Word

Task = Annotated[str, Meta(min_length=1, max_length=50_000)]


class RunParams(Params, frozen=True, kw_only=True):
    """A task, and what a run for it may take. None stands for the daemon's own, which no budget here can widen; no
    roots, and no tools, for all.
    """

    task: Task
    roots: Annotated[tuple[AbsolutePath, ...], Few] = ()
    tier: Literal["small", "medium", "large"] | None = None
    tools: Annotated[tuple[Word, ...], Few] = ()
    web: bool = False
    max_turns: Annotated[int, Meta(ge=1, le=200)] | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=100_000_000)] | None = None
    max_seconds: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    max_tool_calls: Annotated[int, Meta(ge=1, le=1000)] | None = None
    keep: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError, which the decoder reports as a validation error, where there is nothing to do."""
        if not self.task.strip():
            raise ValueError("Expected a `task` in words, found nothing but blanks")
