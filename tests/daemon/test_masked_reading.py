"""Secrets masked in what a run reads: each text is looked through once."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from agentd.daemon.providers import REMEMBERED_CHARS, make_masker
from agentd.kernels.redaction import redact_texts

KEY = "deploy(password='Xk39fjQpL02vbnTz')\n"


class Pool:
    """Counts what it is asked, and lets others run meanwhile."""

    def __init__(self) -> None:
        self.asked = 0

    async def run(self, _kernel: object, request: Any, **_how: object) -> object:
        self.asked += 1
        await asyncio.sleep(0)
        return redact_texts(request)


async def test_readers_of_one_file_have_it_looked_through_once() -> None:
    pool = Pool()
    masked = make_masker(cast("Any", pool), lambda: False)
    found = await asyncio.gather(*(masked(KEY) for _ in range(8)), masked("nothing to hide"))
    assert pool.asked == 2
    assert set(found[:8]) == {KEY.replace("Xk39fjQpL02vbnTz", "*" * 16)}
    assert found[8] == "nothing to hide"


async def test_a_text_too_long_to_remember_is_masked_all_the_same() -> None:
    pool = cast("Any", Pool())
    text = KEY + "x\n" * (REMEMBERED_CHARS // 2)
    assert "Xk39fjQpL02vbnTz" not in await make_masker(pool, lambda: False)(text)


async def test_secrets_stay_where_the_index_holds_them() -> None:
    pool = Pool()
    assert await make_masker(cast("Any", pool), lambda: True)(KEY) == KEY
    assert pool.asked == 0
