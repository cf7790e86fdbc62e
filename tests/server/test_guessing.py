"""Whose tries are counted together."""

from __future__ import annotations

import pytest

pytest.importorskip("sqlalchemy")

from plugbay.server.guessing import origin_of


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unix socket", "unix socket"),
        ("", ""),
    ],
)
def test_an_address_counts_with_those_of_the_same_holder(address, expected):
    """Who has an IPv6 network has endless addresses, and one budget."""
    assert expected == origin_of(address)
