"""A server that was restored to an earlier moment is told again what desks had told it since: nothing is lost, nothing is there twice."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from sqlalchemy import delete, select, update

from agent.desktop.team_client.photo_queries import REFUSED
from agent.infrastructure.core.access_scope import AccessScope
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.schema import desk_face, desk_operation, identity, image, person, place, team_photo, upload
from agent.server.devices.queries import begin_anew
from tests.support.joined_desktops import PHOTO, Desk, Office, named_faces, office_in, shared

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from agent.interfaces.web.desk_photos import PhotoResult, PhotoTaken
    from tests.support.joined_desktops import Server

JPEG = b"\xff\xd8\xff\xe0"


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with office_in(tmp_path) as made:
        yield made


def restart(server: Server, *desks: Desk) -> None:
    """As a server does that starts after it was restored."""
    with server.world.real.database.write() as tx:
        begin_anew(tx)
    server.desks._renewed = None
    for each in desks:
        each.membership._link_changed.set()


async def uploaded(desk: Desk, *contents: bytes) -> None:
    """Photos in a folder that goes up whole."""
    folders = [{"path": str(desk.world.folder / "shared"), "share": "upload"}]
    await desk.world.app.apply(Settings.model_validate({"recognition": {"enabled": True}, "folders": folders}))
    for content in contents:
        desk.world.put(f"shared/{hashlib.sha256(content).hexdigest()[:8]}.jpg", content=content)
    desk.uploads.begin_anew()


@pytest.mark.parametrize("lost", ["the name", "the photo"])
async def test_what_a_restored_server_no_longer_has_is_told_again(office: Office, lost: str) -> None:
    server, one = office.server, office.one
    await one.world.app.people.name_face(await shared(one), "Mei")
    await one.until(lambda: named_faces(server) == ["Mei"] and not one.library.outbox())
    await one.until(lambda: (found := one.library.link()) is not None and found.generation != 0)
    with server.world.real.database.write() as tx:
        for table in (identity, person, desk_face, desk_operation):
            tx.execute(delete(table))
        if lost == "the photo":
            tx.execute(delete(place))
            tx.execute(delete(image))
    assert named_faces(server) == []
    restart(server, one)

    await one.until(lambda: named_faces(server) == ["Mei"] and not one.library.outbox() and not one.library.conflicts())
    assert server.named() == {"Mei"} and one.people() == {"Mei": 1}
    assert len(server.world.real.faces_of(hashlib.sha256(PHOTO).hexdigest())) == 1
    assert (await one.membership.sharing.state()).sent == 1


async def test_whole_photos_that_a_restored_server_no_longer_has_are_sent_again(office: Office) -> None:
    server, one, other = office.server, office.one, office.other
    before, since, gone = JPEG + b"before", JPEG + b"since", JPEG + b"gone from the desk"
    await uploaded(one, before, since, gone)
    await one.until(lambda: one.uploads.library.counts([]).sent == 3)
    await server.note_uploads()
    await uploaded(other, since)
    await other.until(lambda: other.uploads.library.counts([]).there == 1)
    path = one.world.folder / "shared" / f"{hashlib.sha256(gone).hexdigest()[:8]}.jpg"
    path.unlink()
    with one.world.real.database.write() as tx:
        tx.execute(update(place).where(place.c.path == str(path)).values(missing_since=one.world.app.now()))
    await one.until(lambda: one.uploads.library.counts([]).last_copies == 1)
    await one.until(lambda: (found := one.library.link()) is not None and found.generation != 0)

    lost = [hashlib.sha256(each).hexdigest() for each in (since, gone)]
    with server.world.real.database.write() as tx:
        tx.execute(delete(upload).where(upload.c.sha256.in_(lost)))
        images = tx.scalars(select(image.c.id).where(image.c.sha256.in_(lost))).all()
        tx.execute(delete(place).where(place.c.image_id.in_(images)))
        tx.execute(delete(image).where(image.c.id.in_(images)))
    for name, content in server.photos.items():
        if content != before:
            (server.uploaded / name).unlink()
    began = one.sent.count(("POST", "/api/uploads"))
    restart(server, one, other)

    await one.until(lambda: sorted(server.photos.values()) == sorted((before, since)))
    await one.until(lambda: all(waiting(each) == 0 for each in (one, other)))
    senders = one.uploads.library.counts([]), other.uploads.library.counts([])
    assert sum(each.sent for each in senders) + sum(each.there for each in senders) == 4
    assert one.sent.count(("POST", "/api/uploads")) <= began + 1, "only what the server lost"
    assert senders[0].last_copies == 1, "this computer can't send it again"


async def test_with_other_libraries_only_what_was_refused_is_told_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    server, one = office.server, office.one
    reach = AccessScope(frozenset({1}), curates=False, roots=())
    monkeypatch.setattr("agent.server.devices.queries.current_scope", lambda: reach)
    await shared(one)
    await one.until(lambda: (found := one.library.link()) is not None and found.generation != 0)
    beyond = b"beyond reach"
    await shared(one, beyond)
    await one.until(lambda: one.sharing.library.shared([]).sent == 2)
    with one.world.real.database.write() as tx:
        tx.execute(update(team_photo).where(team_photo.c.sha256 == hashlib.sha256(beyond).hexdigest()).values(state=REFUSED))
    told, take, before = list[str](), server.desks.photos.take, one.library.link()

    async def taken(items: Sequence[PhotoResult], *others: str) -> list[PhotoTaken]:
        told.extend(each.sha256 for each in items)
        return await take(items, *others)

    monkeypatch.setattr(server.desks.photos, "take", taken)
    reach = AccessScope(frozenset({1, 2}), curates=False, roots=())
    one.membership._link_changed.set()
    await one.until(lambda: (now := one.library.link()) != before and now is not None)
    new = b"new since"
    await shared(one, new)
    await one.until(lambda: len(told) >= 2)
    assert set(told) == {hashlib.sha256(each).hexdigest() for each in (beyond, new)}


def waiting(desk: Desk) -> int:
    return desk.uploads.library.counts(desk.uploads._areas()).waiting
