"""Text that must not be said, held back word by word as it streams. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HIDDEN_RUN = 40
"""Letters and digits in a row that make it text of the rules. Shorter runs are common English."""

_WORD = re.compile(r"\S*\s+|\S+")


class Unsaid:
    """Holds words back as long as they may be part of a hidden text, and drops them where they are.

    ``dropped`` counts the passages that were.
    """

    def __init__(self, hidden: Sequence[str]) -> None:
        self.dropped = 0
        self._hidden = [squashed(text) for text in hidden]
        self._held: list[str] = []
        self._run = ""  # the letters and digits of what is held
        self._dropping = False

    def feed(self, text: str) -> str:
        """What of ``text``, and of what was held, can be said."""
        return "".join(map(self._word, _WORD.findall(text))) if self._hidden else text

    def end(self) -> str:
        """The rest."""
        said = "" if self._dropping else "".join(self._held)
        self._held, self._run, self._dropping = [], "", False
        return said

    def _word(self, word: str) -> str:
        letters = squashed(word)
        if self._dropping:
            if self._known((self._run + letters)[-HIDDEN_RUN:]):
                self._run = (self._run + letters)[-HIDDEN_RUN:]
                return ""
            self._held, self._run, self._dropping = [], "", False
        self._held.append(word)
        self._run += letters
        said = ""
        while self._held and not self._known(self._run):
            first = self._held.pop(0)
            self._run = self._run[len(squashed(first)) :]
            said += first
        if len(self._run) >= HIDDEN_RUN:
            self._held, self._dropping = [], True
            self.dropped += 1
        return said

    def _known(self, run: str) -> bool:
        return any(run in text for text in self._hidden)


def squashed(text: str) -> str:
    r"""Letters and digits alone: neither marks nor line ends hide a text.

    >>> squashed("**Rest** on the\nsources.")
    'restonthesources'
    """
    return "".join(filter(str.isalnum, text.casefold()))
