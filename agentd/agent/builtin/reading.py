"""Tools that read: lines of a file, and which files there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from agentd.agent.builtin import reach
from agentd.agent.builtin.arguments import Arguments, Path, Selecting
from agentd.agent.contracts import ToolResult
from agentd.agent.tools import tool
from agentd.answer.contracts import Passage, SourceName
from agentd.retrieval.budget import head_within

if TYPE_CHECKING:
    from agentd import protocol as p
    from agentd.agent.contracts import Library, Scope, Tool

FRAME_TOKENS = 150
"""Of a result that is one passage, beside its text."""
LONGEST_LINE = 1000
"""Characters that are shown of a line which has no room as a whole."""
FILE_TOKENS = 30
"""What a file costs in a list, about."""
MOST_FILES = 200

Line = Annotated[int, Meta(ge=1, le=2**31)]


class ReadSpan(Arguments, frozen=True, kw_only=True):
    """Parameters of ``read_span``."""

    path: Annotated[Path, Meta(description="The file, relative to its root or absolute")]
    start_line: Annotated[Line, Meta(description="The first line, from 1")] = 1
    end_line: Annotated[Line, Meta(description="The last line; left out: as much as fits")] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError, which the decoder reports, where the end lies before the start."""
        if self.end_line is not None and self.end_line < self.start_line:
            raise ValueError(f"expected end_line from start_line ({self.start_line}) on, found {self.end_line}")


class ListFiles(Selecting, frozen=True, kw_only=True):
    """Parameters of ``list_files``."""

    after: Annotated[str, Meta(max_length=8192, description="Go on behind this path")] | None = None


def reading_tools(library: Library) -> tuple[Tool, ...]:
    """Lines of a file as they are on disk now, and the files that the index knows."""

    @tool(ReadSpan, "Read lines of a file as they are now, to see what stands around a passage or to cite it.")
    async def read_span(asked: ReadSpan, scope: Scope) -> ToolResult:
        path = await reach.file_at(asked.path, scope, library)
        return spoken(await library.read_span(path, asked.start_line, asked.end_line), asked.end_line, scope)

    @tool(ListFiles, "List files by glob, language or kind, with their sizes, in the order of their paths.")
    async def list_files(asked: ListFiles, scope: Scope) -> ToolResult:
        options: dict[str, object] = {
            "roots": reach.asked(scope),
            "paths": [reach.glob(each, scope) for each in asked.paths],
            "languages": list(asked.languages),
            "limit": min(MOST_FILES, max(10, scope.limits.result_tokens // FILE_TOKENS)),
        }
        given = {"kind": asked.kind, "after": asked.after and reach.absolute(asked.after, scope)}
        found = await library.list_files(**options, **{name: value for name, value in given.items() if value})
        return listed(found, scope)

    return read_span, list_files


def spoken(span: p.Span, end_line: int | None, scope: Scope) -> ToolResult:
    """As many lines as one result shows, and where to go on."""
    roots, total = frozenset({span["root"]}), span["total_lines"]
    said = span["text"].removesuffix("\n")
    text = head_within(said, max(1, scope.limits.result_tokens - FRAME_TOKENS))
    whole = len(text) >= len(said)
    if not text.strip() and not whole:
        return _long_line(span, roots)
    last = span["end_line"] if whole else span["start_line"] + text.count("\n")
    cut = last < min(end_line or total, total)
    passage = Passage(
        source=SourceName.DOCUMENTS,
        text=text,
        start_line=span["start_line"],
        end_line=last,
        path=span["path"],
        root=span["root"],
        about=f"of {total} lines",
    )
    return ToolResult(
        text="" if text else "The file is empty.",
        passages=(passage,) if text else (),
        found=last - span["start_line"] + 1,
        notes=(f"there was room for lines {span['start_line']} to {last}; go on from {last + 1}",) if cut else (),
        roots=roots,
    )


def listed(found: p.FileList, scope: Scope) -> ToolResult:
    """A list of files."""
    files = reach.sifted(found["files"], scope)
    lines = [f"{reach.shown(file['path'], scope)}  {file['language']}, {file['size']:,} bytes" for file in files]
    more = (
        f"{found['total']:,} files in all; for more give after: {reach.shown(files[-1]['path'], scope)}"
        if files
        else ""
    )
    return ToolResult(
        text="\n".join(lines) or "No file of the index matches.",
        found=len(files),
        notes=(more,) if found["next"] and more else (),
        roots=reach.roots_of(files),
    )


def _long_line(span: p.Span, roots: frozenset[str]) -> ToolResult:
    """The beginning of a line that is too long to be shown. It cannot be cited: it is not all of the line."""
    rest = span["text"].lstrip("\n")
    line, number = rest.partition("\n")[0], span["start_line"] + len(span["text"]) - len(rest)
    note = f"line {number} has {len(line):,} characters and is cut; semantic_search shows parts of it"
    return ToolResult(text=line[:LONGEST_LINE], found=1, notes=(note,), roots=roots)
