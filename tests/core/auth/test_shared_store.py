"""Several credentials over one store, a pair given anew, and what is told of a renewal."""

from __future__ import annotations

import asyncio
import contextlib
import selectors

import pytest
from pydantic import SecretStr

from plugbay.auth import FileTokenStore, MemoryTokenStore, OAuth2, TokenAnswer, Tokens
from plugbay.auth.oauth2 import EARLY_SECONDS, POSTPONE_SECONDS
from plugbay.errors import AuthenticationError, ConfigurationError, DeadlineExceededError, NetworkError
from plugbay.trace import Trace, traced

A0 = {"authorization": "Bearer a0"}
DEAD = Tokens(SecretStr("a-dead"), SecretStr("r-dead"))


def oauth(**parts):
    return OAuth2(**({"access_token": "a0", "refresh_token": "r0", "client_id": "c", "client_secret": "s"} | parts))


def bearer(name):
    return {"authorization": f"Bearer {name}"}


def spent(endpoint):
    """The refresh tokens that the endpoint was given, in order."""
    return [body["refresh_token"] for body in endpoint.bodies]


@pytest.fixture(params=["file", "memory"])
def store(request, tmp_path):
    return MemoryTokenStore() if request.param == "memory" else FileTokenStore(tmp_path / "tokens.json")


async def test_one_exchange_for_all_who_share_a_store(store, endpoint):
    """Two connectors of one tenant, say, that share a store renew once; nobody's refresh token is refused."""
    sharing = [oauth(token_store=store) for _ in range(6)]
    for credentials in sharing:
        assert A0 == await credentials.headers(endpoint)
    assert [bearer("a1")] * 6 == await asyncio.gather(*[each.renew(A0, endpoint) for each in sharing])
    assert ["r0"] == spent(endpoint)


async def test_lock_is_held_from_the_load_to_the_save_and_no_longer(endpoint):
    """Loading again, exchanging and saving happen inside the lock; the caller goes on outside."""
    order = []

    class Store(MemoryTokenStore):
        async def load(self):
            order.append("load")
            return await super().load()

        async def save(self, tokens):
            order.append("save")
            await super().save(tokens)

        @contextlib.asynccontextmanager
        async def lock(self):
            order.append("lock")
            yield
            order.append("release")

    async def exchange(path, body):
        order.append("exchange")
        return await endpoint(path, body)

    credentials = oauth(token_store=Store())
    await credentials.headers(exchange)
    assert ["load"] == order
    order.clear()
    await credentials.renew(A0, exchange)
    assert ["load", "lock", "load", "exchange", "save", "release"] == order
    order.clear()
    await credentials.headers(exchange)
    assert [] == order


async def test_pair_of_another_process_needs_no_lock(tmp_path, endpoint):
    """A pair that is in the store already is used without waiting for whoever renews the next one."""
    store = FileTokenStore(tmp_path / "tokens.json", lock_timeout=0)
    credentials = oauth(token_store=store)
    await credentials.headers(endpoint)
    await store.save(Tokens(SecretStr("a9"), SecretStr("r9")))
    async with store.lock():
        assert bearer("a9") == await credentials.renew(A0, endpoint)


async def test_lock_that_cannot_be_had_is_an_error_with_a_name(tmp_path, endpoint):
    """A process that hangs with the lock makes others fail after a while; nothing is exchanged, and the next try works."""
    store = FileTokenStore(tmp_path / "tokens.json", lock_timeout=0)
    credentials = oauth(token_store=store)
    await credentials.headers(endpoint)
    async with store.lock():
        with pytest.raises(DeadlineExceededError):
            await credentials.renew(A0, endpoint)
    assert [] == endpoint.bodies
    assert bearer("a1") == await credentials.renew(A0, endpoint)


async def test_callers_own_deadline_holds_while_another_has_the_lock(store, endpoint):
    """A caller that waits for another process's renewal can be called off; the renewal goes on for the others."""
    credentials = oauth(token_store=store)
    await credentials.headers(endpoint)
    async with store.lock():
        patient = asyncio.create_task(credentials.renew(A0, endpoint))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await credentials.renew(A0, endpoint)
    assert bearer("a1") == await patient
    assert ["r0"] == spent(endpoint)


async def test_lock_is_let_go_after_a_failure(endpoint):
    """When the exchange fails the lock is let go of all the same, and is told of the failure."""
    told = []

    class Lock:
        async def __aenter__(self):
            told.append("taken")

        async def __aexit__(self, kind, error, trace):
            told.append(kind)

    class Store(MemoryTokenStore):
        def lock(self):
            return Lock()

    credentials = oauth(token_store=Store())
    await credentials.headers(endpoint)
    endpoint.failure = NetworkError("down")
    with pytest.raises(NetworkError):
        await credentials.renew(A0, endpoint)
    endpoint.failure = None
    await credentials.renew(A0, endpoint)
    assert ["taken", NetworkError, "taken", None] == told


