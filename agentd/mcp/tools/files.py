"""read_span, list_files and complexity: about files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from agentd.mcp import arguments as a
from agentd.mcp import shapes as s
from agentd.mcp import text as t
from agentd.mcp.tool import Tool

if TYPE_CHECKING:
    from agentd import protocol as p
    from agentd.mcp.call import Call


async def read_span(call: Call, given: a.ReadSpan) -> s.Lines:
    """Lines of a file."""
    span: p.Span = await call.ask("read_span", roots=UNSET, path=call.scope.path(given.path))
    text = call.room.lines(span["text"])
    end = span["end_line"]
    if span["cut"] or len(text) < len(span["text"]):
        end = span["start_line"] + text.count("\n") - text.endswith("\n")
        call.room.notes.append(f"cut for room: read on with start_line={end + 1}, of {span['total_lines']} lines")
    return {
        "path": span["path"],
        "start_line": span["start_line"],
        "end_line": end,
        "total_lines": span["total_lines"],
        "text": text,
        "notes": call.notes({}),
    }


def span_text(span: s.Lines) -> str:
    """The lines as they are, under their place."""
    return t.text_of([f"{t.place(span)} of {span['total_lines']}", span["text"]], span["notes"])


async def list_files(call: Call, _given: a.ListFiles) -> s.Files:
    """A page of the index."""
    page: p.FileList = await call.ask("list_files")
    files = call.room.take([file_of(file) for file in page["files"]], "files")
    shown: s.Files = {"files": files, "total": page["total"], "notes": call.notes({"complete": False})}
    if page["next"] and len(files) == len(page["files"]):
        shown["next"] = page["next"]
    return shown


def file_of(info: p.FileInfo) -> s.File:
    """One file."""
    file: s.File = {"path": info["path"], "language": info["language"], "kind": info["kind"], "size": info["size"]}
    if info["skip"]:
        file["skip"] = info["skip"]
    return file


def files_text(page: s.Files) -> str:
    """One a line."""
    lines = [
        f"{t.shown(file['path'])}  {file['language']}  {file['size']:,} bytes{skipped(file)}" for file in page["files"]
    ]
    more = [f"{page['total']:,} in all; the next page: after={page['next']!r}"] if "next" in page else []
    return t.text_of([*(lines or ["No such files."]), *more], page["notes"])


def skipped(file: s.File) -> str:
    """Why it cannot be searched."""
    return f"  not searchable: {file['skip']}" if "skip" in file else ""


async def complexity(call: Call, given: a.Complexity) -> s.Complexity:
    """The most complex functions."""
    answer: p.Complexity = await call.ask("graph.complexity", roots=UNSET, path=call.scope.path(given.path))
    figures = [figures_of(entry) for entry in answer["entries"]]
    return {
        "path": answer["path"],
        "entries": call.room.take(figures, "functions"),
        "files": answer["files"],
        "functions": answer["functions"],
        "total": answer["total"],
        "notes": call.notes(answer),
    }


def figures_of(entry: p.FunctionFigures) -> s.Figures:
    """One function."""
    return {
        "name": entry["name"],
        "path": entry["path"],
        "start_line": entry["start_line"],
        "end_line": entry["end_line"],
        "complexity": entry["complexity"],
        "lines": entry["lines"],
        "parameters": entry["parameters"],
    }


def complexity_text(answer: s.Complexity) -> str:
    """One function a line."""
    lines = [
        f"{t.place(entry)}  {entry['name']}  complexity {entry['complexity']}, {t.number_of(entry['lines'], 'line')}, "
        f"{t.number_of(entry['parameters'], 'parameter')}"
        for entry in answer["entries"]
    ]
    measured = f"{t.number_of(answer['functions'], 'function')} in {t.number_of(answer['files'], 'file')} measured"
    return t.text_of([*lines, f"{measured} below {t.shown(answer['path'])}"], answer["notes"])


READING = (
    Tool(
        "read_span",
        "Read lines of a file",
        "Lines of an indexed file as they are on disk now.",
        a.ReadSpan,
        s.Lines,
        read_span,
        span_text,
    ),
    Tool(
        "list_files",
        "List indexed files",
        "Files that the index knows, by glob, language or kind; with skipped=true those that cannot be searched, with "
        "the reason.",
        a.ListFiles,
        s.Files,
        list_files,
        files_text,
    ),
)
MEASURING = (
    Tool(
        "complexity",
        "Find complex functions",
        "The functions of a file or folder with the most independent paths (cyclomatic complexity), the worst first.",
        a.Complexity,
        s.Complexity,
        complexity,
        complexity_text,
    ),
)
