"""From source text to edges, in the languages that most code is written in."""

from __future__ import annotations

from textwrap import dedent

import pytest
from tree_sitter import Parser

from agentd.domain import EdgeKind
from agentd.kernels.edges import edges
from agentd.kernels.grammars import load
from agentd.kernels.query import capture
from agentd.kernels.symbols import symbols


def uses(path: str, language: str, text: str) -> set[str]:
    """Calls and bases as ``SOURCE -> WHERE``: a name in the file, ``base CLASS.member``, ``MODULE:path``, ``?name``."""
    data = dedent(text).encode()
    captures = capture(language, Parser(load(language)).parse(data), data)
    found = symbols(captures, data, language)
    said = set()
    for edge in edges(path, language, captures, found):
        if edge.kind is EdgeKind.IMPORTS:
            continue
        source = found[edge.source].qualified if edge.source >= 0 else path
        if edge.target >= 0:
            target = found[edge.target].qualified
            where = f"base {target}.{edge.path}" if edge.path else target
        else:
            where = f"{edge.module}:{edge.path}" if edge.module else f"?{edge.name}"
        said.add(f"{source} -> {where}")
    return said


PYTHON = """
    from __future__ import annotations
    import os.path
    from typing import TYPE_CHECKING
    from . import util
    from .base import Base as Root, make
    if TYPE_CHECKING:
        from .models import Response

    def helper(x: int) -> Store:
        return Store(x)

    class Store(Root, dict):
        size_of = staticmethod(len)

        def __init__(self, response: Response) -> None:
            super().__init__()
            self.response = response
            self.other = make()

        @property
        def twin(self) -> "Store":
            return self

        def get(self, key):
            util.check(key)
            os.path.join(key, "a".join([]))
            self.response.close()
            self.other.close()
            self.twin.put(key)
            helper(1).put(key)
            return self.load(key)

        def put(self, key):
            with Store(1) as other:
                other.get(key)
            for name in key.items():
                print(name.lower())

            def later():
                self.get(key)
            later()

    main = Store(2)

    @util.wrap(main.get)
    def run(store: Store | None = None):
        (store or main).put(1)
        store.put(2)
"""

JAVASCRIPT = """
    import React, { useState as state } from './react';
    import * as api from '../api/index.js';
    const tools = require('./tools');

    export class Store extends api.Base {
        cache = new Cache();
        constructor(size) { super(size); this.log = new Logger(); }
        get(key) { this.log.write(key); this.cache.find(key); return this.load(key); }
    }

    class Logger { write(line) { console.log(JSON.stringify(line)); } }

    export const start = () => {
        const store = new Store(1);
        store.get('a');
        api.fetch(state(1));
        tools.open();
        React.render();
    };
"""

TYPESCRIPT = """
    import { Engine } from '@/engine';
    interface Shape { area(): number }
    export class Car implements Shape {
        constructor(private readonly engine: Engine, private label: Label) {}
        area(): number { this.engine.start(); this.label.draw(); return make().area(); }
    }
    class Label { draw(): void {} }
    function make(): Car { return new Car(null, null); }
"""

GO = """
    package store

    import (
        "fmt"
        "github.com/acme/tool/internal/disk"
    )

    type Store struct {
        Base
        disk *disk.Disk
        log  Logger
    }

    func New() *Store { return &Store{} }

    func (s *Store) Get(key string) string {
        s.disk.Read(key)
        s.log.Print(key)
        s.flush()
        fmt.Println(len(key))
        return clean(key)
    }

    func (s *Store) Close() { s.Get("") }
"""

RUST = """
    use crate::disk::Disk;
    use super::log;
    mod cache;

    pub struct Store { disk: Disk, cache: cache::Cache }

    impl Store {
        pub fn new() -> Self { Store { disk: Disk::open(), cache: cache::Cache::new() } }
        pub fn get(&self, key: &str) -> Option<String> { self.check(); self.disk.read(key); log::write(key); helper() }
        fn check(&self) { Self::new(); }
    }

    impl Reader for Store { fn read(&self) { self.get("a"); } }

    fn helper() { let store = Store::new(); store.get("b"); }
"""

JAVA = """
    package com.acme;
    import com.acme.disk.Disk;
    import static com.acme.Tools.shorten;

    public class Store extends Base implements Closeable {
        private final Disk disk = new Disk();
        public String get(String key) {
            disk.read(key);
            Cache cache = new Cache();
            cache.find(key);
            return clean(shorten(key));
        }
        private String clean(String key) { this.get(key); super.clean(key); inherited(); Other.make(); return key; }
    }
"""

