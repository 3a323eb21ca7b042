"""Queries from Markdown and reStructuredText: headings and first sentences, for the sections that they stand over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from ranking.candidates import Candidate, Edit, first_sentence, plain, usable
from ranking.dataset import bucket

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = (".md", ".rst")
HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
UNDERLINE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}\s*$")
FEWEST_BODY_WORDS = 25
INDEX_FILE = re.compile(r"(^|/)(change|history|news|release|whatsnew|license|authors|contributors)", re.IGNORECASE)
"""What nobody asks a question of."""


class Section(Struct, frozen=True):
    """A heading (``first_line`` to ``body_line`` - 1, its underline included) and what follows up to the next one."""

    title: str
    first_line: int
    body_line: int
    end_line: int


class Paragraph(Struct, frozen=True):
    """A run of lines without indent or markup of its own."""

    start_line: int
    end_line: int
    text: str


def sections(path: str, lines: list[str]) -> list[Section]:
    """The sections of a document, in order, in lines from 1."""
    heads = list(rst_headings(lines) if path.endswith(".rst") else markdown_headings(lines))
    starts = [first for _title, first, _body in heads] + [len(lines) + 1]
    return [Section(*head, after - 1) for head, after in zip(heads, starts[1:], strict=True)]


def markdown_headings(lines: list[str]) -> Iterator[tuple[str, int, int]]:
    """Title, first line and line after it of each ATX heading (CommonMark 4.2) outside of code fences."""
    fenced = False
    for number, line in enumerate(lines, start=1):
        fenced ^= line.startswith(("```", "~~~"))
        match = None if fenced else HEADING.match(line)
        if match:
            yield match[1], number, number + 1


def rst_headings(lines: list[str]) -> Iterator[tuple[str, int, int]]:
    """Title, first line and line after it of each underlined title; a line over it belongs to it."""
    for number in range(1, len(lines)):
        title, under = lines[number - 1], lines[number]
        mark = UNDERLINE.match(under)
        if mark and title.strip() and not UNDERLINE.match(title) and len(under.rstrip()) >= len(title.rstrip()):
            over = number >= 2 and lines[number - 2].rstrip() == under.rstrip()
            yield title.strip(), number - 1 if over else number, number + 2


def document_candidates(path: str, text: str) -> Iterator[Candidate]:
    """What one document offers."""
    lines = text.splitlines()
    if INDEX_FILE.search(path):
        return
    for section in sections(path, lines):
        body = " ".join(lines[section.body_line - 1 : section.end_line])
        if len(body.split()) < FEWEST_BODY_WORDS:
            continue
        yield from heading_candidates(path, section)
        yield from passage_candidates(path, section, lines)


def heading_candidates(path: str, section: Section) -> Iterator[Candidate]:
    """A heading: cut out of the copy, or asked as a question and left there."""
    title = plain(section.title)
    if not usable(title, fewest=2):
        return
    if bucket(path + title, 2):
        cut = Edit(section.first_line, section.body_line - 1)
        yield Candidate("heading", title, path, section.body_line, section.end_line, cut)
    else:
        forms = (f"how to {title.lower()}", title.lower(), f"documentation about {title.lower()}")
        query = forms[bucket(title, len(forms))]
        yield Candidate("heading_kept", query, path, section.first_line, section.end_line)


def passage_candidates(path: str, section: Section, lines: list[str]) -> Iterator[Candidate]:
    """The first sentence of the section's first long paragraph, cut out of the copy, for the section."""
    for paragraph in paragraphs(section.body_line, lines[section.body_line - 1 : section.end_line]):
        sentence = first_sentence(paragraph.text)
        rest = plain(paragraph.text)[len(sentence) :].lstrip(" .:!?")
        if usable(sentence, fewest=7) and len(rest.split()) >= FEWEST_BODY_WORDS:
            edit = Edit(paragraph.start_line, paragraph.end_line, (rest,))
            yield Candidate("passage", sentence, path, paragraph.start_line, section.end_line, edit)
            return


def paragraphs(first_line: int, lines: list[str]) -> Iterator[Paragraph]:
    """Paragraphs of plain prose: no list, directive, table or code."""
    block: list[str] = []
    for number, line in enumerate([*lines, ""], start=first_line):
        if line.strip():
            block.append(line)
            continue
        if block and all(each[0].isalpha() or each[0] in '`*:("' for each in block):
            yield Paragraph(number - len(block), number - 1, " ".join(block))
        block = []
