"""Photos come from browsers in parts, whatever breaks in between, and each content is stored once."""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import io
import os
import shutil
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import httpx
import pytest
import pytest_asyncio

from agent.domain.errors import StoreUnreachable, UploadGone, UploadLibrary, UploadOffset
from agent.infrastructure.core.access_scope import AccessScope, reaching
from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.database import Database
from agent.interfaces.web.access import Role, Scope
from agent.interfaces.web.scoped_route import MOST_OF_A_MEMBER
from agent.server.accounts.secret_tokens import new_id
from agent.server.uploads.queries import UploadQueries
from agent.server.uploads.records import Limits, NewUpload, Outcome
from agent.server.uploads.routes import upload_routes
from agent.server.uploads.service import Uploads
from agent.server.uploads.upload_files import INCOMING, UploadFiles
from tests.support.team_accounts import START, Team

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from _typeshed import ReadableBuffer

TUS = {"tus-resumable": "1.0.0"}
PART = {**TUS, "content-type": "application/offset+octet-stream"}
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
LIMITS = Limits(file_bytes=20_000_000, total_bytes=0, keep_free_bytes=0, unfinished=3, days=2)


@pytest.fixture
def database(tmp_path: Path, empty_library: Path, library_key: bytes) -> Iterator[Database]:
    shutil.copyfile(empty_library, tmp_path / "library.db")
    opened = Database.in_file(tmp_path / "library.db", library_key)
    yield opened
    opened.close()


