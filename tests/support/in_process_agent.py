"""An analyser that says what a test tells it to, and the parts of the agent around it."""

from __future__ import annotations

import asyncio
import hashlib
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from struct import pack
from typing import TYPE_CHECKING

import pytest

from agent.app.adapters import ExternalAdapters
from agent.app.app import App
from agent.desktop.capture.capture import CaptureDesktop
from agent.domain.embeddings import ClusterInput, ClusterInputs, FaceEmbedding, Near, Spread, numbers
from agent.domain.errors import AgentError, ImageMissing
from agent.domain.events import StoredEvent
from agent.domain.face import Analysis, Box, Face, Landmarks, Quality, StageTimes
from agent.domain.identity_matching import Candidate
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Priority
from agent.features.library.recipes import EMBEDDER, recipe_for
from agent.features.people.erasure_list import ErasureList
from agent.features.people.recognition_switch import Backups
from agent.features.people.service import PeopleEdges
from agent.features.people.sidecars.sidecar_store import Sidecars
from agent.features.redaction.copy_files import CopyFileStore
from agent.features.redaction.recovery_file import RecoveryFileStore
from agent.features.redaction.restore import RedactionTools
from agent.features.redaction.video.video_redactor import VideoRedactor
from agent.inference.engine.analyser import Analyse, AnalysisEngine
from agent.inference.engine.matcher_port import ClusterMembers, Query
from agent.inference.engine.renderer import KeptRegion, Render, Rendered
from agent.inference.engine.screen_port import ScreenGrabber
from agent.infrastructure.core.memory_trimmer import MemoryTrimmer
from agent.infrastructure.core.settings import Settings, folder_of
from agent.infrastructure.sources.source import Emit
from agent.infrastructure.store.audit_anchor import AuditAnchor
from tests.support.inline_sidecars import ask_here
from tests.support.service_environment import environment

# Many use the stand-ins only, and SQLAlchemy is slow to load.
if TYPE_CHECKING:
    from agent.features.redaction.queries.redaction_queries import RedactionQueries

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LANDMARKS: Landmarks = ((10, 10), (30, 10), (20, 20), (12, 30), (28, 30))


class FakeAnalyser:
    """Every file shows one face, whose print is the file's first byte. `errors` come first, one at each attempt; `gate` holds work up."""

    def __init__(self) -> None:
        self.tasks: list[Analyse] = []
        self.errors: dict[str, list[AgentError]] = {}
        self.faces: dict[str, int] = {}  # how many a file of that name shows, where that is not one
        self.frames: dict[str, int] = {}  # likewise
        self.formats: dict[str, str] = {}  # of a file of that name, where that is not "jpeg"
        self.always: AgentError | None = None
        self.defect: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = asyncio.Event()
        self.previews: list[tuple[str, int]] = []
        self.hidden: list[tuple[Box, ...]] = []
        """what was covered in each of them"""
        self.preview_size = 10
        self.forgotten = 0
        self.closed = False

    async def analyse(self, task: Analyse) -> Analysis:
        self.tasks.append(task)
        self.busy.set()
        await self.gate.wait()
        if self.defect is not None:
            raise self.defect
        if self.always is not None:
            raise self.always
        if waiting := self.errors.get(task.path):
            raise waiting.pop(0)
        try:
            content = await asyncio.to_thread(Path(task.path).read_bytes)
        except OSError as error:
            raise ImageMissing from error
        found = analysis(content, task.recipe, chip=task.keep_chips)
        name = Path(task.path).name
        faces = found.faces * self.faces.get(name, 1)
        return replace(found, faces=faces, frames=self.frames.get(name, 1), format=self.formats.get(name, found.format))

    async def preview(self, path: str, side: int, hidden: tuple[Box, ...] = ()) -> bytes:
        self.previews.append((path, side))
        self.hidden.append(hidden)
        await self.gate.wait()
        if self.always is not None:
            raise self.always
        return bytes(self.preview_size)

    def forget(self) -> None:
        self.forgotten += 1

    async def close(self) -> None:
        self.closed = True


