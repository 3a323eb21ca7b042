"""Whether a name still stands for the same model: a fixed text is embedded and compared with what came of it before."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

import numpy as np
from msgspec import Struct

from agentd.domain import Space
from agentd.kernels.messages import RemoteVectors
from agentd.kernels.quantise import restore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agentd.config.settings import ProviderSettings

PROBE_TEXT = "Is this still the same model? def median(values): return sorted(values)[len(values) // 2]  # Größe 42"
"""Prose, code, letters beyond ASCII and digits: models that differ, differ here. Spaces hang on it: never change it."""

SAME = 0.999
"""Cosine. Int8 costs 0.0001 of it, another batch or processor less; another quantisation of a model more."""


class Probe(Struct, frozen=True, array_like=True):
    """What PROBE_TEXT once became (as ``quantise`` makes it: d bytes, and a float32), and the revision that got."""

    codes: bytes
    scale: bytes
    revision: str


class ProbeMemory(Protocol):
    """Keeps probes across restarts. Losing them costs nothing while models stay: the revision comes of the vector."""

    async def get(self, key: str) -> Sequence[Probe]:
        """Those put under ``key``, in any order."""
        ...

    async def put(self, key: str, probe: Probe) -> None:
        """Keep one more; a few of a key are enough."""
        ...


def server_key(provider: ProviderSettings) -> str:
    """The server of a space. By its address: two names of one server share a space, and a new name loses none."""
    address = provider.base_url.rstrip("/").encode()
    return f"{provider.kind}-{hashlib.blake2b(address, digest_size=4).hexdigest()}"


def memory_key(provider: ProviderSettings) -> str:
    """What changes the vectors of a text by configuration: prefix and cut belong to the space as the model does."""
    parts = (
        provider.embedding_model,
        provider.document_prefix,
        provider.embedding_tokens,
        provider.embedding_dimension,
    )
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
    return f"{server_key(provider)}/{digest}"


async def recognise(provider: ProviderSettings, vector: RemoteVectors, memory: ProbeMemory) -> Space:
    """The space of a model that made ``vector`` of PROBE_TEXT: a known one, or a new one, which is remembered.

    A model that comes back gets its space back, and is compared with what it was at first, so that it cannot drift.
    """
    key = memory_key(provider)
    known = await memory.get(key)
    revision = next((probe.revision for probe in known if is_same(_vector(probe), vector)), None)
    if revision is None:
        revision = _revision(key, vector)
        await memory.put(key, Probe(vector.codes, vector.scales, revision))
    return Space(server_key(provider), provider.embedding_model, vector.dimension, revision)


def is_same(one: RemoteVectors, other: RemoteVectors) -> bool:
    """Whether two vectors of PROBE_TEXT are of one model."""
    if (len(one.codes), len(one.scales)) != (len(other.codes), len(other.scales)):
        return False
    before, now = _restored(one), _restored(other)
    return float(before @ now) >= SAME * float(np.linalg.norm(before) * np.linalg.norm(now))


def _vector(probe: Probe) -> RemoteVectors:
    return RemoteVectors(probe.codes, probe.scale, len(probe.codes))


def _restored(vector: RemoteVectors) -> NDArray[np.float32]:
    codes = np.frombuffer(vector.codes, np.int8).reshape(1, -1)
    return restore(codes, np.frombuffer(vector.scales, np.float32)).ravel()


def _revision(key: str, vector: RemoteVectors) -> str:
    return hashlib.blake2b(key.encode() + vector.codes, digest_size=8).hexdigest()
