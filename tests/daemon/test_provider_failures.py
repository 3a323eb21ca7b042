"""A server that is dead, slow, wrong or lying, in every way that we know of, seen through a whole daemon.

Each way ends in what comes next in the chain, or in one sentence that names all that failed.
"""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import time
from contextlib import closing
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from chain_harness import impure
from daemon_harness import KEYWORD_ONLY, QUICK, Daemon, until
from doctor_harness import QuickPatient
from provider_harness import Asked, Reply, as_json, delta, failure, openai_vectors, vector_of
from provider_thread import Servers, servers

from agentd.cli.doctor import daemon as doctor
from agentd.cli.doctor import model
from agentd.domain import embedding_text
from agentd.kernels.quantise import quantise
from agentd.providers.probe import PROBE_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from agentd.protocol import Event

    Script = Callable[[Asked], Reply]

KEY = "sk-nobodymayseethiskey0123456789"
PRIVATE = "zqprivatezq"
"""A word in every file."""
WITHIN = 25.0
"""Seconds after which nothing may still hang: the start of a daemon, and some times the limits below."""
SPARE_DIMENSION, SPARE_SEED = 12, 99


class Way(NamedTuple):
    """How a server fails, and what ``status`` says of it then. ``at`` is the address where the way is in that."""

    answer: Reply | Script
    state: str
    words: str
    at: str = "scripted"


def headless(reply: Reply, head: bytes = b"") -> Reply:
    """A reply with another beginning."""
    reply.head = head
    return reply


MEGABYTE = b" " * 1024 * 1024
HTML = b"<html><body><h1>Service Unavailable</h1></body></html>"
UNUSED = Reply()

BOTH: dict[str, Way] = {
    "nobody listens": Way(UNUSED, "waiting", "is it running?", "refused"),
    "its name is unknown": Way(UNUSED, "waiting", "cannot be resolved", "unknown"),
    "it does not speak TLS": Way(UNUSED, "waiting", "http://", "plain"),
    "its certificate is not trusted": Way(UNUSED, "refused", "certificate", "untrusted"),
    "silence after connect": Way(headless(Reply(hang=True)), "waiting", "sent nothing for 0.4 s"),
    "slow headers": Way(
        headless(Reply(*[b"X-Slow: 1\r\n"] * 100, pause=0.1), b"HTTP/1.1 200 OK\r\n"), "waiting", "after 1.6 s"
    ),
    "another protocol": Way(headless(Reply(), b"SSH-2.0-OpenSSH_9.2\r\n"), "waiting", "rules of HTTP"),
    "401": Way(failure("401 Unauthorized", f"bad key {KEY}"), "refused", 'credential "key"'),
    "403": Way(failure("403 Forbidden"), "refused", "key"),
    "404": Way(failure("404 Not Found", "no such model"), "refused", "scripted"),
    "429 with Retry-After": Way(
        failure("429 Too Many Requests", headers="Retry-After: 120\r\n"), "waiting", "429 Too Many Requests"
    ),
    "429 without": Way(failure("429 Too Many Requests"), "waiting", "429 Too Many Requests"),
    "429 for ever": Way(failure("429 Too Many Requests", "insufficient_quota"), "refused", "quota"),
    "500": Way(failure("500 Internal Server Error", "CUDA out of memory"), "waiting", "CUDA out of memory"),
    "503 with a page": Way(Reply(HTML, status="503 Service Unavailable", kind="text/html"), "waiting", "503"),
    "a page": Way(Reply(HTML, kind="text/html"), "waiting", "text/html"),
    "elsewhere": Way(
        Reply(status="307 Temporary Redirect", headers="Location: http://127.0.0.1:9/stolen\r\n"), "refused", "redirect"
    ),
}
"""Whatever was asked for."""


def only_texts(answer: Reply | Script) -> Script:
    """Answer the probe well, so that it is taken for a good server, and then in its own way."""

    def script(asked: Asked) -> Reply:
        if asked.body["input"] == [PROBE_TEXT]:
            return openai_vectors(asked)
        return answer(asked) if callable(answer) else answer

    return script


def rows(*vectors: object) -> Reply:
    return as_json({"data": [{"index": at, "embedding": vector} for at, vector in enumerate(vectors)]})


