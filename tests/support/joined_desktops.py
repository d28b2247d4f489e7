"""A team's server and the desktops that joined it, in one process."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import func, select

from agent.desktop.team_client.connection import TeamConnection
from agent.desktop.team_client.folder_sharing import FolderSharing
from agent.desktop.team_client.folder_uploads import FolderUploads
from agent.desktop.team_client.photo_queries import TeamPhotoQueries
from agent.desktop.team_client.queries import TeamQueries
from agent.desktop.team_client.records import Link
from agent.desktop.team_client.service import TeamMembership
from agent.desktop.team_client.team_alerts import NotifiedAlerts, TeamAlerts
from agent.desktop.team_client.team_names import TeamNames
from agent.desktop.team_client.team_session import TeamSession
from agent.desktop.team_client.team_tokens import TeamTokens
from agent.desktop.team_client.team_upload_queries import TeamUploadQueries
from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.edits import Basis, DescribePersonEdit
from agent.domain.identity_matching import Certainty
from agent.domain.image import FileSeen
from agent.domain.jobs import Priority
from agent.features.library.recipes import recognises
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.migrator import open_database
from agent.infrastructure.store.schema import identity, metadata, person, place
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.interfaces.web.access import Role
from agent.server.accounts.secret_tokens import new_id
from agent.server.accounts.throttle_queries import AttemptQueries
from agent.server.devices.desk_uploads import DeskUploads
from agent.server.devices.join_queries import JoinQueries
from agent.server.devices.joining import Joining
from agent.server.devices.queries import DeskQueries
from agent.server.devices.remote_photo_queries import DeskPhotoQueries
from agent.server.devices.remote_photos import DeskPhotos
from agent.server.devices.routes import desk_routes
from agent.server.devices.service import Desks
from agent.server.devices.upload_queries import DeskUploadQueries
from agent.server.libraries.library_choice import LibraryChoice
from agent.server.uploads.queries import UploadQueries
from agent.server.uploads.records import Limits
from agent.server.uploads.routes import upload_routes
from agent.server.uploads.service import Uploads
from agent.server.uploads.upload_files import INCOMING, UploadFiles
from tests.support.in_process_agent import NOW, World
from tests.support.team_accounts import ORIGIN, PASSWORD, Team

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

    from agent.interfaces.web.desk_exchange import DeskAlert
    from agent.server.accounts.service import Accounts
    from tests.support.team_accounts import SignedInMember

    Answering = Callable[[httpx.Request], Awaitable[httpx.Response]]

KEY = bytes(32)
PHOTO = b"anna at the lake"
LIMITS = Limits(file_bytes=20_000_000, total_bytes=0, keep_free_bytes=0, unfinished=5, days=2)
SETTINGS = Settings.model_validate({"recognition": {"enabled": True}})


def desks_over(world: World, accounts: Accounts, libraries: Sequence[tuple[int, str]] = ()) -> Desks:
    """The desks of a server that recognises people."""
    app, database = world.app, world.real.database
    photos = DeskPhotos(DeskPhotoQueries(database), app.people, LibraryChoice(lambda: libraries), app.bus.publish, app.now)
    uploads = DeskUploads(DeskUploadQueries(database), photos, app.people, app.now)
    joining = Joining(JoinQueries(database), AttemptQueries(database), app.now)
    return Desks(DeskQueries(database), app.people, accounts, joining, uploads, app.now, lambda: recognises(app.settings))


class Server:
    """A team's server: its library, its accounts and its API, without a network."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.team = Team(world.real.database)
        self.desks = desks_over(world, self.team.accounts)
        desk_routes(self.team.api, self.desks, self.team.accounts)
        self.limits = LIMITS
        self.uploaded = world.folder / "uploads"
        database, files = world.real.database, UploadFiles(lambda: self.uploaded)
        self.uploads = Uploads(UploadQueries(database), files, lambda: self.limits, world.app.now, self, new_id)
        upload_routes(self.team.api, self.uploads)
        self.down = False

    def libraries(self) -> list[tuple[int, str]]:
        """The server has none."""
        return []

    async def watch(self, root: Path, library: int | None) -> None:
        """Nothing watches the uploads here: `note_uploads` does it by hand."""

    @property
    def photos(self) -> dict[str, bytes]:
        """What was uploaded, by its path."""
        found = [each for each in self.uploaded.rglob("*") if each.is_file() and each.parent.name != INCOMING]
        return {each.relative_to(self.uploaded).as_posix(): each.read_bytes() for each in found}

    async def note_uploads(self) -> None:
        """As the folder's watcher does it, until all are analysed."""
        for name in self.photos:
            path = self.uploaded / name
            facts = path.stat()
            await self.world.app.ingest.note(FileSeen(str(path), facts.st_size, facts.st_mtime_ns, str(self.uploaded)), Priority.NEW)
        count, files = len(self.photos), select(func.count()).select_from(place).where(place.c.source == "file")

        def analysed() -> bool:
            with self.world.real.database.read() as tx:
                return tx.scalar(files.where(place.c.image_id.is_not(None))) == count

        await self.world.until(analysed)

    async def person(self, name: str, photo: str, *, agrees: bool = True) -> int:
        """Someone on a photo, whose face is told by the photo's first letter."""
        await self.world.index(photo)
        [face] = self.world.real.faces_of(self.world.real.images(limit=1)[0].sha256)
        person_id = await self.world.app.people.name_face(face, name)
        if agrees:
            await self.says(person_id, ConsentState.GIVEN)
        return person_id

    async def says(self, person_id: int, state: ConsentState) -> None:
        consents, today = self.world.app.consents, self.world.app.consents.today()
        if state is ConsentState.WITHDRAWN:
            await consents.withdraw(person_id, Purpose.RECOGNISE)
        else:
            await consents.give(person_id, [Consent(purpose=Purpose.RECOGNISE, state=state, given_on=today, basis=Basis.OWN_CONSENT)])

    def named(self) -> set[str]:
        return set(self.world.real.person_names().values())