class BadLock:
    """A lock that a user wrote, and that fails."""

    def __init__(self, *, enters):
        self._enters = enters

    async def __aenter__(self):
        if not self._enters:
            raise ConnectionError("no server for locks")

    async def __aexit__(self, *_):
        raise ConnectionError("no server for locks")


class WithBadLock(MemoryTokenStore):
    def __init__(self, *, enters):
        super().__init__()
        self._bad = BadLock(enters=enters)

    def lock(self):
        return self._bad


async def test_users_lock_that_fails_is_a_configuration_error(endpoint):
    """A lock that cannot be taken is named as the reason, and nothing is exchanged without it."""
    credentials = oauth(token_store=WithBadLock(enters=False))
    await credentials.headers(endpoint)
    with pytest.raises(ConfigurationError, match="locked: ConnectionError"):
        await credentials.renew(A0, endpoint)
    assert [] == endpoint.bodies


async def test_users_lock_that_fails_to_open_loses_no_pair(endpoint, caplog):
    """When the pair is saved, a lock that cannot be let go of is a line in the log."""
    credentials = oauth(token_store=WithBadLock(enters=True))
    await credentials.headers(endpoint)
    assert bearer("a1") == await credentials.renew(A0, endpoint)
    assert "ConnectionError" in caplog.text


async def test_pair_given_anew_replaces_a_dead_one(store, endpoint):
    """Who has authorized again and gives the new pair is not held up by the dead one that the store still has."""
    await store.save(DEAD)
    credentials = oauth(token_store=store)
    assert bearer("a-dead") == await credentials.headers(endpoint)
    assert bearer("a1") == await credentials.renew(bearer("a-dead"), endpoint)
    assert ["r-dead", "r0"] == spent(endpoint)
    assert "r1" == (await store.load()).refresh_token.get_secret_value()


async def test_pair_given_at_first_is_tried_once(endpoint):
    """A refresh token that was given and is dead, too, is tried once, and the stored pair is not deleted."""
    endpoint.generation = 5
    store = MemoryTokenStore(DEAD)
    credentials = oauth(token_store=store)
    failed = await credentials.headers(endpoint)
    for _ in range(3):
        with pytest.raises(AuthenticationError) as caught:
            await credentials.renew(failed, endpoint)
        assert "authorize again" in caught.value.hint
    assert (["r-dead", "r0"], 1) == (spent(endpoint)[:2], spent(endpoint).count("r-dead"))
    assert DEAD == await store.load()


async def test_given_token_that_was_used_is_not_tried_again(endpoint):
    """The pair that began the store's history is spent: when its last successor dies, it is not asked for."""
    store = MemoryTokenStore()
    credentials = oauth(token_store=store)
    failed = await credentials.renew(await credentials.headers(endpoint), endpoint)
    endpoint.generation = 9
    with pytest.raises(AuthenticationError):
        await credentials.renew(failed, endpoint)
    assert ["r0", "r1"] == spent(endpoint)


async def test_given_token_that_another_used_is_not_tried_again(endpoint):
    """Where the store had the very pair that was given, another's renewal spent it: it is no way back from a dead pair."""
    store = MemoryTokenStore(Tokens(SecretStr("a0"), SecretStr("r0")))
    ours, others = oauth(token_store=store), oauth(token_store=store)
    failed = await ours.headers(endpoint)
    await others.renew(await others.headers(endpoint), endpoint)
    failed = await ours.renew(failed, endpoint)
    endpoint.generation = 9
    with pytest.raises(AuthenticationError):
        await ours.renew(failed, endpoint)
    assert ["r0", "r1"] == spent(endpoint)


async def test_lost_answer_does_not_use_the_given_pair_up(endpoint):
    """If the answer to the given refresh token is lost, that one is tried again at the next call."""
    lost = []

    async def exchange(path, body):
        if body["refresh_token"] == "r0" and not lost:
            lost.append(body)
            raise NetworkError("lost")
        return await endpoint(path, body)

    credentials = oauth(token_store=MemoryTokenStore(DEAD))
    failed = await credentials.headers(exchange)
    with pytest.raises(NetworkError):
        await credentials.renew(failed, exchange)
    assert bearer("a1") == await credentials.renew(failed, exchange)