def echo(asked: Asked) -> Reply:
    """Repeat what was sent, and the key."""
    return failure("500 Internal Server Error", f"cannot embed {asked.body['input']} of {KEY}")


EMBEDDING: dict[str, Way] = {
    "cut in the middle": Way(Reply(b'{"data"', length=999), "waiting", "before its answer was whole"),
    "malformed JSON": Way(Reply(b'{"data": [{"ind'), "waiting", "JSON"),
    "empty body": Way(Reply(), "waiting", "JSON"),
    "gigantic": Way(Reply(*[MEGABYTE] * 66), "waiting", "more than 67108864 bytes"),
    "a gigantic error": Way(
        Reply(b"<", *[MEGABYTE] * 66, status="500 Internal Server Error", kind="text/html"), "waiting", "500"
    ),
    "never ends": Way(Reply(*[b" "] * 100, pause=0.1), "waiting", "after 1.6 s"),
    "good, then another dimension": Way(only_texts(partial(openai_vectors, dimension=9)), "waiting", "of 9 numbers"),
    "good, then NaN": Way(
        only_texts(Reply(b'{"data":[{"index":0,"embedding":[NaN,0,0,0,0,0,0,0]}]}')), "waiting", "JSON"
    ),
    "good, then infinity": Way(only_texts(rows([1e39] * 8)), "waiting", "not finite"),
    "good, then zeros": Way(only_texts(rows([0.0] * 8)), "waiting", "zeros"),
    "good, then too few": Way(only_texts(rows()), "waiting", "0 vectors for 1"),
    "good, then indices of others": Way(
        only_texts(as_json({"data": [{"index": 3, "embedding": [0.5] * 8}]})), "waiting", "indices"
    ),
    "good, then silence": Way(only_texts(headless(Reply(hang=True))), "waiting", "sent nothing"),
    "good, then 500": Way(only_texts(failure("500 Internal Server Error")), "waiting", "500"),
    "good, then 401": Way(only_texts(failure("401 Unauthorized")), "refused", "401"),
    "good, then 400": Way(only_texts(failure("400 Bad Request", "I embed nothing")), "waiting", "I embed nothing"),
    "good, then what was sent": Way(only_texts(echo), "waiting", "repeats what was sent"),
    "made up at random": Way(
        lambda asked: openai_vectors(asked, seed=time.monotonic_ns() % 2**32), "waiting", "two vectors of one text"
    ),
}


def boasting(asked: Asked) -> Reply:
    """Good vectors, and numbers of tokens that nobody can have counted."""
    answer = json.loads(openai_vectors(asked).pieces[0])
    return as_json(answer | {"usage": {"prompt_tokens": 10**12}})


GOOD: dict[str, Script] = {
    "in another order": openai_vectors,  # it gives them from the last to the first
    "usage that lies": boasting,
    "usage without numbers": lambda asked: as_json(
        json.loads(openai_vectors(asked).pieces[0]) | {"usage": {"prompt_tokens": None, "total_tokens": -1}}
    ),
}
"""Odd, and to be used all the same."""

FAILING = BOTH | EMBEDDING


def slug(name: str) -> str:
    """A name of a provider, and part of its address."""
    return "".join(char if char.isalnum() else "-" for char in name.lower())


def provider(name: str, url: str, **more: object) -> str:
    """A ``[[provider]]`` that gives up at once."""
    settings: dict[str, object] = {"name": name, "kind": "openai", "base_url": url, "credential": "key"}
    settings |= {"retries": 0, "connect_seconds": 1.0, "timeout_seconds": 0.4} | more
    return "\n[[provider]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())


def address(served: Servers, at: str, name: str) -> str:
    """Where a provider is: one that is to be unknown has a name that never is one (RFC 6761)."""
    bases = {"scripted": served.scripted.url, "unknown": "https://nobody.invalid"}
    base = bases.get(at) or str(getattr(served, at))
    return base if at == "unknown" else f"{base}/{name}"


def credentials(place: Path) -> str:
    """A folder with the key, as the service manager gives it."""
    folder = place / "credentials"
    folder.mkdir()
    (folder / "key").write_text(KEY)
    return str(folder)


def routed(scripts: Mapping[str, Reply | Script]) -> Script:
    """Answers as the script of the provider whose address was asked."""

    def script(asked: Asked) -> Reply:
        answer = scripts[asked.path.split("/")[1]]
        return answer(asked) if callable(answer) else answer

    return script


