"""What is sealed opens in its place with its key, and nowhere else."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay.server.keys import StaticKeys
from plugbay.server.vault import SealError, Vault, Wrapped

KEY = bytes(range(32))
PLACE = "vault/v1|organization|connector/1|7"
SECRET = b"refresh-token-of-acme"


@pytest.fixture
def vault():
    return Vault(StaticKeys({"first": KEY}))


@given(plaintext=st.binary(max_size=5000), context=st.text(max_size=100).filter(str.isprintable))
def test_what_was_sealed_is_opened(plaintext, context):
    """Any bytes come back for the context they were sealed for, and no ciphertext is seen twice."""

    async def run():
        vault = Vault(StaticKeys({"first": KEY}))
        first, second = await vault.seal(plaintext, context), await vault.seal(plaintext, context)
        return await vault.open(first, context), first.ciphertext == second.ciphertext, first.key == second.key

    assert (plaintext, False, False) == asyncio.run(run())


@pytest.mark.parametrize(
    "place",
    [
        "vault/v1|other|connector/1|7",
        "vault/v1|organization|connector/2|7",
        "vault/v1|organization|connector/1|6",
        "vault/v1|organization|connector/1|8",
        "",
    ],
    ids=["organization", "subject", "rolled back", "rolled forward", "none"],
)
async def test_a_record_in_another_place_is_refused(vault, place):
    """A ciphertext that was moved to another organization, subject or version does not open."""
    sealed = await vault.seal(SECRET, PLACE)
    with pytest.raises(SealError) as caught:
        await vault.open(sealed, place)
    assert ("A stored secret cannot be opened.", None) == (caught.value.message, caught.value.__cause__)


@given(data=st.data())
def test_a_flipped_bit_is_refused(data):
    """One bit changed anywhere in the ciphertext or the wrapped key keeps the record from opening."""

    async def run():
        vault = Vault(StaticKeys({"first": KEY}))
        sealed = await vault.seal(SECRET, PLACE)
        if data.draw(st.booleans(), label="in the wrapped key"):
            changed = replace(sealed, key=Wrapped("first", _flipped(sealed.key.blob, data)))
        else:
            changed = replace(sealed, ciphertext=_flipped(sealed.ciphertext, data))
        with pytest.raises(SealError, match=r"^A stored secret cannot be opened\."):
            await vault.open(changed, PLACE)

    asyncio.run(run())


def _flipped(content, data):
    bit = data.draw(st.integers(0, 8 * len(content) - 1), label="bit")
    return content[: bit // 8] + bytes([content[bit // 8] ^ (1 << bit % 8)]) + content[bit // 8 + 1 :]


@pytest.mark.parametrize("length", [0, 1, 11, 12, 27, 28])
async def test_a_truncated_record_is_refused(vault, length):
    """A ciphertext or a wrapped key that was cut short does not open, and is told in the same words."""
    sealed = await vault.seal(SECRET, PLACE)
    for cut in (
        replace(sealed, ciphertext=sealed.ciphertext[:length]),
        replace(sealed, key=Wrapped("first", sealed.key.blob[:length])),
    ):
        with pytest.raises(SealError, match=r"^A stored secret cannot be opened\."):
            await vault.open(cut, PLACE)


async def test_parts_of_two_records_do_not_fit(vault):
    """The data key of one record does not open another's ciphertext in the same place."""
    first, second = await vault.seal(SECRET, PLACE), await vault.seal(b"other", PLACE)
    with pytest.raises(SealError):
        await vault.open(replace(first, key=second.key), PLACE)


async def test_another_key_is_refused():
    """A record does not open with another key of the same id, nor under another key's id."""
    keys = {"first": KEY, "second": os.urandom(32)}
    sealed = await Vault(StaticKeys(keys)).seal(SECRET, PLACE)
    for vault, record in (
        (Vault(StaticKeys({"first": os.urandom(32)})), sealed),
        (Vault(StaticKeys({"second": KEY})), sealed),
        (Vault(StaticKeys(keys)), replace(sealed, key=replace(sealed.key, key_id="second"))),
        # The very same key under another name is another key.
        (Vault(StaticKeys({"renamed": KEY})), replace(sealed, key=replace(sealed.key, key_id="renamed"))),
    ):
        with pytest.raises(SealError, match=r"^A stored secret cannot be opened\."):
            await vault.open(record, PLACE)


async def test_a_rewrapped_record_opens_with_the_new_key_alone():
    """After wrapping anew the ciphertext is the same and the old key is not needed."""
    new = os.urandom(32)
    old = await Vault(StaticKeys({"first": KEY})).seal(SECRET, PLACE)
    both = Vault(StaticKeys({"second": new, "first": KEY}))
    moved = replace(old, key=await both.rewrap(old.key, PLACE))
    assert ("second", SECRET) == (moved.key.key_id, await Vault(StaticKeys({"second": new})).open(moved, PLACE))
    assert ("second", SECRET) == (await both.newest(), await both.open(old, PLACE))


async def test_nothing_secret_is_shown(vault):
    """Neither a record's nor a vault's repr has ciphertext, and the plaintext is not in the ciphertext."""
    sealed = await vault.seal(SECRET, PLACE)
    assert "Sealed(key=Wrapped(key_id='first'))" == repr(sealed)
    assert SECRET not in sealed.ciphertext


async def test_an_envelope_seals_for_its_place(vault):
    """What an envelope seals later opens in the place it was made for alone, and its repr shows no key."""
    envelope = await vault.envelope(PLACE)
    sealed = envelope.seal(SECRET)
    assert SECRET == await vault.open(sealed, PLACE)
    with pytest.raises(SealError):
        await vault.open(sealed, f"{PLACE}1")
    assert f"Envelope(key={envelope.key!r}, context={PLACE!r})" == repr(envelope)
