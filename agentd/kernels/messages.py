"""What goes to a worker and what comes back. Light on purpose: the daemon imports this without any parser or model."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from agentd.domain import Chunk, Edge, Kind, SkipReason, Symbol


class WalkRequest(Struct, frozen=True):
    """Walk ``root``, or only ``paths`` below it (relative; files or directories; ``""`` is the root itself).

    ``exclude`` are gitignore patterns at the root, ``global_excludes`` is the path of the user's global excludes file.
    Files that hold secrets by their names are skipped, unless ``index_secrets``.
    """

    root: str
    paths: tuple[str, ...] = ("",)
    max_file_bytes: int = 2 * 1024 * 1024
    exclude: tuple[str, ...] = ()
    page_size: int = 500
    global_excludes: str = ""
    index_secrets: bool = False


class FileEntry(Struct, frozen=True, array_like=True):
    """A file that the ignore rules let through. ``signature`` changes whenever the file may have changed."""

    path: str
    size: int
    mtime_ns: int
    signature: str
    skip: SkipReason | None = None


class WalkPage(Struct, frozen=True, array_like=True):
    """A part of a walk. ``directories`` are those entered (relative, ``""`` for the root); ``missing`` are requested
    paths that do not exist, or that the ignore rules leave out; ``root_missing`` ends the walk.
    """

    entries: list[FileEntry]
    directories: list[str]
    missing: list[str]
    root_missing: bool = False


class PollRequest(Struct, frozen=True):
    """Compare ``directories`` (absolute), each on its own, with the states that are ``known`` of them, one each;
    without any, take their states.
    """

    directories: list[str]
    known: list[bytes] = []


class PollPage(Struct, frozen=True, array_like=True):
    """``states`` of some of the directories, in their order, empty for one that cannot be listed; ``changed`` are paths
    (absolute) that came or changed, and directories that lost entries.
    """

    states: list[bytes]
    changed: list[str]


class ParseRequest(Struct, frozen=True):
    """Read, parse and chunk files below ``root``; secrets in their text are masked, unless ``index_secrets``."""

    root: str
    paths: tuple[str, ...]
    max_file_bytes: int = 2 * 1024 * 1024
    chunk_chars: int = 1200
    index_secrets: bool = False


class ParsedFile(Struct, frozen=True, array_like=True):
    """One file of a ParseRequest, in its order.

    ``skip`` is set, and ``chunks`` empty, where the file cannot be searched; a file that is gone has ``vanished`` set.
    ``signature`` was taken before and after reading and did not change in between. ``embed`` is false for what gets
    keyword search only (translations, lock files, minified, generated and built documents). ``notes`` say what was cut
    or guessed: ``encoding:cp1252``, ``syntax_errors``, ``chunks_cut``, ``secrets_masked:2``. ``module`` is the key that
    imports find the file by (see ``kernels.edges``), empty for what no language imports.
    """

    path: str
    size: int
    mtime_ns: int
    signature: str
    content_hash: bytes
    language: str
    kind: Kind
    embed: bool
    lines: int
    notes: list[str]
    chunks: list[Chunk]
    skip: SkipReason | None = None
    vanished: bool = False
    module: str = ""
    symbols: list[Symbol] = []
    edges: list[Edge] = []


class ModelRequest(Struct, frozen=True):
    """Describe the model in ``directory`` (``model.onnx`` and ``tokenizer.json``), as it is when what goes in together
    is cut to ``max_tokens``; 0 means the model's own limit.
    """

    directory: str
    max_tokens: int = 0


class ModelInfo(Struct, frozen=True):
    """A usable model. ``max_tokens`` is the limit in force, ``revision`` a hash over it and the model's files: vectors
    of equal revisions are comparable.
    """

    name: str
    dimension: int
    max_tokens: int
    revision: str


class EmbedRequest(Struct, frozen=True):
    """Embed ``texts`` with the model in ``directory``; ``max_tokens`` 0 means the model's own limit."""

    directory: str
    texts: list[str]
    max_tokens: int = 0
    batch_tokens: int = 256


class EmbedResult(Struct, frozen=True):
    """Unit vectors, quantised: ``codes`` are ``len(texts)`` rows of ``dimension`` int8, ``scales`` as many
    little-endian float32; row times scale is the vector. ``truncated`` counts texts over ``max_tokens``.
    """

    dimension: int
    codes: bytes
    scales: bytes
    tokens: int
    truncated: int


class ComplexityRequest(Struct, frozen=True):
    """Measure the functions of files below ``root``."""

    root: str
    paths: tuple[str, ...]
    max_file_bytes: int = 2 * 1024 * 1024


class FunctionComplexity(Struct, frozen=True, array_like=True, gc=False):
    """A function and its figures. ``name`` is as lizard qualifies it, ``lines`` counts those with code,
    ``complexity`` is the number of independent paths, from 1.
    """

    name: str
    start_line: int
    end_line: int
    lines: int
    complexity: int
    parameters: int
    tokens: int