def by_name(daemon: Daemon) -> dict[str, Any]:
    """Every model of the embedding chains, as ``status`` tells."""
    return {each["provider"]: each for each in daemon.client.status()["spaces"]}


class Indexed(NamedTuple):
    """A daemon with a root for each way, whose chain is that way and then another model."""

    daemon: Daemon
    place: Path


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexed]:
    """All ways at once: what is slow is slow side by side."""
    place = tmp_path_factory.mktemp("embedding")
    with servers() as served:
        ways = FAILING | {name: Way(script, "ok", "") for name, script in GOOD.items()}
        scripts: dict[str, Reply | Script] = {slug(name): way.answer for name, way in ways.items()}
        scripts["spare"] = partial(openai_vectors, dimension=SPARE_DIMENSION, seed=SPARE_SEED)

        served.scripted.script = routed(scripts)
        config = QUICK
        roots = []
        for number, (name, way) in enumerate(ways.items()):
            root = place / slug(name)
            root.mkdir()
            for file in range(3):
                (root / f"f{file}.py").write_text(f"def {PRIVATE}_{number}_{file}():\n    return {number}\n")
            roots.append(root)
            url = address(served, way.at, slug(name))
            config += provider(slug(name), url, embedding_model="scripted", batch_texts=1, tokens_per_minute=1_000_000)
            chain = [slug(name), "local" if number % 2 else "spare"]
            config += f'\n[[root]]\npath = "{root}"\nembeddings = {json.dumps(chain)}\negress = ["embeddings"]\n'
        config += provider("spare", f"{served.scripted.url}/spare", embedding_model="spare", timeout_seconds=10.0)
        daemon = Daemon(place / "daemon", *roots, config=config, CREDENTIALS_DIRECTORY=credentials(place))
        with daemon:
            yield Indexed(daemon, place)


def of_root(daemon: Daemon, path: Path) -> Any:
    return next(each for each in daemon.client.status()["roots"] if each["path"] == str(path))


@pytest.mark.parametrize("name", FAILING)
def test_passages_get_vectors_of_the_next_model_and_status_says_why(name: str, indexed: Indexed) -> None:
    daemon, place = indexed
    way, root = FAILING[name], place / slug(name)

    def fallen_back() -> bool:
        found = of_root(daemon, root)
        return bool(found["chunks"] == found["vectors"] == 3)

    until(fallen_back, f"{name}: the next model has embedded all", WITHIN)

    def said() -> bool:
        found = by_name(daemon)[slug(name)]
        return found["state"] == way.state and way.words in found["reason"] and "left alone" not in found["reason"]

    until(said, f"{name}: {by_name(daemon)[slug(name)]}", WITHIN)
    assert by_name(daemon)[slug(name)]["vectors"] == 0
    assert any(each.startswith(f"{slug(name)}: {way.state}") for each in daemon.client.health()["problems"])
    found = daemon.client.search(PRIVATE, mode="vector", roots=[str(root)], limit=9)
    assert len(found["hits"]) == 3


@pytest.mark.parametrize("name", GOOD)
def test_what_is_odd_and_right_is_used(name: str, indexed: Indexed) -> None:
    daemon, _ = indexed
    who = slug(name)
    until(lambda: by_name(daemon)[who]["vectors"] == 3, f"{name}: {by_name(daemon)[who]}", WITHIN)
    assert by_name(daemon)[who]["state"] == "ok"


def test_every_vector_is_of_the_space_of_the_model_that_made_it(indexed: Indexed) -> None:
    daemon = indexed.daemon
    until(lambda: all(each["vectors"] == 3 for each in daemon.client.status()["roots"]), "all have vectors", WITHIN)
    spaces = {each["space"]: each["provider"] for each in daemon.client.status()["spaces"]}
    assert daemon.stop() == 0
    assert impure(daemon.state) == []
    made = {slug(name): (8, 0) for name in GOOD} | {"spare": (SPARE_DIMENSION, SPARE_SEED)}
    kept = dict.fromkeys(spaces.values(), 0)
    for key, text, codes in cached(daemon.state):
        kept[spaces[key]] += 1
        if spaces[key] != "local":
            assert codes == as_kept(text, *made[spaces[key]]), f"{spaces[key]} never gave this for {text!r}"
    assert {name for name, count in kept.items() if count} == {*made, "local"}
    daemon.start()


