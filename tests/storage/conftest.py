from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from storage_samples import Index

from agentd.storage.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def catalogue(tmp_path: Path) -> AsyncIterator[Catalogue]:
    opened = await Catalogue.open(tmp_path / "index.db")
    yield opened
    await opened.close()


@pytest.fixture
async def index(catalogue: Catalogue) -> Index:
    return Index(catalogue)
