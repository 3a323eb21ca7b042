from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.kernels.roles import Role, role_of

PATHS = {
    Role.TEST: """
        tests/test_app.py test/unit/app.rb src/app/tests.py pkg/app_test.go src/test/java/org/acme/App.java
        src/main/java/org/acme/AppTest.java src/AppTests.cs Acme.Tests/App.cs Acme.UnitTests/App.cs app/AppSpec.scala
        web/app.test.tsx web/app.spec.ts web/__tests__/app.js web/__mocks__/fs.js spec/models/user_spec.rb
        lib/app_spec.lua e2e/login.ts cypress/login.js app/login.cy.ts conftest.py tests/conftest.py
        tests/fixtures/sample.md tests/README.md src/androidTest/java/App.kt src/commonTest/kotlin/App.kt
        base/strings_unittest.cc llvm/unittests/ADT/Any.cpp storage/store_tests.rs t/basic.t mocks/client.go
        internal/testdata/golden.txt tests/vendored_app/urls.py js_tests/admin/core.js Tests/AppTests/App.swift
        project/ClientIT.java numpy/f2py/tests/src/crackfortran.f90 tests/examples/one.py
    """,
    Role.VENDORED: """
        vendor/github.com/pkg/errors/errors.go third_party/zlib/zlib.h third-party/lua/lua.c node_modules/react/index.js
        pip/_vendor/requests/api.py static/admin/js/vendor/jquery/jquery.js lib/site-packages/attr/__init__.py
        bower_components/d3/d3.js externals/expected.hpp setuptools/extern/__init__.py vendor/rails/test/user_test.rb
    """,
    Role.GENERATED: """
        api/v1/types.pb.go proto/user_pb2.py proto/user_pb2.pyi api/generated/client.ts src/__generated__/query.ts
        gen/go/user.go dist/app.js docs/_build/html/index.html docs/_static/doctools.js build/lib/app/main.py
        static/app.min.js package-lock.json Cargo.lock poetry.lock apis/zz_generated.deepcopy.go
        internal/parser_generated.go src/schema.gen.ts Forms/Main.Designer.cs build/generated/source/R.java
    """,
    Role.CHANGELOG: """
        CHANGELOG.md CHANGES CHANGES.rst HISTORY.md NEWS changelog.txt docs/releases/5.1.txt Release-Notes.md
        release_notes.html docs/whatsnew/3.12.rst CHANGELOG-1.30.md CHANGES_v2.txt changelog.de.md docs/changes.rst
        changes/1234.bugfix newsfragments/77.feature.rst changelog.d/9.misc UPGRADING.md changelog/_index.md
    """,
    Role.EXAMPLE: """
        examples/hello.py example/app/main.go demo/index.html samples/Hello.java docs/examples/client.py
        tutorials/01_intro.ipynb benchmarks/sort.py benches/sort.rs playground/main.ts cookbook/recipes.rb
    """,
    Role.STUB: """
        pkg/api.pyi typeshed/stdlib/os.py types/index.d.ts types/index.d.mts psutil-stubs/__init__.py typings/click.py
    """,
    Role.SOURCE: """
        src/app.py contest/solve.py latest/index.js src/testimonials.py vendors.py examples.py dist.py build.py
        src/contests/models.py attest/sign.go greatest.py protest/sign.rb testament.md Latest.java Contest.cs
        unittest/mock.py numpy/testing/utils.py flask/testing.py django/core/management/commands/test.py
        docs/topics/testing/tools.txt docs/tutorial/tests.rst docs/topics/db/examples/many_to_many.txt
        docs/spec/protocol.md pip/_internal/operations/build/wheel.py hatchling/cli/build/__init__.py cmd/gen/main.go
        tools/gen/tables.py history.py src/news.tsx api/releases/views.py web/changes/index.ts credits.js releases.go
        history-api.md news-feed.md docs/changes-to-come.md security/PBEKeySpec.java kube/PodSpec.java
        tensorflow/type_spec.py openapi_spec.json specification.md codegen.py generate.py generator/main.py
        distribution.py distutils/core.py builder/app.py vendoring.py sampled.py demography/age.py demonstrate.py
        example.com.conf externally.py internal/stub.go stubs.py stubborn/main.rs benchmark.py edit.java
        ab_test/assign.rb test.py README.md LICENSE Makefile index.html
    """,
}
TABLE = [(path, role) for role, paths in PATHS.items() for path in paths.split()]


@pytest.mark.parametrize(("path", "role"), TABLE)
def test_a_file_plays_the_part_that_a_person_would_say(path: str, role: Role) -> None:
    assert role_of(path) is role


@pytest.mark.parametrize(("path", "role"), [pair for pair in TABLE if "/" in pair[0]])
def test_it_plays_the_same_part_further_down(path: str, role: Role) -> None:
    assert role_of(f"projects/engine/{path}") is role


def test_folders_count_in_any_case_and_only_whole() -> None:
    assert role_of("Vendor/app.c") is role_of("VENDOR/app.c") is Role.VENDORED
    assert role_of("vendor") is role_of("myvendor/app.c") is role_of("vendor2/app.c") is Role.SOURCE


def test_what_others_wrote_is_theirs_whatever_it_is() -> None:
    assert role_of("vendor/lib/CHANGELOG.md") is Role.VENDORED
    assert role_of("dist/tests/app.js") is Role.GENERATED
    assert role_of("tests/stubs/app.pyi") is Role.TEST


@given(st.text(max_size=80) | st.text(alphabet="tests/.-_Spec", max_size=2000))
def test_any_path_has_one_role(path: str) -> None:
    assert role_of(path) is role_of(path)
