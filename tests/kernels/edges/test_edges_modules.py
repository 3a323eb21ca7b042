"""Module keys, and imports that find them."""

from __future__ import annotations

import pytest

from agentd.kernels.captures import Import
from agentd.kernels.edges import module_key
from agentd.kernels.edges.imports import Imported, Importer, bring


@pytest.mark.parametrize(
    ("path", "language", "key"),
    [
        ("src/requests/sessions.py", "python", "sessions/requests/src//"),
        ("pkg/__init__.py", "python", "pkg//"),
        ("pkg/types.pyi", "python", "types/pkg//"),
        ("__init__.py", "python", "/"),
        ("setup.py", "python", "setup//"),
        ("Makefile", "python", "Makefile//"),
        ("web/index.js", "javascript", "web//"),
        ("web/index.tsx", "tsx", "web//"),
        ("web/types.d.ts", "typescript", "types/web//"),
        ("internal/foo/a.go", "go", "foo/internal//"),
        ("main.go", "go", "/"),
        ("src/main/java/a/b/C.java", "java", "b/a/java/main/src//"),
        ("my-crate/src/lib.rs", "rust", "src/my_crate//"),
        ("src/store/mod.rs", "rust", "store/src//"),
        ("Acme.Web/Api/User.cs", "csharp", "Api/Web/Acme//"),
        ("include/net/socket.hpp", "cpp", "socket/net/include//"),
        ("lib/init.lua", "lua", "lib//"),
        ("lib/.hidden", "bash", ".hidden/lib//"),
        ("README.md", "markdown", ""),
    ],
)
def test_a_document_is_found_by_its_path_reversed(path: str, language: str, key: str) -> None:
    assert module_key(path, language) == key


def imported(path: str, language: str, module: str, name: str = "", alias: str = "") -> tuple[str, str, str]:
    """What ``module`` brings; ``*`` for ``name`` is a wildcard."""
    found = Import(module, "" if name == "*" else name, alias, wildcard=name == "*", start=0, row=0)
    brought = bring(found, Importer(path, language))
    assert isinstance(brought, Imported)
    return (brought.name, brought.module, brought.path)


@pytest.mark.parametrize(
    ("path", "module", "name", "alias", "expected"),
    [
        ("a/b.py", "c.d", "", "", ("c.d", "d/c/", "")),
        ("a/b.py", "c.d", "e", "f", ("f", "d/c/", "e")),
        ("a/b.py", ".", "e", "", ("e", "a//", "e")),
        ("a/__init__.py", ".", "e", "", ("e", "a//", "e")),
        ("a/b.py", "..c", "e", "", ("e", "c//", "e")),
        ("b.py", ".c", "*", "", ("*", "c//", "")),
        ("b.py", "..c", "e", "", ("e", "..//", "e")),
    ],
)
def test_python(path: str, module: str, name: str, alias: str, expected: tuple[str, str, str]) -> None:
    assert imported(path, "python", module, name, alias) == expected


@pytest.mark.parametrize(
    ("module", "name", "alias", "expected"),
    [
        ("./x.js", "a", "b", ("b", "x/app/web//", "a")),
        ("../lib/index", "", "lib", ("lib", "lib/web//", "")),
        ("..", "a", "", ("a", "web//", "a")),
        ("./x", "default", "Thing", ("Thing", "x/app/web//", "Thing")),
        ("./x", "*", "ns", ("ns", "x/app/web//", "")),
        ("./x", "*", "", ("*", "x/app/web//", "")),
        ("@/store/user.vue", "a", "", ("a", "user.vue/store/", "a")),
        ("@acme/util/strings", "a", "", ("a", "strings/util/", "a")),
        ("lodash", "", "_", ("_", "lodash/packages/", "")),
        ("components/button", "Button", "", ("Button", "button/components/", "Button")),
        ("path", "join", "", ("join", "node:path/", "join")),
        ("node:fs/promises", "", "fs", ("fs", "node:promises/node:fs/", "")),
    ],
)
def test_javascript(module: str, name: str, alias: str, expected: tuple[str, str, str]) -> None:
    assert imported("web/app/main.ts", "typescript", module, name, alias) == expected


@pytest.mark.parametrize(
    ("module", "alias", "expected"),
    [
        ("github.com/acme/tool/internal/store", "", ("store", "store/internal/", "")),
        ("github.com/acme/tool/v2/pkg/a/b", "x", ("x", "b/a/", "")),
        ("github.com/acme/tool", "", ("tool", "tool/acme/", "")),
        ("tool/internal/store", ".", ("*", "store/internal/", "")),
        ("encoding/json", "", ("json", "json/encoding/std:/", "")),
        ("gopkg.in/yaml.v3", "", ("yaml", "yaml.v3/gopkg.in/", "")),
        ("github.com/lib/pq", "_", ("", "pq/lib/", "")),
    ],
)
def test_go(module: str, alias: str, expected: tuple[str, str, str]) -> None:
    assert imported("cmd/main.go", "go", module, "", alias) == expected


