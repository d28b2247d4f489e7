"""What is written with a photo."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from agent.features.library.queries.image_queries import local_time

DAY_NS = 86_400 * 10**9
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - by a camera's clock, which knows no zone


@pytest.fixture(params=["AAA+8", "AAA-8", None])
def here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """West and east of Greenwich, and where this computer is."""
    if request.param is None or not hasattr(time, "tzset"):
        yield
        return
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("days", [-25_000, -400, -2, 2, 400])
def test_a_file_of_any_year_has_its_local_time(days: int) -> None:
    found = local_time(days * DAY_NS) - EPOCH
    assert (round(found.total_seconds()) + time.timezone) % 86_400 in (0, 3_600)  # the hour of a summer time
    assert found.days in (days - 1, days, days + 1)


def test_a_time_beyond_all_years_is_told_as_1970() -> None:
    assert local_time(400_000 * 366 * DAY_NS) == EPOCH