@pytest.mark.parametrize("parts", [{"refresh_token": None}, {"refresh_token": None, "client_id": None}])
async def test_access_token_given_anew_replaces_a_dead_one(endpoint, parts):
    """Who gives a new access token alone is not held up by the store's dead pair either, whether it can be renewed or not."""
    credentials = oauth(client_secret=None, token_store=MemoryTokenStore(DEAD), **parts)
    failed = await credentials.headers(endpoint)
    assert bearer("a-dead") == failed
    assert A0 == await credentials.renew(failed, endpoint) == await credentials.headers(endpoint)
    with contextlib.suppress(AuthenticationError):
        assert await credentials.renew(A0, endpoint) is None


async def test_expired_pair_in_the_store_is_renewed_by_its_own_refresh_token(endpoint, clock):
    """A pair that comes into the store already expired, by our clock, is exchanged; its refresh token is the newest."""
    store = MemoryTokenStore()
    credentials = oauth(token_store=store, clock=clock)
    failed = await credentials.headers(endpoint)
    endpoint.generation = 7
    await store.save(Tokens(SecretStr("a7"), SecretStr("r7"), clock.now - 3600))
    assert bearer("a8") == await credentials.renew(failed, endpoint)
    assert ["r7"] == spent(endpoint)


@pytest.mark.parametrize("skew", [-7200, 7200])
async def test_clocks_that_differ_cost_no_token(endpoint, clock, skew):
    """Processes whose clocks are hours apart share a store: every call gets a token that is good then."""
    endpoint.expires_in = 1800
    store = MemoryTokenStore()
    ours = oauth(token_store=store, clock=clock)
    theirs = oauth(token_store=store, clock=lambda: clock.now + skew)
    for _ in range(6):
        clock.now += 900
        for credentials in (ours, theirs, ours, theirs):
            headers = await credentials.headers(endpoint)
            if headers != bearer(f"a{endpoint.generation}"):
                headers = await credentials.renew(headers, endpoint)
            assert bearer(f"a{endpoint.generation}") == headers


async def test_store_that_keeps_the_tokens_alone(endpoint, clock):
    """A user's store that keeps no more than the two tokens costs no knowledge of when they end."""

    class TwoColumns(MemoryTokenStore):
        async def save(self, tokens):
            await super().save(Tokens(tokens.access_token, tokens.refresh_token))

    endpoint.expires_in = 1000
    credentials = oauth(access_token=None, token_store=TwoColumns(), clock=clock)
    assert bearer("a1") == await credentials.headers(endpoint)
    clock.now += 801
    assert bearer("a2") == await credentials.headers(endpoint)
    assert bearer("a3") == await credentials.renew(bearer("a2"), endpoint)


async def test_newer_token_that_is_refused_in_between(endpoint):
    """A refresh token that was spent by somebody without a lock is replaced by the one they saved, even expired."""
    store = MemoryTokenStore()
    credentials = oauth(token_store=store)
    failed = await credentials.headers(endpoint)

    async def exchange(path, body):
        if body["refresh_token"] == "r0":
            endpoint.generation = 4
            await store.save(Tokens(SecretStr("a4"), SecretStr("r4"), 1.0))
        return await endpoint(path, body)

    assert bearer("a5") == await credentials.renew(failed, exchange)
    assert ["r0", "r4"] == spent(endpoint)


async def test_renewals_against_each_other_end(endpoint):
    """A store that always has another dead token does not keep a renewal going for ever."""

    class Endless(MemoryTokenStore):
        number = 0

        async def load(self):
            self.number += 1
            return Tokens(SecretStr(f"a-{self.number}"), SecretStr(f"r-{self.number}"), 1.0)

    with pytest.raises(AuthenticationError):
        await oauth(access_token=None, refresh_token=None, token_store=Endless()).headers(endpoint)
    assert 3 == len(endpoint.bodies)


async def test_unsaved_pair_does_not_replace_a_newer_one(endpoint):
    """A pair that could not be saved is not saved over one that came into the store since."""
    newer = Tokens(SecretStr("a-new"), SecretStr("r-new"))

    class Full(MemoryTokenStore):
        full = True

        async def save(self, tokens):
            if self.full:
                raise OSError("disk full")
            await super().save(tokens)

    store = Full()
    credentials = oauth(token_store=store)
    failed = await credentials.headers(endpoint)
    with pytest.raises(ConfigurationError, match="could not be saved: OSError"):
        await credentials.renew(failed, endpoint)
    store.full = False
    await store.save(newer)
    for _ in range(3):
        assert bearer("a-new") == await credentials.headers(endpoint)
    assert newer == await store.load()