CPP = """
    #include "store.h"
    namespace tools {
    class Logger { public: void write(int x); };
    void Logger::write(int x) { flush(x); }
    class Store : public Base { Logger log; void get(); };
    void Store::get() { log.write(1); this->load(); helper(); Logger other; other.write(2); }
    static void helper() {}
    }
"""


@pytest.mark.parametrize(
    ("path", "language", "text", "expected"),
    [
        (
            "src/pkg/store.py",
            "python",
            PYTHON,
            """
            Store -> base/pkg/src//:Base
            helper -> Store
            Store.__init__ -> base Store.__init__
            Store.__init__ -> base/pkg/src//:make
            Store.get -> pkg/src//:util.check
            Store.get -> path/os/:join
            Store.get -> models/pkg/src//:Response.close
            Store.get -> ?close
            Store.get -> Store.put
            Store.get -> helper
            Store.get -> base Store.load
            Store.put -> Store
            Store.put -> Store.get
            Store.put -> ?items
            Store.put -> Store.put.later
            Store.put.later -> Store.get
            main -> Store
            run -> pkg/src//:util.wrap
            run -> ?put
            run -> Store.put
            """,
        ),
        (
            "src/web/store.js",
            "javascript",
            JAVASCRIPT,
            """
            Store -> api/src//:Base
            Store.cache -> ?Cache
            Store.constructor -> Logger
            Store.get -> Logger.write
            Store.get -> ?find
            Store.get -> base Store.load
            start -> Store
            start -> Store.get
            start -> api/src//:fetch
            start -> react/web/src//:useState
            start -> tools/web/src//:open
            start -> react/web/src//:React.render
            """,
        ),
        (
            "src/car.ts",
            "typescript",
            TYPESCRIPT,
            """
            Car -> Shape
            Car.area -> engine/:Engine.start
            Car.area -> Label.draw
            Car.area -> make
            Car.area -> Car.area
            make -> Car
            """,
        ),
        (
            "internal/store/store.go",
            "go",
            GO,
            """
            Store -> store/internal//:Base
            New -> Store
            Store.Get -> disk/internal/:Disk.Read
            Store.Get -> store/internal//:Logger.Print
            Store.Get -> base Store.flush
            Store.Get -> Println/fmt
            Store.Get -> store/internal//:clean
            Store.Close -> Store.Get
            """.replace("Println/fmt", "fmt/std:/:Println"),
        ),
        (
            "src/a/store.rs",
            "rust",
            RUST,
            """
            Store.new -> Store
            Store.new -> disk/src//:Disk.open
            Store.new -> cache/store/a/src//:Cache.new
            Store.get -> Store.check
            Store.get -> disk/src//:Disk.read
            Store.get -> a/src//:log.write
            Store.get -> helper
            Store.check -> Store.new
            Store -> ?Reader
            Store.read -> Store.get
            helper -> Store.new
            helper -> Store.get
            """,
        ),
        (
            "src/com/acme/Store.java",
            "java",
            JAVA,
            """
            Store -> acme/com/src//:Base
            Store -> acme/com/src//:Closeable
            Store.disk -> disk/acme/com/:Disk
            Store.get -> disk/acme/com/:Disk.read
            Store.get -> acme/com/src//:Cache
            Store.get -> acme/com/src//:Cache.find
            Store.get -> Store.clean
            Store.get -> acme/com/:Tools.shorten
            Store.clean -> Store.get
            Store.clean -> base Store.clean
            Store.clean -> base Store.inherited
            Store.clean -> acme/com/src//:Other.make
            """,
        ),
        (
            "src/store.cpp",
            "cpp",
            CPP,
            """
            tools.Logger.write -> ?flush
            tools.Store -> ?Base
            tools.Store.get -> tools.Logger.write
            tools.Store.get -> base tools.Store.load
            tools.Store.get -> tools.helper
            """,
        ),
    ],
    ids=["python", "javascript", "typescript", "go", "rust", "java", "cpp"],
)
def test_every_use_in_a_file_leads_where_a_reader_says(path: str, language: str, text: str, expected: str) -> None:
    assert uses(path, language, text) == {line.strip() for line in expected.strip().splitlines()}
