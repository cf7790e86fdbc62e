from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from plugbay.sandbox import Clock


def test_starts_where_told():
    """A clock with a start shows that moment first."""
    start = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    assert timedelta(0) <= Clock(start).now() - start < timedelta(seconds=1)


def test_naive_start_is_utc():
    """A start without a zone is read as UTC."""
    assert Clock(datetime(2026, 1, 2)).stamp()  # noqa: DTZ001 == "2026-01-02T00:00:00Z"


def test_start_in_another_zone():
    """A start in another zone is the same moment, shown in UTC."""
    clock = Clock(datetime(2026, 1, 2, 1, tzinfo=timezone(timedelta(hours=2))), running=False)

    assert clock.now() == datetime(2026, 1, 1, 23, tzinfo=UTC)
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.stamp() == "2026-01-01T23:00:00Z"


def test_advance():
    """Advancing moves the clock by exactly that many seconds."""
    clock = Clock(datetime(2026, 1, 2, tzinfo=UTC))
    clock.freeze()
    before = clock.timestamp()
    clock.advance(seconds=90.5)

    assert clock.timestamp() - before == pytest.approx(90.5)


def test_standing_still():
    """A frozen clock stands; set running, it goes on from where it stood."""
    clock = Clock(datetime(2026, 1, 2, tzinfo=UTC), running=False)
    assert clock.now() == clock.now() == datetime(2026, 1, 2, tzinfo=UTC)
    clock.run()
    before = clock.now()
    while clock.now() == before:
        pass
    clock.freeze()

    assert clock.now() == clock.now()
    assert clock.now() - before < timedelta(seconds=5)


def test_never_backwards():
    """A negative advance is refused."""
    with pytest.raises(ValueError, match="forward"):
        Clock().advance(seconds=-1)


def test_runs_with_real_time():
    """Without a start the clock shows the real time."""
    assert abs((Clock().now() - datetime.now(UTC)).total_seconds()) < 1
