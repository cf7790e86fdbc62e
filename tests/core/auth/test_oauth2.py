"""When a token is renewed, by what, and where the new pair goes first."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr

from plugbay.auth import MemoryTokenStore, OAuth2, TokenAnswer, Tokens
from plugbay.errors import AuthenticationError, ConfigurationError, NetworkError

A0 = {"authorization": "Bearer a0"}


def oauth(**parts):
    return OAuth2(**({"access_token": "a0", "refresh_token": "r0", "client_id": "c", "client_secret": "s"} | parts))


async def test_token_without_an_end_is_used_until_401(endpoint):
    """A token whose life is not known is sent as it is."""
    assert await oauth().headers(endpoint) == A0
    assert endpoint.bodies == []


async def test_renewed_at_80_percent_of_its_life(endpoint, clock):
    """A token of known life is renewed when four fifths of it are over."""
    credentials = oauth(expires_in=1000, clock=clock)
    clock.now += 799
    assert await credentials.headers(endpoint) == A0
    clock.now += 2
    assert await credentials.headers(endpoint) == {"authorization": "Bearer a1"}


async def test_answers_life_counts_for_the_new_token(endpoint, clock):
    """The life that comes with a token decides when that one is renewed."""
    endpoint.expires_in = 100
    credentials = oauth(access_token=None, clock=clock)
    await credentials.headers(endpoint)
    clock.now += 79
    assert await credentials.headers(endpoint) == {"authorization": "Bearer a1"}
    clock.now += 2
    assert await credentials.headers(endpoint) == {"authorization": "Bearer a2"}


async def test_expired_at_the_start(endpoint, clock):
    """A token that is given after its end is renewed before it is used."""
    assert await oauth(expires_at=clock.now - 5, clock=clock).headers(endpoint) == {"authorization": "Bearer a1"}


async def test_failed_early_renewal_does_not_fail_the_call(endpoint, clock):
    """While the old token works, a failure to renew it early is tolerated, and not tried again at once."""
    credentials = oauth(expires_in=1000, clock=clock)
    endpoint.failure = NetworkError("down")
    clock.now += 801
    assert await credentials.headers(endpoint) == A0
    assert await credentials.headers(endpoint) == A0
    assert len(endpoint.bodies) == 1
    clock.now += 31
    endpoint.failure = None
    assert await credentials.headers(endpoint) == {"authorization": "Bearer a1"}


async def test_failed_late_renewal_fails_the_call(endpoint, clock):
    """Once the token has ended, a failure to renew it is the call's failure."""
    credentials = oauth(expires_in=1000, clock=clock)
    endpoint.failure = NetworkError("down")
    clock.now += 1001
    with pytest.raises(NetworkError):
        await credentials.headers(endpoint)


async def test_token_that_cannot_be_renewed_is_used_to_the_end(endpoint, clock):
    """Without a way to renew, even a token past its end is sent: the service has the last word."""
    credentials = oauth(client_id=None, expires_in=1, clock=clock)
    clock.now += 100
    assert await credentials.headers(endpoint) == A0
    assert await credentials.renew(A0, endpoint) is None


async def test_old_failure_gets_the_current_token(endpoint):
    """A 401 for a token that was replaced meanwhile costs no exchange."""
    credentials = oauth()
    assert await credentials.renew(A0, endpoint) == {"authorization": "Bearer a1"}
    assert await credentials.renew({"Authorization": "Bearer a0"}, endpoint) == {"authorization": "Bearer a1"}
    assert len(endpoint.bodies) == 1


async def test_each_renewal_spends_the_newest_refresh_token(endpoint):
    """Rotated refresh tokens are used one after the other."""
    credentials = oauth()
    first = await credentials.renew(A0, endpoint)
    await credentials.renew(first, endpoint)
    assert [body["refresh_token"] for body in endpoint.bodies] == ["r0", "r1"]


async def test_refresh_token_is_kept_when_none_comes():
    """An answer without a refresh token leaves the old one in use."""
    bodies = []

    async def exchange(path, body):
        bodies.append(body["refresh_token"])
        return TokenAnswer(200, {"access_token": f"a{len(bodies)}"})

    credentials = oauth(token_path="/token")
    await credentials.renew(await credentials.renew(A0, exchange), exchange)
    assert bodies == ["r0", "r0"]


async def test_same_token_again_is_no_renewal():
    """A token endpoint that gives the refused token again ends the matter."""

    async def exchange(path, body):
        return TokenAnswer(200, {"access_token": "a0"})

    assert await oauth().renew(A0, exchange) is None


async def test_new_pair_is_saved_before_it_is_used(endpoint):
    """First the store has the new pair, then the callback, then the caller."""
    order = []

    class Store(MemoryTokenStore):
        async def save(self, tokens):
            order.append(("store", tokens.access_token.get_secret_value()))
            await super().save(tokens)

    async def notify(tokens):
        order.append(("callback", tokens.refresh_token.get_secret_value(), tokens.scope))

    credentials = oauth(token_store=Store(), on_token_refresh=notify)
    await credentials.renew(await credentials.headers(endpoint), endpoint)
    assert order == [("store", "a1"), ("callback", "r1", "read")]


async def test_callback_may_be_a_plain_function(endpoint):
    """A callback that returns nothing to await is fine."""
    seen = []
    await oauth(on_token_refresh=seen.append).renew(A0, endpoint)
    assert isinstance(seen[0], Tokens)


