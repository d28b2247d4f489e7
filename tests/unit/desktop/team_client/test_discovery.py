"""Which of the announced servers are shown, and in which order."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil
import pytest

from agent.desktop.team_client.discovery import MOST, servers

FINGERPRINT = ":".join(["0A"] * 32)


@dataclass
class Info:
    """What the library holds of one announcement."""

    name: str
    addresses: list[str] = field(default_factory=lambda: ["10.9.9.9"])
    port: int | None = 8443
    said: dict[str, str] = field(default_factory=dict)

    @property
    def properties(self) -> Mapping[bytes, bytes | None]:
        said = {"name": self.name, "version": "1.0", "fingerprint": FINGERPRINT} | self.said
        return {key.encode(): value.encode() for key, value in said.items()}

    def parsed_addresses(self) -> list[str]:
        return self.addresses


@pytest.fixture(autouse=True)
def interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """This computer is in one network, and has a bridge of containers."""

    def address(ip: str, mask: str) -> list[object]:
        return [type("snicaddr", (), {"address": ip, "netmask": mask})]

    own = {"eth0": address("192.168.7.20", "255.255.255.0"), "docker0": address("172.17.0.1", "255.255.0.0")}
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {**own, "mac": address("02:00:00:00:00:01", "")})


def test_the_address_in_the_own_network_is_taken_and_never_that_of_an_own_bridge() -> None:
    [found] = servers([Info("Photos", ["10.1.1.1", "172.17.0.1", "192.168.7.9"])])
    assert found.address == "https://192.168.7.9:8443"
    [found] = servers([Info("Photos", ["172.17.0.1", "10.1.1.1"])])
    assert found.address == "https://10.1.1.1:8443"


def test_a_server_on_this_computer_is_found_at_its_own_address() -> None:
    [found] = servers([Info("Photos", ["192.168.7.20"])])
    assert found.address == "https://192.168.7.20:8443"


def test_each_address_is_shown_once_by_name() -> None:
    found = servers([Info("b"), Info("A", ["10.9.9.8"]), Info("twin")])
    assert [each.name for each in found] == ["A", "b"]


def test_a_flood_of_announcements_is_cut() -> None:
    assert len(servers(Info(f"{number}", [f"10.9.9.{number}"]) for number in range(1, 200))) == MOST


def test_announcements_without_a_port_or_an_address_are_left_out() -> None:
    assert servers([Info("a", port=None), Info("b", []), Info("", ["10.9.9.9"])]) == []