def cached(state: Path) -> Iterator[tuple[str, str, bytes]]:
    """(space, text, codes) of every vector that is kept."""
    with closing(sqlite3.connect(state / "index.db")) as index:
        texts = [embedding_text(*row) for row in index.execute("SELECT context, text, names FROM chunk")]
    by_hash = {blake2b(text.encode(), digest_size=16).digest(): text for text in texts}
    with closing(sqlite3.connect(state / "embeddings.db")) as cache:
        sql = "SELECT s.key, v.text_hash, v.codes FROM vector v JOIN space s ON s.id = v.space_id"
        for key, text_hash, codes in cache.execute(sql):
            yield key, by_hash[text_hash], codes


def as_kept(text: str, dimension: int, seed: int) -> bytes:
    """What the model of the tests gives for a text, as the cache has it."""
    vector = vector_of(text, dimension, seed)
    return quantise((vector / np.linalg.norm(vector)).reshape(1, -1))[0].tobytes()


def test_the_doctor_names_each_and_nothing_secret_is_in_the_log(indexed: Indexed) -> None:
    daemon, _ = indexed
    away = {name for name, each in by_name(daemon).items() if each["state"] in {"waiting", "refused"}}
    found = [each.found for each in doctor.check(QuickPatient(daemon.socket)) if each.name == "daemon.health"]
    assert {name for name in away if not any(each.startswith(f"{name}: ") for each in found)} == set()
    assert PRIVATE not in daemon.log
    assert KEY not in daemon.log


ONE_AFTER_THE_OTHER = """
[embedding]
chain = ["one", "two", "three", "local"]
"""


def test_a_server_that_changes_its_model_while_it_is_away_and_a_chain_of_which_all_but_the_last_fail(
    tmp_path: Path,
) -> None:
    (root := tmp_path / "root").mkdir()
    scripts: dict[str, Reply | Script] = dict.fromkeys(("two", "three"), failure("403 Forbidden"))
    scripts["one"] = openai_vectors
    with servers() as served:
        served.scripted.script = routed(scripts)
        config = QUICK + ONE_AFTER_THE_OTHER
        for name in ("one", "two", "three"):
            config += provider(name, address(served, "scripted", name), embedding_model="scripted", credential="")
        (root / "f0.py").write_text("def early():\n    return 0\n")
        with Daemon(tmp_path / "place", root, config=config) as daemon:
            until(lambda: by_name(daemon)["one"]["vectors"] == 1, "the first model embeds")
            before = by_name(daemon)["one"]["space"]
            scripts["one"] = Reply(b'{"data"', length=999)
            (root / "f1.py").write_text("def late():\n    return 1\n")
            until(
                lambda: by_name(daemon)["local"]["vectors"] == 1, "all servers fail, and the package's model stands in"
            )
            problems = " ".join(daemon.client.search("late", mode="vector")["degraded"])
            assert "one cannot be had: provider one closed the connection" in problems
            scripts["one"] = partial(openai_vectors, seed=1)  # another model, of the same dimension
            until(lambda: by_name(daemon)["one"]["space"] != before, "the other model is noticed")
            until(lambda: by_name(daemon)["one"]["vectors"] == 2, "and embeds all anew")
            daemon.client.wait("vectors")
            spaces = {each["space"]: each["provider"] for each in daemon.client.status()["spaces"]}
            assert len(daemon.client.search("late", mode="vector")["hits"]) == 2
        assert impure(daemon.state) == []
    for key, text, codes in cached(daemon.state):
        if spaces.get(key) != "local":
            assert codes == as_kept(text, 8, 1 if key in spaces else 0)


FIRST, SECOND = "The first model says this.", "The second model says that."
SECOND_SECONDS = 1.5
"""The second one has more time, so that it is not taken for dead on a busy machine."""
DEAD = ("refused", "unknown", "plain", "untrusted")
"""Providers at the head of the chat chain, of whom nobody ever gets an answer."""


def begun(*rest: bytes, **how: Any) -> Reply:
    """A stream that begins with a few words of FIRST."""
    return Reply(chunk(content="The first "), *rest, kind="text/event-stream", **how)


