"""Words of technical prose that say the same, and how much of a sentence's words a text says with them. Pure.

The groups are general ones, written from no text in particular: an embedding of single words takes opposites for
synonyms as often as not, a list does not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from agentd.kernels.tokens import parts_of
from agentd.kernels.words import CONNECTING, NEGATIONS, plain, stem

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_WORD = re.compile(r"[^\W_]+(?:[\u2019']t)?")

_GROUPS = """
add append attach insert put | absent missing miss lack | accept take allow permit let | adjust tune tweak
afterwards afterward later subsequent next follow then | abort cancel | alter change modify edit update adapt
answer reply respond response | ask request query | begin start initiate launch | bind attach tie | block wait hang
break split divide | bring cause lead make produce yield trigger | build create make construct generate produce form
call invoke run execute | cease stop end halt finish terminate | cheap efficient inexpensive
check verify validate test examine inspect confirm | choose select pick | clean clear wipe empty | close shut
collect gather | combine merge join unite | compare match | comply obey honor honour respect | conceive invent devise
connect link | consist comprise contain hold include have made | convert turn transform translate become
copy duplicate clone | costly expensive | corrupt damage | decode decrypt | decrease reduce lower shrink save lessen
define declare | delete remove drop erase discard purge take gone evict | deprecated obsolete | detach disconnect
determine decide | differ different vary inconsistent | directory folder | disagree differ mismatch | disable off
discover find detect notice | display show print | distinct unique separate | double twice | due expire
each every all any per | elsewhere outside | enable on | ensure guarantee | entire whole full complete all
entry item element record member | error exception failure fail | exceed over beyond above | exclude omit
execute run perform do carry | exist present there | explain describe tell say | extract take | fail error crash break
fall drop | fast quick speedy efficient | fetch get retrieve obtain read load | field attribute | fix repair mend
free available room | function method | get receive obtain | give pass provide supply specify hand set | go pass
grow increase rise | handle process treat | head front start | help aid assist | hide conceal | idle inactive nothing
ignore disregard skip matter | illegal invalid | important matter | inform tell notify | initial first | inside within
interrupt stop | keep hold retain store maintain stay remain preserve live last | kill terminate
large big great high | leave remain | limit restrict maximum cap most bound | list enumerate | lock mutex | log record
look search seek | map mapping dictionary dict | mark flag | mean say signify indicate denote tell report
measure count | meet satisfy fit match | message text | move shift | name call | need require must mandatory demand
new fresh | null none nil nothing | number count amount | object instance | occur happen | often frequent
old previous former prior earlier | open start | option setting argument parameter | order sequence
override overwrite replace supersede precedence | own possess | part piece portion section | pause suspend
phase stage | place location position spot | possible may can able | prefer favor favour
prevent avoid protect keep stop | probably likely | protect secure guard safe | quit exit | raise throw | rank order
reach hit arrive come | refer point | refuse reject deny | regard consider treat count | rely depend
repeat retry again | replace substitute | return give back come yield answer | rewrite replace | room space
rule policy | same equal identical equivalent like | scan look read | seldom rarely | send transmit emit pass
shorten trim truncate cut | silently quietly word | single one individual | size length long | skip pass omit leave
slow sluggish | small little low few tiny short | sort order arrange | speak talk | state status
sometimes occasionally | space room storage | successful succeed | suffice enough | support accept
surround enclose wrap | switch change toggle | thread worker | time duration period | try attempt | type kind sort
usual normal ordinary typical default common general most unless | use employ utilise utilize apply user
person people | value amount | want wish desire | warn caution | wide broad | worse degrade bad
write save store record | zero 0 nothing | abstract summary | asynchronous await async | synchronous sync
sub subclass child derive | super parent base | identifier id | administrator admin | authentication auth
configuration config setting | database db | environment env | maximum max | minimum min | message msg
parameter param | repository repo | temporary temp
"""
_GENERAL = """
about again also already although back become both case certain come do done down either even get go happen here itself
just kind know leave let like make mean more most much now out over own perhaps put rather say set since some speak
stay still such take tell then thing though too up very way well whether while work yet
"""
GENERAL_WEIGHT = 0.3
"""Of a word that means little by itself; any other one weighs 1."""
SYNONYM, RELATIVE = 0.75, 0.9
"""What a word counts where another one of its group stands there, or one of its family (``verify``, ``verification``).
"""
_FAMILY_CHARS = 6
"""Letters that the words of a family begin with."""


def _table() -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for group in re.split(r"[|\n]", _GROUPS):
        words = [stem(word) for word in group.split()]
        for word in words:
            found[word].update(words)
    return {word: frozenset(others) for word, others in found.items()}


_ALIKE = _table()
_LIGHT = frozenset(stem(word) for word in _GENERAL.split())


def weight(word: str) -> float:
    """How much the stem of a word means by itself.

    >>> weight("cach"), weight("get")
    (1.0, 0.3)
    """
    return GENERAL_WEIGHT if word in _LIGHT else 1.0


def meaning_words(text: str) -> list[str]:
    """Stems of the words of ``text`` that carry meaning, in order, those of identifiers apart.

    >>> meaning_words("the `HTTPResponse` of get_user()")
    ['http', 'respons', 'get', 'user']
    """
    parts = (part for word in _WORD.findall(text) for part in (_split(word) or (word,)))
    words = (plain(part) for part in parts)
    return [stem(word) for word in words if word not in CONNECTING and word not in NEGATIONS]


def covered(words: AbstractSet[str], there: AbstractSet[str]) -> float:
    """The share of ``words`` by weight that ``there`` says, be it in other words; 0 where there are no words.

    >>> covered({"delet", "fil"}, {"remov", "fil"})
    0.875
    """
    whole = sum(map(weight, words))
    heads = frozenset(other[:_FAMILY_CHARS] for other in there if len(other) >= _FAMILY_CHARS)
    return sum(weight(word) * _credit(word, there, heads) for word in words) / whole if whole else 0.0


def _credit(word: str, there: AbstractSet[str], heads: frozenset[str]) -> float:
    """``heads`` are the first letters of ``there``: ``stem`` leaves endings such as that of ``verification``."""
    if word in there:
        return 1.0
    if _ALIKE.get(word, frozenset()) & there:
        return SYNONYM
    return RELATIVE if word[:_FAMILY_CHARS] in heads else 0.0


def _split(word: str) -> tuple[str, ...]:
    return () if word.islower() and word.isalpha() else parts_of(word) if word.isalnum() else ()
