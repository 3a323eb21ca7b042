from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.retrieval.analysis import LONGEST, MAX_NAMES, Analysis, QueryType, analyse, is_name, is_path

IDENTIFIER, QUALIFIED, PATH = QueryType.IDENTIFIER, QueryType.QUALIFIED, QueryType.PATH
ERROR, QUESTION, MIXED = QueryType.ERROR, QueryType.QUESTION, QueryType.MIXED

TRACEBACK = """Traceback (most recent call last):
  File "/srv/app/engine/retry.py", line 31, in run
    self._send_request(order)
ValueError: expected 3 values, found 2
"""


def test_types_have_names_that_a_person_would_use() -> None:
    assert [each.value for each in QueryType] == [
        "identifier",
        "qualified_name",
        "path",
        "error_message",
        "question",
        "mixed",
    ]


@pytest.mark.parametrize(
    ("query", "type_", "names"),
    [
        ("retry", IDENTIFIER, ("retry",)),
        ("get_user", IDENTIFIER, ("get_user",)),
        ("  HTTPAdapter\n", IDENTIFIER, ("HTTPAdapter",)),
        ("__init__", IDENTIFIER, ("__init__",)),
        ("parse_config()", IDENTIFIER, ("parse_config",)),
        ("`parse_config`", IDENTIFIER, ("parse_config",)),
        ("ERR_CONNECTION_REFUSED", IDENTIFIER, ("ERR_CONNECTION_REFUSED",)),
        ("IndexError", IDENTIFIER, ("IndexError",)),
        ("Straße", IDENTIFIER, ("Straße",)),
        ("会话", IDENTIFIER, ("会话",)),
        ("Session.get", QUALIFIED, ("Session.get",)),
        ("std::vec::Vec", QUALIFIED, ("std::vec::Vec",)),
        ("request->headers", QUALIFIED, ("request->headers",)),
        ("Array#each", QUALIFIED, ("Array#each",)),
        ("django.db.models.Q", QUALIFIED, ("django.db.models.Q",)),
        ("def get_user(id):", IDENTIFIER, ("get_user",)),
        ("class Session:", IDENTIFIER, ("Session",)),
        ("class Session", IDENTIFIER, ("Session",)),
        ("fn retry", IDENTIFIER, ("retry",)),
        ("pub async fn run(&self) -> Result<()> {", IDENTIFIER, ("run",)),
        ("export default_retry Session.get", MIXED, ("default_retry", "Session.get")),
        ("get_user HTTPAdapter", MIXED, ("get_user", "HTTPAdapter")),
        ("where does Session.get merge cookies", MIXED, ("Session.get",)),
        ("how does parse() differ from parse_file()?", MIXED, ("parse", "parse_file")),
        ("import django.db.models", MIXED, ("django.db.models",)),
        ("TypeError: 'NoneType' object is not subscriptable", ERROR, ("TypeError", "NoneType")),
        ("java.lang.NullPointerException: null", ERROR, ("java.lang.NullPointerException",)),
    ],
)
def test_names_are_taken_as_they_are_written(query: str, type_: QueryType, names: tuple[str, ...]) -> None:
    found = analyse(query)
    assert (found.type, found.names) == (type_, names)


@pytest.mark.parametrize(
    "query",
    [
        "where are cookies merged on a redirect",
        "type checking",
        "class diagram",
        "function overloading",
        "как найти файл",
        "naïve approach",
        "either and/or both",
        "TCP/IP over a socket",
        "what happens, e.g. after a timeout, i.e. too late",
        "node.js streams",
        "How are URLs and IDs parsed?",
        "JavaScript promises on GitHub",
        "operator overloading of == and <=>",
        "a == b && c || !d",
        "what is the default (in seconds)",
        "error handling",
        "mail ada@example.com about it",
        "see https://example.com/docs/api.html#get_user for details",
        "https://example.com/a/b?c=d_e",
        "🙂 how do I feel 🙂",
        "1.2.3",
        "a\x00b",
    ],
)
def test_prose_names_nothing(query: str) -> None:
    found = analyse(query)
    assert (found.type, found.names, found.paths) == (QUESTION, (), ())


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("server.py", ("server.py",)),
        ("http/server", ("http/server",)),
        ("src/http/server.py:12:3", ("src/http/server.py",)),
        ("docs/", ("docs/",)),
        ("./run.sh", ("./run.sh",)),
        ("~/notes/todo.md", ("~/notes/todo.md",)),
        ("README", ("README",)),
        ("Makefile", ("Makefile",)),
        (".gitignore", (".gitignore",)),
        (".github/workflows/ci.yml", (".github/workflows/ci.yml",)),
        ("src\\http\\server.py", ("src/http/server.py",)),
        (r"C:\Users\ada\server.py", ("/Users/ada/server.py",)),
        ("server.py client.py", ("server.py", "client.py")),
        ("tests/**/*.py", ("tests/**/*.py",)),
    ],
)
def test_paths_are_told_from_names(query: str, paths: tuple[str, ...]) -> None:
    found = analyse(query)
    assert (found.type, found.names, found.paths) == (PATH, (), paths)


