"""The closed list of what a worker can be asked to do."""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

from agentd.kernels import messages as m
from agentd.kernels import web_messages as w

Request = TypeVar("Request", bound=Struct)
Result = TypeVar("Result", bound=Struct)


class Kernel(Struct, Generic[Request, Result], frozen=True):
    """A function of one request. Where ``streams``, it is a generator, and small values that follow each other quickly
    may travel together.
    """

    name: str
    module: str
    function: str
    request: type[Request]
    result: type[Result]
    streams: bool = False


WALK = Kernel("walk", "agentd.kernels.walk", "walk", m.WalkRequest, m.WalkPage, streams=True)
POLL = Kernel("poll", "agentd.kernels.poll", "poll", m.PollRequest, m.PollPage, streams=True)
PARSE = Kernel("parse", "agentd.kernels.parse", "parse_files", m.ParseRequest, m.ParsedFile, streams=True)
DESCRIBE_MODEL = Kernel("describe_model", "agentd.kernels.embed", "describe_model", m.ModelRequest, m.ModelInfo)
EMBED = Kernel("embed", "agentd.kernels.embed", "embed", m.EmbedRequest, m.EmbedResult)
COMPLEXITY = Kernel(
    "complexity", "agentd.kernels.complexity", "complexity", m.ComplexityRequest, m.FileComplexity, streams=True
)
DESCRIBE_CROSS_ENCODER = Kernel(
    "describe_cross_encoder", "agentd.kernels.rerank", "describe_cross_encoder", m.ModelRequest, m.CrossEncoderInfo
)
RANK = Kernel("rank", "agentd.kernels.rank", "rank", m.RankRequest, m.RankResult)
RERANK = Kernel("rerank", "agentd.kernels.rerank", "rerank", m.RerankRequest, m.RerankResult)
SUPPORT = Kernel("support", "agentd.kernels.support", "judge", m.SupportRequest, m.SupportResult)
EXCERPT = Kernel("excerpt", "agentd.kernels.excerpt", "narrow", m.ExcerptRequest, m.ExcerptResult)
REMOTE_VECTORS = Kernel(
    "remote_vectors", "agentd.kernels.remote_vectors", "read_vectors", m.RemoteVectorsRequest, m.RemoteVectors
)
WEB_PAGE = Kernel("web_page", "agentd.kernels.web_page", "read_page", w.WebPageRequest, w.WebPage)
WEB_RANK = Kernel("web_rank", "agentd.kernels.web_rank", "score_texts", w.WebRankRequest, w.WebRankResult)
REDACT = Kernel("redact", "agentd.kernels.redaction", "redact_texts", m.RedactRequest, m.Redaction)
ROBOTS = Kernel("robots", "agentd.kernels.robots", "judge", w.RobotsRequest, w.RobotsVerdict)

KERNELS: dict[str, Kernel[Struct, Struct]] = {
    kernel.name: kernel  # type: ignore[misc]  # each Kernel is invariant in its own messages
    for kernel in (
        WALK,
        POLL,
        PARSE,
        DESCRIBE_MODEL,
        EMBED,
        COMPLEXITY,
        DESCRIBE_CROSS_ENCODER,
        RANK,
        RERANK,
        SUPPORT,
        EXCERPT,
        REMOTE_VECTORS,
        WEB_PAGE,
        WEB_RANK,
        REDACT,
        ROBOTS,
    )
}