@pytest.mark.parametrize(
    ("path", "module", "name", "expected"),
    [
        ("src/a/b.rs", "crate::store", "Store", ("Store", "store/src//", "Store")),
        ("src/a/b.rs", "crate::store::Kind", "Small", ("Small", "store/src//", "Kind.Small")),
        ("src/a/b.rs", "crate", "store", ("store", "src//", "store")),
        ("src/a/b.rs", "super::c", "f", ("f", "c/a/src//", "f")),
        ("src/a/b.rs", "self::c", "*", ("*", "c/b/a/src//", "")),
        ("src/lib.rs", "a", "", ("a", "a/src//", "")),
        ("src/a.rs", "b", "", ("b", "b/a/src//", "")),
        ("tests/t.rs", "my_tool::store", "Store", ("Store", "store/src/my_tool/", "Store")),
        ("tests/t.rs", "my_tool", "Store", ("Store", "src/my_tool/", "Store")),
    ],
)
def test_rust(path: str, module: str, name: str, expected: tuple[str, str, str]) -> None:
    assert imported(path, "rust", module, name) == expected


def test_a_test_module_of_rust_takes_all_of_the_file_around_it() -> None:
    found = Import("super", "", "", wildcard=True, start=0, row=0)
    assert bring(found, Importer("src/a.rs", "rust", inline=1)) is None
    outer = found._replace(module="super::super")
    assert bring(outer, Importer("src/a.rs", "rust", inline=1)) == Imported("*", "src//")


@pytest.mark.parametrize(
    ("language", "path", "module", "name", "expected"),
    [
        ("java", "A.java", "com.acme.Store", "", ("Store", "acme/com/", "Store")),
        ("java", "A.java", "com.acme.Store.open", "", ("open", "acme/com/", "Store.open")),
        ("java", "A.java", "com.acme", "*", ("*", "acme/com/", "")),
        ("java", "A.java", "com.acme.Store", "*", ("*", "acme/com/", "Store")),
        ("kotlin", "A.kt", "acme.text.shorten", "", ("shorten", "text/acme/", "shorten")),
        ("scala", "A.scala", "acme.text", "Words", ("Words", "text/acme/", "Words")),
        ("csharp", "A.cs", "Acme.Web", "*", ("*", "Web/Acme/", "")),
        ("php", "src/A.php", "Acme\\Web\\Model", "User", ("User", "Model/Web/", "User")),
        ("php", "src/A.php", "\\User", "", ("User", "src//", "User")),
        ("php", "src/A.php", "lib/tools.php", "*", ("*", "lib/", "")),
        ("swift", "A.swift", "Store", "", ("*", "Store/", "")),
        ("c", "src/a.c", "net/socket.h", "", ("*", "socket/net/", "")),
        ("c", "src/a.c", "../socket.h", "", ("*", "socket//", "")),
        ("c", "src/a.c", "<stdio.h>", "", ("*", "<stdio.h>/", "")),
        ("cpp", "src/a.cc", "<vector>", "", ("*", "<vector>/", "")),
        ("cpp", "src/a.cc", "<tools/store.h>", "", ("*", "store/tools/", "")),
        ("ruby", "lib/a.rb", "tools/store", "*", ("*", "store/tools/", "")),
        ("ruby", "lib/a.rb", "./store.rb", "*", ("*", "store/lib//", "")),
        ("lua", "a.lua", "tools.store", "", ("store", "store/tools/", "")),
        ("bash", "bin/a.sh", "$ROOT/lib/tools.sh", "*", ("*", "tools/lib/", "")),
        ("bash", "bin/a.sh", "./tools.sh", "*", ("*", "tools/bin//", "")),
    ],
)
def test_other_languages(language: str, path: str, module: str, name: str, expected: tuple[str, str, str]) -> None:
    assert imported(path, language, module, name) == expected


def test_what_is_no_file_and_no_module_is_no_import() -> None:
    namespace = Import("tools::text", "", "", wildcard=True, start=0, row=0)
    assert bring(namespace, Importer("a.cc", "cpp")) is None
    assert bring(namespace._replace(module="__future__"), Importer("a.py", "python")) is None
    assert bring(namespace, Importer("a.cob", "cobol")) is None
