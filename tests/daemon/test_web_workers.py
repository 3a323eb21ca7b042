"""Pages, robots files and passages in real workers."""

from __future__ import annotations

from agentd.compute.pool import Pool
from agentd.config.settings import ComputeSettings
from agentd.daemon.web import PoolWorkers
from agentd.kernels.web_messages import RobotsRequest, WebPageRequest, WebRankRequest


async def test_workers_read_judge_and_score() -> None:
    pool = Pool(ComputeSettings())
    await pool.start()
    try:
        workers = PoolWorkers(pool)
        page = await workers.read_page(WebPageRequest(b"<title>T</title><p>Otters sleep.", "text/html"))
        assert (page.title, page.text, page.passages[0].end_line) == ("T", "Otters sleep.", 1)
        assert not (await workers.judge_robots(RobotsRequest(b"User-agent: *\nDisallow: /", "agentd", "/x"))).allowed
        assert (await workers.score(WebRankRequest("otters", [page.text, "cats"]))).scores[0] > 0
    finally:
        await pool.stop(0)
