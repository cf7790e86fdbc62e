"""Which hosts are this machine or its neighbours, and not the public internet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

__all__ = ["is_loopback", "is_public"]

_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""Where the last four bytes are an IPv4 address: behind a NAT64 (RFC 6052), and IPv4-compatible (RFC 4291 2.5.5.1)."""

_FOUR_BYTES = 0xFFFFFFFF


def is_loopback(host: str) -> bool:
    """Whether `host` is 127.0.0.0/8, ::1 or `localhost`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(host: str) -> bool:
    """Whether `host` is a public address, or a name that is not one of this machine's.

    A name is not looked up; that the name is a trusted one is for an allow list to say.
    """
    host = host.removesuffix(".")
    if not host or host == "localhost" or host.endswith(".localhost"):
        return False
    address = _literal(host)
    if address is None:
        # Resolvers read "2130706433", "0x7f.1" and "127.1" as 127.0.0.1.
        return not _is_number(host.rsplit(".", 1)[-1])
    if isinstance(address, IPv6Address) and (address.is_reserved or address.is_site_local):
        return False  # neither is any longer, or yet, a part of the internet, and `is_global` does not say so
    return address.is_global and not address.is_multicast


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that `host` is, or the IPv4 address that is wrapped in it."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return _unwrapped(address) if isinstance(address, IPv6Address) else address


def _unwrapped(address: IPv6Address) -> IPv4Address | IPv6Address:
    if any(address in network for network in _TRANSLATED):
        return IPv4Address(int(address) & _FOUR_BYTES)
    return address.ipv4_mapped or address.sixtofour or address


def _is_number(label: str) -> bool:
    try:
        int(label, 16 if label[:2].lower() == "0x" else 10)
    except ValueError:
        return label.lower() == "0x"
    return True
