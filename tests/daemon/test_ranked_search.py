"""Full search through the socket: what comes first, what is left out, and what is left of it when something fails."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from daemon_harness import DEADLINE, QUICK, Daemon, running, until

from agentd.kernels.features import FEATURES
from agentd.kernels.rank import BIAS, EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFINITION = '''"""Connections to herons."""


class HeronSession:
    """A conversation with one heron, from greeting to farewell."""

    def greet(self, heron):
        """Bow to the heron until it bows back."""
        return heron.bow()
'''
FOREIGN = "how are sourdough loaves proofed in a cold kitchen oven"


def make_root(folder: Path) -> Path:
    files = {
        "src/herons/session.py": DEFINITION,
        "src/herons/nest.py": 'def build_nest(twigs):\n    """Lay twigs in a ring."""\n    return sorted(twigs)\n',
        "tests/test_session.py": "from herons.session import HeronSession\n\n\ndef test_session():\n"
        + "".join(f"    session_{number} = HeronSession()  # HeronSession HeronSession\n" for number in range(100)),
        "CHANGELOG.md": "# Changes\n\n" + "- HeronSession: HeronSession is HeronSession now\n" * 60,
        "docs/herons.md": "# Herons\n\nA session with a heron begins with a greeting.\n",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_root(tmp_path_factory.mktemp("ranked"))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("place"), root) as daemon:
        daemon.client.wait("vectors", timeout=DEADLINE)
        yield daemon


def names(result: Any) -> list[str]:
    return [Path(hit["path"]).name for hit in result["hits"]]


@pytest.mark.parametrize(
    "query", ["HeronSession", "class HeronSession:", "where is HeronSession defined", "session.py", "herons/session.py"]
)
def test_what_a_query_names_comes_before_what_mentions_it_a_hundred_times(daemon: Daemon, query: str) -> None:
    result = daemon.client.search(query)
    assert names(result)[0] == "session.py", result
    assert result["degraded"] == []


def test_a_traceback_from_another_machine_leads_to_the_file(daemon: Daemon) -> None:
    query = 'Traceback\n  File "/opt/venv/site-packages/herons/nest.py", line 3, in build_nest\nTypeError: twigs'
    assert names(daemon.client.search(query, min_score=0.0))[0] == "nest.py"


def test_a_question_that_the_root_cannot_answer_gets_nothing_and_is_told_so(daemon: Daemon) -> None:
    result = daemon.client.search(FOREIGN)
    assert result["hits"] == []
    (cut,) = (reason for reason in result["cut"] if reason.startswith("nothing relevant: "))
    assert "min_score 0" in cut
    assert result["complete"]
    relevance = result["relevance"]
    assert relevance is not None
    assert relevance < 0.2
    shown = daemon.client.search(FOREIGN, min_score=0.0)
    assert shown["hits"]
    assert {hit["confidence"] for hit in shown["hits"]} == {"low"}
    assert shown["cut"] == []


def test_the_best_hit_scores_the_relevance_and_the_others_less(daemon: Daemon) -> None:
    result = daemon.client.search("HeronSession", min_score=0.0)
    scores = [hit["score"] for hit in result["hits"]]
    assert result["relevance"] is not None
    assert scores[0] == pytest.approx(result["relevance"], abs=1e-4)
    assert scores == sorted(scores, reverse=True)
    bound = scores[0] - 1e-3
    assert all(hit["score"] >= bound for hit in daemon.client.search("HeronSession", min_score=bound)["hits"])


def test_an_explanation_has_every_feature_of_every_hit_and_what_it_weighs(daemon: Daemon) -> None:
    result = daemon.client.search("where does HeronSession greet", explain=True, min_score=0.0)
    explanation = result["explanation"]
    assert (explanation["query_type"], explanation["names"]) == ("mixed", ["HeronSession"])
    assert set(explanation["weights"]) == set(FEATURES)
    assert set(explanation["evidence"]) == set(EVIDENCE)
    assert len(result["hits"]) > 1
    for hit in result["hits"]:
        assert set(hit["why"]["features"]) == set(FEATURES)
    by_name = {Path(hit["path"]).name: hit["why"]["features"] for hit in result["hits"]}
    assert by_name["session.py"]["definition"] > 0
    assert by_name["test_session.py"]["test"] == 1.0


def test_without_vectors_nothing_is_withheld(tmp_path: Path, root: Path) -> None:
    with running(tmp_path, root) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)
        result = daemon.client.search(f"{FOREIGN} heron")
        assert result["hits"]
        assert result["relevance"] is None
        assert {hit["confidence"] for hit in result["hits"]} == {"low"}
        assert "switched off" in str(result["degraded"])
        assert names(daemon.client.search("HeronSession"))[0] == "session.py"


def weights(path: Path, **common: float) -> str:
    path.write_text(json.dumps({"common": common, "types": {}, "relevance": {BIAS: 5.0}}))
    return QUICK.replace("[search]", f'[search]\nweights = "{path.name}"')


def test_weights_of_ones_own_take_effect_at_sighup_and_broken_ones_leave_the_fusion(tmp_path: Path, root: Path) -> None:
    file = tmp_path / "mine.json"
    with running(tmp_path, root, config=weights(file, test=10.0, keyword=1.0)) as daemon:
        daemon.client.wait("keyword", timeout=DEADLINE)

        def first() -> str:
            return names(daemon.client.search("HeronSession", min_score=0.0))[0]

        assert first() == "test_session.py"
        daemon.config.write_text(weights(tmp_path / "others.json", changelog=10.0))
        daemon.signal(signal.SIGHUP)
        until(lambda: first() == "CHANGELOG.md", "the other file is used")
        weights(tmp_path / "others.json", test=10.0, changelog=-10.0)
        assert first() == "test_session.py"
        (tmp_path / "others.json").write_text('{"common": {"no_such_feature": 1}, "types": {}, "relevance": {}}')
        result = daemon.client.search("HeronSession", min_score=0.5)
        (said,) = (reason for reason in result["degraded"] if reason.startswith("ranking: "))
        assert "others.json" in said
        assert "no_such_feature" in said
        assert not result["complete"]
        assert set(names(result)) >= {"session.py", "CHANGELOG.md"}
        (tmp_path / "others.json").unlink()
        gone = daemon.client.search("HeronSession")
        assert gone["hits"]
        assert any("No such file" in reason for reason in gone["degraded"])
