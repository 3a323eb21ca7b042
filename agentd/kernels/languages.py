"""Which language a file is in, by its name: tables alone. Names are GitHub linguist's, in lower case and short.

A language that is missing here is ``text``, which is searched like any other, by lines.
"""

from __future__ import annotations


def _invert(table: dict[str, str]) -> dict[str, str]:
    return {word: language for language, words in table.items() for word in words.split()}


EXTENSIONS = _invert(
    {
        "ada": "adb ads",
        "asciidoc": "adoc asciidoc asc",
        "assembly": "asm s nasm",
        "astro": "astro",
        "awk": "awk",
        "bash": "sh bash zsh ksh bats ebuild",
        "batchfile": "bat cmd",
        "bazel": "bzl bazel star",
        "bibtex": "bib",
        "c": "c h idc",
        "clojure": "clj cljs cljc edn",
        "cmake": "cmake",
        "cobol": "cob cbl",
        "coffeescript": "coffee",
        "cpp": "cc cpp cxx c++ hh hpp hxx h++ ipp inl tpp ino",
        "crystal": "cr",
        "csharp": "cs csx",
        "css": "css",
        "csv": "csv",
        "cuda": "cu cuh",
        "cython": "pyx pxd pxi",
        "d": "d di",
        "dart": "dart",
        "diff": "diff patch",
        "dockerfile": "dockerfile",
        "elixir": "ex exs heex",
        "elm": "elm",
        "emacs-lisp": "el",
        "erlang": "erl hrl",
        "fish": "fish",
        "fortran": "f f90 f95 f03 f08 for",
        "fsharp": "fs fsi fsx",
        "gettext": "po pot",
        "glsl": "glsl vert frag geom comp",
        "go": "go",
        "graphql": "graphql gql",
        "groovy": "groovy gradle gvy",
        "haml": "haml",
        "handlebars": "hbs handlebars",
        "haskell": "hs lhs",
        "hcl": "hcl tf tfvars nomad",
        "html": "html htm xhtml",
        "ini": "ini cfg conf properties editorconfig desktop service socket timer",
        "java": "java",
        "javascript": "js mjs cjs jsx es6",
        "jinja": "j2 jinja jinja2",
        "json": "json jsonc json5 geojson webmanifest har topojson",
        "jsonl": "jsonl ndjson",
        "julia": "jl",
        "kotlin": "kt kts",
        "latex": "tex sty ltx",
        "less": "less",
        "lisp": "lisp lsp cl",
        "log": "log",
        "lua": "lua",
        "makefile": "mk mak make",
        "markdown": "md markdown mkd mdown mdx qmd rmd",
        "matlab": "m",
        "meson": "meson",
        "nim": "nim nims",
        "nix": "nix",
        "notebook": "ipynb",
        "objective-c": "mm",
        "ocaml": "ml mli",
        "org": "org",
        "pascal": "pas dpr lpr",
        "pdf": "pdf",
        "perl": "pl pm pod t",
        "php": "php phtml php3 php4 php5",
        "powershell": "ps1 psm1 psd1",
        "prolog": "pro",
        "protobuf": "proto",
        "pug": "pug jade",
        "puppet": "pp",
        "python": "py pyi pyw gyp wsgi",
        "qml": "qml",
        "r": "r",
        "racket": "rkt",
        "restructuredtext": "rst rest",
        "roff": "1 2 3 4 5 6 7 8 man roff",
        "ruby": "rb rake gemspec ru podspec jbuilder erb",
        "rust": "rs",
        "sass": "sass",
        "scala": "scala sc sbt",
        "scheme": "scm ss",
        "scss": "scss",
        "solidity": "sol",
        "source-map": "map",
        "sql": "sql psql ddl dml",
        "starlark": "starlark",
        "strings": "strings",
        "svelte": "svelte",
        "svg": "svg",
        "swift": "swift",
        "systemverilog": "sv svh",
        "tcl": "tcl",
        "text": "txt text",
        "thrift": "thrift",
        "toml": "toml",
        "tsv": "tsv tab",
        "tsx": "tsx",
        "typescript": "ts mts cts",
        "vala": "vala",
        "verilog": "v",
        "vhdl": "vhd vhdl",
        "vim-script": "vim",
        "visual-basic": "vb bas vbs",
        "vue": "vue",
        "wgsl": "wgsl",
        "xliff": "xliff xlf",
        "xml": "xml xsd xsl xslt wsdl rss atom plist csproj vcxproj fsproj props targets resx xaml kml gpx fixture",
        "yaml": "yaml yml",
        "zig": "zig",
    }
)

