"""The models: whether their files are whole, and whether they load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from agentd.cli import output
from agentd.cli.doctor.daemon import BY_CHOICE
from agentd.cli.doctor.finding import Finding, ok, problem, skipped, warning
from agentd.cli.doctor.sockets import reload_command
from agentd.models import builtin_model_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.cli.doctor.patient import Patient

FILES = ("model.onnx", "tokenizer.json")
TRY_SECONDS = 60.0
SLOW_MS = 250.0
"""For one sentence; a query is one. The model of the package takes 5 to 20 ms."""
TRY = """
import json, sys, time
from agentd.kernels.embed import embed
from agentd.kernels.messages import EmbedRequest
began = time.perf_counter()
request = EmbedRequest(directory=sys.argv[1], texts=["The quick brown fox jumps over the lazy dog."])
embed(request)
loaded = time.perf_counter()
result = embed(request)
print(json.dumps([result.dimension, 1000 * (loaded - began), 1000 * (time.perf_counter() - loaded)]))
"""
"""For a child: a model that crashes its library must not take the report with it."""


def check(patient: Patient) -> Iterator[Finding]:
    """The group."""
    if not patient.setting("embedding", "enabled", True):  # noqa: FBT003  # the default
        yield skipped("model.files", "embedding is switched off (embedding.enabled)")
    else:
        directory = patient.setting("embedding", "model", "") or str(builtin_model_directory())
        yield files("model.files", directory)
        yield loads(patient)
        yield tried(directory) if patient.deep else skipped("model.speed", "--deep tries it")
    if reranker := patient.setting("rerank", "model", ""):
        yield files("model.reranker", reranker)
    yield from servers(patient)


def files(name: str, directory: str) -> Finding:
    """Whether the folder holds a graph and a tokenizer that is JSON."""
    expected, mend = f"a folder with {' and '.join(FILES)}", "install agentd again, or name another model's folder"
    if not os.path.isdir(directory):
        return problem(name, f"{directory} is no folder", expected, mend)
    sizes = {each: os.path.getsize(path) for each in FILES if os.path.isfile(path := os.path.join(directory, each))}
    if missing := [each for each in FILES if not sizes.get(each)]:
        return problem(name, f"{directory} lacks {', '.join(missing)}, or it is empty", expected, mend)
    try:
        with open(os.path.join(directory, FILES[1]), "rb") as file:
            whole = "model" in json.load(file)
    except (OSError, ValueError, TypeError):
        whole = False
    if not whole:
        return problem(name, f"{directory}/{FILES[1]} cannot be read as a tokenizer", expected, mend)
    return ok(name, f"{directory} ({', '.join(f'{each} {output.size(size)}' for each, size in sizes.items())})")


def loads(patient: Patient) -> Finding:
    """Whether the daemon could load it."""
    if not patient.status:
        return skipped("model.loads", "no daemon tells; --deep tries it here")
    if space := patient.status.get("space"):
        return ok("model.loads", str(space))
    if any(BY_CHOICE in each for each in patient.status.get("degraded", [])):
        return skipped("model.loads", f"the daemon runs without vectors {BY_CHOICE}")
    sentences = [each for each in patient.status.get("degraded", []) if "by keyword alone" in each]
    found = sentences[0] if sentences else "the daemon has no model"
    return problem("model.loads", found, "a model that loads", "agentctl doctor --deep says what is wrong with it")


def servers(patient: Patient) -> Iterator[Finding]:
    """How each server of the configuration fares, by the daemon's own word."""
    for each in patient.status.get("providers", []):
        about = f"{each['name']} ({', '.join(each['purposes'])}) is {each['state']}"
        if each["state"] in {"ok", "untried"}:
            yield ok("model.servers", about)
        else:
            judge = problem if each["state"] == "refused" else warning
            again = reload_command(patient.pid)
            mend = f"mend what it says; it is tried again by itself, and at once after: {again}"
            yield judge("model.servers", f"{about}: {each['reason']}", "a server that answers", mend)


def tried(directory: str) -> Finding:
    """Embed a sentence in a process of its own, twice: the second time is without loading."""
    command = [sys.executable, "-P", "-c", TRY, directory]
    try:
        ended = subprocess.run(  # noqa: S603  # our own code
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TRY_SECONDS, check=False
        )
        said = ended.stderr.strip().splitlines()
    except subprocess.TimeoutExpired:
        return problem("model.speed", f"no vector within {TRY_SECONDS:g} s", "a vector", "name another model")
    if ended.returncode:
        found = said[-1] if said else f"the process ended with {ended.returncode}"
        return problem("model.speed", found, "a vector of a sentence", "install agentd again, or name another model")
    dimension, loading, sentence = json.loads(ended.stdout)
    about = f"{dimension} dimensions, loaded in {loading:.0f} ms, a sentence in {sentence:.1f} ms"
    if sentence > SLOW_MS:
        return warning("model.speed", about, f"under {SLOW_MS:g} ms a sentence", "take a smaller or a quantised model")
    return ok("model.speed", about)
