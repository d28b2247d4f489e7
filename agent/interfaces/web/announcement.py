"""What a team server says of itself in the local network by mDNS, and what of it a desktop believes: nothing that it doesn't check.

Anyone in the network can announce anything. So an announcement only saves typing the address: what it says of the certificate is shown,
and never trusted.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from agent.domain.confusables import is_visible
from agent.domain.errors import TeamAddressInvalid

TYPE: Final = "_ai-popup._tcp.local."
LONGEST_NAME: Final = 100  # as the setting takes
LONGEST_TXT: Final = 250  # bytes of one entry, with its key
_VERSION: Final = re.compile(r"[0-9A-Za-z.+-]{1,40}")
_FINGERPRINT: Final = re.compile(r"([0-9A-F]{2}:){31}[0-9A-F]{2}")

IpAddress = IPv4Address | IPv6Address
PORT: Final = 8443
_ADDRESS: Final = re.compile(r"(https://)?(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:(?P<port>\d{1,5}))?/?")


def address_of(said: str) -> str:
    """Return the server's address as typed or pasted: `photos.example` is `https://photos.example:8443`. Raises TeamAddressInvalid."""
    found = _ADDRESS.fullmatch(said.strip().partition("#")[0])
    if found is None or not 0 < int(found["port"] or PORT) < 65_536:
        raise TeamAddressInvalid
    port = found["port"] or ("443" if found[1] else str(PORT))
    return f"https://{found['host'].lower()}:{port}"


@dataclass(frozen=True, slots=True)
class Announcement:
    """A server as it announces itself. `address` is the one that its settings name, "" for the computer's own `addresses`."""

    name: str
    version: str
    fingerprint: str
    address: str
    addresses: tuple[str, ...]
    port: int

    def text(self) -> dict[str, str]:
        """Return what goes into the TXT record."""
        said = {"name": _cut(self.name), "version": self.version, "fingerprint": self.fingerprint}
        return {**said, "address": self.address} if self.address and len(self.address) < LONGEST_TXT else said


@dataclass(frozen=True, slots=True)
class FoundServer:
    """A server that announced itself. All of it is as the announcement says."""

    name: str
    address: str
    fingerprint: str
    version: str


def believed(text: Mapping[bytes, bytes | None], addresses: tuple[IpAddress, ...], port: int) -> FoundServer | None:
    """Return what is announced, None if any of it can't be of a server. The nearest of the `addresses` comes first."""
    name = unicodedata.normalize("NFC", _said(text, b"name")).strip()
    fingerprint, version = _said(text, b"fingerprint"), _said(text, b"version")
    # What isn't printable may turn the reading direction, or be invisible.
    if not 0 < len(name) <= LONGEST_NAME or not is_visible(name):
        return None
    if not _FINGERPRINT.fullmatch(fingerprint) or not _VERSION.fullmatch(version):
        return None
    address = _address(_said(text, b"address"), addresses, port)
    return None if address is None else FoundServer(name, address, fingerprint, version)


def reachable(address: IpAddress) -> bool:
    """Return whether other computers may reach that address."""
    return not (address.is_loopback or address.is_multicast or address.is_unspecified or address.is_link_local or address.is_reserved)


def _address(said: str, addresses: tuple[IpAddress, ...], port: int) -> str | None:
    if not said:
        first = next(filter(reachable, addresses), None)
        if first is None or not 0 < port < 65_536:
            return None
        return f"https://[{first}]:{port}" if first.version == 6 else f"https://{first}:{port}"
    try:
        address = address_of(said)
        host = urlsplit(address).hostname or ""
    except (TeamAddressInvalid, ValueError):
        return None
    try:
        elsewhere = reachable(ip_address(host))
    except ValueError:
        elsewhere = host != "localhost" and not host.endswith(".localhost")
    return address.removesuffix(":443") if elsewhere and said.startswith("https://") else None


def _said(text: Mapping[bytes, bytes | None], key: bytes) -> str:
    try:
        return (text.get(key) or b"").decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _cut(name: str) -> str:
    return name.encode("utf-8")[: LONGEST_TXT - len("name=")].decode("utf-8", "ignore")
