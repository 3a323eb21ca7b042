"""The words in which runs of the agent are scripted: what the model's server says, and what must come of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from provider_harness import Reply, delta, failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from agent_house import House, Outcome

Json = dict[str, Any]

_CITED = re.compile(r"\[(\w+\.(?:py|md))\]")

READ, WROTE = 100, 20
"""Tokens that the server counts for a turn, unless told otherwise."""


class Call(NamedTuple):
    """A call of a tool as the model writes it; arguments may be text that is no JSON."""

    tool: str
    arguments: Mapping[str, object] | str

    @property
    def written(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


def call(tool: str, /, **arguments: object) -> Call:
    return Call(tool, arguments)


@dataclass(frozen=True, kw_only=True)
class Says:
    """What the server does with one request.

    ``again``: it fails so that what follows answers the same turn of the run. ``hangs``: the answer has no end;
    ``cut``: the connection closes before it. ``first`` is done before anything is answered. ``body`` is sent as it
    stands, and with ``echo`` the rules that the model was given come first. Text comes in pieces of so many characters
    as ``piece`` says, arguments in those of ``fragment``. ``identity`` is the id of all calls, where they share one.

    ``SITE`` stands for the address of the site of the tests, ``BOUNDARY`` for the marker of data, and
    ``[NAME]`` for the number under which the model was shown the file of this name: those of calls that are made at
    once are given as they end.
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    thought: str = ""
    usage: object = field(default_factory=lambda: {"prompt_tokens": READ, "completion_tokens": WROTE})
    status: str = ""
    message: str = "no"
    headers: str = ""
    finish: str = ""
    identity: str = ""
    echo: bool = False
    in_text: bool = False
    again: bool = False
    for_ever: bool = False
    hangs: bool = False
    cut: bool = False
    piece: int = 24
    fragment: int = 100_000
    pause: float = 0.0
    body: tuple[bytes, ...] = ()
    first: Callable[[House], None] | None = None

    @property
    def counted(self) -> tuple[int, int]:
        """What the server says that it read and wrote, where it says anything that can be so."""
        return (
            (self.usage["prompt_tokens"], self.usage["completion_tokens"]) if isinstance(self.usage, dict) else (0, 0)
        )

    def reply(self, number: int, asked: Json, site: str) -> Reply:
        """To ``asked``, the request of this ``number``."""
        if self.status:
            return failure(self.status, self.message, self.headers)
        lines = (json.dumps(chunk).replace("SITE", site) for chunk in self._chunks(number, asked))
        pieces = self.body or tuple(f"data: {line}\n\n".encode() for line in lines)
        return Reply(*pieces, kind="text/event-stream", hang=self.hangs, pause=self.pause)

    def _chunks(self, number: int, asked: Json) -> Iterator[Json]:
        for at in range(0, len(self.thought), self.piece):
            yield delta(reasoning_content=self.thought[at : at + self.piece])
        text = (asked["messages"][0]["content"] if self.echo else "") + self.text
        text = _CITED.sub(lambda cited: f"[{number_of(cited[1], asked)}]", text)
        text += "".join(map(as_text, self.calls)) if self.in_text else ""
        text = text.replace("BOUNDARY", boundary_in(asked))
        for at in range(0, len(text), self.piece):
            yield delta(content=text[at : at + self.piece])
        for place, each in enumerate(() if self.in_text else self.calls):
            identity = self.identity or f"call_{number}_{place}"
            head = {"name": each.tool, "arguments": ""}
            yield delta(tool_calls=[{"index": place, "id": identity, "function": head}])
            written = each.written.replace("BOUNDARY", boundary_in(asked))
            for at in range(0, len(written), self.fragment):
                rest = {"arguments": written[at : at + self.fragment]}
                yield delta(tool_calls=[{"index": place, "function": rest}])
        if self.hangs or self.cut:
            return
        yield delta(self.finish or ("tool_calls" if self.calls and not self.in_text else "stop"))
        if self.usage is not None:
            yield {"choices": [], "usage": self.usage}


def boundary_in(asked: Json) -> str:
    """The marker of data, which the model is told of in the request ``asked``."""
    found = re.search(r"marker ([0-9a-f]+)", asked["messages"][0]["content"])
    assert found is not None
    return found[1]


def number_of(name: str, asked: Json) -> str:
    """The number under which a model was shown a file of this name, in the request ``asked``."""
    shown = "\n".join(str(message["content"]) for message in asked["messages"])
    found = re.search(rf" source (\d+) \|[^\n]*/{re.escape(name)}\b", shown)
    assert found is not None, f"{name} was not shown: {shown}"
    return found[1]


def as_text(each: Call) -> str:
    """A call of a model that has no other way to make one."""
    return f'\n<tool_call>\n{{"name": {json.dumps(each.tool)}, "arguments": {each.written}}}\n</tool_call>'


def says(text: str, **more: Any) -> Says:
    return Says(text=text, **more)


def calls(*wanted: Call, **more: Any) -> Says:
    return Says(calls=wanted, **more)


@dataclass(frozen=True, kw_only=True)
class Script:
    """A run. ``says`` are the answers of the server, in their order; ``turns`` the outcomes of the calls of each turn.

    All else has to come out as it is said here: ``cited`` are the names of the files (or the addresses) that are cited,
    ``holds`` stand in the answer, ``unsaid`` not in it, ``never`` nowhere in what anybody is told, ``degraded`` in the
    sentences about what was missing. ``kept`` says whether the run can be looked at afterwards.

    ``on`` names the kind of an event, or its number, upon which the client does something. ``provider`` says what is
    special about the model's entry in the configuration, ``spare`` that there is a second model. ``check`` looks at
    what else matters.
    """

    name: str
    says: Sequence[Says]
    turns: Sequence[str]
    state: str = "answered"
    limit: str = ""
    error: str = ""
    cached: int = 0
    cited: Sequence[str] = ()
    holds: Sequence[str] = ()
    unsaid: Sequence[str] = ()
    never: Sequence[str] = ()
    degraded: Sequence[str] = ()
    options: Json = field(default_factory=dict)
    task: str = "How long does backoff() wait?"
    roots: Sequence[str] = ("project",)
    provider: Json = field(default_factory=dict)
    spare: bool = False
    hostile: bool = False
    kept: bool = True
    on: Mapping[str | int, Callable[[Outcome], None]] = field(default_factory=dict)
    check: Callable[[Outcome], None] | None = None

    def answers(self) -> Iterator[Says]:
        """One after the other; what is said for ever never ends."""
        for each in self.says:
            yield each
            while each.for_ever:
                yield each


def numbered(scripts: Sequence[Script]) -> dict[str, Script]:
    """By the names of their models: each has its own, so that no run sees what the server did in another."""
    return {f"m{number}": script for number, script in enumerate(scripts)}