class FakeRenderer:
    """A copy says what is covered on it and how often it was made; what is kept below a cover is its name. `errors` come first, by path."""

    def __init__(self) -> None:
        self.tasks: list[Render] = []
        self.errors: dict[str, list[AgentError]] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = asyncio.Event()
        self.rendered: Callable[[Render], None] = lambda _: None

    async def render(self, task: Render) -> Rendered:
        self.tasks.append(task)
        self.busy.set()
        await self.gate.wait()
        if waiting := self.errors.get(task.path):
            raise waiting.pop(0)
        try:
            content = await asyncio.to_thread(Path(task.path).read_bytes)
        except OSError as error:
            raise ImageMissing from error
        copy = f"{len(task.covers)} covered, {task.covers!r}, strip={task.strip}, ".encode() + content
        writing = asyncio.create_task(asyncio.to_thread(Path(task.output).write_bytes, copy))
        try:
            await asyncio.shield(writing)
        finally:
            await writing  # like the real one, it writes nothing any more once it was cancelled
        regions = tuple(KeptRegion(round(each.box.x), round(each.box.y), b"png") for each in task.covers) if task.keep_regions else ()
        self.rendered(task)
        sha256, copy_sha256 = (hashlib.sha256(each).hexdigest() for each in (content, copy))
        return Rendered(sha256, 100, 80, task.format or "jpeg", copy_sha256, len(copy), ("exif", "gps") if task.strip else (), regions)

    async def restore(self, path: str, regions: tuple[KeptRegion, ...], output: str) -> None:
        await asyncio.to_thread(Path(output).write_bytes, b"restored %d" % len(regions))


class FakeMatcher:
    """Two faces are near each other if their prints are the same, and as far apart as can be if not."""

    def __init__(self, read: Callable[[], Iterator[Sequence[FaceEmbedding]]]) -> None:
        self._read = read
        self._known: dict[int, FaceEmbedding] | None = None
        self.error: AgentError | None = None
        self.asked = 0
        self.before: Callable[[], Awaitable[None]] | None = None  # once
        self.forgotten = 0
        self.grouped: list[int] = []

    async def near(self, query: Query, *, within: float, limit: int, named: bool = False) -> list[list[Near]]:
        known = await self._asked()
        among = [each for each in known.values() if each.person_id or not named]
        return [
            [(each.face_id, 0.1) for each in among if each.embedding == print and each.face_id != own][:limit]
            for print, own in self._queries(query, known)
        ]

    async def identify(self, query: Query, *, probable: float, most: int = 5) -> list[list[Candidate]]:
        known = await self._asked()
        found: list[list[Candidate]] = []
        for print, own in self._queries(query, known):
            alike = [each for each in known.values() if each.embedding == print and each.face_id != own]
            people = Counter(each.person_id for each in alike if each.person_id)
            found.append([Candidate(person, 0.1, count, count) for person, count in people.most_common(most)])
        return found

    async def group(self, members: ClusterInputs) -> bytes:
        faces = numbers(members.faces)
        of = await self._groups(faces)
        return array("q", (of.get(face, 0) for face in faces)).tobytes()

    async def place(self, fresh: Sequence[ClusterInput], known: Callable[[], ClusterMembers]) -> dict[int, int]:
        return await self._groups([each.face_id for each in (*known().members, *fresh)])

    async def _groups(self, faces: Sequence[int]) -> dict[int, int]:
        known = await self._asked()
        self.grouped += faces
        prints = {face: known[face].embedding for face in faces if face in known}
        many = Counter(prints.values())
        first = {print: face for face, print in reversed(prints.items())}
        return {face: first[print] if many[print] > 1 else 0 for face, print in prints.items()}

    async def spread(self, groups: Sequence[Sequence[int]], *, most: int) -> list[Spread]:
        """The first of each different print are the least alike, and a group of two prints is two people's."""
        known, found = await self._asked(), []
        for group in groups:
            prints = {face: known[face].embedding for face in group if face in known}
            first = list({print: face for face, print in reversed(prints.items())}.values())
            shown = [*first, *(face for face in prints if face not in first)][:most]
            main = Counter(prints.values()).most_common(1)
            other = tuple(face for face, print in prints.items() if print != main[0][0])
            found.append(Spread(tuple(shown), other, 1.3 if other else 0.1))
        return found

    async def put(self, prints: Sequence[FaceEmbedding]) -> None:
        if self._known is not None:
            self._known |= {each.face_id: each for each in prints}

    async def drop(self, faces: Sequence[int]) -> None:
        for each in faces:
            (self._known or {}).pop(each, None)

    async def align(self, known: Callable[[], Mapping[int, int]]) -> list[int]:
        if self._known is None:
            return []
        people = known()
        self._known = {face: replace(self._known[face], person_id=person) for face, person in people.items() if face in self._known}
        return [face for face in people if face not in self._known]

    def forget(self) -> None:
        self.forgotten += 1
        self._known = None

    async def close(self) -> None: ...

    async def _asked(self) -> dict[int, FaceEmbedding]:
        self.asked += 1
        if self.before is not None:
            once, self.before = self.before, None
            await once()
        if self.error is not None:
            raise self.error
        if self._known is None:
            self._known = await asyncio.to_thread(lambda: {each.face_id: each for page in self._read() for each in page})
        return self._known

    def _queries(self, query: Query, known: Mapping[int, FaceEmbedding]) -> list[tuple[bytes, int]]:
        """Each print with the face whose it is, if it is one's."""
        return [(each, 0) for each in query.embeddings] + [(known[each].embedding if each in known else b"", each) for each in query.faces]


