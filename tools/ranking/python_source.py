"""Queries from Python source, read with the standard library's own parser and not with the daemon's."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from ranking.candidates import Candidate, Edit, first_sentence, usable, words
from ranking.dataset import bucket

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SHORTEST_BODY = 3
"""Lines beside the docstring: less is an alias or a stub, which nobody looks for."""
LONGEST_SPAN = 60
"""Lines: in a longer function the lines around a statement are the answer, not the function."""
STOP_WORDS = frozenset(
    ("a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "if", "in", "is", "it", "its", "of", "on", "or",
     "that", "the", "then", "this", "to", "with")
)  # fmt: skip
PLACEHOLDER = re.compile(r"%[srd]|\{[\w!.]*\}")
NOT_PROSE = ("noqa", "type:", "pragma", "pylint", "fmt:", "mypy", "TODO", "XXX", "FIXME", "coding:", "http")


class Defined(Struct, frozen=True):
    """A function or class. Lines from 1, both ends included; ``start_line`` is that of its first decorator."""

    path: str
    name: str
    qualified: str
    node: Definition
    start_line: int
    end_line: int


def definitions(path: str, tree: ast.AST, scope: str = "") -> Iterator[Defined]:
    """Every function and class, outer ones first."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, DEFINITIONS):
            yield from definitions(path, node, scope)
            continue
        qualified = f"{scope}.{node.name}" if scope else node.name
        start = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        yield Defined(path, node.name, qualified, node, start, node.end_lineno or node.lineno)
        yield from definitions(path, node, qualified)


def python_candidates(path: str, text: str) -> tuple[list[Candidate], list[Defined]]:
    """What one file offers, and what it defines. A file that does not parse offers nothing."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return [], []
    defined = list(definitions(path, tree))
    lines = text.splitlines()
    found = [candidate for each in defined for candidate in docstring_candidates(each, lines)]
    found += [candidate for each in defined for candidate in error_candidates(each)]
    return found + list(comment_candidates(path, text, defined)), defined


def docstring_candidates(defined: Defined, lines: list[str]) -> Iterator[Candidate]:
    """The first sentence of a docstring: cut out of the copy, or thinned out to some of its words and left there."""
    docstring = docstring_of(defined.node)
    if docstring is None or defined.end_line - (docstring.end_lineno or 0) < SHORTEST_BODY:
        return
    sentence = first_sentence(ast.get_docstring(defined.node) or "")
    if not usable(sentence):
        return
    place = (defined.path, defined.start_line, defined.end_line)
    yield Candidate("docstring", sentence, *place, edit=cut_docstring(defined, docstring, lines))
    thinned = keywords(sentence)
    if usable(thinned, fewest=3):
        yield Candidate("keywords", thinned, *place)


def docstring_of(node: Definition) -> ast.Expr | None:
    """The statement that is the docstring."""
    first = node.body[0]
    if len(node.body) > 1 and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first if isinstance(first.value.value, str) else None
    return None


def cut_docstring(defined: Defined, docstring: ast.Expr, lines: list[str]) -> Edit:
    """Remove all of it, or every second time its first paragraph alone, where it has more."""
    start, end = docstring.lineno, docstring.end_lineno or docstring.lineno
    blank = next((number for number in range(start + 1, end) if not lines[number - 1].strip()), None)
    opening = lines[start - 1][: docstring.col_offset] + '"""'
    plain_opening = lines[start - 1].lstrip().startswith('"""')
    if blank is None or not plain_opening or bucket(defined.qualified + defined.path, 2):
        return Edit(start, end)
    return Edit(start, blank, (opening,))


def keywords(sentence: str) -> str:
    """Up to six words that carry meaning, in their order, about a quarter of them left out."""
    content = [word.strip(".,;:()'\"") for word in sentence.split() if word.lower() not in STOP_WORDS]
    return " ".join([word for word in content if bucket(sentence + word, 4)][:6])


