"""Answers to questions, without any model or index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentd.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from agentd.protocol import Answered, AnswerList, SourceStatus, Verification
    from agentd.server.answer_params import AskParams
    from agentd.server.params import PageParams

DOCUMENTS: SourceStatus = {"state": "ok", "milliseconds": 14.2, "found": 12, "reason": ""}
ANSWER: Answered = {
    "id": "5d64afz0k3vw",
    "at": 1763800000.5,
    "question": "how often is a request tried again?",
    "answer": "A request is tried again 3 times [1].",
    "mode": "generated",
    "model": "ollama/qwen3",
    "citations": [
        {
            "n": 1,
            "source": "documents",
            "path": "/home/ada/engine/retry.py",
            "root": "/home/ada/engine",
            "symbol": "retry",
            "start_line": 4,
            "end_line": 5,
            "hash": "sha256:5b1f0e7c",
            "text": "def retry(policy, times=3):\n    ...",
            "supported": True,
        }
    ],
    "claims": [{"text": "A request is tried again 3 times.", "citations": [1], "supported": True, "reasons": []}],
    "sources": {"documents": DOCUMENTS},
    "degraded": [],
    "timings": {"retrieval": 15.0, "total": 840.2},
    "usage": {"input_tokens": 812, "output_tokens": 14, "counted": True},
    "roots": ["/home/ada/engine"],
}


class StubAnswers:
    """Knows one answer."""

    async def ask(
        self, params: AskParams, _deadline: float | None, emit: Callable[[Mapping[str, object]], Awaitable[None]]
    ) -> Answered:
        await emit({"event": "source", "name": "documents", "status": DOCUMENTS})
        await emit({"event": "chunk", "text": ANSWER["answer"]})
        return {**ANSWER, "question": params.question}

    async def get(self, answer_id: str) -> Answered:
        if answer_id != ANSWER["id"]:
            raise NotFoundError(f"no answer {answer_id!r} is kept; `agentctl answers` lists them")
        return ANSWER

    async def verify(self, answer_id: str) -> Verification:
        answer = await self.get(answer_id)
        return {
            "id": answer_id,
            "question": answer["question"],
            "at": answer["at"],
            "current": True,
            "citations": [
                {
                    "n": 1,
                    "state": "current",
                    "moved": True,
                    "start_line": 9,
                    "end_line": 10,
                    "hash": "sha256:5b1f0e7c",
                    "path": "/home/ada/engine/retry.py",
                }
            ],
        }

    async def list(self, params: PageParams) -> AnswerList:
        head = {name: ANSWER[name] for name in ("id", "at", "mode", "question")}
        return {"answers": [head][: params.limit], "total": 1, "next": None}  # type: ignore[typeddict-item]
