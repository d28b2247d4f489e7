"""The popup of a desktop in a team shows a name that was given elsewhere: each change ends with an event that has it read again."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest_asyncio
from sqlalchemy import select

from agent.app.streams import event_stream
from agent.domain.consent import ConsentState
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.store.schema import identity, person
from agent.interfaces.web.schemas import Status
from tests.in_process.test_team_face_names import LIN, MEI, all_are, disputed
from tests.support.joined_desktops import Desk, Office, office_in, shared

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ANNA, ANNE = "Anna", "Anne"
# What the page reads its lists again for, besides every event.
PARTS = ("failed", "images", "people", "doubts", "people_changed", "recognition")


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with office_in(tmp_path) as made:
        yield made


class Popup:
    """What an open page shows: the names on the newest photo, read again when the stream says so."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.shown: list[str] = []
        self._parts: tuple[object, ...] = ()

    async def follow(self) -> None:
        async for event in event_stream(self.desk.world.app, Texts, "1", None):
            if isinstance(status := event.data, Status):
                parts = tuple(getattr(status, part) for part in PARTS)
                if parts == self._parts:
                    continue
                self._parts = parts
            self.shown = await asyncio.to_thread(self._names)

    def _names(self) -> list[str]:
        [newest] = self.desk.world.real.images(limit=1)
        known = select(person.c.name).join(identity, identity.c.person_id == person.c.id)
        with self.desk.world.real.database.read() as tx:
            return sorted(tx.scalars(known.where(identity.c.face_id.in_([face.id for face in newest.faces]))))


@asynccontextmanager
async def open_popup(desk: Desk) -> AsyncIterator[Popup]:
    popup = Popup(desk)
    task = asyncio.create_task(popup.follow())
    try:
        yield popup
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_someone_whom_the_server_begins_to_share_is_named_renamed_and_gone_again(office: Office) -> None:
    desk, server = office.other, office.server
    await shared(desk)
    async with open_popup(desk) as popup:
        anna = await server.person(ANNA, "a at the server")
        await desk.until(lambda: popup.shown == [ANNA])
        await office.one.until(lambda: ANNA in office.one.people())
        await office.one.rename(ANNA, ANNE)
        await desk.until(lambda: popup.shown == [ANNE])
        await server.says(anna, ConsentState.WITHDRAWN)
        await desk.until(lambda: popup.shown == [])


async def test_a_name_that_another_desk_gave_the_face_is_shown(office: Office) -> None:
    conflict = await disputed(office, first=office.one, second=office.other)
    async with open_popup(office.one) as popup:
        await office.one.until(lambda: popup.shown == [MEI])
        await office.other.membership.names.settle(conflict, "mine")
        await all_are(office, LIN)
        await office.one.until(lambda: popup.shown == [LIN])