async def test_raising_callback_fails_the_call_and_keeps_the_pair(endpoint):
    """A pair that could not be saved fails the call; the next call uses it, and tries to save it again."""
    saved, failing = [], [True]

    def notify(tokens):
        if failing[0]:
            raise OSError("disk full")
        saved.append(tokens.access_token.get_secret_value())

    credentials = oauth(on_token_refresh=notify)
    with pytest.raises(ConfigurationError, match="OSError") as caught:
        await credentials.renew(A0, endpoint)
    assert isinstance(caught.value.__cause__, OSError)
    assert await credentials.headers(endpoint) == {"authorization": "Bearer a1"}
    failing[0] = False
    assert await credentials.headers(endpoint) == {"authorization": "Bearer a1"}
    await credentials.headers(endpoint)
    assert saved == ["a1"]
    assert len(endpoint.bodies) == 1


async def test_store_comes_before_what_was_given(endpoint):
    """A pair that an earlier process saved is newer than the one in the configuration."""
    store = MemoryTokenStore(Tokens(SecretStr("a7"), SecretStr("r7")))
    assert await oauth(token_store=store).headers(endpoint) == {"authorization": "Bearer a7"}


async def test_another_process_has_renewed(endpoint):
    """After a 401 the store is read first: a pair that another process put there is used, not refreshed."""
    store = MemoryTokenStore()
    credentials = oauth(token_store=store)
    headers = await credentials.headers(endpoint)
    await store.save(Tokens(SecretStr("a9"), SecretStr("r9")))
    assert await credentials.renew(headers, endpoint) == {"authorization": "Bearer a9"}
    assert endpoint.bodies == []


async def test_another_process_was_quicker():
    """A refresh token that another process spent first is no failure if the store has its new pair."""
    store = MemoryTokenStore()

    async def exchange(path, body):
        await store.save(Tokens(SecretStr("a9"), SecretStr("r9")))
        return TokenAnswer(400, {"error": "invalid_grant"})

    credentials = oauth(token_store=store)
    assert await credentials.renew(await credentials.headers(exchange), exchange) == {"authorization": "Bearer a9"}


async def test_older_pair_in_the_store_is_no_news(endpoint):
    """When our new pair could not be saved, the spent one in the store is not taken for a newer one."""

    class Broken(MemoryTokenStore):
        async def save(self, tokens):
            raise OSError("disk full")

    credentials = oauth(token_store=Broken(Tokens(SecretStr("a0"), SecretStr("r0"))))
    headers = await credentials.headers(endpoint)
    with pytest.raises(ConfigurationError):
        await credentials.renew(headers, endpoint)
    headers = await credentials.headers(endpoint)
    with pytest.raises(ConfigurationError):
        await credentials.renew(headers, endpoint)
    assert [body["refresh_token"] for body in endpoint.bodies] == ["r0", "r1"]


async def test_failing_store_is_a_configuration_error(endpoint):
    """A store that cannot be read is named as the reason."""

    class Broken(MemoryTokenStore):
        async def load(self):
            raise OSError("gone")

    with pytest.raises(ConfigurationError, match="OSError"):
        await oauth(token_store=Broken()).headers(endpoint)


async def test_empty_store_and_nothing_given(endpoint):
    """A store that holds nothing, with nothing else to go by, is a configuration error at the first call."""
    credentials = OAuth2(token_store=MemoryTokenStore())
    with pytest.raises(ConfigurationError):
        await credentials.headers(endpoint)


@pytest.mark.parametrize("parts", [{}, {"refresh_token": "r"}, {"client_id": "c"}, {"client_secret": "s"}])
def test_no_way_to_a_token_is_refused(parts):
    """Parts that can never lead to a token are refused when they are given."""
    with pytest.raises(ConfigurationError) as caught:
        OAuth2(**parts)
    assert "client_id" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (400, {"error": "invalid_grant"}, "authorize again"),
        (401, {"error": "invalid_client"}, "client_secret"),
        (400, {"error": "invalid_scope"}, "scopes"),
        (401, {"error": "Couldn't authenticate you"}, "uthorize again"),
        (403, None, "uthorize again"),
        (400, ["?"], "uthorize again"),
    ],
)
async def test_refusal_says_what_to_do(status, body, told):
    """Each refusal of the token endpoint is an authentication error with the advice that fits."""

    async def exchange(path, body_sent):
        return TokenAnswer(status, body)

    with pytest.raises(AuthenticationError) as caught:
        await oauth().renew(A0, exchange)
    assert told in caught.value.hint
    assert caught.value.details["status"] == status


async def test_an_early_renewal_that_hangs_costs_one_call(clock):
    """A token that still works is used on while its early renewal hangs, whatever little time the calls have."""

    async def hang(path, body):
        await asyncio.Event().wait()

    auth = OAuth2(access_token="old", refresh_token="r", client_id="c", expires_in=1_000, clock=clock)
    clock.now += 900
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await auth.headers(hang)
    assert "Bearer old" == (await auth.headers(hang))["authorization"]


async def test_a_call_does_not_wait_long_for_an_early_renewal(clock):
    """The call for whose sake a token is renewed early goes on with the old one after `early_wait` seconds."""

    async def hang(path, body):
        await asyncio.Event().wait()

    auth = OAuth2(access_token="old", refresh_token="r", client_id="c", expires_in=1_000, clock=clock, early_wait=0.01)
    clock.now += 900
    assert "Bearer old" == (await auth.headers(hang))["authorization"]