def chunk(finish: str | None = None, **members: object) -> bytes:
    return b"data: " + json.dumps(delta(finish, **members)).encode() + b"\n\n"


def stream(*pieces: bytes, **how: Any) -> Reply:
    return Reply(*pieces, kind="text/event-stream", **how)


DONE = b"data: [DONE]\n\n"
STOP = chunk("stop")
CHAT: dict[str, Way] = BOTH | {
    "cut before the first word": Way(stream(length=999), "", "before its answer was whole"),
    "silent before the first word": Way(stream(hang=True), "", "sent nothing for 0.4 s"),
    "never a word": Way(stream(*[b": wait\n\n"] * 100, pause=0.1), "", "said nothing for 1.6 s"),
    "no text at all": Way(stream(STOP, DONE), "", "no text in an answer"),
    "thoughts alone": Way(stream(chunk(reasoning="hm"), chunk("length"), DONE), "", "took all tokens"),
    "no JSON": Way(stream(b"data: {\n\n"), "", "no JSON of a chat"),
    "empty stream": Way(stream(), "", "ends before the answer does"),
    "whole at once": Way(as_json({"choices": [{"message": {"content": FIRST}}]}), "", "application/json"),
    "a line without end": Way(stream(b"data: ", *[MEGABYTE] * 5), "", "found a longer one"),
    "cut after the first word": Way(begun(length=999), "", "before its answer was whole"),
    "ends after the first word": Way(begun(), "", "ends before the answer does"),
    "done after the first word": Way(begun(DONE), "", "ends before the answer does"),
    "silent after the first word": Way(begun(hang=True), "", "sent nothing for 0.4 s"),
    "fails after the first word": Way(begun(b'data: {"error": {"message": "out of memory"}}\n\n'), "", "out of memory"),
    "rubbish after the first word": Way(begun(b"data: ]\n\n"), "", "no JSON of a chat"),
    "filtered after the first word": Way(begun(chunk("content_filter"), DONE), "", "content filter"),
}
WHOLE_ANSWER = (chunk(content="The first model "), chunk(content="says this."), STOP)
WELL: dict[str, Reply] = {
    "slow": stream(*[chunk(content=piece) for piece in re.split("(?= )", FIRST)], STOP, DONE, pause=SECOND_SECONDS / 4),
    "usage that lies": stream(
        *WHOLE_ANSWER, b'data: {"choices":[],"usage":{"prompt_tokens":-7,"completion_tokens":9e99}}\n\n', DONE
    ),
    "usage in words": stream(*WHOLE_ANSWER, b'data: {"choices":[],"usage":{"prompt_tokens":"seven"}}\n\n', DONE),
    "another name": stream(
        *[each.replace(b'{"choices"', b'{"model": "other", "choices"') for each in WHOLE_ANSWER], DONE
    ),
    "goes on after its end": stream(*WHOLE_ANSWER, DONE, chunk(content="More."), hang=True),
}


