from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.kernels.robots import judge, matches, normalise
from agentd.kernels.web_messages import RobotsRequest


def allowed(text: str, path: str, agent: str = "agentd") -> bool:
    return judge(RobotsRequest(text.encode(), agent, path)).allowed


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        # Of RFC 9309, section 5.2, and of Google's table of examples for the same rules.
        ("Allow: /example/page/\nDisallow: /example/page/disallowed.gif", "/example/page/disallowed.gif", False),
        ("Allow: /p\nDisallow: /", "/page", True),
        ("Allow: /folder\nDisallow: /folder", "/folder/page", True),
        ("Allow: /page\nDisallow: /*.htm", "/page.htm", False),
        ("Allow: /page\nDisallow: /*.ph", "/page.php5", True),
        ("Allow: /$\nDisallow: /", "/", True),
        ("Allow: /$\nDisallow: /", "/page.htm", False),
        ("Disallow: /fish*.php", "/fishheads/catfish.php?parameters", False),
        ("Disallow: /*.php$", "/filename.php?parameters", True),
        ("Disallow: /*.php$", "/folder/filename.php", False),
        ("Disallow: /fish", "/Fish.asp", True),
        ("Disallow:", "/anything", True),
        ("Disallow: /", "/robots.txt", True),
        ("Disallow: /foo/bar/%E3%83%84", "/foo/bar/ツ", False),
        ("Disallow: /%7Ejoe", "/~joe/x", False),
        ("Disallow: /a%2fb", "/a/b", True),
        ("disallow :  /a # reason", "/abc", False),
    ],
)
def test_the_longest_rule_that_matches_decides(rules: str, path: str, *, expected: bool) -> None:
    assert allowed(f"User-agent: *\n{rules}\n", path) is expected


def test_a_group_that_names_the_agent_replaces_the_one_for_all() -> None:
    text = "User-agent: *\nDisallow: /\n\nUser-Agent: other\nUser-agent: AgentD/1.0\nAllow: /\nDisallow: /x\n"
    assert allowed(text, "/page")
    assert not allowed(text, "/x")
    assert not allowed(text, "/page", "third")
    assert allowed("User-agent: agentd-images\nDisallow: /", "/page")
    assert not allowed(
        "User-agent: agentd\nDisallow: /a\nUser-agent: x\nDisallow: /\nUser-agent: agentd\nDisallow: /b", "/b"
    )


def test_rules_before_any_agent_and_lines_of_junk_say_nothing() -> None:
    assert allowed("Disallow: /\n\0\nnonsense\nSitemap: x\n<html>", "/page")


@given(st.text(alphabet="/ab*$%?", max_size=12), st.text(alphabet="/ab?", max_size=12))
def test_matching_agrees_with_a_regular_expression(pattern: str, path: str) -> None:
    anchored = pattern.endswith("$")
    expression = ".*".join(map(re.escape, pattern.removesuffix("$").split("*"))) + ("$" if anchored else "")
    expected = re.match(expression.replace("$", r"\Z") if anchored and "$" not in pattern[:-1] else expression, path)
    if "$" not in pattern[:-1]:
        assert matches(pattern, path) is (expected is not None)


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing(path: str) -> None:
    assert normalise(normalise(path)) == normalise(path)


@given(st.binary(max_size=300), st.text(max_size=20))
def test_any_bytes_are_judged(body: bytes, path: str) -> None:
    judge(RobotsRequest(body, "agentd", path))


def test_no_pattern_takes_long() -> None:
    began = time.thread_time()
    text = "User-agent: *\n" + f"Disallow: {'/*a' * 500}b\n" * 60
    assert allowed(text, "/" + "a" * 2000)
    assert time.thread_time() - began < 1
