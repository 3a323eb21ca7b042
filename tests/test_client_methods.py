"""Both clients and the tables of docs/clients.md have the same methods, with the same parameters and results."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from agentd.aclient import AsyncClient
from agentd.client import Client
from agentd.protocol import METHODS, agent, answer, graph, index, search

PAGE = (Path(__file__).parents[1] / "docs" / "clients.md").read_text(encoding="utf-8")
WAYS = {"request", "stream", "cancel", "close"}
"""Not methods of the daemon, but the ways to them."""
STREAMED = {"index.events"}
"""Only worth anything as a stream."""
SHAPES = {name: shape for module in (agent, answer, graph, index, search) for name, shape in vars(module).items()}


def methods(client: type) -> dict[str, str]:
    """Name -> call and result of each method of the daemon, as the page writes them."""
    found = vars(client).items()
    return {
        name: written(name, member)
        for name, member in found
        if inspect.isfunction(member) and not name.startswith("_") and name not in WAYS
    }


def written(name: str, method: object) -> str:
    """``search(query, **SearchOptions)`` and its result."""
    signature = inspect.signature(method)  # type: ignore[arg-type]  # a function, as methods has seen
    _, *parameters = signature.parameters.values()
    return f"| `{name}({', '.join(map(shown, parameters))})` | `{plain(signature.return_annotation)}` |"


def shown(parameter: inspect.Parameter) -> str:
    """A parameter with its default; keyword options by the name of their shape."""
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return f"**{plain(parameter.annotation).removeprefix('Unpack[').removesuffix(']')}"
    return parameter.name if parameter.default is parameter.empty else f"{parameter.name}={parameter.default!r}"


def plain(annotation: str) -> str:
    """An annotation without the module of the shapes."""
    return annotation.replace("p.", "").replace("Message", "dict")


def test_both_clients_have_the_same_methods_with_the_same_parameters_and_results() -> None:
    assert methods(Client) == methods(AsyncClient)


def test_the_page_lists_each_of_them_as_it_is() -> None:
    listed = re.findall(r"^(\| `\w+\(.*?\)` \| `[^`]+` \|)", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(methods(Client).values())


def test_the_page_lists_the_options_of_each_shape() -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \|$", PAGE, re.MULTILINE))
    named = {name for line in methods(Client).values() for name in re.findall(r"\*\*(\w+)", line)}
    assert listed == {name: ", ".join(f"`{key}`" for key in SHAPES[name].__annotations__) for name in named}


def test_every_method_of_the_daemon_can_be_called_by_name() -> None:
    source = inspect.getsource(Client)
    called = set(re.findall(r'self\.(?:request|_patiently)\("([\w.]+)"', source))
    assert called == set(METHODS) - STREAMED - {"cancel"}
    assert all(f'"{name}"' in PAGE for name in STREAMED)
