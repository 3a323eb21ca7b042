"""Calls of tools in the text of an answer, however it is cut and whatever a model makes of the form."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agentd.providers.text_calls import MOST_CALLS, MOST_UNSURE_CHARS, TextCalls

TOOLS = {"find", "list_files"}
FIND = '{"name": "find", "arguments": {"query": "a {b} \\"c"}}'
FOUND = ("find", {"query": 'a {b} "c'})


def call(source: str = FIND) -> str:
    return f"<tool_call>\n{source}\n</tool_call>"


def read(answer: str, *cuts: int) -> tuple[str, list[tuple[str, str]], bool]:
    """The text, the calls, and whether more was wanted."""
    places = [0, *sorted(cut % (len(answer) + 1) for cut in cuts), len(answer)]
    calls = TextCalls(TOOLS)
    text = "".join(calls.feed(answer[start:end]) for start, end in pairwise(places))
    wanted = not calls.done
    text += calls.end()
    return text, [(each.name, each.arguments) for each in calls.calls], wanted


def parsed(answer: str) -> tuple[str, list[tuple[str, object]]]:
    text, calls, _ = read(answer)
    return text, [(name, json.loads(arguments)) for name, arguments in calls]


GOOD = {
    "as asked for": call(),
    "in one line": f"<tool_call>{FIND}</tool_call>",
    "without its end": f"<tool_call>\n{FIND}",
    "in a fence": f"```json\n{call()}\n```",
    "around a fence": f"<tool_call>\n```json\n{FIND}\n```\n</tool_call>",
    "a fence of its name": f"```tool_call\n{FIND}\n```",
    "a fence of JSON without tags": f"```json\n{FIND}\n```",
    "a fence without a name": f"```\n{FIND}\n```",
    "without anything around it": FIND,
    "as OpenAI has it": call(json.dumps({"type": "function", "function": json.loads(FIND)})),
    "with arguments in a string": call('{"name": "find", "arguments": "{\\"query\\": \\"a {b} \\\\\\"c\\"}"}'),
    "with other names": call('{"tool": "find", "parameters": {"query": "a {b} \\"c"}}'),
    "with too few braces": "<tool_call>\n" + FIND[:-1] + "\n</tool_call>",
    "with too many braces": call(FIND + "}"),
    "in a list": call(f"[{FIND}]"),
}


UNTAGGED = {"a fence of JSON without tags", "a fence without a name", "without anything around it"}


@pytest.mark.parametrize("form", GOOD)
@pytest.mark.parametrize("before", ["", "Let me look.\n", "x < y, `<tool_calls>` and <tool\n\n"])
def test_a_call_is_read_in_the_forms_that_models_give_it(form: str, before: str) -> None:
    if before and form in UNTAGGED:
        assert read(before + GOOD[form]) == (before + GOOD[form], [], True)  # an answer that shows JSON
        return
    assert parsed(before + GOOD[form]) == (before, [FOUND])


def test_several_calls_are_read_in_their_order() -> None:
    other = '{"name": "list_files", "arguments": {}}'
    expected = [FOUND, ("list_files", {})]
    for answer in (
        call() + "\n" + call(other),
        call() + call(other),
        f"<tool_call>{FIND}\n<tool_call>{other}",  # no ends
        call(f"{FIND}\n{other}"),
        call(f"[{FIND}, {other}]"),
        f"```json\n{FIND}\n```\n```json\n{other}\n```",
        f"{FIND}\n{other}",
    ):
        assert parsed(answer) == ("", expected)


def test_what_a_model_goes_on_to_make_up_is_not_read() -> None:
    invented = "\n<tool_response>\nall is well\n</tool_response>\nSo all is well." + call()
    text, calls, wanted = read("Looking.\n" + call() + invented)
    assert (text, len(calls), wanted) == ("Looking.\n", 1, False)
    assert read(f"<tool_call>{FIND} I now know it.")[1:] == read(call() + "I")[1:]


BROKEN = {
    "an open string": ('<tool_call>{"name": "find", "arguments": {"query": "x}}</tool_call>', "find", '{"query": "x}}'),
    "single quotes": ("<tool_call>{'name': 'find'}</tool_call>", "", "{'name': 'find'}"),
    "no JSON at all": ("<tool_call>find(query)</tool_call>", "", "find(query)"),
    "nothing": ("<tool_call></tool_call>", "", ""),
    "no name": (call('{"arguments": {}}'), "", "{}}"),
    "a number": (call("17"), "", "17"),
    "cut off": ('<tool_call>{"name": "find", "arguments": {"que', "find", '{"que'),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_call_is_passed_on_as_it_is(how: str) -> None:
    answer, name, arguments = BROKEN[how]
    text, calls, _ = read(answer)
    assert text == ""
    assert [(found, given.strip()) for found, given in calls] == [(name, arguments)]


def test_a_broken_call_costs_itself_alone() -> None:
    _, calls, _ = read(f"{BROKEN['an open string'][0]}\n{call()}")
    assert [name for name, _ in calls] == ["find", "find"]
    assert json.loads(calls[1][1]) == FOUND[1]


PLAIN = (
    "The answer is 42.",
    "{",
    '{"answer": 42}',
    '```json\n{"name": "find"}\n```\nis how a call begins',
    '```json\n{"name": "otter", "arguments": {}}\n```',
    "```python\nprint({})\n```\n",
    'Models write `<tool_call>` and "<tool_call>" here.',
    "a ``` b\n``",
    "   \n",
    "",
    "[1] says so",
)


@pytest.mark.parametrize("answer", PLAIN)
def test_an_answer_without_calls_stays_as_it_is(answer: str) -> None:
    assert read(answer) == (answer, [], True)


PIECES = st.sampled_from(
    [
        *("<tool_call>", "</tool_call>", "<tool_response>", "```json\n", "```\n", "```", "```tool_call\n", "\n", " "),
        *(FIND, FIND[:-1], FIND + "}", "[", "{", "}", '"', "\\", '{"a": 1}', "text", "<", "<tool", "`", "\u2028", "é"),
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join), st.lists(st.integers(0, 10_000), max_size=12))
@example("<tool_call>" + FIND + "\\", [3, 20, 60])
@example("\n```json\n" + FIND, [1, 2, 5])
def test_no_cut_changes_what_is_read(answer: str, cuts: list[int]) -> None:
    whole = read(answer)
    assert read(answer, *cuts)[:2] == whole[:2]
    assert read(answer, *range(len(answer)))[:2] == whole[:2]


@given(st.lists(PIECES, max_size=12).map("".join))
def test_nothing_is_lost_before_the_first_call(answer: str) -> None:
    text, calls, _ = read(answer)
    assert answer.startswith(text)
    assert calls or text == answer


def test_what_never_ends_is_bounded() -> None:
    calls = TextCalls(TOOLS)
    said = sum(len(calls.feed('{"a": ')) for _ in range(10_000))
    assert calls.holding <= MOST_UNSURE_CHARS
    assert said + len(calls.end()) == 60_000
    many = TextCalls(TOOLS)
    many.feed(call() * (MOST_CALLS + 5))
    assert many.done
    assert len(many.calls) == MOST_CALLS
    assert len({each.id for each in many.calls}) == MOST_CALLS
