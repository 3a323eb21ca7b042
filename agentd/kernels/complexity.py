"""Cyclomatic complexity (McCabe, IEEE TSE 1976) of the functions of files, by lizard.

``lizard_core`` is used directly: the facade module ``lizard`` puts folders at the front of ``sys.path`` when it is
imported, among them that of the running script, whose modules would then hide others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lizard_core.extensions import get_extensions
from lizard_core.file_info_builder import FileInfoBuilder
from lizard_languages import languages

from agentd.domain import SkipReason
from agentd.errors import CancelledError
from agentd.kernels.classify import language_of
from agentd.kernels.interruption import pause_point
from agentd.kernels.messages import FileComplexity, FunctionComplexity
from agentd.kernels.reading import decode, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentd.kernels.messages import ComplexityRequest

HEAD = 8000
"""Characters that tell what language a file is in."""

PAUSE_TOKENS = 2000
"""Tokens between two looks at whether anybody still waits: some 2 ms."""

MAX_NAME = 500
"""Characters of a name; what looks like one to a tolerant reader may be a whole minified file."""

READERS: dict[str, Any] = {
    language: next(reader for reader in languages() if extension in reader.ext)
    for language, extension in {
        "c": "c",
        "cpp": "cpp",
        "csharp": "cs",
        "go": "go",
        "java": "java",
        "javascript": "js",
        "kotlin": "kt",
        "lua": "lua",
        "objective-c": "mm",
        "php": "php",
        "python": "py",
        "ruby": "rb",
        "rust": "rs",
        "scala": "scala",
        "solidity": "sol",
        "swift": "swift",
        "tsx": "tsx",
        "typescript": "ts",
        "vue": "vue",
        "zig": "zig",
    }.items()
}
"""By our names of languages, because lizard goes by extension alone; those it can read and the walk can meet."""


def complexity(request: ComplexityRequest) -> Iterator[FileComplexity]:
    """Measure each path of the request, in order. No file raises: what kept it from being measured is its ``skip``."""
    for path in request.paths:
        yield _measure_file(request, path)


def measure(language: str, path: str, text: str) -> list[FunctionComplexity]:
    """The functions of a text in the order of their ends, inner ones first.

    Raises:
        KeyError: lizard does not know the language.
        Exception: lizard gave up on the text (it documents none, and some nesting is too deep for it).
    """
    reader = READERS[language](FileInfoBuilder(path))
    tokens = reader.generate_tokens(text)
    for processor in get_extensions([]):
        tokens = processor(tokens, reader)
    for number, _ in enumerate(reader(tokens, reader)):
        if number % PAUSE_TOKENS == 0:
            pause_point()
    return [_function(found) for found in reader.context.fileinfo.function_list]


def _measure_file(request: ComplexityRequest, path: str) -> FileComplexity:
    file = read_file(request.root, path, request.max_file_bytes)
    if file.vanished:
        return FileComplexity(path, skip="gone")
    if file.skip is not None:
        return FileComplexity(path, skip=file.skip.value)
    decoded = decode(file.data)
    if decoded is None:
        return FileComplexity(path, skip=SkipReason.BINARY.value)
    language = language_of(path, decoded.text[:HEAD])
    if language not in READERS:
        return FileComplexity(path, skip="language")
    try:
        return FileComplexity(path, measure(language, path, decoded.text))
    except CancelledError:
        raise
    except Exception:  # noqa: BLE001  # a parser's failure on one file must cost no more than its figures
        return FileComplexity(path, skip=SkipReason.DAMAGED.value)


def _function(found: Any) -> FunctionComplexity:
    return FunctionComplexity(
        name=found.name[:MAX_NAME],
        start_line=found.start_line,
        end_line=max(found.start_line, found.end_line),
        lines=found.nloc,
        complexity=found.cyclomatic_complexity,
        parameters=len(found.full_parameters),
        tokens=found.token_count,
    )