class FileComplexity(Struct, frozen=True, array_like=True):
    """One file of a ComplexityRequest, in its order.

    ``skip`` says why it could not be measured, else it is empty: a SkipReason, ``gone``, or ``language`` for one that
    lizard does not know.
    """

    path: str
    functions: list[FunctionComplexity] = []
    skip: str = ""


class RankCandidate(Struct, frozen=True, array_like=True, gc=False):
    """A chunk that a retriever found. ``keyword`` is its BM25 score, ``vector`` its cosine, ``fusion`` its score by
    ranks alone; 0 stands for none. ``definition`` (0 to 1) says how surely it defines a name of the query,
    ``named_path`` how much of a path in it; ``links`` how many of the other candidates' files import its file. ``text``
    is there for the first few alone, to see what of the query they hold.
    """

    document: int
    path: str
    language: str
    kind: Kind
    start_line: int
    names: str
    context: str
    doc: str
    keyword: float
    vector: float
    fusion: float
    definition: float = 0.0
    named_path: float = 0.0
    links: int = 0
    text: str = ""


class RankRequest(Struct, frozen=True):
    """Score ``candidates`` for a query of the type ``query_type`` (see ``retrieval.analysis``).

    ``terms`` are its words with their weights (inverse document frequency, >= 0); ``missing`` is the share of those
    weights that belongs to words that stand nowhere in the index, ``named`` whether the query holds a name of code.
    ``typed`` is the query where it is a name and nothing else, else empty.
    ``weights`` is the path of a file that replaces the packaged weights; empty for none. Without ``explain`` the result
    has no features: they are nine tenths of it.
    """

    query_type: str
    terms: list[tuple[str, float]]
    candidates: list[RankCandidate]
    missing: float = 0.0
    named: bool = False
    typed: str = ""
    weights: str = ""
    explain: bool = True


class RankResult(Struct, frozen=True):
    """A score for each candidate, the greater the better: its ``features`` times ``weights``, both in the order of
    ``names``. ``features`` are empty where nobody asked for them.

    ``relevance`` (0 to 1) is how likely it is that anything here answers; ``evidence`` what it was taken from.
    """

    scores: list[float]
    names: list[str]
    weights: list[float]
    features: list[list[float]]
    relevance: float
    evidence: dict[str, float]


class CrossEncoderInfo(Struct, frozen=True):
    """A usable cross-encoder. ``max_tokens`` is the limit in force."""

    name: str
    max_tokens: int


class RerankRequest(Struct, frozen=True):
    """Judge ``texts`` against ``query`` with the cross-encoder in ``directory``.

    At ``deadline``, in seconds of the machine's monotonic clock (which all processes share), nobody waits for the
    answer any more; 0 is never.
    """

    directory: str
    query: str
    texts: list[str]
    max_tokens: int = 0
    batch_tokens: int = 256
    deadline: float = 0.0


class RerankResult(Struct, frozen=True):
    """A score for each text, higher is better; they compare for this query alone. ``truncated`` counts texts cut."""

    scores: list[float]
    truncated: int


class SupportRequest(Struct, frozen=True):
    """Judge whether ``spans`` support ``sentence``, with the embedding model in ``directory``."""

    directory: str
    sentence: str
    spans: list[str]
    max_tokens: int = 0


class SupportResult(Struct, frozen=True):
    """How well they do, 0 to 1, and what speaks against it whatever the score."""

    score: float
    reasons: list[str]


class ExcerptRequest(Struct, frozen=True):
    """Narrow each of ``passages`` to at most ``lines`` lines that answer ``question``; ``names`` are code in it.

    ``directory`` holds the embedding model.
    """

    directory: str
    question: str
    passages: list[str]
    lines: int
    names: tuple[str, ...] = ()
    max_tokens: int = 0


class Excerpt(Struct, frozen=True, array_like=True):
    """Lines of a passage, from 0, ``end`` excluded, and how well they answer: it compares within a request."""

    start: int
    end: int
    score: float


class ExcerptResult(Struct, frozen=True):
    """One for each passage."""

    excerpts: list[Excerpt]


class RemoteVectorsRequest(Struct, frozen=True):
    """Read the vectors of ``count`` texts out of a server's answer, and make unit vectors of them.

    ``form`` is whose shape ``body`` has; ``dimension`` is what each has to have, 0 where that is not known yet.
    """

    body: bytes
    form: Literal["openai", "ollama"]
    count: int
    dimension: int = 0


class RemoteVectors(Struct, frozen=True):
    """Int8 ``codes`` of count * dimension bytes and count float32 ``scales``, as ``quantise`` makes them, in the order
    of the texts; ``tokens`` as the server counted them, else 0. A ``problem`` says what is wrong with the answer, and
    then there is nothing else.
    """

    codes: bytes = b""
    scales: bytes = b""
    dimension: int = 0
    tokens: int = 0
    problem: str = ""


class RedactRequest(Struct, frozen=True):
    """Cut the secrets out of ``texts``, or ``mask`` them as those of files that are indexed are."""

    texts: list[str]
    mask: bool = False


class Redaction(Struct, frozen=True):
    """The texts with each secret replaced by ``[KIND]``, or by asterisks, and how many there were of each kind."""

    texts: list[str]
    counts: dict[str, int]
