"""Definitions and the graph, asked of a real daemon over its socket."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from daemon_harness import Daemon, running, until

from agentd.client import AgentdClientError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHOP = {
    "shop/__init__.py": "",
    "shop/cart.py": (
        "from .prices import total, Price\n\n\n"
        "class Base:\n    def describe(self):\n        return 'base'\n\n\n"
        "class Cart(Base):\n"
        "    def __init__(self):\n        self.items = []\n\n"
        "    def add(self, item):\n        self.items.append(item)\n        return self.sum()\n\n"
        "    def sum(self):\n        if self.items and len(self.items) > 1:\n            return total(self.items)\n"
        "        return 0\n"
    ),
    "shop/prices.py": (
        "from . import cart\n\n\nclass Price:\n    pass\n\n\n"
        "def total(items):\n    return sum(rounded(item) for item in items)\n\n\n"
        "def rounded(item):\n    return item\n"
    ),
    "tests/test_cart.py": (
        "from shop.cart import Cart\n\n\ndef test_adding():\n    cart = Cart()\n    assert cart.add(1) == 0\n"
    ),
    "web/main.ts": (
        "import { render } from './view'\n\nexport function start(): void {\n  render('x')\n}\n\nstart()\n"
    ),
    "web/view.ts": "export function render(text: string): string {\n  return text\n}\n",
    "shop/ship.py": (
        "class Carrier:\n    def __init__(self):\n        self.ready = True\n\n    def send(self):\n        pass\n\n\n"
        "class Bike(Carrier):\n    def __init__(self):\n        super().__init__()\n\n"
        "    def send(self):\n        return pedal()\n\n\n"
        "def pedal():\n    return 1\n\n\n"
        "def ship(carrier: Carrier):\n    carrier.send()\n"
    ),
    "vendor/far.py": "def far(a):\n    return a and a or a and a or a\n",
    "notes.md": "# Cart\n\nHow the cart adds up.\n",
}
MANY = 60


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, Path]]:
    place = tmp_path_factory.mktemp("graph")
    root, other = place / "shop", place / "other"
    write(root, SHOP)
    write(other, {"many.py": "".join(f"class C{number}:\n    def same(self): pass\n" for number in range(MANY))})
    with running(place / "daemon", root, other) as daemon:
        daemon.client.wait("vectors", timeout=30)
        yield daemon, root


def refusal(daemon: Daemon, method: str, **params: object) -> AgentdClientError:
    with pytest.raises(AgentdClientError) as caught:
        daemon.client.request(method, **params)
    return caught.value


def test_a_definition_is_found_by_any_of_its_names(shop: tuple[Daemon, Path]) -> None:
    daemon, root = shop
    for name in ("Cart.add", "cart.Cart.add", "Cart::add", "shop.cart.Cart.add"):
        (found,) = daemon.client.find_symbol(name)["symbols"]
        assert (found["name"], found["kind"], found["path"]) == ("Cart.add", "method", str(root / "shop/cart.py"))
        assert (found["start_line"], found["stale"]) == (13, False)
        assert found["signature"].startswith("def add(self, item)")


def test_names_near_to_one_that_is_not_there_are_offered(shop: tuple[Daemon, Path]) -> None:
    daemon, _ = shop
    answer = daemon.client.find_symbol("rouned")
    assert (answer["symbols"], answer["total"], answer["nearest"][0]) == ([], 0, "rounded")
    error = refusal(daemon, "graph.callers", symbol="rouned")
    assert (error.kind, error.data["nearest"][0]) == ("symbol_not_found", "rounded")
    assert "rounded" in error.message


def test_many_definitions_of_one_name_are_bounded_and_it_is_said(shop: tuple[Daemon, Path]) -> None:
    daemon, _ = shop
    answer = daemon.client.find_symbol("same", limit=5)
    assert (len(answer["symbols"]), answer["total"]) == (5, MANY)
    calls = daemon.client.callers("same")
    assert len(calls["symbols"]) == 50
    assert not calls["complete"]
    assert "qualify it" in calls["cut"][0]


def test_callers_across_files_say_where_and_how_surely(shop: tuple[Daemon, Path]) -> None:
    daemon, root = shop
    answer = daemon.client.callers("total")
    (entry,) = answer["entries"]
    assert (entry["name"], entry["path"], entry["line"]) == ("Cart.sum", str(root / "shop/cart.py"), 19)
    assert (entry["certainty"], entry["of"], entry["depth"]) == ("import", answer["symbols"][0]["id"], 1)
    assert answer["complete"]


def test_callers_of_callers_are_a_level_further(shop: tuple[Daemon, Path]) -> None:
    daemon, _ = shop
    answer = daemon.client.callers("rounded", depth=4)
    by_name = {entry["name"]: entry for entry in answer["entries"]}
    assert [by_name[name]["depth"] for name in ("total", "Cart.sum", "Cart.add")] == [1, 2, 3]
    assert by_name["Cart.sum"]["of"] == by_name["total"]["id"]


def test_levels_that_were_left_out_by_the_limit_are_named(shop: tuple[Daemon, Path]) -> None:
    daemon, _ = shop
    found = daemon.client.callers("rounded", depth=2, limit=1)
    assert (len(found["entries"]), found["complete"]) == (1, False)
    assert found["cut"] == ["levels beyond 1, where the limit was reached"]


def test_a_file_that_calls_at_its_own_level_is_a_caller(shop: tuple[Daemon, Path]) -> None:
    daemon, root = shop
    (entry,) = daemon.client.callers(f"{root}/web/main.ts:start")["entries"]
    assert (entry["id"], entry["kind"], entry["name"], entry["line"]) == (None, "file", "web/main.ts", 7)


def test_callees_by_the_place_of_the_caller(shop: tuple[Daemon, Path]) -> None:
    daemon, root = shop
    answer = daemon.client.callees(f"{root}/shop/cart.py:14")
    assert [symbol["name"] for symbol in answer["symbols"]] == ["Cart.add"]
    assert "Cart.sum" in [entry["name"] for entry in answer["entries"]]
    assert daemon.client.callees("web/main.ts:start")["entries"][0]["name"] == "render"


def test_a_chain_leads_over_files_step_by_step(shop: tuple[Daemon, Path]) -> None:
    daemon, _ = shop
    answer = daemon.client.call_chain("Cart.add", "rounded")
    (chain,) = answer["chains"]
    assert [step["name"] for step in chain] == ["Cart.add", "Cart.sum", "total", "rounded"]
    assert [step["line"] for step in chain] == [None, 15, 19, 9]
    assert daemon.client.call_chain("rounded", "Cart.add")["chains"] == []


def test_a_chain_goes_on_in_a_method_that_overrides_where_calls_alone_do_not_lead(shop: tuple[Daemon, Path]) -> None:
    daemon, _ = shop
    (chain,) = daemon.client.call_chain("ship", "pedal")["chains"]
    assert [(step["name"], step["edge"]) for step in chain] == [
        ("ship", None),
        ("Carrier.send", "calls"),
        ("Bike.send", "inherits"),
        ("pedal", "calls"),
    ]
    assert daemon.client.call_chain("Carrier.__init__", "Bike.__init__")["chains"] == []


def test_imports_both_ways_and_the_circle_that_they_make(shop: tuple[Daemon, Path]) -> None:
    daemon, root = shop
    answer = daemon.client.dependencies(path=str(root / "tests/test_cart.py"), transitive=True)
    assert [(entry["name"], entry["depth"], entry["line"]) for entry in answer["entries"]] == [
        ("shop/cart.py", 1, 1),
        ("shop/prices.py", 2, 1),
    ]
    assert answer["cycles"] == [[str(root / "shop/cart.py"), str(root / "shop/prices.py")]]
    dependents = daemon.client.dependents(symbol="total")
    assert dependents["files"] == [str(root / "shop/prices.py")]
    assert [entry["name"] for entry in dependents["entries"]] == ["shop/cart.py"]


def test_what_belongs_to_a_line(shop: tuple[Daemon, Path]) -> None:
    daemon, root = shop
    answer = daemon.client.related(str(root / "shop/cart.py"), 14)
    symbol, container = answer["symbol"], answer["container"]
    assert symbol is not None
    assert container is not None
    assert (symbol["name"], container["name"]) == ("Cart.add", "Cart")
    assert [each["name"] for each in answer["siblings"]] == ["Cart.__init__", "Cart.sum"]
    assert "Cart.sum" in [each["name"] for each in answer["callees"]]
    assert [each["name"] for each in answer["tests"]] == ["test_adding"]
    assert answer["callers"] == []
    assert any("vector" in reason for reason in answer["degraded"])
    around = daemon.client.related(str(root / "shop/cart.py"), 9)
    assert [each["name"] for each in around["bases"]] == ["Base"]
    assert [each["name"] for each in around["members"]] == ["Cart.__init__", "Cart.add", "Cart.sum"]
    nothing = daemon.client.related(str(root / "notes.md"), 1)
    assert (nothing["symbol"], nothing["callers"]) == (None, [])


def test_complexity_of_a_file_and_of_a_folder(shop: tuple[Daemon, Path]) -> None:
    daemon, root = shop
    answer = daemon.client.complexity(str(root), limit=1)
    (worst,) = answer["entries"]
    assert (worst["name"], worst["complexity"], worst["path"]) == ("Cart.sum", 3, str(root / "shop/cart.py"))
    assert (worst["kind"], worst["start_line"], worst["end_line"], worst["parameters"]) == ("method", 17, 20, 1)
    assert (answer["files"], answer["total"], answer["cut"]) == (7, 15, [])
    assert answer["unmeasured"] == {"vendored": 1}
    asked_for = daemon.client.complexity(str(root / "vendor"))
    assert [(each["name"], each["complexity"]) for each in asked_for["entries"]] == [("far", 5)]
    one = daemon.client.complexity(str(root / "shop/prices.py"), threshold=2)
    assert [(each["name"], each["complexity"]) for each in one["entries"]] == [("total", 2)]
    assert (one["files"], one["functions"], one["total"]) == (1, 2, 1)


@pytest.mark.parametrize(
    ("method", "params", "kind"),
    [
        ("graph.callers", {"symbol": "/etc/passwd:1"}, "outside_roots"),
        ("graph.callers", {"symbol": "$/shop/none.py:f"}, "not_found"),
        ("graph.callers", {"symbol": "foo:99999"}, "symbol_not_found"),
        ("graph.callers", {"symbol": "shop/cart.py:99999"}, "symbol_not_found"),
        ("graph.callers", {"symbol": f"shop/cart.py:{'9' * 4900}"}, "symbol_not_found"),
        ("graph.callers", {"symbol": "shop/cart.py:none"}, "symbol_not_found"),
        ("graph.callers", {"symbol": ":"}, "symbol_not_found"),
        ("graph.callers", {"symbol": "::::"}, "symbol_not_found"),
        ("graph.callers", {"symbol": "x" * 5000}, "symbol_not_found"),
        ("graph.callers", {"symbol": "add", "roots": ["/none"]}, "root_not_found"),
        ("graph.callers", {"symbol": "same", "roots": ["$"]}, "symbol_not_found"),
        ("graph.dependencies", {"path": "$/shop"}, "not_found"),
        ("graph.complexity", {"path": "$/none"}, "not_found"),
        ("graph.complexity", {"path": "/etc"}, "outside_roots"),
        ("related", {"path": "$/none.py", "line": 1}, "not_found"),
    ],
)
def test_odd_questions_get_an_error_that_says_why(
    shop: tuple[Daemon, Path], method: str, params: dict[str, object], kind: str
) -> None:
    daemon, root = shop

    def here(value: object) -> object:
        return value.replace("$", str(root)) if isinstance(value, str) else value

    asked = {
        name: [here(each) for each in value] if isinstance(value, list) else here(value)
        for name, value in params.items()
    }
    error = refusal(daemon, method, **asked)
    assert error.kind == kind, error.message
    assert len(error.message) < 6000


def test_an_edit_is_seen_by_the_next_answer_and_a_file_that_is_gone_is_not(tmp_path: Path) -> None:
    root = tmp_path / "r"
    write(
        root, {"a.py": "def target():\n    pass\n\n\ndef old():\n    target()\n", "b.py": "def target2():\n    pass\n"}
    )
    with running(tmp_path / "d", root) as daemon:
        daemon.client.wait("vectors", timeout=30)
        assert [entry["name"] for entry in daemon.client.callers("target")["entries"]] == ["old"]
        (root / "a.py").write_text("# moved down\n\ndef target():\n    pass\n\n\ndef new():\n    target()\n")
        os.unlink(root / "b.py")  # noqa: PTH108  # beside the others
        answer = daemon.client.callers("target")
        stale = [symbol["stale"] for symbol in answer["symbols"]]
        names = [entry["name"] for entry in answer["entries"]]
        assert names == ["new"] or stale == [True]
        until(lambda: [entry["name"] for entry in daemon.client.callers("target")["entries"]] == ["new"])
        assert daemon.client.find_symbol("target2")["symbols"] == []
