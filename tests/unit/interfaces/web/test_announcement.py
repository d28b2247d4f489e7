"""What a desktop believes of an announcement in the local network: nothing that it didn't check."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.interfaces.web.announcement import LONGEST_NAME, LONGEST_TXT, Announcement, FoundServer, believed

FINGERPRINT = ":".join(["0A"] * 32)
HERE = (ip_address("10.0.0.5"),)


def text(**values: str) -> dict[bytes, bytes | None]:
    said = {"name": "Photos", "version": "1.2.3", "fingerprint": FINGERPRINT} | values
    return {key.encode(): value.encode() for key, value in said.items()}


def test_a_server_without_a_named_address_is_found_at_the_first_that_other_computers_reach() -> None:
    addresses = tuple(map(ip_address, ("127.0.0.1", "169.254.0.9", "10.0.0.5", "10.0.0.6")))
    assert believed(text(), addresses, 8443) == FoundServer("Photos", "https://10.0.0.5:8443", FINGERPRINT, "1.2.3")
    assert believed(text(), (ip_address("fd00::5"),), 443) == FoundServer("Photos", "https://[fd00::5]:443", FINGERPRINT, "1.2.3")


def test_the_address_that_its_settings_name_comes_before_the_computers_own() -> None:
    for named in ("https://photos.example", "https://photos.example:9443", "https://[fd00::1]:8443"):
        found = believed(text(address=named), HERE, 8443)
        assert found is not None and found.address == named


@pytest.mark.parametrize("name", ["Méi 美 & friends", "照片服务器", "x" * LONGEST_NAME])
def test_names_in_any_script_are_shown(name: str) -> None:
    found = believed(text(name=name), HERE, 8443)
    assert found is not None and found.name == name


@pytest.mark.parametrize(
    "hostile",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "x" * (LONGEST_NAME + 1)},
        {"name": "two\nlines"},
        {"name": "\x1b[2J"},
        {"name": "\u202egnp.exe"},  # turns the reading direction
        {"name": "Pho\u200btos"},  # looks like another
        {"version": ""},
        {"version": "1.0 <b>"},
        {"version": "1" * 41},
        {"fingerprint": ""},
        {"fingerprint": FINGERPRINT.lower()},
        {"fingerprint": FINGERPRINT + ":0A"},
        {"address": "http://photos.example"},
        {"address": "photos.example"},
        {"address": "https://user@photos.example"},
        {"address": "https://photos.example:99999"},
        {"address": "https://127.0.0.1:631"},
        {"address": "https://[::1]:631"},
        {"address": "https://localhost:631"},
        {"address": "https://a.localhost"},
        {"address": "javascript:alert(1)"},
    ],
)
def test_an_announcement_with_anything_that_no_server_says_is_left_out(hostile: dict[str, str]) -> None:
    assert believed(text(**hostile), HERE, 8443) is None


def test_bytes_that_are_no_text_and_missing_entries_are_left_out() -> None:
    assert believed({**text(), b"name": b"\xff\xfe"}, HERE, 8443) is None
    assert believed({**text(), b"name": None}, HERE, 8443) is None
    assert believed({}, HERE, 8443) is None


@pytest.mark.parametrize(("addresses", "port"), [((), 8443), (("127.0.0.1",), 8443), (("224.0.0.1",), 8443), (("10.0.0.5",), 0)])
def test_a_server_that_is_nowhere_is_left_out(addresses: tuple[str, ...], port: int) -> None:
    assert believed(text(), tuple(map(ip_address, addresses)), port) is None


@given(st.dictionaries(st.sampled_from([b"name", b"version", b"fingerprint", b"address"]), st.one_of(st.none(), st.binary(max_size=300))))
def test_no_announcement_fails_the_search(said: dict[bytes, bytes | None]) -> None:
    believed(said, HERE, 8443)


@given(st.text(min_size=1, max_size=LONGEST_NAME))
def test_what_a_server_says_fits_a_record_and_is_understood(name: str) -> None:
    said = Announcement(name, "1.2.3", FINGERPRINT, "https://photos.example", (), 8443).text()
    assert all(len(f"{key}={value}".encode()) <= 255 for key, value in said.items())
    assert len(f"name={said['name']}".encode()) <= LONGEST_TXT
    assert said["address"] == "https://photos.example"
