"""Time to the first word of an answer, beside search alone and a model that answers at once."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.harness.figures import Figure, percentile, spread
from benchmarks.search_idle import search, timed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentd.client import Client
    from benchmarks.harness.workspace import Workspace

QUESTIONS = 40
WARM_UP = 5
BAR = 100.0
"""Milliseconds to the first word beyond the provider's own."""

SERVER = """
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        queries = "response_format" in body
        text = '{"queries": ["other words", "words of another kind"]}' if queries else "It is so [1]."
        chunks = [{"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]},
                  {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
        out = b"".join(b"data: " + json.dumps(chunk).encode() + b"\\n\\n" for chunk in chunks) + b"data: [DONE]\\n\\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)
    def log_message(self, *arguments):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


def run(workspace: Workspace) -> list[Figure]:
    """First word of an answer in a daemon that shares the indexed state's tree; search alone in the same run."""
    questions = [f"how does {query} work?" for query in workspace.queries(WARM_UP + QUESTIONS)]
    with instant_model() as port:
        daemon = workspace.empty()
        configure(daemon.folder, port)
        with daemon, daemon.connect() as client:
            client.wait("vectors")
            for question in questions[:WARM_UP]:
                first_word(client, question)
            searches = [timed(lambda query=query: search(client, query)) for query in workspace.queries(QUESTIONS)]  # type: ignore[misc]
            firsts = [first_word(client, question) for question in questions[WARM_UP:]]
    p50 = percentile(firsts, 0.5)
    return [
        Figure(
            f"first word of {len(firsts)} answers, a model that answers at once",
            spread(firsts),
            f"search alone: {spread(searches)}",
            f"p50 {BAR:g} ms",
            p50 <= BAR,
        )
    ]


def first_word(client: Client, question: str) -> float:
    """Milliseconds until the first text of the answer; the answer is waited for."""
    began, first = time.perf_counter(), 0.0
    stream = client.stream("ask", question=question)
    for event in stream:
        if event["event"] == "chunk" and not first:
            first = 1000 * (time.perf_counter() - began)
    found = stream.result["citations"]
    expected = "generated" if found else "extractive"
    assert stream.result["mode"] == expected, f"expected {expected}, found {stream.result['degraded']}"
    return first


def configure(folder: Path, port: int) -> None:
    """Have a daemon whose home is ``folder`` ask the model at ``port``."""
    file = folder / ".config" / "agentd" / "agentd.toml"
    file.parent.mkdir(parents=True)
    file.write_text(
        f'[[provider]]\nname = "instant"\nkind = "openai"\nbase_url = "http://127.0.0.1:{port}/v1"\n'
        'chat_model = "instant"\n\n[chat]\nchain = ["instant"]\n'
    )


@contextmanager
def instant_model() -> Iterator[int]:
    """A server of chat completions in a process of its own; its port."""
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