class Desk:
    """A desktop of a member."""

    def __init__(self, world: World, server: Server) -> None:
        self.world = world
        self.server = server
        self.cut = False
        self.asked: list[int] = []
        """the numbers after which it asked for people"""
        self.breaks: list[Callable[[httpx.Request, Answering], Awaitable[httpx.Response]]] = []
        """what answers the next parts of uploads instead, the last one first"""
        self.alerts: list[str] = []
        """the names of those that were told"""
        self.alert_answers: list[int] = []
        """the status of each answer to a question for alerts"""
        self.tokens = TeamTokens(lambda: FileSecretStore(world.folder / ".keys"), world.folder)
        self.library = TeamQueries(world.real.database)
        self.paused = False
        self.online_only: set[str] = set()
        """paths whose content is in a cloud"""
        self.sent: list[tuple[str, str]] = []
        """method and path of each request"""
        database, environment = world.real.database, world.app.environment
        self.sharing = FolderSharing(TeamPhotoQueries(database), environment)
        self.uploads = FolderUploads(TeamUploadQueries(database), environment, lambda: self.paused, self.online_only.__contains__)
        self.membership = TeamMembership(
            self.library,
            TeamNames(self.library, world.app.people, world.app.consents, world.app.environment),
            TeamSession(self.tokens, self.connect),
            world.app.environment,
            self.sharing,
            self.uploads,
            TeamAlerts(NotifiedAlerts(world.folder), self.tell),
        )

    async def tell(self, _: Link, alerts: Sequence[DeskAlert]) -> list[int]:
        self.alerts += [each.name for each in alerts]
        return [each.id for each in alerts]

    @asynccontextmanager
    async def connect(self, address: str, authority: str, token: str) -> AsyncIterator[TeamConnection]:
        desk = self

        class Line(httpx.ASGITransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                if desk.cut:
                    raise httpx.ConnectError("cut")
                desk.sent.append((request.method, request.url.path))
                if desk.breaks and request.method == "PATCH":
                    return await desk.breaks.pop()(request, super().handle_async_request)
                if request.url.path == "/api/desk/people":
                    desk.asked += map(int, request.url.params.get_list("after"))
                answer = await super().handle_async_request(request)
                if request.url.path == "/api/desk/alerts":
                    desk.alert_answers.append(answer.status_code)
                return answer

        headers = {"authorization": f"Bearer {token}"}
        line = Line(self.server.team.api, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=line, base_url=address, headers=headers) as client:
            yield TeamConnection(client)

    async def join(self, member: SignedInMember) -> None:
        """By the server's own routes, but for the certificate."""
        api = self.server.team
        async with api.client() as desktop, api.client(**member.headers) as browser:
            asked = (await desktop.post("/api/join", json={"computer": "desk", "system": "Linux"})).json()
            wish = {"allow": True, "password": PASSWORD}
            assert (await browser.post(f"/api/join/requests/{asked['user_code']}", json=wish)).status_code == 204
            granted = (await desktop.post("/api/join/answer", json={"device_code": asked["device_code"]})).json()
        link = Link("ab" * 16, ORIGIN, "photos", "AB:CD", "PEM", granted["member"], granted["may_name"])
        self.tokens.write(link.uid, granted["token"])
        self.library.join(link, now=NOW)
        self.membership._link_changed.set()

    def people(self) -> dict[str, int]:
        """Faces by name, recognised or confirmed."""
        return {each.name: each.faces for each in self.world.real.people()}

    def prints(self) -> int:
        return self.library.figures().prints

    async def until(self, condition: Any) -> None:
        """Wait; reading in a thread of its own, the libraries are not kept from what they do by being watched."""
        for _ in range(2_000):
            if await asyncio.to_thread(condition):
                return
            await asyncio.sleep(0.05)
        pytest.fail("it never became true")

    async def rename(self, before: str, after: str) -> None:
        [person_id] = [each for each, name in self.world.real.person_names().items() if name == before]
        await self.world.app.people.edit(DescribePersonEdit(person_id=person_id, name=after))

    def everything(self) -> str:
        """All that is in the library, in one text."""
        with self.world.real.database.read() as tx:
            return "\n".join(repr(row) for table in metadata.sorted_tables for row in tx.execute(select(table)))


async def shared(desk: Desk, content: bytes = PHOTO) -> int:
    """A photo in a folder of which results are shared; returns its only face."""
    folders = [{"path": str(desk.world.folder / "shared"), "share": "results"}]
    await desk.world.app.apply(Settings.model_validate({"recognition": {"enabled": True}, "folders": folders}))
    async with desk.world.app.indexer.at_rest():
        desk.world.put(f"shared/{content[:1].decode()}", content=content)
    desk.membership.sharing.begin_anew()
    [found] = desk.world.real.faces_of(hashlib.sha256(content).hexdigest())
    await desk.until(lambda: bool(desk.server.world.real.faces_of(hashlib.sha256(content).hexdigest())))
    return found


def named_faces(at: Desk | Server) -> list[str]:
    """The names of confirmed faces, one for each."""
    named = select(person.c.name).join(identity, identity.c.person_id == person.c.id)
    with at.world.real.database.read() as tx:
        return list(tx.scalars(named.where(identity.c.certainty == Certainty.CONFIRMED).order_by(person.c.name)))


class Office:
    def __init__(self, server: Server, desks: tuple[Desk, Desk], member: SignedInMember) -> None:
        self.server = server
        self.one, self.other = desks
        self.member = member


@asynccontextmanager
async def office_in(folder: Path) -> AsyncIterator[Office]:
    """A server that asks for consent, and two desktops, which run and joined."""
    async with AsyncExitStack() as stack:
        worlds = []
        for name in ("server", "one", "other"):
            database = await asyncio.to_thread(open_database, folder / f"{name}.db", KEY)
            stack.callback(database.close)
            worlds.append(World(RedactionQueries(database), folder / name))
            worlds[-1].make(SETTINGS)
        server = Server(worlds[0])
        stack.enter_context(worlds[0].app.bus.listening(server.desks.happened))
        desks = Desk(worlds[1], server), Desk(worlds[2], server)
        for world in worlds:
            await stack.enter_async_context(world.running())
            await asyncio.wait_for(world.app.prepared.wait(), 60)
        member = await server.team.member("mei", Role.CURATOR)
        for desk in desks:
            task = asyncio.create_task(desk.membership.run())
            stack.push_async_callback(_end, task)
            await desk.join(member)
        yield Office(server, desks, member)
        await server.team.settle()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