def test_paths_and_names_are_found_within_a_question() -> None:
    found = analyse("why does retry_policy in src/engine/retry.py ignore Session.timeout?")
    assert found.names == ("retry_policy", "Session.timeout")
    assert found.paths == ("src/engine/retry.py",)
    assert found.type is MIXED
    assert analyse("what is in retry.py") == Analysis(MIXED, (), ("what", "is", "in"), ("retry.py",))


@pytest.mark.parametrize(
    "query",
    [
        TRACEBACK,
        "error[E0382]: use of moved value: `order`",
        "panic: runtime error: index out of range [5] with length 3",
        "thread 'main' panicked at 'called Option::unwrap()'",
        "fatal: not a git repository",
        "warning: unused variable",
        "Segmentation fault (core dumped)",
        "[Errno 13] Permission denied",
        "undefined reference to `main'",
        'Exception in thread "main" java.lang.Error',
        "E       assert 3 == 4",
    ],
)
def test_what_a_program_complains_of_is_an_error_message(query: str) -> None:
    assert analyse(query).type is ERROR


def test_a_traceback_names_its_files_and_functions() -> None:
    found = analyse(TRACEBACK)
    assert found.paths == ("/srv/app/engine/retry.py",)
    assert "self._send_request" in found.names
    assert "ValueError" in found.names


@pytest.mark.parametrize("token", ["get_user", "_private", "HTTPAdapter", "getUser", "a.b", "run()", "Option::unwrap"])
def test_a_token_that_can_only_be_code_is_a_name(token: str) -> None:
    assert is_name(token)


@pytest.mark.parametrize("token", ["cookies", "Session", "HTTP", "URLs", "e.g", "GitHub", "README"])
def test_a_word_that_may_be_english_is_no_name(token: str) -> None:
    assert not is_name(token)


@pytest.mark.parametrize("query", ["django.po", "App.vue", "main.tf", "theme/_base.scss", "schema.graphql"])
def test_files_of_many_kinds_are_paths(query: str) -> None:
    assert analyse(query) == Analysis(QueryType.PATH, paths=(query,))


@pytest.mark.parametrize("query", ["math.log", "self.lock", "app.env"])
def test_names_that_end_like_some_files_are_names(query: str) -> None:
    assert analyse(query) == Analysis(QueryType.QUALIFIED, names=(query,))


def test_ordinary_pairs_are_no_paths() -> None:
    assert [each for each in ("and/or", "tcp/ip", "a/b/c", "./a", "node.js", "app.js") if is_path(each)] == [
        "a/b/c",
        "./a",
        "app.js",
    ]


BOMBS = [
    *(
        "a",
        "/",
        "./",
        "a.",
        "a::",
        "(",
        "\\",
        "class ",
        "pub ",
        "_",
        "~",
        "-",
        "a-",
        "a/",
        "\n",
        " ",
        "E  ",
        "aA",
        "/*",
    ),
    *("a@", "@", "Error ", "http://", "a:", "C:\\", "é", "🙂", "\x00", "a#", "->", "...", "error[", "def a", "`a` "),
]


@pytest.mark.parametrize("bomb", BOMBS)
def test_no_query_takes_long(bomb: str) -> None:
    query = (bomb * 10_000)[:10_000]
    took = min(seconds(query) for _ in range(3))
    assert took < 0.03, f"{1000 * took:.1f} ms"


def seconds(query: str) -> float:
    began = time.thread_time()
    analyse(query)
    return time.thread_time() - began


def test_only_the_beginning_of_a_long_query_counts() -> None:
    assert analyse("how " * (LONGEST // 4) + "get_user").names == ()
    found = analyse(" ".join(f"name_{number}" for number in range(200)))
    assert len(found.names) == MAX_NAMES


@given(st.text(max_size=300) | st.text(alphabet="aB_./\\:#->()~ \n@{`*1", max_size=300))
def test_any_text_is_taken_apart_into_parts_of_it(query: str) -> None:
    found = analyse(query)
    assert found == analyse(query)
    assert len(set(found.names)) == len(found.names) <= MAX_NAMES
    for token in (*found.names, *found.words):
        assert token in query.replace("\\", "/")
        assert not token.isspace()
    assert not set(found.names) & set(found.words)
    assert all(path.strip("~/.-\\").replace("\\", "/") in query.replace("\\", "/") for path in found.paths)


@given(
    st.from_regex(r"[a-z]{2,8}(_[a-z]{2,8}){1,3}", fullmatch=True),
    st.sampled_from(["how does {} work", "use {}", "{}"]),
)
def test_a_snake_case_name_is_found_wherever_it_stands(name: str, sentence: str) -> None:
    assert analyse(sentence.format(name)).names == (name,)