NAMES = _invert(
    {
        "awk": "awkfile",
        "bash": ".bashrc .bash_profile .bash_aliases .profile .zshrc .zshenv .envrc pkgbuild gradlew",
        "bazel": "build workspace module.bazel",
        "cmake": "cmakelists.txt",
        "dockerfile": "dockerfile containerfile",
        "go.mod": "go.mod go.work",
        "go.sum": "go.sum go.work.sum",
        "groovy": "jenkinsfile",
        "ignore": ".gitignore .dockerignore .npmignore .eslintignore .prettierignore .hgignore .agentdignore",
        "ini": ".gitconfig .gitattributes .gitmodules .npmrc .flake8 .pylintrc .coveragerc .pypirc .hgrc",
        "json": ".babelrc .eslintrc .prettierrc .jshintrc composer.lock flake.lock deno.lock pipfile.lock",
        "makefile": "makefile gnumakefile justfile makefile.am makefile.in",
        "meson": "meson.build meson_options.txt",
        "python": "sconstruct sconscript wscript",
        "requirements": "requirements.in constraints.in manifest.in",
        "ruby": "gemfile rakefile vagrantfile guardfile brewfile podfile fastfile capfile",
        "starlark": "tiltfile",
        "text": "license copying notice authors contributors maintainers readme changelog changes news todo install",
        "toml": "cargo.lock poetry.lock uv.lock pdm.lock pipfile",
        "vim-script": ".vimrc",
        "yaml": ".clang-format .clang-tidy pubspec.lock podfile.lock",
    }
)

INTERPRETERS = _invert(
    {
        "awk": "awk gawk mawk nawk",
        "bash": "sh bash zsh ksh dash ash bats",
        "clojure": "bb clojure",
        "elixir": "elixir",
        "erlang": "escript",
        "fish": "fish",
        "groovy": "groovy",
        "haskell": "runhaskell stack",
        "javascript": "node nodejs qjs",
        "julia": "julia",
        "kotlin": "kotlin kotlinc",
        "lisp": "sbcl clisp",
        "lua": "lua luajit",
        "makefile": "make gmake",
        "nim": "nim",
        "ocaml": "ocaml",
        "perl": "perl",
        "php": "php",
        "powershell": "pwsh powershell",
        "python": "python pypy python2 python3 uv pypy3",
        "r": "rscript",
        "racket": "racket",
        "ruby": "ruby jruby rbx",
        "rust": "rust-script cargo",
        "scala": "scala scala-cli amm",
        "swift": "swift",
        "tcl": "tclsh wish expect",
        "typescript": "deno bun ts-node tsx",
    }
)
"""What a ``#!`` line may name, without version."""

KINDS = _invert(
    {
        "data": "bibtex csv diff gettext go.mod go.sum ignore ini json jsonl log requirements source-map strings svg"
        " xliff xml yaml",
        "docs": "asciidoc html latex markdown notebook org pdf restructuredtext roff text",
    }
)
"""Languages that hold values, and those that people read (notebooks are markup to linguist, too); the rest is code."""

WRAPPERS = frozenset(("in", "tmpl", "tpl", "template", "example", "sample", "dist", "orig", "bak"))
"""Extensions behind the one that tells, as in ``settings.py.example``."""

_BINARY = """
    png jpg jpeg gif bmp ico webp tif tiff avif heic psd
    mp3 mp4 m4a m4v avi mov mkv webm ogg oga ogv wav flac aac
    woff woff2 ttf otf eot
    zip gz tgz bz2 xz zst 7z rar jar war whl egg
    pyc pyo pyd so a o obj dll dylib exe class wasm mo gmo
    npy npz onnx safetensors parquet docx xlsx pptx odt ods
"""
BINARY = frozenset(_BINARY.split())
"""Extensions of formats that never are text: what has one is not opened to find that out."""
