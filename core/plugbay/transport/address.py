"""Which hosts are this machine or its neighbours, and not the public internet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

__all__ = ["is_loopback", "is_public"]


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
    return address.is_global and not address.is_multicast


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that `host` is, or the IPv4 address that is wrapped in it."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _is_number(label: str) -> bool:
    try:
        int(label, 16 if label[:2].lower() == "0x" else 10)
    except ValueError:
        return label.lower() == "0x"
    return True
