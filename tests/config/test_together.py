"""Names in chains and addresses: what no single value shows is refused with a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentd.config.flags import Flags
from agentd.config.load import load
from agentd.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from agentd.config.settings import Settings

BOX = """
[[provider]]
name = "box"
kind = "openai"
base_url = "https://box.example/v1"
chat_model = "m"
"""


def loaded(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "agentd.toml"
    path.write_text(text)
    return load(Flags(config=str(path)), {"HOME": str(tmp_path)}).settings


def test_entries_become_settings(tmp_path: Path) -> None:
    rules = '[[root]]\npath = "code"\negress = ["chat"]\nembeddings = ["local"]\n'
    settings = loaded(tmp_path, f'[chat]\nchain = ["box"]\n{rules}{BOX}')
    assert settings.provider("box").base_url == "https://box.example/v1"
    assert settings.rule(str(tmp_path / "code")).egress == ("chat",)
    assert settings.rule(str(tmp_path / "other")).egress == ()
    assert settings.roots == (tmp_path / "code",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[chat]\nchain = ["bx"]' + BOX, "no [[provider]] is named bx; did you mean box?"),
        ('[chat]\nchain = ["local"]' + BOX, "no [[provider]] is named local"),
        ('[chat]\nchain = ["box"]', "there is no [[provider]]"),
        ('[embedding]\nchain = ["box"]' + BOX, "provider box has no embedding_model"),
        ('[chat]\nchain = ["box", "box"]' + BOX, "found box 2 times"),
        (BOX + BOX.replace("https", "http"), "expected each [[provider]] once"),
        (BOX.replace('"box"', '"local"', 1), "expected another name"),
        (BOX.replace('"box"', '"Bo x"', 1), "a name of lower-case letters"),
        (BOX.replace("https://", "ftp://"), "expected http://HOST or https://HOST"),
        (BOX.replace("https://", "https://u:p@"), "expected no user and password"),
        (BOX.replace("box.example/v1", "box.example:x/v1"), "expected http://HOST"),
        (BOX.replace('base_url = "https://box.example/v1"', ""), "expected base_url"),
        (BOX.replace('chat_model = "m"', ""), "expected embedding_model or chat_model"),
        ('[web]\nsearxng = "box"', "web.searxng: expected http://HOST"),
        ('[[root]]\npath = "a"\negress = ["all"]', 'expected a list of "chat", "embeddings", "web" for root.egress'),
        ('[[root]]\npath = "a"\n[[root]]\npath = "a"\negress = ["chat"]', "expected each [[root]] once"),
        ('[[root]]\npath = "a"\nembeddings = ["x"]', "embeddings: no [[provider]] is named x"),
    ],
)
def test_what_cannot_work_together_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, text)
    assert message in refused.value.message