class Server:
    """A server's uploads, and its API. `watched` are the folders that were to be watched."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.team = Team(database)
        self.folder = folder
        self.limits = LIMITS
        self.known: list[tuple[int, str]] = []
        self.watched: list[tuple[Path, int | None]] = []
        self.queries = UploadQueries(database)
        self.uploads = self.started()
        upload_routes(self.team.api, self.uploads)

    def started(self) -> Uploads:
        """The uploads as a new process has them."""
        return Uploads(self.queries, UploadFiles(lambda: self.folder), lambda: self.limits, lambda: self.team.time, self, new_id)

    def libraries(self) -> list[tuple[int, str]]:
        return self.known

    async def watch(self, root: Path, library: int | None) -> None:
        assert os.path.isdir(root), "what is watched and missing counts as away"  # noqa: ASYNC240, PTH112
        self.watched.append((root, library))

    @property
    def photos(self) -> dict[str, bytes]:
        """What is stored, by its path."""
        found = [each for each in self.folder.rglob("*") if each.is_file() and each.parent.name != INCOMING]
        return {each.relative_to(self.folder).as_posix(): each.read_bytes() for each in found}

    @property
    def parts(self) -> list[Path]:
        return list((self.folder / INCOMING).glob("*.part"))


@dataclass
class Browser:
    client: httpx.AsyncClient
    id: str

    async def begin(self, content: bytes, name: str = "a.jpg", **more: str) -> httpx.Response:
        words = {"filename": name, **more}
        said = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in words.items())
        return await self.client.post("/api/uploads", headers={**TUS, "upload-length": str(len(content)), "upload-metadata": said})

    async def begun(self, content: bytes, name: str = "a.jpg", **more: str) -> str:
        """The address of a new upload."""
        answer = await self.begin(content, name, **more)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]

    async def send(self, place: str, content: bytes, offset: int = 0, **headers: str) -> httpx.Response:
        return await self.client.patch(place, content=content, headers={**PART, "upload-offset": str(offset), **headers})

    async def whole(self, content: bytes, name: str = "a.jpg") -> str:
        """What became of a photo that is sent in one part."""
        return (await self.send(await self.begun(content, name), content)).headers["upload-outcome"]

    async def offset(self, place: str) -> int:
        return int((await self.client.head(place, headers=TUS)).headers["upload-offset"])


@pytest.fixture
def server(database: Database, tmp_path: Path) -> Server:
    return Server(database, tmp_path / "uploads")


@pytest_asyncio.fixture
async def mei(server: Server) -> AsyncIterator[Browser]:
    member = await server.team.member("mei", Role.EDITOR)
    async with server.team.client(**member.headers) as client:
        yield Browser(client, member.member.id)
    await server.team.settle()


@pytest.mark.parametrize("said", ["9999999999999", "-1", "soon", "1" * 14])
async def test_a_time_that_no_file_has_is_not_taken(server: Server, mei: Browser, said: str) -> None:
    place = await mei.begun(JPEG, "a.jpg", modified=said)
    answer = await mei.send(place, JPEG, 0)
    assert answer.headers["upload-outcome"] == "stored"
    assert abs((server.folder / "2026-11" / "a.jpg").stat().st_mtime - time.time()) < 86_400


async def test_a_photo_in_parts_is_stored_whole_under_its_name_and_on_the_record(server: Server, mei: Browser) -> None:
    place = await mei.begun(JPEG, "Ausflug/Größe: 1.jpg", modified="1700000000123")
    assert server.watched == [(server.folder, None)]
    for start in (0, 4_000):
        assert await mei.offset(place) == start and server.photos == {}
        answer = await mei.send(place, JPEG[start : start + 4_000], start)
        assert answer.status_code == 204 and answer.headers["tus-resumable"] == "1.0.0"
    answer = await mei.send(place, JPEG[8_000:], 8_000)
    assert answer.headers["upload-outcome"] == "stored" and int(answer.headers["upload-offset"]) == len(JPEG)
    assert server.photos == {"2026-11/Größe_ 1.jpg": JPEG} and server.parts == []
    assert (server.folder / "2026-11" / "Größe_ 1.jpg").stat().st_mtime_ns == 1_700_000_000_123_000_000
    [entry] = AuditQueries(server.queries.database).audit_entries(limit=9, action="photo_uploaded")
    assert entry.actor == mei.id
    # A browser whose last answer was lost asks again, and hears the same.
    assert await mei.offset(place) == len(JPEG)
    assert (await mei.send(place, b"", len(JPEG))).headers["upload-outcome"] == "stored"
    assert len(server.photos) == 1


async def test_the_same_content_is_stored_once_and_the_same_name_twice(server: Server, mei: Browser) -> None:
    assert await mei.whole(JPEG) == "stored"
    assert await mei.whole(JPEG, "another.jpg") == "duplicate"
    assert await mei.whole(JPEG + b"x") == "stored"
    assert set(server.photos) == {"2026-11/a.jpg", "2026-11/a (2).jpg"} and server.parts == []
    (server.folder / "2026-11" / "a.jpg").unlink()
    assert await mei.whole(JPEG) == "stored"  # what was deleted may come again


async def test_each_library_has_its_own_folder_and_of_several_one_is_chosen(server: Server, mei: Browser) -> None:
    server.known = [(1, "School")]
    assert await mei.whole(JPEG) == "stored"
    server.known.append((2, "Clinic"))
    refused = await mei.begin(JPEG)
    assert (refused.status_code, refused.json()["code"]) == (422, "upload.library")
    assert (await mei.begin(JPEG, library="3")).json()["code"] == "upload.library"
    place = await mei.begun(JPEG, library="2")
    assert (await mei.send(place, JPEG)).headers["upload-outcome"] == "stored", "what another library has is not told"
    assert set(server.photos) == {"library-1/2026-11/a.jpg", "library-2/2026-11/a.jpg"}
    assert server.watched[-1] == (server.folder / "library-2", 2)
    with reaching(AccessScope(frozenset({2}))):
        assert server.uploads.libraries() == [(2, "Clinic")]
        assert (await server.uploads.begin(mei.id, NewUpload("b.jpg", 9))).library == 2
        with pytest.raises(UploadLibrary):
            await server.uploads.begin(mei.id, NewUpload("b.jpg", 9, library=1))


async def test_two_with_the_same_content_at_once_are_stored_once(server: Server, mei: Browser) -> None:
    outcomes = await asyncio.gather(*(mei.whole(JPEG, f"{number}.jpg") for number in range(3)))
    assert sorted(outcomes) == ["duplicate", "duplicate", "stored"]
    assert len(server.photos) == 1


async def test_a_part_at_another_place_is_refused_and_changes_nothing(server: Server, mei: Browser) -> None:
    place = await mei.begun(JPEG)
    await mei.send(place, JPEG[:5_000])
    for offset in (0, 4_999, 5_001):
        refused = await mei.send(place, b"damage", offset)
        assert (refused.status_code, refused.json()["code"]) == (409, "upload.offset")
    assert (await mei.send(place, JPEG[5_000:] + b"more", 5_000)).json()["code"] == "upload.protocol"
    assert (await mei.send(place, JPEG[await mei.offset(place) :], await mei.offset(place))).headers["upload-outcome"] == "stored"
    assert list(server.photos.values()) == [JPEG]


async def test_a_damaged_part_is_dropped_and_sent_again(server: Server, mei: Browser) -> None:
    place = await mei.begun(JPEG)
    checksum = {"upload-checksum": "sha256 " + base64.b64encode(hashlib.sha256(JPEG[:5_000]).digest()).decode()}
    refused = await mei.send(place, b"\xff\xd8\xff" + bytes(4_997), 0, **checksum)
    assert (refused.status_code, refused.json()["code"]) == (460, "upload.checksum") and await mei.offset(place) == 0
    assert (await mei.send(place, JPEG[:5_000], 0, **checksum)).status_code == 204
    checksum = {"upload-checksum": "sha1 " + base64.b64encode(hashlib.sha1(JPEG[5_000:], usedforsecurity=False).digest()).decode()}
    assert (await mei.send(place, JPEG[5_000:], 5_000, **checksum)).headers["upload-outcome"] == "stored"


async def test_more_than_a_request_may_hold_elsewhere_is_taken_in_one_part(server: Server, mei: Browser) -> None:
    large = JPEG + bytes(MOST_OF_A_MEMBER * 2)
    assert await mei.whole(large) == "stored"
    assert list(server.photos.values()) == [large]


async def test_what_a_connection_brought_before_it_broke_is_kept_and_a_dead_one_does_not_block(server: Server, mei: Browser) -> None:
    place = (await mei.begun(JPEG)).rpartition("/")[2]
    arrived = asyncio.Event()

    async def hangs() -> AsyncIterator[bytes]:
        yield JPEG[:1_000]
        arrived.set()
        await asyncio.Event().wait()

    async def comes(content: bytes) -> AsyncIterator[bytes]:
        yield content

    assert (await server.uploads.append(place, mei.id, 0, comes(JPEG[:600]))).offset == 600
    dead = asyncio.ensure_future(server.uploads.append(place, mei.id, 600, hangs()))
    await arrived.wait()
    state = await server.uploads.state(place, mei.id)
    with pytest.raises(UploadOffset):
        await dead
    done = await server.uploads.append(place, mei.id, state.offset, comes(JPEG[state.offset :]))
    assert done.upload.outcome is Outcome.STORED and list(server.photos.values()) == [JPEG]


class Disk(io.FileIO):
    """A part on a disk with room for so many bytes: what fits is written, as the system does it, and then nothing more."""

    room = 3_000

    def write(self, content: ReadableBuffer, /) -> int:
        fits = memoryview(content)[: Disk.room - self.tell()]
        if not fits:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(fits)


async def test_a_disk_that_fills_during_an_upload_keeps_what_came_and_goes_on_once_there_is_room(
    server: Server, mei: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await mei.begun(JPEG)
    with monkeypatch.context() as patched:
        patched.setattr(UploadFiles, "open", lambda files, upload_id: Disk(files._part(upload_id), "r+b"))
        for offset in (0, Disk.room):
            full = await mei.send(place, JPEG[offset:], offset)
            assert (full.status_code, full.json()["code"]) == (507, "upload.no_room")
            assert await mei.offset(place) == Disk.room
    assert server.photos == {} and len(server.parts) == 1
    assert (await mei.send(place, JPEG[Disk.room :], Disk.room)).headers["upload-outcome"] == "stored"
    assert list(server.photos.values()) == [JPEG] and server.parts == []


@pytest.mark.parametrize(
    ("content", "name", "status", "code"),
    [
        (JPEG, "a.exe", 415, "upload.type"),
        (JPEG, "a", 415, "upload.type"),
        (b"", "a.jpg", 415, "upload.type"),
        (bytes(20_000_001), "a.jpg", 413, "upload.too_large"),
    ],
)
async def test_what_is_not_wanted_is_refused_before_it_is_sent(
    server: Server, mei: Browser, content: bytes, name: str, status: int, code: str
) -> None:
    refused = await mei.begin(content, name)
    assert (refused.status_code, refused.json()["code"]) == (status, code) and server.queries.unfinished() == []


async def test_what_is_no_photo_by_its_content_leaves_nothing(server: Server, mei: Browser) -> None:
    place = await mei.begun(b"MZ" + bytes(9_998))
    refused = await mei.send(place, b"MZ" + bytes(4_998))  # told long before it is there
    assert (refused.status_code, refused.json()["code"]) == (415, "upload.type")
    assert server.parts == [] and server.queries.unfinished() == []
    assert (await mei.client.head(place, headers=TUS)).status_code == 404


async def test_there_are_limits_in_all_for_the_disk_and_for_each_member(server: Server, mei: Browser) -> None:
    server.limits = replace(LIMITS, total_bytes=2 * len(JPEG))
    assert await mei.whole(JPEG, "b.jpg") == "stored"
    first = await mei.begun(JPEG)
    assert (await mei.begin(JPEG)).json()["code"] == "upload.no_room"
    assert (await mei.client.delete(first, headers=TUS)).status_code == 204
    server.limits = replace(LIMITS, keep_free_bytes=10**18)
    assert (await mei.begin(JPEG)).status_code == 507
    server.limits = LIMITS
    for _ in range(3):
        await mei.begun(JPEG)
    assert (await mei.begin(JPEG)).json()["code"] == "upload.too_many"
    [*mine] = (await mei.client.get("/api/uploads")).json()["items"]
    assert [(each["name"], each["size"], each["offset"]) for each in mine] == [("a.jpg", len(JPEG), 0)] * 3


async def test_an_announcement_without_bytes_holds_no_room_for_longer_than_ten_minutes(server: Server, mei: Browser) -> None:
    server.limits = replace(LIMITS, total_bytes=4 * len(JPEG))
    empty, begun = await mei.begin(JPEG), await mei.begun(JPEG[:500], "b.jpg")
    assert parsedate_to_datetime(empty.headers["upload-expires"]) == START + timedelta(minutes=10)
    first = await mei.send(begun, JPEG[:100])
    assert parsedate_to_datetime(first.headers["upload-expires"]) == START + timedelta(days=2)
    ben = await server.team.member("ben", Role.EDITOR)
    async with server.team.client(**ben.headers) as client:
        other = Browser(client, ben.member.id)
        assert await other.whole(JPEG + JPEG) == "stored"
        server.team.later(timedelta(minutes=9))
        assert (await other.begin(JPEG)).json()["code"] == "upload.no_room"
        server.team.later(timedelta(minutes=1))
        again = await other.begun(JPEG, "c.jpg")
        assert (await mei.send(empty.headers["location"], JPEG)).json()["code"] == "upload.gone"
        assert await mei.offset(begun) == 100, "what has begun to arrive stays for days"
        assert len(server.parts) == 2
        server.team.later(timedelta(minutes=10))
        assert (await client.get("/api/uploads")).json()["items"] == []
        await server.uploads.sweep()
        assert [each.name for each in server.queries.unfinished()] == ["b.jpg"] and len(server.parts) == 1
        assert (await client.head(again, headers=TUS)).status_code == 404


async def test_an_announcement_whose_first_bytes_are_coming_does_not_lapse(server: Server, mei: Browser) -> None:
    place = (await mei.begun(JPEG)).rpartition("/")[2]
    comes, goes_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        comes.set()
        await goes_on.wait()
        yield JPEG

    sending = asyncio.ensure_future(server.uploads.append(place, mei.id, 0, slow()))
    await comes.wait()
    server.team.later(timedelta(minutes=11))
    await mei.begun(JPEG, "b.jpg")
    await server.uploads.sweep()
    goes_on.set()
    assert (await sending).upload.outcome is Outcome.STORED


async def test_a_members_announcements_take_half_of_the_room_together(server: Server, mei: Browser) -> None:
    server.limits = replace(LIMITS, total_bytes=4 * len(JPEG))
    await mei.begun(JPEG)
    await mei.begun(JPEG, "b.jpg")
    refused = await mei.begin(JPEG, "c.jpg")
    assert (refused.status_code, refused.json()["code"]) == (507, "upload.share")
    ben = await server.team.member("ben", Role.EDITOR)
    async with server.team.client(**ben.headers) as client:
        other = Browser(client, ben.member.id)
        assert await other.whole(JPEG) == "stored"
        assert (await other.begin(JPEG + b"x")).json()["code"] == "upload.no_room"


async def test_half_of_what_the_disk_has_is_the_most_that_a_member_announces(
    server: Server, mei: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UploadFiles, "free", lambda _: 3 * len(JPEG))
    server.limits = replace(LIMITS, keep_free_bytes=len(JPEG) // 2)
    await mei.begun(JPEG + JPEG)  # a single one may take more: otherwise the last room would be nobody's
    assert (await mei.begin(JPEG[:100])).json()["code"] == "upload.share"


async def test_nobody_reaches_anothers_upload_and_viewers_none(server: Server, mei: Browser) -> None:
    place = await mei.begun(JPEG)
    for name, role, status in (("ben", Role.ADMINISTRATOR, 404), ("vic", Role.VIEWER, 403), ("aud", Role.AUDITOR, 403)):
        member = await server.team.member(name, role)
        async with server.team.client(**member.headers) as client:
            other = Browser(client, member.member.id)
            answers = [await client.head(place, headers=TUS), await other.send(place, JPEG), await client.delete(place, headers=TUS)]
            assert [each.status_code for each in answers] == [status] * 3
    assert await mei.offset(place) == 0


async def test_requests_that_are_not_of_the_protocol_are_refused(mei: Browser) -> None:
    place = await mei.begun(JPEG)
    wrong: list[dict[str, Any]] = [
        {"method": "HEAD", "url": place},
        {"method": "POST", "url": "/api/uploads", "headers": {"upload-length": "5"}},
        {"method": "POST", "url": "/api/uploads", "headers": {**TUS, "upload-length": "-5"}},
        {"method": "POST", "url": "/api/uploads", "headers": {**TUS, "upload-length": "5", "upload-metadata": "filename a"}},
        {"method": "PATCH", "url": place, "headers": {**TUS, "upload-offset": "0"}, "content": b"x"},
        {"method": "PATCH", "url": place, "headers": {**PART, "upload-offset": "x"}, "content": b"x"},
        {"method": "PATCH", "url": place, "headers": {**PART, "upload-offset": "0", "upload-checksum": "md5 AAAA"}, "content": b"x"},
    ]
    for request in wrong:
        answer = await mei.client.request(**request)
        assert answer.status_code == 412 and answer.headers["tus-version"] == "1.0.0", request
    said = (await mei.client.options("/api/uploads")).headers
    assert (said["tus-extension"], said["tus-max-size"]) == ("creation,expiration,termination,checksum", "20000000")


async def test_what_is_not_finished_in_time_is_removed(server: Server, mei: Browser) -> None:
    place = await mei.begun(JPEG)
    await mei.send(place, JPEG[:5_000])
    server.team.later(timedelta(days=2))
    await server.uploads.sweep()
    assert server.parts == [] and server.queries.unfinished() == []
    with pytest.raises(UploadGone):
        await server.uploads.state(place.rpartition("/")[2], mei.id)


class Killed(BaseException):
    """Ends a thread where a kill would."""


@pytest.mark.parametrize("moment", ["same_content", "plan", "move", "end", "drop"])
async def test_a_kill_at_any_moment_of_storing_leaves_one_photo(
    server: Server, mei: Browser, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    where = server.queries if moment in ("same_content", "plan", "end") else server.uploads._files
    real = getattr(where, moment)

    def killed(*values: Any, **named: Any) -> None:
        real(*values, **named)  # done, and then killed
        raise Killed

    upload = await server.uploads.begin(mei.id, NewUpload("a.jpg", len(JPEG)))
    (server.folder / INCOMING / f"{upload.id}.part").write_bytes(JPEG)  # all of it came
    with monkeypatch.context() as patched:
        patched.setattr(where, moment, killed)
        with pytest.raises(Killed):
            server.uploads._store(upload)
    await server.started().sweep()
    assert server.photos == {"2026-11/a.jpg": JPEG} and server.parts == []
    assert server.queries.upload(upload.id, mei.id).outcome is Outcome.STORED
    assert len(AuditQueries(server.queries.database).audit_entries(limit=9, action="photo_uploaded")) == 1
    server.team.time = START


async def test_sent_again_after_the_database_was_lost_it_is_stored_once(
    server: Server, mei: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await mei.begun(JPEG)
    with monkeypatch.context() as patched:
        patched.setattr(server.queries, "end", Mock(side_effect=StoreUnreachable))
        assert (await mei.send(first, JPEG)).json()["code"] == "store.unreachable"
    assert await mei.whole(JPEG) == "duplicate"
    assert await mei.whole(JPEG[:-1] + b"x") == "stored", "another photo with the same name"
    assert set(server.photos) == {"2026-11/a.jpg", "2026-11/a (2).jpg"} and server.parts == []
    await server.started().sweep()
    assert server.queries.upload(first.rpartition("/")[2], mei.id).outcome is Outcome.STORED


async def test_a_photo_whose_name_and_size_another_one_took_is_stored_again(server: Server, mei: Browser) -> None:
    other = JPEG[:-1] + b"x"
    await mei.whole(JPEG)
    (server.folder / "2026-11" / "a.jpg").unlink()
    assert [await mei.whole(each) for each in (other, JPEG)] == ["stored", "stored"]
    assert server.photos == {"2026-11/a.jpg": other, "2026-11/a (2).jpg": JPEG}


async def test_another_content_than_announced_is_not_stored(server: Server, mei: Browser) -> None:
    announced = hashlib.sha256(JPEG).hexdigest()
    place = await mei.begun(JPEG, sha256=announced)
    answer = await mei.send(place, JPEG[:-1] + b"x")
    assert answer.json()["code"] == "upload.checksum" and server.photos == {} and server.parts == []
    assert (await mei.begin(JPEG, sha256="no digest")).json()["code"] == "upload.protocol"


async def test_a_program_that_lost_the_answer_gets_the_upload_it_began(server: Server, mei: Browser) -> None:
    member = await server.team.accounts.members.get(mei.id)
    announced = hashlib.sha256(JPEG).hexdigest()
    _, token = await server.team.accounts.tokens.add(member, "desk", [Scope.PHOTOS_UPLOAD], 30)
    async with server.team.client(authorization=f"Bearer {token}") as client:
        program = Browser(client, mei.id)
        place = await program.begun(JPEG, sha256=announced)
        assert await program.begun(JPEG, sha256=announced) == place
        assert await mei.begun(JPEG, sha256=announced) != place, "a browser's is its own"
        assert len((await client.get("/api/uploads")).json()["items"]) == 1
        assert len((await mei.client.get("/api/uploads")).json()["items"]) == 1
        await program.send(place, JPEG)
        assert await program.begun(JPEG, sha256=announced) != place, "that one is finished"