def analysis(content: bytes, recipe: Recipe, *, chip: bool = True) -> Analysis:
    known = recipe.embedder is not None
    face = Face(
        Box(5, 5, 40, 40),
        0.9,
        LANDMARKS,
        Quality(size=40, sharpness=100, yaw=0, roll=0),
        embedding=pack("<f", content[0]) if known else None,
        chip=b"jpeg" if known and chip else None,
    )
    digest = hashlib.sha256(content).hexdigest()
    return Analysis(digest, len(content), 100, 80, "jpeg", recipe, "f32", (face,), StageTimes(1, 2, 3, 4))


class FakeSource:
    """Emits what a test hands it."""

    def __init__(self) -> None:
        self.emit: Emit | None = None
        self.started = asyncio.Event()
        self.rescans = 0

    async def run(self, emit: Emit) -> None:
        self.emit = emit
        self.started.set()
        await asyncio.get_running_loop().create_future()

    async def rescan(self) -> None:
        self.rescans += 1


class Unreliable:
    """The library, some of whose methods fail with an error as long as it is set."""

    def __init__(self, library: RedactionQueries) -> None:
        self._library = library
        self.failing: dict[str, AgentError] = {}
        self.calls: list[str] = []
        self.called: Callable[[str], None] = lambda _: None

    def __getattr__(self, name: str) -> object:
        method = getattr(self._library, name)
        if not callable(method):
            return method

        def call(*values: object, **named: object) -> object:
            self.calls.append(name)
            self.called(name)
            if name in self.failing:
                raise self.failing[name]
            return method(*values, **named)

        return call


