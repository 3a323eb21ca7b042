"""What one run may see, and what it has seen: the policy of every root seen holds for all that leaves later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentd.providers.contracts import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from agentd.agent.contracts import Limits, ToolResult
    from agentd.config.settings import Egress, RootSettings

_ADDRESS = re.compile(r"\bhttps?://[^\s<>\"'`\]|]+", re.IGNORECASE)
_TRAILING = ".,;:!?"


class RunScope:
    """Satisfies ``Scope``. ``rule`` gives what the configuration says of a root now: a reload holds for runs, too.

    A run that was asked about no root by name begins with nothing seen, and may use the web where any root allows it;
    its prompt then names no other root. What it sees of a root that does not allow it takes the web away for good.
    """

    def __init__(
        self,
        task: str,
        limits: Limits,
        roots: Iterable[str],
        named: Iterable[str],
        rule: Callable[[str], RootSettings],
    ) -> None:
        self.roots = tuple(sorted(roots))
        self.named = tuple(sorted(named))
        self.limits = limits
        self._rule = rule
        self._seen: set[str] = set()
        self._addresses = set(addresses_in(task))

    @property
    def addresses(self) -> Collection[str]:
        """Those in the task, and those that results gave."""
        return self._addresses

    @property
    def touched(self) -> tuple[str, ...]:
        """Roots whose text was seen or that were asked for by name, sorted."""
        return tuple(sorted(self._seen | set(self.named)))

    @property
    def spoken(self) -> tuple[str, ...]:
        """Roots whose paths the prompt may name: those that take nothing away from the run."""
        if self.named or self.web_refusal():
            return self.roots
        return tuple(root for root in self.roots if self._allows(root))

    def saw(self, result: ToolResult) -> None:
        """Note what ``result`` tells of."""
        self._seen |= result.roots
        self._addresses |= result.addresses

    def outgoing(self, purpose: Egress) -> Outgoing:
        """A model may be told of any root of the run; what goes into the web is of those seen or named."""
        if purpose != "web":
            return Outgoing(purpose, frozenset(self._seen.union(self.roots)))
        return Outgoing(purpose, frozenset(self.touched or filter(self._allows, self.roots)))

    def web_refusal(self) -> str:
        """See ``Scope``."""
        refusing = [root for root in self.touched if not self._allows(root)]
        if not refusing and (self.touched or any(map(self._allows, self.roots))):
            return ""
        which = refusing[0] if refusing else "any root"
        return (
            f"the configuration does not allow the web to a run that is about {which}, or has seen text of it: "
            'egress = ["web"] in its [[root]] would'
        )

    def _allows(self, root: str) -> bool:
        return "web" in self._rule(root).egress


def addresses_in(text: str) -> list[str]:
    """Addresses of pages that a person wrote into ``text``, without the punctuation behind them.

    >>> addresses_in("Read https://a.example/x_(y), please (and http://b.example).")
    ['https://a.example/x_(y)', 'http://b.example']
    """
    return [_bare(match[0]) for match in _ADDRESS.finditer(text)]


def _bare(address: str) -> str:
    """A closing bracket that none within the address opens is the sentence's."""
    while address.endswith((*_TRAILING, ")")):
        if address.endswith(")") and address.count("(") >= address.count(")"):
            break
        address = address[:-1]
    return address