class Asking:
    """A daemon whose chat chain has dead servers, then two that do as a test says."""

    def __init__(self, daemon: Daemon, scripts: dict[str, Reply]) -> None:
        self.daemon = daemon
        self._scripts = scripts
        self.streamed: list[Event] = []

    def begin(self, first: Reply, second: Reply) -> None:
        """Have the two answer so; what was left alone is tried again, as after every reload."""
        self._scripts.update(first=first, second=second)
        reloads = self.daemon.log.count('"reloaded"')
        self.daemon.signal(signal.SIGHUP)
        until(lambda: self.daemon.log.count('"reloaded"') > reloads, "it was reloaded")

    def ask(self) -> Any:
        """The answer, in time. A question of two words is a question for which no other words are looked for."""
        began = time.monotonic()
        asked = self.daemon.client.stream("ask", question=f"{PRIVATE} greeting")
        self.streamed = list(asked)
        assert time.monotonic() - began < WITHIN
        return asked.result

    def shown(self) -> str:
        """What a client has on its screen in the end."""
        text = ""
        for event in self.streamed:
            text = "" if event["event"] == "discarded" else text + str(event.get("text", ""))
        return text

    @property
    def discarded(self) -> bool:
        return any(event["event"] == "discarded" for event in self.streamed)

    def state(self, name: str) -> tuple[str, str]:
        """As ``status`` tells."""
        (found,) = (each for each in self.daemon.client.status()["providers"] if each["name"] == name)
        return found["state"], found["reason"]


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    place = tmp_path_factory.mktemp("chat")
    (root := place / "root").mkdir()
    (root / "greeting.py").write_text(f'def {PRIVATE}():\n    """The greeting."""\n    return "{PRIVATE} greeting"\n')
    scripts: dict[str, Reply] = {}
    with servers() as served:
        served.scripted.script = routed(scripts)
        config = QUICK + f'\n[[root]]\npath = "{root}"\negress = ["chat"]\n'
        names = [*DEAD, "first", "second"]
        for name in names:
            at = name if name in DEAD else "scripted"
            patience = SECOND_SECONDS if name == "second" else 0.4
            config += provider(name, address(served, at, name), chat_model="scripted", timeout_seconds=patience)
        config += f"\n[chat]\nchain = {json.dumps(names)}\n"
        environment = KEYWORD_ONLY | {"CREDENTIALS_DIRECTORY": credentials(place)}
        with Daemon(place / "daemon", root, config=config, **environment) as daemon:
            daemon.client.wait("keyword")
            yield Asking(daemon, scripts)


SECOND_ANSWERS = stream(chunk(content=SECOND), STOP, DONE)
SCRIPTED = {name: way for name, way in CHAT.items() if way.at == "scripted"}


@pytest.mark.parametrize("name", SCRIPTED)
def test_the_next_chat_model_answers_anew_and_if_all_fail_the_extract_names_each(name: str, asking: Asking) -> None:
    way = SCRIPTED[name]
    assert isinstance(way.answer, Reply)
    asking.begin(way.answer, SECOND_ANSWERS)
    answer = asking.ask()
    assert (answer["mode"], answer["model"]) == ("generated", "second/scripted")
    assert asking.shown() == answer["answer"] == SECOND
    assert asking.discarded is ("after the first word" in name)
    asking.begin(way.answer, Reply(HTML, status="503 Service Unavailable", kind="text/html"))
    answer = asking.ask()
    assert answer["mode"] == "extractive"
    assert asking.shown() == answer["answer"]
    assert PRIVATE in answer["citations"][0]["text"]
    (problem,) = [each for each in answer["degraded"] if "no model wrote this answer" in each]
    for each in (*DEAD, "first", "second"):
        assert f"{each}/scripted: " in problem
    assert way.words in problem.partition("first/scripted: ")[2]
    assert "second answered 503" in problem
    assert KEY not in json.dumps(answer)


@pytest.mark.parametrize("name", WELL)
def test_an_odd_answer_that_is_whole_is_taken(name: str, asking: Asking) -> None:
    asking.begin(failure("401 Unauthorized"), WELL[name])
    answer = asking.ask()
    assert answer["model"] == "second/scripted"
    assert asking.shown() == answer["answer"] == FIRST
    assert not asking.discarded
    assert not answer["usage"]["counted"]


@pytest.mark.parametrize("name", DEAD)
def test_status_and_doctor_say_of_each_server_of_the_chat_chain_what_is_wrong(name: str, asking: Asking) -> None:
    asking.begin(failure("500 Internal Server Error", "CUDA out of memory"), SECOND_ANSWERS)
    for _ in range(3):
        assert asking.ask()["answer"] == SECOND
    way = next(each for each in BOTH.values() if each.at == name)
    state, reason = asking.state(name)
    assert state == way.state
    assert way.words in reason
    assert asking.state("first")[0] == "waiting"
    assert asking.state("second") == ("ok", "")
    patient = QuickPatient(asking.daemon.socket)
    found = [each.found for each in (*model.servers(patient), *doctor.check(patient)) if way.words in each.found]
    assert [each.split()[0] for each in found] == [name]  # once


def test_neither_key_nor_text_is_in_the_log_of_a_daemon_that_answers(asking: Asking) -> None:
    asking.begin(failure("401 Unauthorized", f"{KEY} is no key, you sent {PRIVATE} greeting"), SECOND_ANSWERS)
    asking.ask()
    assert KEY not in asking.daemon.log
    assert PRIVATE not in asking.daemon.log
