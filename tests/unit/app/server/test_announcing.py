"""What a server announces of itself, and when."""

import pytest

from agent.app.server import announcing
from agent.app.server.announcing import announcement_of
from agent.infrastructure.core.settings import Settings

OWN = frozenset({"localhost", "127.0.0.1", "::1", "10.0.0.5", "fd00::5", "desk", "desk.local"})


@pytest.fixture(autouse=True)
def computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcing, "names_of_computer", lambda: OWN)


def settings(**server: object) -> Settings:
    return Settings.model_validate({"server": server})


def test_a_server_that_listens_everywhere_announces_the_addresses_that_others_reach() -> None:
    made = announcement_of(settings(), "Photos", "AB", 8443)
    assert made is not None
    assert (made.name, made.addresses, made.port, made.address, made.fingerprint) == ("Photos", ("10.0.0.5",), 8443, "", "AB")
    both = announcement_of(settings(host="::"), "Photos", "AB", 8443)
    assert both is not None and both.addresses == ("10.0.0.5", "fd00::5")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_server_that_only_this_computer_reaches_announces_nothing(host: str) -> None:
    assert announcement_of(settings(host=host), "Photos", "AB", 8443) is None


def test_the_setting_ends_it() -> None:
    assert announcement_of(settings(announce=False), "Photos", "AB", 8443) is None


def test_of_one_address_only_that_is_announced() -> None:
    made = announcement_of(settings(host="10.0.0.7"), "Photos", "AB", 8443)
    assert made is not None and made.addresses == ("10.0.0.7",)


def test_the_name_that_people_use_is_announced_rather_than_an_address() -> None:
    for server, address in (
        ({"names": ["Photos.example", "other"]}, "https://photos.example:8443"),
        ({"names": ["photos.example"], "address": "https://www.example"}, "https://www.example"),
    ):
        made = announcement_of(settings(**server), "Photos", "AB", 8443)
        assert made is not None and made.address == address
