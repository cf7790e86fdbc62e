"""Lets the shared contracts explain a failed assertion as test modules do."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.adapters.contract", "tests.adapters.wire.wire")
