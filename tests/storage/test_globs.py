from __future__ import annotations

import re
import time

import pytest
import tantivy
from hypothesis import example, given
from hypothesis import strategies as st

from agentd.storage.globs import coarse, glob_to_regex, glob_to_tantivy_regex


def matches(pattern: str, path: str) -> bool:
    return re.fullmatch(glob_to_regex(pattern), path) is not None


def model(pattern: str, path: str) -> bool:
    """The meaning of a glob, written out without regular expressions and without care for speed."""
    stripped = pattern.rstrip("/")
    parts = [part for part in stripped.split("/") if part not in {"", "."}]
    names = path.split("/")
    if not parts:
        return True
    if "/" not in stripped:
        parts = ["**", *parts]
    if parts[-1] == "**":
        return any(match_parts(parts[:-1], names[:end]) for end in range(len(names)))
    ends = range(1, len(names) if pattern.endswith("/") else len(names) + 1)
    return any(match_parts(parts, names[:end]) for end in ends)


def match_parts(parts: list[str], names: list[str]) -> bool:
    if not parts:
        return not names
    if parts[0] == "**":
        return match_parts(parts[1:], names) or (bool(names) and match_parts(parts, names[1:]))
    return bool(names) and match_part(parts[0], names[0]) and match_parts(parts[1:], names[1:])


def match_part(part: str, name: str) -> bool:
    if not part:
        return not name
    if part[0] == "*":
        return match_part(part[1:], name) or (bool(name) and match_part(part, name[1:]))
    if not name:
        return False
    end = part.find("]", 3 if part[1:2] in {"!", "^"} else 2) if part[0] == "[" else -1
    if end > 0:
        return match_class(part[1:end], name[0]) and match_part(part[end + 1 :], name[1:])
    return part[0] in {"?", name[0]} and match_part(part[1:], name[1:])


def match_class(body: str, character: str) -> bool:
    negated = body[0] in "!^"
    body = body[negated:]
    found = False
    while body:
        low = high = body[0]
        if len(body) > 2 and body[1] == "-":
            low, high = sorted((body[0], body[2]))
            body = body[2:]
        found |= low <= character <= high
        body = body[1:]
    return found is not negated


PATTERNS = st.lists(
    st.sampled_from(["a", "b", ".", "-", "é", "*", "**", "?", "/", "/**/", "[ab]", "[!a]", "[+-b]", "[", "]", "^"]),
    max_size=8,
).map("".join)
PATHS = st.lists(st.text("ab.-é+[]^\n", min_size=1, max_size=4), min_size=1, max_size=4).map("/".join)


@given(PATTERNS, PATHS)
@example("**/b/**/a", "b/a/b/a")
@example("a*b*a", "abba")
@example("[!a]", "b")
@example("a/**", "a")
def test_a_glob_means_what_the_model_says(pattern: str, path: str) -> None:
    assert matches(pattern, path) == model(pattern, path)


@given(PATTERNS, PATHS)
def test_every_match_passes_the_coarse_test(pattern: str, path: str) -> None:
    prefix, literal = coarse(pattern)
    assert not matches(pattern, path) or (path.startswith(prefix) and literal in path)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*.py", ["a.py", "src/a.py", "x.py/readme"], ["a.pyc", "py"]),
        ("docs", ["docs", "docs/a", "x/docs/a/b"], ["docs2/a", "mydocs"]),
        ("docs/", ["docs/a", "x/docs/a"], ["docs", "x/docs"]),
        ("src/api", ["src/api/x.py", "src/api"], ["src/api2", "x/src/api"]),
        ("/docs", ["docs/a"], ["x/docs/a"]),
        ("src/*.py", ["src/a.py"], ["src/b/a.py"]),
        ("src/**/test_*.py", ["src/test_a.py", "src/a/b/test_c.py"], ["test_a.py", "src/a_test.py"]),
        ("**", ["a", "a/b"], []),
        ("", ["a", "a/b"], []),
        ("file[0-9].[ch]", ["file1.c", "x/file2.h"], ["filea.c", "file1.x"]),
    ],
)
def test_globs_people_type(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [path for path in yes if not matches(pattern, path)] == []
    assert [path for path in no if matches(pattern, path)] == []


@pytest.mark.parametrize("pattern", ["*a" * 40 + "b", "**/a/" * 40 + "b", "?*" * 40 + "b", "a**a" * 40])
def test_a_hostile_pattern_takes_no_time(pattern: str) -> None:
    path = "/".join(["a" * 40] * 40)
    begun = time.perf_counter()
    matches(pattern, path)
    assert time.perf_counter() - begun < 0.2


def test_tantivy_finds_the_same_paths() -> None:
    paths = [
        "a",
        "a.py",
        "src/a.py",
        "src/b/test_a.py",
        "src/api/x-y.md",
        "d/é.py",
        "[x]/a",
        "a\nb/c",
        "docs/a",
        "x/docs",
    ]
    schema = tantivy.SchemaBuilder().add_text_field("path", stored=True, tokenizer_name="raw").build()
    index = tantivy.Index(schema)
    writer = index.writer(15_000_000, 1)
    for path in paths:
        writer.add_document(tantivy.Document(path=path))
    writer.commit()
    index.reload()
    searcher = index.searcher()
    for pattern in [
        "*.py",
        "src/*.py",
        "src/**/a.py",
        "docs/",
        "[[]x]",
        "a*b",
        "**",
        "",
        "*-*",
        "[!a-z]*",
        "**/*a*/**",
    ]:
        query = tantivy.Query.regex_query(schema, "path", glob_to_tantivy_regex(pattern))
        found = {searcher.doc(address)["path"][0] for _, address in searcher.search(query, 100).hits}
        assert found == {path for path in paths if matches(pattern, path)}, pattern
