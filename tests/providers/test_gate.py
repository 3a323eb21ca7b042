from __future__ import annotations

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agentd.config.settings import RootSettings
from agentd.errors import EgressError
from agentd.observability.metrics import Metrics
from agentd.providers.contracts import Outgoing
from agentd.providers.gate import IN_PLACE_CHARS, Gate, Redacted, is_loopback, redact

KEY = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
AWAY = "https://models.example/v1"
RULES = {
    "/open": RootSettings(path="/open", egress=("chat", "web")),
    "/half": RootSettings(path="/half", egress=("web",)),
}


class Workers:
    """Counts what was given to a worker."""

    def __init__(self) -> None:
        self.asked = 0

    async def redact(self, texts: object) -> Redacted:
        self.asked += 1
        return redact(list(texts))  # type: ignore[call-overload]


@pytest.fixture
def workers() -> Workers:
    return Workers()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def gate(workers: Workers, metrics: Metrics) -> Gate:
    structlog.reset_defaults()
    return Gate(lambda root: RULES.get(root, RootSettings(path=root)), metrics, workers.redact)


def outgoing(*roots: str, purpose: str = "chat") -> Outgoing:
    return Outgoing(purpose, frozenset(roots))  # type: ignore[arg-type]


async def test_a_root_that_allows_it_lets_text_out_without_its_secrets(gate: Gate, metrics: Metrics) -> None:
    with capture_logs() as lines:
        assert await gate.admit(outgoing("/open"), "box", AWAY, ["plain", f"token = {KEY}"]) == [
            "plain",
            f"token = [{next(iter(redact([KEY]).counts))}]",
        ]
        gate.sent(outgoing("/open"), "box", AWAY, 512)
    assert KEY not in str(lines)
    assert {"event": "egress", "provider": "box", "host": "models.example", "purpose": "chat", "roots": ["/open"],
            "bytes": 512, "log_level": "info"} in lines  # fmt: skip
    assert metrics.counter("egress_bytes", purpose="chat", provider="box").value == 512


@pytest.mark.parametrize("roots", [("/half",), ("/open", "/half"), ("/unknown",), ()])
async def test_nothing_goes_out_that_any_root_does_not_allow(gate: Gate, roots: tuple[str, ...]) -> None:
    with pytest.raises(EgressError) as refused:
        await gate.admit(outgoing(*roots), "box", AWAY, ["text"])
    assert refused.value.kind == "egress_refused"
    assert all(root in refused.value.message for root in roots if root != "/open")


async def test_this_machine_gets_everything_and_no_line_is_written(gate: Gate) -> None:
    with capture_logs() as lines:
        assert await gate.admit(outgoing("/half"), "box", "http://127.0.0.1:9/v1", [KEY]) == [KEY]
        gate.sent(outgoing("/half"), "box", "http://localhost:9/", 9)
    assert lines == []


async def test_much_text_is_searched_in_a_worker(gate: Gate, workers: Workers) -> None:
    await gate.admit(outgoing("/open"), "box", AWAY, ["x" * (IN_PLACE_CHARS // 2)] * 2)
    assert workers.asked == 0
    await gate.admit(outgoing("/open"), "box", AWAY, ["x" * IN_PLACE_CHARS, KEY])
    assert workers.asked == 1


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("http://127.0.0.1", True),
        ("http://127.8.9.1:11434/v1", True),
        ("http://[::1]:80/", True),
        ("http://[::ffff:127.0.0.1]/", True),
        ("http://LOCALHOST/", True),
        ("http://localhost.example/", False),
        ("http://127.0.0.1.example/", False),
        ("http://0.0.0.0/", False),
        ("http://10.0.0.1/", False),
        ("http://127.0.0.1@example.org/", False),
        ("http://2130706433/", False),
    ],
)
def test_only_loopback_is_this_machine(url: str, ours: bool) -> None:  # noqa: FBT001 the outcome, beside its input
    assert is_loopback(url) is ours


@given(st.lists(st.text(), max_size=4))
def test_text_without_secrets_is_left_as_it_is(texts: list[str]) -> None:
    found = redact(texts)
    assert found.counts or found.texts == texts
