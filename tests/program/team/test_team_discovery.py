"""Team servers that announce themselves are found over the real network, whatever else is announced there."""

import asyncio
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from agent.app.server.announcing import Announcer
from agent.desktop.team_client.discovery import ServerSearch
from agent.domain.errors import TeamSearchFailed
from agent.infrastructure.core.leadership import LeadershipState
from agent.interfaces.web.announcement import TYPE, Announcement, FoundServer
from tests.support import announced_servers as announced
from tests.support.real_program import WAIT_S

pytestmark = [pytest.mark.timeout(600)]
LOOK_S = 0.05
MDNS = ("224.0.0.251", 5353)


@pytest.fixture
def announcement() -> Announcement:
    return announced.announcement()


@asynccontextmanager
async def running(*announcers: Announcer) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in announcers]
    try:
        yield
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(fits: Callable[[list[FoundServer]], bool], fingerprint: str) -> None:
    """Search until what is found of that server fits."""
    async with asyncio.timeout(WAIT_S):
        while not fits([each for each in await ServerSearch(seconds=1).servers() if each.fingerprint == fingerprint]):
            pass


async def test_a_server_is_found_its_changes_are_followed_and_its_end_is_told(announcement: Announcement) -> None:
    shown = [announcement]
    first = FoundServer(announcement.name, "https://10.9.9.9:8443", announcement.fingerprint, "1.2.3")
    async with running(Announcer(lambda: shown[0], LOOK_S)):
        await until(lambda found: found == [first], announcement.fingerprint)
        shown[0] = replace(announcement, addresses=("10.9.9.10",))
        await until(lambda found: found == [replace(first, address="https://10.9.9.10:8443")], announcement.fingerprint)
        shown[0] = replace(announcement, address="https://photos.example")
        await until(lambda found: found == [replace(first, address="https://photos.example")], announcement.fingerprint)
    await until(lambda found: found == [], announcement.fingerprint)


async def test_of_several_processes_the_one_that_leads_is_found(announcement: Announcement) -> None:
    leads = LeadershipState(), LeadershipState()
    each = [replace(announcement, addresses=(address,)) for address in ("10.9.9.1", "10.9.9.2")]
    # A default binds each one, which mypy can't type.
    works = [asyncio.create_task(lead.during(Announcer(lambda one=one: one, LOOK_S).run)) for lead, one in zip(leads, each, strict=True)]  # type: ignore[misc]
    try:
        leads[0].set(True)
        await until(lambda found: [one.address for one in found] == ["https://10.9.9.1:8443"], announcement.fingerprint)
        leads[0].set(False)
        leads[1].set(True)
        await until(lambda found: [one.address for one in found] == ["https://10.9.9.2:8443"], announcement.fingerprint)
    finally:
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)


async def test_hostile_announcements_and_garbage_hide_no_server(announcement: Announcement) -> None:
    network = AsyncZeroconf()
    tag = secrets.token_hex(4)
    hostile: list[dict[str, str | bytes]] = [
        {"name": "\x1b[2J", "fingerprint": announcement.fingerprint, "version": "1"},
        {"name": b"\xff\xfe", "fingerprint": announcement.fingerprint, "version": "1"},
        {"name": "Own printer", "fingerprint": announcement.fingerprint, "version": "1", "address": "https://127.0.0.1:631"},
        {},
    ]
    for number, said in enumerate(hostile):
        info = AsyncServiceInfo(
            TYPE, f"{tag} {number}.{TYPE}", port=1, properties=said, server=f"{tag}.local.", parsed_addresses=["10.9.9.8"]
        )
        await (await network.async_register_service(info))
    garbage = asyncio.create_task(_shout())
    try:
        async with running(Announcer(lambda: announcement, LOOK_S)):
            await until(lambda found: [each.name for each in found] == [announcement.name], announcement.fingerprint)
    finally:
        garbage.cancel()
        await asyncio.gather(garbage, return_exceptions=True)
        await network.async_close()


async def test_questions_that_come_during_a_search_get_its_answer() -> None:
    search = ServerSearch(seconds=1)
    first, second = await asyncio.gather(search.servers(), search.servers())
    assert first is second


@pytest.mark.parametrize("program", ["", "print('no JSON')", 'print(\'{"servers": [{"name": 1}]}\')', "import os; os.abort()"])
async def test_a_child_without_an_answer_is_told_as_a_failed_search(program: str) -> None:
    with pytest.raises(TeamSearchFailed):
        await ServerSearch([sys.executable, "-c", program]).servers()


async def _shout() -> None:
    """Send what is no message to everyone who listens, until cancelled."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as shouting:
        shouting.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        while True:
            shouting.sendto(secrets.token_bytes(400), MDNS)
            await asyncio.sleep(0)
