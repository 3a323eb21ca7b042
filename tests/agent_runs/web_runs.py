"""Runs that may use the web, and those that may not, or not any more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agent_project import MARKER
from agent_script import Script, call, calls, says
from tool_runs import NO_SOURCE, told

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


def lost_at_once(outcome: Outcome) -> None:
    assert offered(outcome) == [True, False, False]


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
        name="the web is lost to who has run a command, which may have read anything",
        options=WEB,
        roots=(),
        says=(calls(call("shout", word="hello")), calls(SEARCH), says("I could not.")),
        turns=("ok", "final", ""),
        degraded=NO_SOURCE,
        check=lost_at_once,
    ),
    Script(
        name="the web is lost to who was told that a private root has no such file",
        options=WEB,
        roots=(),
        says=(calls(call("read_span", path="wages_of_spies.md")), calls(SEARCH), says("I could not.")),
        turns=("retry", "final", ""),
        degraded=NO_SOURCE,
        check=lost_at_once,
    ),
    Script(
        name="the web is lost when the configuration closes it in the middle",
        options=WEB,
        says=(calls(SEARCH), replace(calls(FETCH), first=lambda house: house.close_the_web()), says("I could not.")),
        turns=("ok", "final", ""),
        degraded=NO_SOURCE,
        check=lambda outcome: told(outcome, "does not allow the web"),
    ),
    Script(
        name="the web is not there for a private root",
        options=WEB,
        roots=("private",),
        says=(calls(SEARCH), says("I could not.")),
        turns=("final", ""),
        degraded=(*NO_SOURCE, "the web was not used: .*private"),
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
