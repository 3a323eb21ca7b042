"""Names that every file of a language has: a call of one leads out of the code, unless the file defines it anew."""

from __future__ import annotations

import builtins

from agentd.kernels.edges.words import words

PYTHON = frozenset(name for name in dir(builtins) if not name.startswith("_")) | {"__import__", "reveal_type"}

PYTHON_METHODS = frozenset(
    name for kind in (str, bytes) for name in dir(kind) if name.startswith(("is", "l", "r", "u", "sp", "sta", "end"))
) | {"append", "extend"}
"""Methods of the built-in types that classes of one's own seldom have: ``startswith``, ``lower``, ``rsplit``."""

JAVASCRIPT = words(
    """
    Array ArrayBuffer BigInt Boolean Date Error EvalError Float32Array Float64Array Function Int8Array Int16Array
    Int32Array Intl JSON Map Math Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set String
    Symbol SyntaxError TypeError URIError Uint8Array Uint16Array Uint32Array WeakMap WeakRef WeakSet clearImmediate
    clearInterval clearTimeout console decodeURI decodeURIComponent document encodeURI encodeURIComponent eval fetch
    globalThis isFinite isNaN parseFloat parseInt process queueMicrotask require setImmediate setInterval setTimeout
    structuredClone super window import
    """
)

GO = words(
    """
    append cap clear close complex copy delete imag len make max min new panic print println real recover bool byte
    complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string uint uint8 uint16 uint32
    uint64 uintptr any comparable
    """
)

RUBY = words(
    "Array Class Data Float Hash Integer Module Object Rational String Struct abort alias_method at_exit"
    " attr_accessor attr_reader attr_writer autoload binding block_given? catch define_method eval exit extend fail"
    " format freeze gets include lambda load loop module_function new p prepend print printf private"
    " private_class_method private_constant proc protected public puts raise rand require require_relative sleep"
    " sprintf srand super throw warn"
)

LUA = words(
    "assert bit32 collectgarbage coroutine debug dofile error getmetatable io ipairs load loadfile loadstring math"
    " next os package pairs pcall print rawequal rawget rawlen rawset require select setfenv setmetatable string table"
    " tonumber tostring type unpack utf8 xpcall"
)

BASH = words(
    ". : [ alias awk basename bg bind break builtin caller cat cd chmod chown command compgen complete continue cp"
    " cut date declare dirname dirs disown echo enable env eval exec exit export expr false fc fg find getopts grep"
    " hash head help history id install jobs kill let ln local logout ls mapfile mkdir mktemp mv popd printf ps pushd"
    " pwd read readarray readlink readonly realpath return rm rmdir sed seq set shift shopt sleep sort source stat"
    " suspend tail tar tee test times touch tr trap true type typeset ulimit umask unalias uname uniq unset wait wc"
    " which xargs"
)
"""Of the shell itself, and what every system has."""

SWIFT = words(
    "Any Array Bool Character Data Date Dictionary Double Error Float Int Int32 Int64 Set String UInt UInt8 URL UUID"
    " abs assert assertionFailure debugPrint fatalError max min precondition preconditionFailure print stride swap"
    " type withUnsafePointer zip"
)

PHP = words(
    """
    array_key_exists array_keys array_map array_filter array_merge array_pop array_push array_shift array_slice
    array_unique array_values count define defined empty explode function_exists implode in_array is_array
    is_callable is_int is_null is_numeric is_object is_string isset json_decode json_encode preg_match preg_replace
    printf sprintf str_replace strlen strpos strtolower strtoupper substr trim unset var_dump
    """
)
