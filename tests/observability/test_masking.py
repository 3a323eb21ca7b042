from __future__ import annotations

import io

import pytest
import structlog

from agentd.observability import logging, masking

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

KEY = 'sk-"quoted"-ü-\\back'


@pytest.fixture(params=["json", "console"])
def lines(request: pytest.FixtureRequest) -> io.StringIO:
    stream = io.StringIO()
    logging.configure("debug", request.param, stream)
    return stream


def test_a_secret_shows_in_no_field_message_nor_traceback(lines: io.StringIO) -> None:
    masking.set_secrets([KEY])
    log = structlog.get_logger("test")
    event = f"sent {KEY}"
    log.info(event, header=f"Bearer {KEY}", nested={"list": [KEY]})
    log.error("failed", exc_info=ValueError(f"refused {KEY}", KEY))
    written = lines.getvalue()
    assert "quoted" not in written
    assert written.count(masking.MASK) >= 5


def test_every_line_of_a_secret_with_several_is_one(lines: io.StringIO) -> None:
    masking.set_secrets(["first-half\nsecond-half"])
    structlog.get_logger("test").info("sent", part="second-half")
    assert "second-half" not in lines.getvalue()


def test_of_two_secrets_the_longer_one_leaves_nothing_behind(lines: io.StringIO) -> None:
    masking.set_secrets(["token", "token-with-more"])
    structlog.get_logger("test").info("sent", value="token-with-more")
    assert "with-more" not in lines.getvalue()


def test_lines_without_a_secret_are_as_they_were(lines: io.StringIO) -> None:
    masking.set_secrets(["abc"])  # too short to be told from a part of a word
    structlog.get_logger("test").info("alphabc")
    assert "alphabc" in lines.getvalue()
