"""Runs that may use the web, and those that may not, or not any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_project import MARKER
from agent_script import Script, call, calls, says
from tool_runs import NO_SOURCE

if TYPE_CHECKING:
    from agent_house import Outcome

SEARCH = call("web_search", query="how do otters sleep")
FETCH = call("fetch_url", url="SITE/otters")
SLEEP = says("It holds hands while it sleeps [1].")
WEB = {"web": True}


def offered(outcome: Outcome) -> list[bool]:
    """Whether the web was offered in each request."""
    return ["web_search" in [tool["function"]["name"] for tool in asked.get("tools", [])] for asked in outcome.asked]


def read(outcome: Outcome) -> None:
    """The page itself was read."""
    assert "holds hands" in str(outcome.asked[-1]["messages"])
    assert offered(outcome) == [True] * len(outcome.asked)


def lost(outcome: Outcome) -> None:
    """What was seen took the web away; nothing of it left the machine."""
    assert MARKER in str(outcome.asked[1]["messages"])
    assert offered(outcome) == [True, False, False]
    assert MARKER not in str(outcome.house.peers.site.bodies) + str(outcome.house.peers.site.heads)
    assert outcome.calls[-1]["kind"] == "egress_refused"


def never_there(outcome: Outcome) -> None:
    assert True not in offered(outcome)


WEB_RUNS = (
    Script(
        name="search the web, then read a page",
        options=WEB,
        says=(calls(SEARCH), calls(FETCH), says("It holds hands while it sleeps [2].")),
        turns=("ok", "ok", ""),
        cited=("SITE/otters",),
        check=read,
    ),
    Script(
        name="read a page that the task names",
        options=WEB,
        task="How does the otter of SITE/otters sleep?",
        says=(calls(FETCH), SLEEP),
        turns=("ok", ""),
        cited=("SITE/otters",),
        check=read,
    ),
    Script(
        name="read a page that nobody named",
        options=WEB,
        says=(calls(FETCH), says("I could not.")),
        turns=("retry", ""),
        degraded=NO_SOURCE,
    ),
    Script(
        name="the web is lost to who has seen a private root",
        options=WEB,
        roots=(),
        task="What are the wages of the frobnication team?",
        says=(
            calls(call("semantic_search", query="wages of the frobnication team", paths=["wages.md"])),
            calls(call("web_search", query=f"what does {MARKER} mean")),
            says("They are known [1]."),
        ),
        turns=("ok", "final", ""),
        cited=("wages.md",),
        check=lost,
    ),
    Script(
        name="the web is not there for a private root",
        options=WEB,
        roots=("private",),
        says=(calls(SEARCH), says("I could not.")),
        turns=("final", ""),
        degraded=NO_SOURCE,
        check=never_there,
    ),
    Script(
        name="the web is not there for who did not ask for it",
        says=(calls(SEARCH), says("I could not.")),
        turns=("retry", ""),
        degraded=NO_SOURCE,
        check=never_there,
    ),
)
