"""Runs that somebody ends, leaves, or changes the ground of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_script import Says, Script, call, calls, says
from budget_runs import DREAM, NOTHING
from daemon_harness import until
from model_runs import BROKEN
from tool_runs import ANSWER, RETRY

if TYPE_CHECKING:
    from agent_house import House, Outcome


def cancel(outcome: Outcome) -> None:
    """As a client does that stays connected, once the model was asked."""
    until(lambda: outcome.asked, "the model is asked")
    outcome.client.cancel(outcome.request)


def vanish(outcome: Outcome) -> None:
    until(lambda: outcome.asked, "the model is asked")
    outcome.client.close()
    outcome.gone = True


def stop(outcome: Outcome) -> None:
    """As somebody else does."""
    assert outcome.house.daemon.client.stop_run(outcome.run)


def remove(house: House) -> None:
    with house.another_client() as client:
        client.remove_root(str(house.daemon.place / "passing"))


def replace(house: House) -> None:
    (house.daemon.place / "moving" / "moved.md").write_text("# Moved\n\nThe flange is gone.\n")


def delete(house: House) -> None:
    (house.daemon.place / "moving" / "fleeting.md").unlink()


def gone(outcome: Outcome) -> None:
    """No command of the user outlives its run."""
    until(lambda: not outcome.house.commands(), "the command has ended")


SILENT = Says(hangs=True)
LEFT = call("dawdle")

ENDED_RUNS = (
    Script(
        name="cancelled when it begins",
        says=(SILENT,),
        turns=("",),
        state="cancelled",
        error="cancelled",
        on={"started": cancel},
    ),
    Script(
        name="cancelled while the model thinks",
        says=(Says(thought="Let me think about this for a long time, and then for a longer one.", hangs=True),),
        turns=("",),
        state="cancelled",
        error="cancelled",
        on={"thinking": cancel},
    ),
    Script(
        name="cancelled while the model writes",
        says=(calls(RETRY), says("It waits for as many seconds as the text goes on for, and that is for", hangs=True)),
        turns=("ok", ""),
        state="cancelled",
        error="cancelled",
        on={"chunk": cancel},
    ),
    Script(
        name="cancelled while a tool runs",
        says=(calls(DREAM),),
        turns=("cancelled",),
        state="cancelled",
        error="cancelled",
        on={"tool_call": cancel},
        check=gone,
    ),
    Script(
        name="stopped by somebody else",
        says=(calls(DREAM),),
        turns=("cancelled",),
        state="cancelled",
        error="cancelled",
        on={"tool_call": stop},
        check=gone,
    ),
    Script(
        name="left by its client",
        says=(calls(DREAM),),
        turns=("cancelled",),
        state="cancelled",
        on={"tool_call": vanish},
        check=gone,
    ),
    Script(
        name="left by its client, to go on",
        options={"keep": True},
        says=(calls(LEFT), calls(RETRY), ANSWER),
        turns=("timed_out", "ok", ""),
        cited=("retry.py",),
        on={"tool_call": vanish},
    ),
    Script(
        name="a root that is removed in the middle",
        roots=("passing",),
        says=(calls(call("read_span", path="visit.md")), says("He quibbles [1].", first=remove)),
        turns=("ok", ""),
        error="root_not_found",
        kept=False,
        hostile=True,
    ),
    Script(
        name="a file that is replaced before it is cited",
        roots=("moving",),
        says=(calls(call("read_span", path="moved.md")), says("The flange is green [1].", first=replace)),
        turns=("ok", ""),
        degraded=("citation 1 was taken out",),
        hostile=True,
    ),
    Script(
        name="a file that is deleted before the model fails",
        roots=("moving",),
        says=(calls(call("read_span", path="fleeting.md")), Says(status=BROKEN, first=delete)),
        turns=("ok", ""),
        holds=(NOTHING,),
        degraded=("the model failed", "changed on disk"),
        hostile=True,
    ),
)


def cancelled_at(event: int) -> Script:
    """A run with all that there is in one, whose client cancels it upon its event of this number, from 1."""
    return Script(
        name=f"cancelled upon event {event}",
        says=(
            calls(RETRY, call("find_symbol", name="send"), thought="Let me look for the words of the task."),
            calls(RETRY, call("find_symbol", title="send"), text="I will look again, and at something else."),
            ANSWER,
        ),
        turns=(),
        on={event: lambda outcome: outcome.client.cancel(outcome.request)},
    )


MOMENTS = tuple(map(cancelled_at, range(1, 21)))