class World:
    """A whole agent with the edges swapped, and words for what tests do with it."""

    def __init__(self, library: RedactionQueries, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()
        self.real = library
        self.library = Unreliable(library)
        self.matcher = FakeMatcher(lambda: library.prints(EMBEDDER))
        self.sidecars = Sidecars(ask_here)
        self.forgotten = ErasureList(self.folder / ".forgotten")
        self.analyser = FakeAnalyser()
        self.renderer = FakeRenderer()
        self.clips: VideoRedactor | None = None
        self.films: VideoRedactor | None = None
        self.source = FakeSource()
        self.happened: list[StoredEvent] = []
        self.time = 0.0
        self.slept = timedelta()  # by how much the clock on the wall leapt forward
        self.supplied: list[Recipe] = []
        self.supply_error: AgentError | None = None
        self.backups: list[datetime] = []
        self.replaced: list[datetime] = []
        self.backup_error: AgentError | None = None
        self.sent: list[datetime] = []
        self.send_error: AgentError | None = None
        self.reconfigured: list[Settings] = []
        self.in_the_cloud: set[str] = set()  # paths of files whose content is not here
        self.screen: tuple[ScreenGrabber, CaptureDesktop] | None = None
        self.renamed: Callable[[str, str | None], bool | None] = lambda *_: None
        self.app = self.make(Settings())

    def make(self, settings: Settings) -> App:
        async def supply(recipe: Recipe) -> None:
            self.supplied.append(recipe)
            if self.supply_error is not None:
                raise self.supply_error

        async def reconfigure(new: Settings) -> None:
            self.reconfigured.append(new)

        def backup(now: datetime, _: Settings) -> None:
            self.backups.append(now)
            if self.backup_error is not None:
                raise self.backup_error

        def replace(now: datetime, _: Settings) -> None:
            if self.backup_error is not None:
                raise self.backup_error
            self.replaced.append(now)

        def send(now: datetime, _: Settings) -> None:
            self.sent.append(now)
            if self.send_error is not None:
                raise self.send_error

        edges = ExternalAdapters(
            self.library,  # type: ignore[arg-type]
            AnalysisEngine(self.analyser, lambda: 2, supply),
            self.source,
            PeopleEdges(
                self.matcher, Backups(backup, replace, send), self.forgotten, self.sidecars, lambda name, new: self.renamed(name, new)
            ),
            RedactionTools(self.renderer, CopyFileStore(), RecoveryFileStore(lambda: bytes(32))),
            AuditAnchor(self.folder),  # beside it
            (self.clips, self.films),
            screen=self.screen,
            online_only=lambda path: path in self.in_the_cloud,
        )
        here = environment(settings, clock=lambda: NOW + self.slept, monotonic=lambda: self.time)
        self.app = App(here, edges, {"popup": reconfigure}, MemoryTrimmer())
        return self.app

    def file(self, name: str, content: bytes = b"") -> FileSeen:
        """Write a file; without content it holds its own name. It counts as found in a watched folder only where the settings have that."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content or name.encode())
        facts = path.stat()
        watched = folder_of(str(path), self.app.settings.folders)
        return FileSeen(str(path), facts.st_size, facts.st_mtime_ns, watched.root if watched else None)

    def put(self, *names: str, content: bytes = b"") -> None:
        """Files and what was found in them, as if the agent had run: the first image's id is 1."""
        for name in names:
            seen = self.file(name, content)
            recipe = recipe_for(self.app.settings, seen.path)
            found = analysis(content or name.encode(), recipe)
            self.real.note_file(seen, recipe, priority=Priority.NEW, now=NOW, sha256=found.sha256)
            for job in self.real.lease(1, now=NOW, until=NOW + timedelta(minutes=1))[0]:  # none where the content is known
                self.real.commit(job, found, now=NOW)

    async def index(self, *names: str) -> None:
        """Files that the running agent finds and looks at, one after the other."""
        for name in names:
            images = self.real.counts().images
            await self.app.ingest.note(self.file(name), Priority.NEW)
            await self.until(lambda: self.real.counts().images > images)  # noqa: B023

    @asynccontextmanager
    async def running(self, *, watch: bool = False) -> AsyncIterator[None]:
        task = asyncio.create_task(self.app.run(watch=watch))
        try:
            with self.app.bus.listening(self.happened.append):
                yield
        finally:
            self.analyser.gate.set()
            self.renderer.gate.set()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait, giving way to the loop and its threads, until something is true."""
        for _ in range(10_000):
            if condition():
                return
            await asyncio.sleep(0.005)
        pytest.fail("it never became true")
