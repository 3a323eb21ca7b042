"""The servers of scripted runs: one for all models, and one for all of the web."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import web_harness as web
from agent_project import PAGE
from provider_harness import Asked, Reply, ScriptedServer, failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent_house import House, Outcome
    from agent_script import Says


class Peers:
    """Both servers, which answer for one run at a time, on a loop in a thread of their own."""

    def __init__(self) -> None:
        self.model = ScriptedServer()
        self.site = web.Site()
        self.model.script = self._answer
        self._house: House | None = None
        self._outcome: Outcome | None = None
        self._answers: Iterator[Says] = iter(())

    def play(self, house: House, outcome: Outcome) -> None:
        """From now on answer for this run."""
        self._house, self._outcome, self._answers = house, outcome, outcome.script.answers()

    async def _answer(self, asked: Asked) -> Reply:
        assert self._outcome is not None
        self._outcome.asked.append(asked.body)
        said = next(self._answers, None)
        if said is None:
            return failure("500 Internal Server Error", "the script is at its end")
        self._outcome.said.append(said)
        if said.first is not None:
            assert self._house is not None
            await asyncio.to_thread(said.first, self._house)
        return said.reply(len(self._outcome.asked), asked.body, self.site.url(""))

    async def listen(self) -> list[asyncio.Server]:
        """Begin to serve."""
        listeners = [
            await asyncio.start_server(self.model.serve, "127.0.0.1", 0, limit=64 * 1024 * 1024),
            await asyncio.start_server(self.site.accept, "127.0.0.1", 0),
        ]
        self.model.url = f"http://127.0.0.1:{listeners[0].sockets[0].getsockname()[1]}"
        self.site.port = listeners[1].sockets[0].getsockname()[1]
        found = {"url": self.site.url("/otters"), "title": "Otters", "content": "How the sea otter sleeps."}
        self.site.pages["/search"] = web.answer(json.dumps({"results": [found]}), kind="application/json")
        self.site.pages["/otters"] = web.answer(PAGE)
        return listeners

    async def stop(self, listeners: Sequence[asyncio.Server]) -> None:
        """Let go of what hangs, and end what still runs."""
        self.model.let_go.set()
        for listener in listeners:
            listener.close()
        await self.site.stop()
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=5)


@contextmanager
def peers() -> Iterator[Peers]:
    """On free ports of loopback, until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    with closing(loop):
        served = Peers()
        listeners = loop.run_until_complete(served.listen())
        thread.start()
        try:
            yield served
        finally:
            asyncio.run_coroutine_threadsafe(served.stop(listeners), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
