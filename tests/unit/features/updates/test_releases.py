"""Which release counts as newer, and when the next is asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.domain.errors import UpdateExpired, UpdateOlder, UpdateUntrusted
from agent.features.updates.releases import EVERY, FIRST_RETRY, JITTER, Release, ReleaseFile, SeenVersion, Version, due_at, judge

NOW = datetime(2026, 1, 10, tzinfo=UTC)
FILE = ReleaseFile("appimage", "linux-x86_64", "https://example.org/a/AI-Popup.AppImage", 9, "0" * 64)


def release(version: str = "0.2.0", channel: str = "stable", *, age: int = 1, lasts: int = 30) -> Release:
    published = NOW - timedelta(days=age)
    return Release(version, channel, published, published + timedelta(days=lasts), {}, (FILE,))


def judged(offered: Release, *, installed: str = "0.1.0", seen: SeenVersion | None = None) -> bool:
    return judge(offered, channel="stable", installed=installed, seen=seen, now=NOW)


def test_versions_come_in_the_order_in_which_they_appear() -> None:
    order = ["0.1.0", "0.2.0a1", "0.2.0b1", "0.2.0b2", "0.2.0b10", "0.2.0rc1", "0.2.0", "0.2.1", "0.10.0", "1.0.0"]
    assert sorted(reversed(order), key=Version.parse) == order


@pytest.mark.parametrize("text", ["", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.3-beta", "1.2.3b", "٣.1.1", "1.2.3\n", "999999.0.0"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="version"):
        Version.parse(text)


def test_a_newer_release_is_one_and_the_same_is_none() -> None:
    assert judged(release("0.2.0"))
    assert not judged(release("0.1.0"))
    assert judged(release("0.2.0"), installed="0.2.0rc1")


def test_an_older_release_than_the_installed_is_refused() -> None:
    with pytest.raises(UpdateOlder):
        judged(release("0.0.9"))


def test_a_beta_may_be_older_than_what_is_finished() -> None:
    assert not judge(release("0.2.0b1", "beta"), channel="beta", installed="0.2.0", seen=None, now=NOW)


def test_whoever_left_the_beta_channel_waits_for_the_stable_one() -> None:
    assert not judged(release("0.1.5"), installed="0.2.0b1")


def test_a_release_that_was_signed_once_can_not_be_played_again() -> None:
    seen = SeenVersion("0.3.0", NOW - timedelta(days=2))
    with pytest.raises(UpdateOlder) as caught:
        judged(release("0.2.0"), seen=seen)
    assert caught.value.params == {"version": "0.2.0", "newest": "0.3.0"}
    with pytest.raises(UpdateOlder):
        judged(release("0.3.0", age=3), seen=seen)
    assert judged(release("0.3.0", age=2), seen=seen), "the same again is nothing new, but true"


def test_an_expired_release_is_refused_for_it_may_hide_a_newer_one() -> None:
    with pytest.raises(UpdateExpired):
        judged(release(age=30, lasts=30))
    with pytest.raises(UpdateExpired):
        judged(release(lasts=-1))


def test_another_channels_release_is_refused() -> None:
    with pytest.raises(UpdateUntrusted):
        judged(release(channel="beta"))


def test_a_release_has_a_file_for_some_computers_only() -> None:
    assert release().file_for("appimage", "linux-x86_64") == FILE
    assert release().file_for("appimage", "linux-arm64") is None
    assert FILE.name == "AI-Popup.AppImage"


def test_it_is_asked_once_a_day_and_sooner_but_ever_later_after_failures() -> None:
    assert due_at(None, 0, 0.5) is None
    assert due_at(NOW, 0, 0) == NOW + EVERY
    assert due_at(NOW, 0, 1) == NOW + EVERY + JITTER
    waits = [due_at(NOW, failures, 0) for failures in range(1, 8)]
    assert waits[:3] == [NOW + FIRST_RETRY, NOW + 2 * FIRST_RETRY, NOW + 4 * FIRST_RETRY]
    assert waits[-1] == due_at(NOW, 1000, 0) == NOW + EVERY