def error_candidates(defined: Defined) -> Iterator[Candidate]:
    """The text of an error that the function raises, as it is seen in a traceback."""
    if isinstance(defined.node, ast.ClassDef):
        return
    for node in ast.walk(defined.node):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            message = message_of(node.exc.args[0])
            if not usable(message):
                continue
            short = defined.end_line - defined.start_line < LONGEST_SPAN
            start = defined.start_line if short else max(defined.start_line, node.lineno - 10)
            end = defined.end_line if short else min(defined.end_line, (node.end_lineno or node.lineno) + 5)
            name = ast.unparse(node.exc.func).rpartition(".")[2]
            query = f"{name}: {message}" if bucket(message, 2) else message
            yield Candidate("error", query, defined.path, start, end)


def message_of(node: ast.expr) -> str:
    """A message with its values filled in, as a reader of the error would see it; empty where it is computed."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return message_of(node.left)
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [part.value if isinstance(part, ast.Constant) else "foo" for part in parts]
    if texts == ["foo"] or not all(isinstance(text, str) for text in texts):
        return ""
    return " ".join(PLACEHOLDER.sub("foo", "".join(map(str, texts))).split())


def comment_candidates(path: str, text: str, defined: list[Defined]) -> Iterator[Candidate]:
    """A comment on lines of its own inside a function, for the lines that follow it. It is cut out of the copy."""
    functions = [each for each in defined if not isinstance(each.node, ast.ClassDef)]
    for start, end, comment in comment_blocks(text):
        around = [each for each in functions if each.start_line < start and end < each.end_line]
        sentence = first_sentence(comment)
        prose = usable(sentence, fewest=6) and not any(mark in comment for mark in NOT_PROSE) and "=" not in sentence
        if around and prose:
            last = min(around[-1].end_line, end + 12)
            yield Candidate("comment", sentence, path, end + 1, last, Edit(start, end))


def comment_blocks(text: str) -> Iterator[tuple[int, int, str]]:
    """First line, last line and text of each run of lines that hold a comment alone."""
    comments: dict[int, str] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip():
                comments[token.start[0]] = token.string.lstrip("#: ").rstrip()
    except (tokenize.TokenError, SyntaxError):
        return
    edges = [0, *(index for index, (a, b) in enumerate(pairwise(comments), start=1) if b != a + 1), len(comments)]
    numbers = list(comments)
    for first, after in pairwise(edges):
        block = numbers[first:after]
        if block:
            yield block[0], block[-1], " ".join(comments[number] for number in block)


def name_candidates(defined: list[Defined], uses: Mapping[str, int]) -> Iterator[Candidate]:
    """Names defined once and used elsewhere, asked in many ways. ``uses``: how often each word occurs in the corpus."""
    definitions_of = Counter(each.name for each in defined)
    for each in defined:
        parts = words(each.name)
        telling = len(each.name) >= 5 and (len(parts) > 1 or len(each.name) >= 8)
        if definitions_of[each.name] > 1 or each.name.startswith("__") or not telling or uses[each.name] < 3:
            continue
        place = (each.path, each.start_line, each.end_line)
        yield Candidate("identifier", identifier_form(each), *place)
        yield Candidate("question", question_form(each.name), *place)
        if len(parts) > 2:
            yield Candidate("words", " ".join(parts), *place)
        yield Candidate("case", other_case(each.name, parts), *place)


def identifier_form(defined: Defined) -> str:
    """Bare, qualified, with the module, or as it is called."""
    module = defined.path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
    keyword = "class" if isinstance(defined.node, ast.ClassDef) else "def"
    forms = (
        defined.name, defined.name, defined.name, defined.qualified, f"{defined.name}()",
        f"{module}.{defined.qualified}", f"{keyword} {defined.name}",
    )  # fmt: skip
    return forms[bucket(defined.qualified, len(forms))]


def question_form(name: str) -> str:
    """As a person asks for it."""
    forms = (
        f"where is {name} defined", f"how does {name} work", f"{name} implementation", f"what does {name} do",
        f"definition of {name}", f"where is {name} implemented?", f"show me the code of {name}",
    )  # fmt: skip
    return forms[bucket(name, len(forms))]


def other_case(name: str, parts: list[str]) -> str:
    """The name as somebody remembers it who writes another language."""
    if "_" in name:
        return parts[0] + "".join(part.title() for part in parts[1:])
    return "_".join(parts) if len(parts) > 1 else name.upper()
