from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

import pytest

from agentd.domain import Kind, SkipReason
from agentd.kernels.messages import ParsedFile, ParseRequest
from agentd.kernels.parse import parse_files

if TYPE_CHECKING:
    from pathlib import Path


def parse(root: Path, *names: str, chunk_chars: int = 1200) -> list[ParsedFile]:
    return list(parse_files(ParseRequest(str(root), names, chunk_chars=chunk_chars)))


def parse_bytes(root: Path, name: str, data: bytes, chunk_chars: int = 1200) -> ParsedFile:
    (root / name).write_bytes(data)
    return parse(root, name, chunk_chars=chunk_chars)[0]


def make_pdf(*pages: str, encrypted: bool = False) -> bytes:
    """A minimal PDF 1.4: catalogue, page tree, one font, and for each page its content stream."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        lines = " T* ".join(f"({line}) Tj" for line in text.split("\n"))
        stream = zlib.compress(f"BT /F1 9 Tf 12 TL 20 780 Td {lines} ET".encode())
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources << /Font << /F1 3 0 R >> >>"
            b" /Contents %d 0 R >>" % (5 + 2 * number),
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(stream), stream),
        ]
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    lock = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%b> /U <%b> >> /ID [<00> <00>]" % (
        b"11" * 32,
        b"22" * 32,
    )
    trailer = b"trailer << /Size %d /Root 1 0 R %b >>" % (len(objects) + 1, lock if encrypted else b"")
    xref = b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
    return body + xref + trailer + b"\nstartxref\n%d\n%%%%EOF" % len(body)


def test_files_come_in_the_order_asked_for(tmp_path: Path) -> None:
    for name in ("b.py", "a.md", "c.txt"):
        (tmp_path / name).write_text("some words\n")
    assert [file.path for file in parse(tmp_path, "b.py", "gone.py", "a.md", "c.txt")] == [
        "b.py",
        "gone.py",
        "a.md",
        "c.txt",
    ]


def test_a_file_that_is_gone_is_vanished(tmp_path: Path) -> None:
    (file,) = parse(tmp_path, "gone.py")
    assert file.vanished
    assert file.chunks == []


def test_a_source_file_has_language_lines_and_chunks(tmp_path: Path) -> None:
    file = parse_bytes(tmp_path, "a.py", b"def f():\n    return 1\n")
    assert (file.language, file.kind, file.lines, file.size, file.skip) == ("python", Kind.CODE, 2, 22, None)
    assert [(chunk.symbol, chunk.text) for chunk in file.chunks] == [("f", "def f():\n    return 1")]
    assert file.content_hash


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", 0),
        (b"\n\n  \n", 3),
        (b"x = 1", 1),
        (b"x = 1\r\ny = 2\r\n", 2),
        (b"\xef\xbb\xbfx = 1\n", 1),
        (b"x\ry\rz", 1),
    ],
)
def test_lines_are_counted_as_an_editor_does(tmp_path: Path, data: bytes, lines: int) -> None:
    file = parse_bytes(tmp_path, "a.py", data)
    assert file.lines == lines
    assert bool(file.chunks) == bool(data.strip())
    assert file.skip is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_byte_spans_hold_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    text = "# Größe\n\nÜber alles, naïve café.\n\n# Ende\n\nSchluß\n"
    data = text.encode(encoding)
    file = parse_bytes(tmp_path, "a.md", data, chunk_chars=20)
    codec = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)
    assert [data[chunk.start_byte : chunk.end_byte].decode(codec) for chunk in file.chunks] == [
        chunk.text for chunk in file.chunks
    ]
    assert len(file.chunks) > 1
    assert file.notes == (["encoding:cp1252"] if encoding == "cp1252" else [])


def test_binary_is_skipped_with_its_reason(tmp_path: Path) -> None:
    file = parse_bytes(tmp_path, "a.bin", bytes(range(256)) * 10)
    assert (file.skip, file.chunks) == (SkipReason.BINARY, [])


def test_too_many_chunks_are_cut_and_counted(tmp_path: Path) -> None:
    file = parse_bytes(tmp_path, "a.txt", b"some words in a line\n\n" * 5000, chunk_chars=20)
    assert len(file.chunks) == 4000
    assert file.notes == ["chunks_cut"]


def test_a_parser_that_fails_costs_the_structure_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("agentd.kernels.parse.markdown", broken)
    file = parse_bytes(tmp_path, "a.md", b"# Title\n\ntext\n")
    assert file.notes == ["parser_failed:RecursionError"]
    assert [chunk.text for chunk in file.chunks] == ["# Title\n\ntext"]


def test_pdf_pages_are_its_lines(tmp_path: Path) -> None:
    data = make_pdf("First page\nwith two lines", "Second page")
    file = parse_bytes(tmp_path, "a.pdf", data)
    assert [(chunk.start_line, chunk.end_line, chunk.context, chunk.text) for chunk in file.chunks] == [
        (1, 1, "page 1", "First page\nwith two lines"),
        (2, 2, "page 2", "Second page"),
    ]
    assert (file.language, file.kind, file.lines) == ("pdf", Kind.DOCS, 2)
    assert {(chunk.start_byte, chunk.end_byte) for chunk in file.chunks} == {(0, len(data))}


def test_a_long_pdf_page_is_split(tmp_path: Path) -> None:
    file = parse_bytes(tmp_path, "a.pdf", make_pdf("\n".join(["Words of a line"] * 60)), chunk_chars=300)
    assert len(file.chunks) > 2
    assert {chunk.context for chunk in file.chunks} == {"page 1"}


def test_pages_beyond_the_bound_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentd.kernels.pdf.MAX_PAGES", 2)
    file = parse_bytes(tmp_path, "a.pdf", make_pdf("one", "two", "three"))
    assert ([chunk.text for chunk in file.chunks], file.lines, file.notes) == (["one", "two"], 3, ["pages_cut"])


def test_an_encrypted_pdf_is_skipped(tmp_path: Path) -> None:
    assert parse_bytes(tmp_path, "a.pdf", make_pdf("secret", encrypted=True)).skip is SkipReason.ENCRYPTED


@pytest.mark.parametrize("data", [b"%PDF-1.4\ngarbage", b"%PDF-", b"%PDF-1.7\n" + b"\0" * 1000])
def test_a_broken_pdf_is_damaged(tmp_path: Path, data: bytes) -> None:
    assert parse_bytes(tmp_path, "a.pdf", data).skip is SkipReason.DAMAGED


def write_notebook(path: Path, *cells: dict[str, object], language: str = "python") -> str:
    content = {"cells": cells, "metadata": {"kernelspec": {"language": language}}, "nbformat": 4, "nbformat_minor": 5}
    text = json.dumps(content, indent=1)
    path.write_text(text)
    return text


def test_notebook_cells_point_to_their_lines_in_the_file(tmp_path: Path) -> None:
    text = write_notebook(
        tmp_path / "a.ipynb",
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "\n", "Some prose."]},
        {"cell_type": "code", "outputs": [], "source": ["def load():\n", '    return "größe"\n']},
        {"cell_type": "code", "outputs": [], "source": []},
    )
    (file,) = parse(tmp_path, "a.ipynb")
    lines = text.split("\n")
    assert [(chunk.context, chunk.symbol) for chunk in file.chunks] == [("cell 1 > Title", ""), ("cell 2", "load")]
    prose, load = file.chunks
    assert prose.text == "# Title\n\nSome prose."
    assert json.loads("[" + "\n".join(lines[prose.start_line - 1 : prose.end_line]) + "]") == [
        "# Title\n",
        "\n",
        "Some prose.",
    ]
    assert load.text == 'def load():\n    return "größe"'
    assert "def load" in lines[load.start_line - 1]
    assert text.encode()[load.start_byte : load.end_byte].startswith(b'"def load')


def test_notebook_keeps_short_outputs_and_drops_images(tmp_path: Path) -> None:
    outputs = [
        {"output_type": "stream", "text": ["accuracy 0.93\n"]},
        {"output_type": "display_data", "data": {"image/png": "iVBOR" * 1000}},
    ]
    write_notebook(tmp_path / "a.ipynb", {"cell_type": "code", "outputs": outputs, "source": "score(model)"})
    (file,) = parse(tmp_path, "a.ipynb")
    assert [chunk.text for chunk in file.chunks] == ["score(model)\n\naccuracy 0.93"]


def test_notebook_of_one_line_is_read_too(tmp_path: Path) -> None:
    content = {"cells": [{"cell_type": "code", "source": "a = 1\nb = 2", "outputs": []}]}
    file = parse_bytes(tmp_path, "a.ipynb", json.dumps(content).encode())
    assert [(chunk.start_line, chunk.end_line, chunk.text) for chunk in file.chunks] == [(1, 1, "a = 1\nb = 2")]


@pytest.mark.parametrize(
    "data",
    [
        b"not json",
        b"[]",
        b'{"cells": [',
        b'{"cells": [{"source": ["a" "b"]}]}',
        b'{"cells": ' + b"[" * 100_000,
        b'{"cells": [{"cell_type": "code", "source": ["a"',
    ],
)
def test_a_broken_notebook_is_damaged(tmp_path: Path, data: bytes) -> None:
    assert parse_bytes(tmp_path, "a.ipynb", data).skip is SkipReason.DAMAGED


@pytest.mark.parametrize("data", [b"{}", b'{"cells": 3}', b'{"cells": [3, null, {"source": {"a": 1}, "outputs": 5}]}'])
def test_an_odd_notebook_is_empty(tmp_path: Path, data: bytes) -> None:
    file = parse_bytes(tmp_path, "a.ipynb", data)
    assert (file.skip, file.chunks) == (None, [])


TOKEN = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
KEY = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\n" * 8 + "-----END PRIVATE KEY-----\n"
CODE = f'def fetch():\n    """Ask the forge."""\n    return get(token="{TOKEN}")\n\n\ndef store(all):\n    return all\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_secret_in_a_text_is_masked_and_the_rest_is_where_it_was(tmp_path: Path, encoding: str) -> None:
    data = ("# caf\u00e9\n" + CODE).encode(encoding)
    masked = parse_bytes(tmp_path, "a.py", data)
    plain = next(iter(parse_files(ParseRequest(str(tmp_path), ("a.py",), index_secrets=True))))
    assert TOKEN in plain.chunks[0].text
    assert [chunk.text for chunk in masked.chunks] == [
        chunk.text.replace(TOKEN, "*" * len(TOKEN)) for chunk in plain.chunks
    ]
    assert [(c.start_byte, c.end_byte) for c in masked.chunks] == [(c.start_byte, c.end_byte) for c in plain.chunks]
    assert masked.symbols == plain.symbols
    assert "secrets_masked:1" in masked.notes
    assert TOKEN not in repr(masked)


def test_a_file_that_is_a_key_is_skipped(tmp_path: Path) -> None:
    found = parse_bytes(tmp_path, "deploy.txt", KEY.encode())
    assert (found.skip, found.chunks) == (SkipReason.SECRET, [])


def test_a_secret_in_a_notebook_or_a_pdf_is_masked(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": [f"client = connect(token='{TOKEN}')\n", "run()"], "outputs": []}
    book = {"nbformat": 4, "metadata": {}, "cells": [cell]}
    notebook = parse_bytes(tmp_path, "a.ipynb", json.dumps(book).encode())
    page = parse_bytes(tmp_path, "a.pdf", make_pdf(f"the token is {TOKEN} and nothing else"))
    for parsed in (notebook, page):
        assert parsed.chunks
        assert "*" * len(TOKEN) in parsed.chunks[0].text
        assert TOKEN not in repr(parsed)
