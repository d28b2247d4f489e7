"""Announces the team server in the local network by mDNS, so that desktops find it without its address."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

import structlog

from agent import __version__
from agent.infrastructure.core.settings import Settings
from agent.interfaces.web.announcement import TYPE, Announcement, reachable
from agent.interfaces.web.certificates import names_of_computer, origins_of

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncZeroconf

log = structlog.get_logger()

EVERYWHERE: Final = ("0.0.0.0", "::")
_LOOK_S: Final = 10.0
_LABEL: Final = 50  # bytes of the entry's name, of the 63 that a label has: a second one of the same name gets a number


class Announcer:
    """Follows what `wanted` returns: another name, certificate or network is announced within seconds. None announces nothing."""

    def __init__(self, wanted: Callable[[], Announcement | None], look_s: float = _LOOK_S) -> None:
        self._wanted = wanted
        self._look_s = look_s
        self._failed = False

    async def run(self) -> None:
        """Announce until cancelled, and take it back then."""
        shown: Announcement | None = None
        running: AsyncZeroconf | None = None
        try:
            while True:
                wanted = await asyncio.to_thread(self._wanted)
                if wanted != shown:
                    await _end(running)
                    running, shown = None, None
                    if wanted is not None:
                        running = await self._begin(wanted)
                        shown = wanted if running is not None else None
                await asyncio.sleep(self._look_s)
        finally:
            await _end(running)

    async def _begin(self, wanted: Announcement) -> "AsyncZeroconf | None":
        """Return what announces it; None if the network doesn't let it."""
        from zeroconf import Error, InterfaceChoice, IPVersion  # loaded only where something is announced
        from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

        tag = wanted.fingerprint.replace(":", "").lower()[:12]
        info = AsyncServiceInfo(
            TYPE,
            f"{_label(wanted.name) or tag}.{TYPE}",
            port=wanted.port,
            properties={key: value.encode() for key, value in wanted.text().items()},
            # A host name of its own: the computer's belongs to the system's responder.
            server=f"ai-popup-{tag}.local.",
            parsed_addresses=list(wanted.addresses),
        )
        made: AsyncZeroconf | None = None
        try:
            version = IPVersion.All if any(":" in each for each in wanted.addresses) else IPVersion.V4Only
            made = AsyncZeroconf(interfaces=InterfaceChoice.All, ip_version=version)
            await (await made.async_register_service(info, allow_name_change=True))
        except (OSError, RuntimeError, Error) as error:
            await _end(made)
            if not self._failed:
                log.warning("server.not_announced", kind=type(error).__name__)
            self._failed = True
            return None
        except asyncio.CancelledError:
            await _end(made)
            raise
        self._failed = False
        log.info("server.announced")
        return made


def announcement_of(settings: Settings, name: str, fingerprint: str, port: int) -> Announcement | None:
    """Return what to announce; None if other computers can't reach the server, or the settings don't want it."""
    wanted = settings.server
    addresses = _addresses(wanted.host) if wanted.announce else ()
    if not addresses:
        return None
    named = origins_of([each.lower() for each in wanted.names[:1]], port)
    address = wanted.address or next(iter(named), "")
    return Announcement(name, __version__, fingerprint, address, addresses, port)


def _addresses(host: str) -> tuple[str, ...]:
    """Return the addresses at which other computers reach a server that listens at `host`."""
    if host in EVERYWHERE:
        found = names_of_computer()
    else:
        with suppress(OSError):
            return tuple(sorted({str(each[4][0]) for each in socket.getaddrinfo(host, None) if _reachable(str(each[4][0]))}))
        return ()
    return tuple(sorted(each for each in found if _reachable(each) and (host == "::" or ":" not in each)))


def _reachable(name: str) -> bool:
    with suppress(ValueError):
        return reachable(ip_address(name))
    return False


def _label(name: str) -> str:
    plain = "".join(" " if each == "." or not each.isprintable() else each for each in name)
    return plain.encode("utf-8")[:_LABEL].decode("utf-8", "ignore").strip()


async def _end(running: "AsyncZeroconf | None") -> None:
    """Say that it is gone."""
    if running is not None:
        with suppress(OSError):
            await running.async_close()