async def test_file_that_cannot_be_written_says_why(tmp_path, endpoint):
    """When a file store cannot save, the error names the file; once it can, the pair is saved."""
    path = tmp_path / "plugbay" / "tokens.json"
    credentials = oauth(token_store=FileTokenStore(path))
    failed = await credentials.headers(endpoint)

    async def exchange(url, body):
        answer = await endpoint(url, body)
        path.mkdir()
        return answer

    with pytest.raises(ConfigurationError, match=r"tokens\.json is not a file"):
        await credentials.renew(failed, exchange)
    path.rmdir()
    assert bearer("a1") == await credentials.headers(endpoint)
    assert "a1" == (await FileTokenStore(path).load()).access_token.get_secret_value()


class Hurried(asyncio.SelectorEventLoop):
    """An event loop in which nobody waits for a timer: its time jumps to the next one."""

    def __init__(self):
        super().__init__(selectors.SelectSelector())
        self._ahead = 0.0
        select = self._selector.select

        def jump(timeout=None):
            self._ahead += timeout or 0.0
            return select(0)

        self._selector.select = jump

    def time(self):
        return super().time() + self._ahead


def test_renewal_that_hangs_holds_up_no_call_whose_token_works(clock):
    """A token that still works is used when its renewal takes long, and the next calls do not wait for it at all."""
    credentials = oauth(expires_in=1000, clock=clock)
    started = []

    async def never(path, body):
        started.append(body)
        await asyncio.Event().wait()

    async def calls():
        clock.now += 801
        before = asyncio.get_running_loop().time()
        assert A0 == await credentials.headers(never)
        assert EARLY_SECONDS <= asyncio.get_running_loop().time() - before
        before = asyncio.get_running_loop().time()
        assert A0 == await credentials.headers(never)
        assert asyncio.get_running_loop().time() - before < EARLY_SECONDS
        clock.now += POSTPONE_SECONDS + 1
        assert A0 == await credentials.headers(never)

    with asyncio.Runner(loop_factory=Hurried) as runner:
        runner.run(calls())
    assert 1 == len(started)


async def test_callers_timeout_is_the_callers(clock):
    """A deadline that passes while an early renewal is waited for is not taken for the renewal's own."""
    credentials = oauth(expires_in=1000, clock=clock)
    clock.now += 801

    async def never(path, body):
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await credentials.headers(never)


class Seen:
    """What a listener is told."""

    def __init__(self):
        self.events = []

    def call(self):
        return traced(Trace("zendesk-support", "tickets.get", [self.events.append]))

    def outcomes(self):
        return [event.outcome for event in self.events]


@pytest.fixture
def seen():
    return Seen()


async def test_renewal_is_told_once(seen, endpoint):
    """A renewal that many calls wait for is told of once, with how long it took, to the call that began it."""
    credentials = oauth()
    with seen.call():
        await asyncio.gather(*[credentials.renew(A0, endpoint) for _ in range(5)])
        await credentials.headers(endpoint)
    assert ["renewed"] == seen.outcomes()
    assert seen.events[0].seconds >= 0
    assert {"kind", "at", "call", "connector", "operation", "outcome", "seconds"} == set(seen.events[0].as_dict())


async def test_pair_of_another_process_is_told_as_found(seen, store, endpoint):
    """A pair found in the store in place of a refused one is told of; the one that is there at the start is not."""
    await store.save(Tokens(SecretStr("a0"), SecretStr("r0")))
    credentials = oauth(token_store=store)
    with seen.call():
        await credentials.headers(endpoint)
        assert [] == seen.outcomes()
        await store.save(Tokens(SecretStr("a9"), SecretStr("r9")))
        await credentials.renew(A0, endpoint)
    assert ["found"] == seen.outcomes()


async def test_failures_are_told(seen, endpoint):
    """A refusal by the token endpoint is told apart from all other failures."""
    endpoint.failure = NetworkError("down")
    credentials = oauth()
    with seen.call():
        with pytest.raises(NetworkError):
            await credentials.renew(A0, endpoint)
        endpoint.failure, endpoint.generation = None, 3
        with pytest.raises(AuthenticationError):
            await credentials.renew(A0, endpoint)
    assert ["failed", "refused"] == seen.outcomes()


async def test_what_cannot_be_renewed_is_not_told(seen, endpoint):
    """A token that nothing can renew makes no renewal."""
    credentials = oauth(client_id=None, token_store=MemoryTokenStore())
    with seen.call():
        assert await credentials.renew(await credentials.headers(endpoint), endpoint) is None
    assert [] == seen.outcomes()


async def test_answer_without_a_token_is_told_as_failed(seen):
    """A success that holds no token is a failure all the same."""

    async def exchange(path, body):
        return TokenAnswer(200, {})

    with seen.call(), pytest.raises(Exception, match="no bearer token"):
        await oauth().renew(A0, exchange)
    assert ["failed"] == seen.outcomes()
