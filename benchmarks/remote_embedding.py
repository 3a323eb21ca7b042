"""Embedding on a server, beside what its rate limit allows.

The server is a mock in a process of its own: it answers after 50 ms, and refuses with 429 what is over its limit.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from agentd.config.settings import ProviderSettings, Settings
from agentd.kernels.remote_vectors import read_vectors
from agentd.observability import logging
from agentd.observability.metrics import Metrics
from agentd.providers.build import build_providers
from agentd.providers.contracts import Outgoing
from agentd.providers.gate import Gate, redact
from benchmarks.harness.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentd.kernels.messages import RemoteVectors, RemoteVectorsRequest
    from agentd.providers.embedding import RemoteEmbedding
    from agentd.providers.gate import Redacted
    from agentd.providers.probe import Probe
    from benchmarks.harness.workspace import Workspace

CHUNKS = 10_000
WINDOW = 512
"""Chunks that the embedder hands over at once."""
BATCH = 64
LATENCY_SECONDS = 0.05
REQUESTS_PER_MINUTE = 600
SHARE_OF_LIMIT = 0.9
MOST_MEGABYTES = 50
TEXT = "def clean(self, value):\n    return self.validate(value)  # of the field, not of the form\n" * 10
NOBODY = Outgoing("embeddings", frozenset())


def run(workspace: Workspace) -> list[Figure]:
    """As fast as the limit lets it; and with no limit of ours, which the server then refuses."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.harness.embedding_mock",
        str(LATENCY_SECONDS),
        str(REQUESTS_PER_MINUTE),
    ]
    logging.configure("warning")
    figures: list[Figure] = []
    for what, known in (("a limit that we know", REQUESTS_PER_MINUTE), ("a limit that only 429 tells", 0)):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as mock:
            try:
                assert mock.stdout is not None
                provider = ProviderSettings(
                    name="mock",
                    kind="openai",
                    base_url=f"http://127.0.0.1:{int(mock.stdout.readline())}",
                    embedding_model="mock",
                    batch_texts=BATCH,
                    batch_tokens=BATCH * 1000,
                    requests_per_minute=known,
                    retries=10,
                )
                settings = Settings(socket=workspace.tools, state_directory=workspace.tools, providers=(provider,))
                figures += asyncio.run(measure(settings, what, bar=bool(known)))
            finally:
                mock.terminate()
    return figures


async def measure(settings: Settings, what: str, *, bar: bool) -> list[Figure]:
    """What comes of so many chunks."""
    metrics = Metrics()
    built = build_providers(settings, {}, Gate(settings.rule, metrics, cut), decode, Forgetful(), metrics)
    model = built.embeddings["mock"]
    await model.probe()
    before = peak_megabytes()
    began = time.perf_counter()
    await embed_all(model)
    seconds = time.perf_counter() - began
    grown = peak_megabytes() - before
    await built.close()
    allowed = REQUESTS_PER_MINUTE / 60 * BATCH
    share = CHUNKS / seconds / allowed
    counts = built.statuses()[0].counts
    title = f"remote embedding, {CHUNKS:,} chunks, 50 ms latency, {what}"
    retries = f"{counts.get('retries', 0)} of {counts['requests']} requests refused and sent again"
    rate = f"{CHUNKS / seconds:.0f} chunks/s ({share:.0%} of the limit), {retries}"
    return [
        Figure(
            title,
            rate,
            f"limit {allowed:.0f} chunks/s",
            f"{SHARE_OF_LIMIT:.0%} of the limit" if bar else "",
            share >= SHARE_OF_LIMIT if bar else None,
        ),
        Figure("  memory that took at most", f"{grown:.0f} MB", "", f"{MOST_MEGABYTES} MB", grown <= MOST_MEGABYTES),
    ]


async def embed_all(model: RemoteEmbedding) -> None:
    """In windows, as the index does: no two texts are equal."""
    for start in range(0, CHUNKS, WINDOW):
        texts = [f"{number}\n{TEXT}" for number in range(start, min(start + WINDOW, CHUNKS))]
        embedded = await model.embed(texts, NOBODY)
        assert len(embedded.scales) == 4 * len(texts)


def peak_megabytes() -> float:
    """Of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def decode(request: RemoteVectorsRequest, *, query: bool) -> RemoteVectors:  # noqa: ARG001  the lane is the pool's
    """In a thread here; the daemon does it in a worker."""
    return await asyncio.to_thread(read_vectors, request)


async def cut(texts: Sequence[str]) -> Redacted:
    """Never asked: the mock is on this machine."""
    return redact(texts)


class Forgetful:
    """Remembers no probe."""

    async def get(self, key: str) -> Sequence[Probe]:  # noqa: ARG002  the shape of ProbeMemory
        """None."""
        return ()

    async def put(self, key: str, probe: Probe) -> None:
        """Nothing."""
