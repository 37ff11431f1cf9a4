"""Fixtures of the tests of the core."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from laws import forget_everything


@pytest.fixture
def empty_caches() -> Iterator[None]:
    """Empty caches before and after a test that changes a rule of the package."""
    forget_everything()
    yield
    forget_everything()
