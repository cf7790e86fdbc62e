"""Who shares a tenant's budgets."""

from __future__ import annotations

from plugbay.transport.tenancy import apart, tenant

BASE = "https://acme.example.com"


def found(base_url=BASE, http=None, clock=print):
    """The tenant of a transport that is made now."""
    return tenant(base_url, http, clock)


def test_a_tenant_is_shared():
    """Whatever has the same root, the same way there and the same clock is of one tenant, and nothing else is."""
    first = found()
    others = [found(BASE + "/x"), found(http=object()), found(clock=repr)]

    assert first is found()
    assert first not in others


def test_holders_are_apart():
    """Transports that are made for somebody share with his others only, though the tenant is the same."""
    everybody = found()
    with apart("one"):
        one = found()
        with apart("two"):
            two = found()
        again = found()
    with apart("one"):
        later = found()

    assert [one, one] == [again, later]
    assert 3 == len({id(each) for each in (everybody, one, two)})
    assert everybody is found()
