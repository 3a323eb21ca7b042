"""The rules by which edges are followed, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from link_samples import World, by_name, imports, local, member, symbols, through

from agentd.domain import EdgeKind

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.connection.close()


def test_an_absolute_import_finds_its_module_below_any_source_root(world: World) -> None:
    world.write("src/requests/sessions.py", symbols("Session", "Session.get"))
    world.write(
        "tests/test_it.py",
        symbols("f"),
        [
            imports("Session", "sessions/requests/", "Session"),
            through(0, "sessions/requests/", "Session.get"),
        ],
    )
    world.link()
    assert world.targets("tests/test_it.py") == [
        "src/requests/sessions.py:Session (import)",
        "src/requests/sessions.py:Session.get (import)",
    ]


def test_a_relative_import_is_exact(world: World) -> None:
    world.write("other/pkg/a.py", symbols("f"))
    world.write("pkg/b.py", symbols("g"), [through(0, "a/pkg//", "f")])
    world.link()
    assert world.targets("pkg/b.py") == [None]
    world.write("pkg/a.py", symbols("f"))
    world.link()
    assert world.targets("pkg/b.py") == ["pkg/a.py:f (import)"]


def test_what_leads_to_no_module_is_external_and_not_found_by_name(world: World) -> None:
    world.write("mine.py", symbols("loads"))
    world.write("a.py", symbols("f"), [imports("json", "json/"), through(0, "json/", "loads")])
    world.link()
    assert world.targets("a.py") == [None, None]


def test_a_module_inside_of_a_package_is_not_imported_by_its_bare_name(world: World) -> None:
    world.write("requests/__init__.py")
    world.write("requests/json.py", symbols("loads"))
    world.write("requests/models.py", symbols("f"), [through(0, "json/", "loads")])
    world.link()
    assert world.targets("requests/models.py") == [None]
    world.remove("requests/__init__.py")
    world.link()
    assert world.targets("requests/models.py") == ["requests/json.py:loads (import)"]


def test_of_several_modules_the_one_beside_the_file_wins_else_the_only_shortest(world: World) -> None:
    world.write_all([("x/util.py", symbols("f"), []), ("y/util.py", symbols("f"), [])])
    world.write("x/main.py", symbols("g"), [through(0, "util/", "f")])
    world.write("z/main.py", symbols("g"), [through(0, "util/", "f")])
    world.link()
    assert world.targets("x/main.py") == ["x/util.py:f (import)"]
    assert world.targets("z/main.py") == [None]
    world.write("util.py", symbols("f"))
    world.link()
    assert world.targets("z/main.py") == ["util.py:f (import)"]


def test_a_name_is_followed_through_what_packages_import_for_others(world: World) -> None:
    world.write("pkg/deep/core.py", symbols("Engine", "Engine.run"))
    world.write("pkg/deep/__init__.py", (), [imports("*", "core/deep/pkg//")])
    world.write("pkg/__init__.py", (), [imports("Motor", "deep/pkg//", "Engine")])
    world.write("app.py", symbols("f"), [imports("Motor", "pkg/", "Motor"), through(0, "pkg/", "Motor.run")])
    world.link()
    assert world.targets("app.py") == [
        "pkg/deep/core.py:Engine (import)",
        "pkg/deep/core.py:Engine.run (import)",
    ]
    world.write("pkg/deep/core.py", symbols("Engine"))
    world.link()
    assert world.targets("app.py")[1] is None


def test_names_that_packages_pass_in_a_circle_end(world: World) -> None:
    world.write("a.py", (), [imports("f", "b//", "f")])
    world.write("b.py", (), [imports("f", "a//", "f"), imports("*", "a//")])
    world.link()
    assert world.targets("a.py") == ["b.py: (import)"]


def test_what_a_package_does_not_define_may_be_its_module(world: World) -> None:
    world.write("pkg/__init__.py")
    world.write("pkg/views.py", symbols("index"))
    world.write("app.py", symbols("f"), [imports("views", "pkg/", "views"), through(0, "pkg/", "views.index")])
    world.link()
    assert world.targets("app.py") == ["pkg/views.py: (import)", "pkg/views.py:index (import)"]
    world.remove("pkg/__init__.py")
    world.link()
    assert world.targets("app.py") == ["pkg/views.py: (import)", "pkg/views.py:index (import)"]


def test_members_come_from_bases_in_other_files(world: World) -> None:
    world.write("base.py", symbols("Base", "Base.save"))
    world.write("mid.py", symbols("Mid"), [through(0, "base/", "Base", EdgeKind.INHERITS)])
    world.write(
        "leaf.py", symbols("Leaf", "Leaf.f"), [through(0, "mid/", "Mid", EdgeKind.INHERITS), member(1, 0, "save")]
    )
    world.write("app.py", symbols("g"), [through(0, "leaf/", "Leaf.save")])
    world.link()
    assert world.targets("leaf.py")[1] == "base.py:Base.save (exact)"
    assert world.targets("app.py") == ["base.py:Base.save (import)"]
    world.write("mid.py", symbols("Mid", "Mid.save"), [through(0, "base/", "Base", EdgeKind.INHERITS)])
    world.link()
    assert world.targets("app.py") == ["mid.py:Mid.save (import)"]


def test_a_member_of_the_bases_is_not_the_one_that_overrides_it(world: World) -> None:
    world.write("base.py", symbols("Base", "Base.open"))
    world.write(
        "own.py", symbols("Own", "Own.open"), [through(0, "base/", "Base", EdgeKind.INHERITS), member(1, 0, "open")]
    )
    world.link()
    assert world.targets("own.py")[1] == "base.py:Base.open (exact)"


def test_classes_that_derive_from_each_other_end(world: World) -> None:
    world.write("a.py", symbols("A"), [through(0, "b/", "B", EdgeKind.INHERITS), member(0, 0, "m")])
    world.write("b.py", symbols("B"), [through(0, "a/", "A", EdgeKind.INHERITS)])
    world.link()
    assert world.targets("a.py") == ["b.py:B (import)", None]


def test_a_bare_name_is_unique_or_any_of_its_namesakes_or_nothing(world: World) -> None:
    world.write("a.py", symbols("f"), [by_name(0, "save"), by_name(0, "gone")])
    world.write("b.py", symbols("A", "A.save"))
    world.link()
    assert world.targets("a.py") == ["b.py:A.save (unique)", None]
    world.write("c.py", symbols("B", "B.save"))
    world.link()
    assert world.targets("a.py") == ["?: (name)", None]
    world.remove("b.py")
    world.link()
    assert world.targets("a.py") == ["c.py:B.save (unique)", None]


def test_names_are_those_of_the_language(world: World) -> None:
    world.write("a.py", symbols("f"), [by_name(0, "save")])
    world.write("b.js", symbols("save"))
    world.link()
    assert world.targets("a.py") == [None]


def test_wildcards_bring_names_before_any_other_of_the_name(world: World) -> None:
    world.write_all([("helpers.py", symbols("f"), []), ("other.py", symbols("f"), [])])
    world.write("all.py", (), [imports("*", "helpers/")])
    world.write("app.py", symbols("g"), [imports("*", "all/"), by_name(0, "f")])
    world.link()
    assert world.targets("app.py")[1] == "helpers.py:f (import)"


def test_a_header_brings_what_its_source_defines(world: World) -> None:
    world.write("lib/list.h")
    world.write("lib/list.c", symbols("push"), [imports("*", "list/lib//")])
    world.write("main.c", symbols("main"), [imports("*", "list/lib/"), by_name(0, "push")])
    world.write("test/list.c", symbols("push"))
    world.link()
    assert world.targets("main.c")[1] == "lib/list.c:push (import)"


def test_files_of_a_package_share_its_names(world: World) -> None:
    world.write("internal/foo/a.go", symbols("f"), [through(0, "foo/internal//", "g")])
    world.write("internal/foo/b.go", symbols("g"))
    world.link()
    assert world.targets("internal/foo/a.go") == ["internal/foo/b.go:g (import)"]


def test_edges_within_a_file_need_no_linking(world: World) -> None:
    world.write("a.py", symbols("f", "g"), [local(0, 1, "g")])
    assert world.targets("a.py") == ["a.py:g (exact)"]


def test_an_edit_elsewhere_in_a_file_links_no_other_file_again(world: World) -> None:
    world.write("a.py", symbols("f"))
    world.write("b.py", symbols("g"), [imports("f", "a/", "f"), through(0, "a/", "f")])
    world.link()
    world.write("a.py", symbols("f"), [by_name(0, "print")])
    queued = world.connection.execute("SELECT count(*) FROM link_queue").fetchone()
    news = world.connection.execute("SELECT count(*) FROM link_news").fetchone()
    assert (queued, news) == ((1,), (0,))
    assert world.targets("b.py")[1] == "a.py:f (import)"


def test_a_definition_that_stays_keeps_its_id(world: World) -> None:
    def ids() -> dict[str, int]:
        return dict(world.connection.execute("SELECT qualified, id FROM symbol").fetchall())

    world.write("a.py", symbols("f", "g"))
    before = ids()
    world.write("a.py", symbols("h", "g"))
    after = ids()
    assert after["g"] == before["g"]
    assert after["h"] > before["g"]
    world.write("a.py", symbols("f"))
    assert ids()["f"] > after["h"]


def test_the_first_indexing_of_a_root_makes_no_news(world: World) -> None:
    for number in range(5):
        world.write(f"m{number}.py", symbols("f"), [imports("f", "m1/", "f")])
    assert world.connection.execute("SELECT count(*) FROM link_news").fetchone() == (0,)


def test_a_file_that_goes_leaves_nothing(world: World) -> None:
    world.write("a.py", symbols("A", "A.m"), [imports("f", "b/", "f"), by_name(0, "g"), local(0, 1, "m")])
    world.link()
    world.remove("a.py")
    for table in ("symbol", "edge", "mention", "link_queue"):
        assert world.connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608  # ours
