"""The promises of a cluster: what breaks them is found, and what may happen is not taken for it."""

from __future__ import annotations

import pytest
from chaos.check import Said
from chaos.cluster import check
from chaos.cluster.facts import Call, Entry, Exchange, Kill, Standing

DONE = Said("ok")
REFUSED = Said("authentication", message="refused")
HARD, SOFT = Kill(10.2, 10.2, 1, is_hard=True), Kill(10.2, 10.2, 1, is_hard=False)


def exchange(spent="a", *, arrived=10.0, needed=True, answered=10.1, gave="b"):
    return Exchange(spent, arrived, needed, answered, gave)


@pytest.mark.parametrize(
    "standing",
    [
        Standing("x", "1", rows=1, final="ok"),
        Standing("x", "1", removal="done"),
        Standing("x", "1", removal="asked"),
        Standing("x", "1", removal="asked", rows=1, final="ok"),
        Standing("x"),
        Standing("x", rows=1, final="ok"),
    ],
)
def test_what_may_become_of_a_connector(standing):
    """One that was made is there and works; one whose making or removal was not answered may be there or not."""
    assert [] == list(check.wrong_with_connector(standing))


@pytest.mark.parametrize(
    ("standing", "text"),
    [
        (Standing("x", "1"), "the connector x was reported as made and is not there"),
        (Standing("x", "1", removal="done", rows=1), "the connector x was reported as removed and is there"),
        (Standing("x", rows=2), "the connector x is there 2 times"),
        (
            Standing("x", "1", rows=1, final="authentication", message="refused"),
            "the connector x does not work at the end: authentication: refused",
        ),
    ],
)
def test_a_connector_that_is_wrong(standing, text):
    """A connector that is lost, left, doubled or dead is found."""
    assert [text] == list(check.wrong_with_connector(standing))


def test_pairs_that_are_renewed_once():
    """An exchange for each pair that had ended is as it should be."""
    assert [] == list(check.wrong_with_exchanges([exchange("a"), exchange("b", gave="c")], frozenset(), []))


def test_a_pair_that_is_renewed_without_need():
    """An exchange of a pair that nobody had ended is found: two processes renewed where one was enough."""
    found = list(check.wrong_with_exchanges([exchange(), exchange("b", needed=False, gave="c")], frozenset(), []))
    assert ["a pair was renewed that was neither due nor ended"] == found


def test_a_double_refresh():
    """A refresh token that came twice is found, although the second time was refused."""
    twice = [exchange(), exchange(arrived=10.5, needed=False, gave=None)]
    assert ["a refresh token was used twice, 0.500 s after its first use"] == list(
        check.wrong_with_exchanges(twice, frozenset(), [HARD])
    )


def test_a_refusal_that_comes_first():
    """A refusal of a token that was never used is found."""
    found = list(check.wrong_with_exchanges([exchange(gave=None)], frozenset(), []))
    assert ["a refresh token that nobody had used was refused"] == found


def test_a_grant_that_is_lost_with_its_process():
    """When a process was killed between answer and commit, the others find the spent token, and are refused."""
    twice = [exchange(), exchange(arrived=20.0, needed=False, gave=None)]
    assert [] == list(check.wrong_with_exchanges(twice, {"a"}, [HARD]))


@pytest.mark.parametrize("kills", [[], [SOFT], [Kill(9.0, 9.1, 1, is_hard=True)], [Kill(12.2, 12.2, 1, is_hard=True)]])
def test_a_grant_that_is_lost_without_reason(kills):
    """Without a SIGKILL between answer and commit no pair may be lost; a process that is asked to end saves it."""
    found = list(check.wrong_with_exchanges([exchange()], {"a"}, kills))
    assert ["a new pair did not come into the database, though no process was killed meanwhile"] == found


@pytest.mark.parametrize("kind", sorted(check.MUST_SUCCEED))
def test_a_call_that_a_retry_could_have_saved(kind):
    """What can be repeated must succeed, unless the grant was lost."""
    (text,) = check.wrong_with_call(Call(kind, 0.0, 1.0, REFUSED))
    assert f"a {kind} failed after 1.0 s and 0 kills: authentication: refused" == text
    assert [] == list(check.wrong_with_call(Call(kind, 0.0, 1.0, REFUSED, excused="its grant was lost")))
    assert [] == list(check.wrong_with_call(Call(kind, 0.0, 1.0, DONE)))


def test_a_call_whose_every_try_met_a_kill():
    """As many kills as tries may end a call; with fewer another try would have saved it."""
    call = Call("read", 10.0, 1.0, Said("network"))
    assert [] == list(check.wrong_with_call(call, [HARD] * 3))
    assert ["a read failed after 1.0 s and 2 kills: network: "] == list(check.wrong_with_call(call, [HARD] * 2))
    earlier = Kill(9.0, 9.1, 1, is_hard=True)
    assert ["a read failed after 1.0 s and 0 kills: network: "] == list(check.wrong_with_call(call, [earlier] * 3))


def test_a_call_that_may_fail():
    """A write without a key may fail; whether it was done is another check's matter."""
    assert [] == list(check.wrong_with_call(Call("comment", 0.0, 1.0, Said("network", unknown=True))))


def test_an_exception_without_a_name():
    """Whatever is no error of the library is found, in any call."""
    (text,) = check.wrong_with_call(Call("comment", 0.0, 1.0, Said("unnamed", message="KeyError: 'x'")))
    assert "a comment ended with an exception without a name: KeyError: 'x'" == text


@pytest.mark.parametrize(
    "entry",
    [
        Entry([], []),
        Entry([], [1.0], ["started"]),
        Entry([2.0], [1.0], ["started"]),
        Entry([2.0, 4.0], [1.0, 3.0], ["started", "ok"]),
    ],
)
def test_a_write_that_is_noted(entry):
    """A write is in the audit log before it is sent, and an entry of one that never was sent does no harm."""
    assert [] == list(check.wrong_with_entry("m", entry))


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (Entry([2.0], []), "the write m reached Zendesk and has no entry in the audit log"),
        (Entry([2.0], [3.0], ["ok"]), "the write m reached Zendesk before it was in the audit log"),
    ],
)
def test_a_write_that_is_not_noted(entry, text):
    """A write that nobody noted, or only afterwards, is found."""
    assert [text] == list(check.wrong_with_entry("m", entry))


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        "Task exception was never retrieved",
        "coroutine 'x' was never awaited",
        '{"level": "error", "message": "x"}',
    ],
)
def test_a_log_with_a_stray(line):
    """A traceback, a forgotten task and an error are found in a log."""
    (text,) = check.wrong_with_log("member 0", f'{{"level": "info"}}\n{line}\n')
    assert f"the log of member 0 has: {line}\n" == text


def test_a_log_without():
    """Lines of requests are as they should be."""
    assert [] == list(check.wrong_with_log("member 0", '{"level": "info", "status": 200}\n'))


def test_leftovers():
    """What is left is counted, and nothing is said of what is not."""
    left = {"leases that are still held": 0, "connectors without a secret": 2}
    assert ["2 connectors without a secret at the end"] == list(check.wrong_with_leftovers(left))
