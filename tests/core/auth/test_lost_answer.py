"""A renewal whose answer does not arrive: nobody knows whether the refresh token is spent."""

from __future__ import annotations

import pytest

from plugbay.auth import OAuth2
from plugbay.errors import AuthenticationError, NetworkError

A0 = {"authorization": "Bearer a0"}


@pytest.fixture
async def zendesk(rotating):
    """A connector whose token has expired."""
    rotating.expire()
    zendesk = rotating.connector()
    yield zendesk
    await zendesk.close()


async def test_answer_is_lost(rotating, zendesk):
    """The new pair went with the answer: the next call says to authorize again, and goes on once somebody has."""
    rotating.sandbox.fail("/oauth/tokens", when="after", reset=True)
    with pytest.raises(NetworkError) as caught:
        await zendesk.users.list(limit=1)
    assert "token" == caught.value.details["step"]
    with pytest.raises(AuthenticationError) as refused:
        await zendesk.users.list(limit=1)
    assert "authorize again" in refused.value.hint
    await rotating.store.save(rotating.new_pair())
    await zendesk.users.list(limit=1)
    assert 1 == rotating.exchanges(400)


async def test_request_is_lost(rotating, zendesk):
    """If the token endpoint had not carried the request out, the refresh token is still good at the next call."""
    rotating.sandbox.fail("/oauth/tokens", when="before", reset=True)
    with pytest.raises(NetworkError):
        await zendesk.users.list(limit=1)
    await zendesk.users.list(limit=1)
    assert 1 == rotating.exchanges(201)


async def test_old_token_is_used_on_until_it_is_refused(endpoint, clock):
    """After an early renewal of unknown outcome the old token is sent as long as it is accepted."""
    credentials = OAuth2(access_token="a0", refresh_token="r0", client_id="c", expires_in=1000, clock=clock)

    async def lost(path, body):
        await endpoint(path, body)
        raise NetworkError("lost")

    clock.now += 801
    assert A0 == await credentials.headers(lost)
    clock.now += 31
    assert A0 == await credentials.headers(endpoint)
    with pytest.raises(AuthenticationError) as caught:
        await credentials.renew(A0, endpoint)
    assert "authorize again" in caught.value.hint
