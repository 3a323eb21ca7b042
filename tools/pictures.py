"""Draw the pictures of the README: ``make pictures`` writes ``docs/pictures/*.svg``.

What they show was typed and seen: agentctl ran on a pseudo-terminal, with a real daemon behind it that had indexed a
part of this repository. One thing is not real: the chat model. Its server is a script, which reads and calls what a
model would, and always says the same.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from chat_script import configured, results
from daemon_harness import Daemon
from provider_harness import delta, events
from provider_thread import servers
from pty_harness import Terminal
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provider_harness import Asked, Reply

CHECKOUT = Path(__file__).parents[1]
PICTURES = CHECKOUT / "docs" / "pictures"
PARTS = ("agentd/providers", "agentd/answer", "agentd/errors.py", "docs/providers.md", "docs/answers.md")
"""Of this repository, as the project that is asked about."""

COLUMNS, ROWS = 96, 30
MOST_BYTES = 60_000

QUESTION = "how long does it wait before it tries again?"
TASK = "How are requests to a model tried again, and when does it give up?"
PAUSE_SECONDS = 0.02
"""Between two words of what the model says."""

LETTERS_A_TOKEN = 4

# Rich's own format without the address from which it would load a font: a picture in a README asks nobody for anything.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code, monospace", "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
)
DARK = [(24, 26, 31), (224, 108, 117), (126, 190, 110), (222, 184, 105)]
DARK += [(97, 160, 232), (198, 134, 221), (86, 182, 194), (205, 210, 218)]
BRIGHT = [(92, 99, 112), (240, 125, 133), (145, 208, 128), (240, 205, 130)]
BRIGHT += [(120, 180, 250), (215, 155, 238), (105, 202, 214), (245, 247, 250)]
THEME = TerminalTheme(DARK[0], DARK[7], DARK, BRIGHT)
"""Colours with enough contrast on their own ground, whether the page is light or dark."""


def main() -> None:
    """Draw all of them."""
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="agentd-pictures-") as folder, servers() as served:
        place = Path(folder)
        project = sample(place / "project")
        served.scripted.script = model
        with Daemon(place / "daemon", project, config=configured(served)) as daemon:
            daemon.client.wait("vectors")
            for name, words in shown(daemon):
                picture(name, words, seen(daemon, project, words).replace(folder, "~"))


def sample(folder: Path) -> Path:
    """A part of this repository, copied to ``folder``."""
    for part in PARTS:
        source, target = CHECKOUT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


def shown(daemon: Daemon) -> Iterator[tuple[str, Sequence[str]]]:
    """What is typed for each picture."""
    yield "search", ("search", QUESTION, "-k", "3")
    yield "ask", ("ask", QUESTION)
    yield "agent", ("agent", TASK)
    yield "trace", ("trace", daemon.client.runs(1)["runs"][0]["id"])
    yield "status", ("status",)


def seen(daemon: Daemon, project: Path, words: Sequence[str]) -> str:
    """What stands on the terminal when the command has ended, with its colours.

    Raises:
        RuntimeError: it failed.
    """
    socket = ("--socket", str(daemon.socket))
    terminal = Terminal(*socket, *words, directory=project, environ={"HOME": str(project)}, columns=COLUMNS, rows=ROWS)
    try:
        code = terminal.end()
    finally:
        terminal.close()
    if code:
        raise RuntimeError(f"expected exit code 0 of {words}, found {code}: {terminal.plain()}")
    return terminal.screen().ansi()


def model(asked: Asked) -> Reply:
    """What the scripted model says: other words for a question, an answer to it, or its part in the run."""
    if "response_format" in asked.body:
        return said(asked, '{"queries": ["retries after a failure", "pause before the next try"]}')
    if not asked.body.get("tools"):
        return said(
            asked, f"{PASSING} [{source(asked, 'half a second')}]. {LEFT} [{source(asked, 'left alone: for 5 s')}]."
        )
    found = results(asked)
    if not found:
        thought = "First I look for what is written about failures, and for the code that waits."
        return said(asked, thought, ("semantic_search", {"query": QUESTION}), ("find_symbol", {"name": "Server._wait"}))
    if len(found) == 2:
        place = re.search(r"(?P<path>\S+http\.py):(?P<start>\d+)-(?P<end>\d+)", found[1])
        lines = (
            {"path": place["path"], "start_line": int(place["start"]), "end_line": int(place["end"])} if place else {}
        )
        return said(asked, "", ("read_span", lines), ("read_span", {"path": "agentd/providers/retry.py"}))
    table, breaker, code = (source(asked, words) for words in ("half a second", "left alone: for 5 s", "jitter ="))
    return said(asked, f"{PASSING} [{table}].\n\n- {JITTER} [{code}].\n- {LEFT} [{breaker}].\n")


PASSING = (
    "Where a connection is refused or cut, and at 408, 425, 429 or any 5xx, a request is **tried again**, `retries` "
    "times, after half a second, one, two, or after as long as `Retry-After` says, up to 30 s"
)
JITTER = "The `backoff` is multiplied by a `jitter` from 0.5 to 1.0: it parts those that failed together"
LEFT = (
    "Three failures in a row and the provider is left alone: for 5 s, then one request tries it, then for 10 s, and so "
    "on up to 5 minutes"
)


def source(asked: Asked, words: str) -> int:
    """The number of the source that the model was shown in which ``words`` stand.

    Raises:
        LookupError: there is none: what the pictures ask about was written anew.
    """
    shown = "\n".join(str(message.get("content")) for message in asked.body["messages"])
    for number, text in re.findall(r"source (\d+) \|(.*?)end of source", shown, re.DOTALL):
        if words in text:
            return int(number)
    raise LookupError(f"expected a source with {words!r}, found none")


def said(asked: Asked, text: str, *wanted: tuple[str, dict[str, object]]) -> Reply:
    """A turn of the model, its text a few words at a time, with the tokens that a server would count."""
    pieces = [delta(content=piece) for piece in re.findall(r"\S+\s*", text)]
    pieces += [
        delta(tool_calls=[{"index": at, "id": f"c{at}", "function": {"name": name, "arguments": json.dumps(given)}}])
        for at, (name, given) in enumerate(wanted)
    ]
    read, written = (len(part) // LETTERS_A_TOKEN for part in (json.dumps(asked.body), text + json.dumps(wanted)))
    usage = {"choices": [], "usage": {"prompt_tokens": read, "completion_tokens": written}}
    reply = events(*pieces, delta("tool_calls" if wanted else "stop"), usage)
    reply.pause = PAUSE_SECONDS
    return reply


def picture(name: str, words: Sequence[str], screen: str) -> None:
    """Write a picture of a terminal on which ``words`` were typed.

    Raises:
        RuntimeError: it is too large for a README.
    """
    console = Console(width=COLUMNS, file=io.StringIO(), record=True, force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(f"\x1b[32m$\x1b[0m \x1b[1magentctl {shlex.join(words)}\x1b[0m\n\n{screen}"))
    console.print()  # rich cuts the last line of a picture below its letters, and with that every underscore
    svg = console.export_svg(title=f"agentctl {words[0]}", theme=THEME, code_format=FORMAT, unique_id=name)
    if len(svg) > MOST_BYTES:
        raise RuntimeError(f"expected at most {MOST_BYTES} bytes for {name}, found {len(svg)}: show less in it")
    path = PICTURES / f"{name}.svg"
    path.write_text(svg, encoding="utf-8")
    print(f"{path.relative_to(CHECKOUT)}: {len(svg) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
