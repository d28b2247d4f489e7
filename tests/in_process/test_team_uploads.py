"""Whole photos go from a desk's folder to its team: each once, whatever breaks, and only while that is wanted."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import httpx
import pytest_asyncio
from sqlalchemy import func, select, update

from agent.desktop.team_client import upload_connection
from agent.desktop.team_client.folder_uploads import AT_ONCE
from agent.infrastructure.core.settings import Settings, Share
from agent.infrastructure.store.schema import image, member, place, upload
from agent.interfaces.web.access import Role
from agent.server.devices import desk_uploads
from agent.server.devices.upload_queries import DeskUploadQueries, SentPhoto, remove_file
from tests.support.joined_desktops import LIMITS, Desk, Office, Server, office_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager

    import pytest
    from sqlalchemy import Connection

    from agent.server.accounts.records import TokenRecord
    from tests.support.joined_desktops import Answering

ANNA = "Anna"
WAIT_S = 60.0


def jpeg(number: int, size: int = 2_000) -> bytes:
    """Content that begins as a photo does, each another."""
    return b"\xff\xd8\xff\xe0" + number.to_bytes(4, "big") * (size // 4)


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with office_in(tmp_path) as made:
        yield made


async def share(desk: Desk, how: Share) -> None:
    folders = [{"path": str(desk.world.folder / "shared"), "share": how.value}, {"path": str(desk.world.folder / "own")}]
    await desk.world.app.apply(Settings.model_validate({"recognition": {"enabled": True}, "folders": folders}))


def put(desk: Desk, *contents: bytes, folder: str = "shared") -> None:
    """Photos that were scanned."""
    for content in contents:
        desk.world.put(f"{folder}/{hashlib.sha256(content).hexdigest()[:8]}.jpg", content=content)
    desk.sharing.begin_anew()
    desk.uploads.begin_anew()


def stored(server: Server) -> list[bytes]:
    return sorted(server.photos.values())


def rows(server: Server) -> int:
    with server.world.real.database.read() as tx:
        return tx.scalar(select(func.count()).select_from(upload)) or 0


async def test_a_folders_photos_go_up_once_and_nothing_of_others(office: Office) -> None:
    server, one, other = office.server, office.one, office.other
    photos = [jpeg(number) for number in range(5)]
    put(one, *photos)
    put(one, jpeg(99), folder="own")
    await share(one, Share.UPLOAD)
    await one.until(lambda: stored(server) == sorted(photos) and one.uploads.library.counts([]).sent == 5)
    state = await one.membership.uploads.state()
    assert (state.counts.sent, state.counts.waiting, state.counts.failed) == (5, 0, 0)
    assert {name.rpartition("/")[2] for name in server.photos} == {f"{hashlib.sha256(each).hexdigest()[:8]}.jpg" for each in photos}

    await server.note_uploads()
    put(other, *photos[:3], jpeg(7))
    await share(other, Share.UPLOAD)
    await other.until(lambda: jpeg(7) in stored(server))
    await other.until(lambda: other.uploads.library.counts([]).there == 3)
    assert other.sent.count(("POST", "/api/uploads")) == 1, "what the server had was not even begun"


async def test_names_given_at_the_desk_reach_the_uploaded_photo(office: Office) -> None:
    server, one = office.server, office.one
    put(one, jpeg(1))
    [face] = one.world.real.faces_of(hashlib.sha256(jpeg(1)).hexdigest())
    await one.world.app.people.name_face(face, ANNA)
    await share(one, Share.UPLOAD)
    await one.until(lambda: stored(server) == [jpeg(1)])
    await one.until(lambda: server.named() == {ANNA})
    await server.note_uploads()
    assert {each.name: each.faces for each in server.world.real.people()} == {ANNA: 1}


async def test_photos_whose_results_are_there_already_are_sent_as_well(office: Office) -> None:
    server, one = office.server, office.one
    put(one, jpeg(1))
    await share(one, Share.RESULTS)
    await one.until(lambda: server.world.real.counts().images == 1)
    assert stored(server) == []
    library = server.world.real
    assert library.rescan([1], now=server.world.app.now()) == 0, "its file is at the desk alone"
    await share(one, Share.UPLOAD)
    await one.until(lambda: stored(server) == [jpeg(1)])
    await server.note_uploads()
    [photo] = library.images_by_id([1])
    assert [Path(path).suffix for _, path in photo.places] == [".jpg", ""], "it goes by its file, not by what stood for it"


async def test_a_broken_connection_and_a_lost_answer_cost_no_photo(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    server, one = office.server, office.one
    monkeypatch.setattr(upload_connection, "PART", 1_000)

    async def cut(request: httpx.Request, _: Answering) -> httpx.Response:
        raise httpx.ReadError("cut")

    async def answer_lost(request: httpx.Request, on: Answering) -> httpx.Response:
        await on(request)
        raise httpx.ReadError("cut")

    one.breaks = [answer_lost, cut, answer_lost]
    put(one, jpeg(1, 4_000), jpeg(2, 4_000))
    await share(one, Share.UPLOAD)
    await one.until(lambda: stored(server) == [jpeg(1, 4_000), jpeg(2, 4_000)])
    await one.until(lambda: one.uploads.library.counts([]).sent == 2)
    assert rows(server) == 2 and one.breaks == []
    # Eight parts; each of the three breaks ends at most the two that are under way.
    assert sum(method == "PATCH" for method, _ in one.sent) <= 8 + 3 * 2, "a part that arrived is not sent again"


async def test_it_rests_with_the_agent_and_goes_on(office: Office) -> None:
    server, one = office.server, office.one
    one.paused = True
    put(one, jpeg(1))
    await share(one, Share.UPLOAD)
    await one.until(lambda: ("POST", "/api/desk/photos") in one.sent)
    assert (await one.membership.uploads.state()).paused
    assert not [path for _, path in one.sent if "upload" in path]
    one.paused = False
    one.uploads.wake()
    await one.until(lambda: stored(server) == [jpeg(1)])


async def test_online_only_changed_and_unreadable_files_are_passed_over(office: Office) -> None:
    server, one = office.server, office.one
    put(one, jpeg(1), jpeg(2), jpeg(3), jpeg(4))
    paths = [one.world.folder / "shared" / f"{hashlib.sha256(jpeg(number)).hexdigest()[:8]}.jpg" for number in (1, 2, 3)]
    one.online_only.add(str(paths[0]))
    paths[1].write_bytes(b"written anew")
    paths[2].unlink()
    await share(one, Share.UPLOAD)
    await one.until(lambda: stored(server) == [jpeg(4)])
    await one.until(lambda: len(one.uploads._passed_over) == 3)
    state = await one.membership.uploads.state()
    assert state.online_only == 1 and one.membership.uploads.problem is None
    assert sorted(error.code for _, error in state.failures) == ["image.changed", "image.missing"]


async def test_a_photo_that_is_too_large_is_told_and_tried_again_when_asked(office: Office) -> None:
    server, one = office.server, office.one
    server.limits = replace(LIMITS, file_bytes=3_000)
    put(one, jpeg(1), jpeg(2, 8_000))
    await share(one, Share.UPLOAD)
    await one.until(lambda: stored(server) == [jpeg(1)] and one.uploads.library.counts([]).failed == 1)
    [(image_id, error)] = (await one.membership.uploads.state()).failures
    assert image_id is not None and error.code == "upload.too_large" and error.params["limit"] == 0
    server.limits = LIMITS
    assert await one.membership.uploads.retry() == 1
    await one.until(lambda: stored(server) == [jpeg(1), jpeg(2, 8_000)])


async def test_a_full_disk_waits_and_is_told(office: Office) -> None:
    server, one = office.server, office.one
    server.limits = replace(LIMITS, keep_free_bytes=1 << 60)
    put(one, jpeg(1))
    await share(one, Share.UPLOAD)
    await one.until(lambda: one.membership.uploads.problem is not None)
    problem = one.membership.uploads.problem
    assert problem is not None and problem.code == "upload.no_room" and stored(server) == []
    server.limits = LIMITS
    await one.until(lambda: stored(server) == [jpeg(1)])
    await one.until(lambda: one.membership.uploads.problem is None)


async def test_where_two_at_once_are_more_than_a_members_share_they_go_one_after_the_other(office: Office) -> None:
    server, one = office.server, office.one
    photos = [jpeg(number) for number in range(3)]
    server.limits = replace(LIMITS, total_bytes=3 * len(photos[0]))
    put(one, *photos)
    await share(one, Share.UPLOAD)
    await one.until(lambda: stored(server) == sorted(photos))
    assert one.membership.uploads.problem is None
    begun = one.sent.count(("POST", "/api/uploads"))
    assert len(photos) < begun <= len(photos) + 2, "a refusal was met, and not again and again"


async def test_a_right_that_was_withdrawn_is_told_and_nothing_goes(office: Office) -> None:
    server, one = office.server, office.one
    with server.world.real.database.write() as tx:
        tx.execute(update(member).values(role=Role.VIEWER))
    server.team.accounts.tokens.reload()
    put(one, jpeg(1))
    await share(one, Share.UPLOAD)
    await one.until(lambda: one.membership.uploads.problem is not None or one.membership.problem is not None)
    assert stored(server) == [] and rows(server) == 0


async def test_stopping_leaves_what_is_there_until_it_is_taken_back(office: Office) -> None:
    server, one = office.server, office.one
    put(one, jpeg(1), jpeg(2))
    await share(one, Share.UPLOAD)
    await one.until(lambda: len(stored(server)) == 2 and one.uploads.library.counts([]).sent == 2)
    await server.note_uploads()
    gone = one.world.folder / "shared" / f"{hashlib.sha256(jpeg(2)).hexdigest()[:8]}.jpg"
    one.world.real.files_gone([str(gone)], now=one.world.app.now())
    await share(one, Share.KEEP)
    state = await one.membership.uploads.state()
    assert (state.counts.sent, state.counts.removable, state.counts.last_copies) == (2, 1, 1)
    assert len(stored(server)) == 2

    assert await one.membership.uploads.take_back() == 1
    await one.membership.sharing.take_back()
    await one.until(lambda: stored(server) == [jpeg(2)])
    await one.until(lambda: not one.uploads.library.to_take_back())
    with server.world.real.database.read() as tx:
        there = set(tx.scalars(select(image.c.sha256).join(place, place.c.image_id == image.c.id).where(place.c.source == "file")))
    assert there == {hashlib.sha256(jpeg(2)).hexdigest()}, "the last copy stays"

    await share(one, Share.UPLOAD)
    await one.until(lambda: stored(server) == [jpeg(1), jpeg(2)])


async def test_no_more_than_a_few_photos_are_under_way(office: Office) -> None:
    server, one = office.server, office.one
    under_way, most = 0, 0

    async def counted(request: httpx.Request, on: Answering) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await on(request)
        finally:
            under_way -= 1

    one.breaks = [counted] * 20
    put(one, *(jpeg(number) for number in range(20)))
    await share(one, Share.UPLOAD)
    await one.until(lambda: len(stored(server)) == 20)
    assert most <= AT_ONCE


async def test_what_another_desk_has_too_stays_when_one_takes_its_own_back(office: Office) -> None:
    server, one, other = office.server, office.one, office.other
    put(one, jpeg(1), jpeg(2))
    await share(one, Share.UPLOAD)
    await one.until(lambda: one.uploads.library.counts([]).sent == 2)
    await server.note_uploads()
    put(other, jpeg(1))
    await share(other, Share.UPLOAD)
    await other.until(lambda: other.uploads.library.counts([]).there == 1)

    await share(one, Share.KEEP)
    assert await one.membership.uploads.take_back() == 2
    await one.until(lambda: stored(server) == [jpeg(1)] and not one.uploads.library.to_take_back())

    await share(other, Share.KEEP)
    assert await other.membership.uploads.take_back() == 0, "it did not send it"
    [desk] = [each for each in await server.desks.uploads.desks() if each.photos]
    assert (desk.photos, desk.joined) == (1, True), "it was handed over to the other desk"
    removed = await server.desks.uploads.remove_all(desk.id)
    assert removed.photos == 1 and stored(server) == []


async def test_what_one_desk_takes_back_is_not_there_for_another_while_its_file_is_removed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, one, other = office.server, office.one, office.other
    put(one, jpeg(1))
    await share(one, Share.UPLOAD)
    await one.until(lambda: one.uploads.library.counts([]).sent == 1)
    await server.note_uploads()
    put(other, jpeg(1))
    removing, go_on = threading.Event(), threading.Event()

    def remove_slowly(each: SentPhoto) -> bool:
        removing.set()
        assert go_on.wait(WAIT_S)
        return remove_file(each)

    monkeypatch.setattr(desk_uploads, "remove_file", remove_slowly)
    await share(one, Share.KEEP)
    assert await one.membership.uploads.take_back() == 1
    await asyncio.to_thread(removing.wait, WAIT_S)
    await share(other, Share.UPLOAD)
    counts = other.uploads.library.counts
    await other.until(lambda: counts([]).sent + counts([]).there == 1)
    go_on.set()
    await one.until(lambda: not one.uploads.library.to_take_back())

    assert stored(server) == [jpeg(1)]
    assert (counts([]).sent, counts([]).there) == (1, 0)


async def test_what_is_taken_back_while_another_desk_asks_is_not_there(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    server, one = office.server, office.one
    put(one, jpeg(1))
    await share(one, Share.UPLOAD)
    await one.until(lambda: one.uploads.library.counts([]).sent == 1)
    await server.note_uploads()
    real, asked = server.world.real.database.write, list[None]()

    def after_the_other_desk_took_it_back(*, durable: bool = False) -> AbstractContextManager[Connection]:
        if not asked:
            asked.append(None)
            with real() as tx:
                tx.execute(update(place).where(place.c.source == "file").values(missing_since=server.world.app.now()))
        return real(durable=durable)

    with server.world.real.database.read() as tx:
        someone = SimpleNamespace(id=tx.scalar(select(member.c.id).limit(1)))
    queries, desk = DeskUploadQueries(server.world.real.database), cast("TokenRecord", SimpleNamespace(id="d", member=someone))
    monkeypatch.setattr(server.world.real.database, "write", after_the_other_desk_took_it_back)
    told = queries.known([hashlib.sha256(jpeg(1)).hexdigest()], None, desk, now=server.world.app.now())

    assert asked and not told
    assert rows(server) == 1


async def test_leaving_says_what_stays_or_removes_it(office: Office) -> None:
    server, one, other = office.server, office.one, office.other
    for desk, numbers in ((one, (1, 2)), (other, (3,))):
        put(desk, *map(jpeg, numbers))
        await share(desk, Share.UPLOAD)
        await desk.until(lambda: desk.uploads.library.counts([]).waiting == 0)  # noqa: B023 - awaited before the next round
        await desk.until(lambda: desk.uploads.library.counts([]).sent == len(numbers))  # noqa: B023 - awaited before the next round
    await other.until(lambda: server.world.real.counts().images == 3)
    receipt = await one.membership.leave(remove=True)
    assert receipt.revoked and (receipt.removed_photos, receipt.stays_photos, receipt.stays_results) == (2, 0, 0)
    assert stored(server) == [jpeg(3)]
    receipt = await other.membership.leave()
    assert receipt.revoked and (receipt.removed_photos, receipt.stays_photos, receipt.stays_results) == (0, 1, 1)
    assert stored(server) == [jpeg(3)]


async def test_leaving_out_of_reach_removes_once_the_server_is_back(office: Office) -> None:
    server, one = office.server, office.one
    put(one, jpeg(1))
    await share(one, Share.UPLOAD)
    await one.until(lambda: one.uploads.library.counts([]).sent == 1)
    one.cut = True
    receipt = await one.membership.leave(remove=True)
    assert not receipt.revoked and (receipt.removed_photos, receipt.stays_photos) == (0, 1)
    one.cut = False
    await one.until(lambda: stored(server) == [])
    await one.until(lambda: one.tokens.leaving() is None)
