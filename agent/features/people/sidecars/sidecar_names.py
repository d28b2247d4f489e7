"""Names in sidecars: imports other programs' names, and writes the user's names beside the photo."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import islice
from pathlib import Path

import structlog

from agent.domain.edits import EditStep, ImportNamesEdit
from agent.domain.errors import AgentError, StoreError, XmpError
from agent.domain.events import ImageIndexed, LocationAdded, StoredEvent
from agent.domain.regions import Conflict, NamedBox, Reading, area_of, same_name
from agent.features.library.activity import WorkState
from agent.features.library.recipes import recipe_for
from agent.features.library.records import Shown, StoredImage
from agent.features.people.queries.people_queries import PeopleQueries
from agent.features.people.sidecars.sidecar_conflicts import FoundConflict, NameConflicts, confirmed, named
from agent.features.people.sidecars.sidecar_store import NO_ENGINE, Sidecars
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import NamesInSidecars, Settings, folder_of

log = structlog.get_logger()

RETRY_AFTER_S = 30.0
MOST_DOUBLINGS = 5  # of that, while it keeps failing: each attempt may start an engine
AT_ONCE = 16  # photos read together: a call to the engine takes as long as reading several
MOST = 100_000  # queued photos; a later naming or a rescan makes up for those that a full queue leaves out

PUT_OFF = (StoreError, *NO_ENGINE)
READ = frozenset({NamesInSidecars.READ, NamesInSidecars.BOTH})
WRITTEN = frozenset({NamesInSidecars.BOTH})


class SidecarNames:
    """Reads and writes the photos in their order, in the background, and not while the agent is paused.

    Without a library or an engine, what waits stays queued and is tried again.
    """

    def __init__(
        self,
        library: PeopleQueries,
        store: Sidecars,
        work: WorkState,
        environment: Environment,
        *,
        adopt: Callable[[ImportNamesEdit], Awaitable[object]],
        reads: Callable[[], bool] = lambda: True,
    ) -> None:
        """`adopt` imports other programs' names as an undo step; it raises AgentError. Of several processes one `reads` new photos'."""
        self.found = NameConflicts(library)
        self._library = library
        self._store = store
        self._work = work
        self._environment = environment
        self._adopt = adopt
        self._reads = reads
        self._news = asyncio.Event()
        self._busy = False
        self._writing = asyncio.Lock()
        self._folders: dict[str, None] = {}  # to be scanned
        self._changed: dict[str, None] = {}  # sidecars
        self._said: set[int] = set()  # faces with a new edit
        self._renamed: set[int] = set()  # people whose name may have changed
        self._to_write: dict[int, None] = {}  # image ids, in the order they came
        self._to_read: dict[int, None] = {}

    async def run(self) -> None:
        """Run until cancelled."""
        failures = 0  # since the last success
        with self._environment.bus.listening(self._heard):
            while True:
                await self._news.wait()
                self._busy = True
                self._news.clear()
                try:
                    while not self._work.paused and await self._next():
                        failures = 0
                    self._busy = False
                except PUT_OFF as error:
                    log.warning("sidecars.put_off", code=error.code)
                    self._news.set()
                    await asyncio.sleep(RETRY_AFTER_S * 2 ** min(failures, MOST_DOUBLINGS))
                    failures += 1

    @property
    def idle(self) -> bool:
        """Return whether nothing is running or queued, except during a pause."""
        return not self._busy and not self._news.is_set()

    def wake(self, _: object = None) -> None:
        """Resume after a pause."""
        self._news.set()

    def said(self, step: EditStep) -> None:
        """Handle an edit of people, or its undo."""
        if self._any(WRITTEN):
            self._said |= step.faces
            if step.action == "describe":
                self._renamed |= step.people
            self._news.set()

    def look_through(self, before: Settings | None = None) -> None:
        """Read and write all photos in folders with the setting; with `before`, only in folders where it is new."""
        were = {folder.root: folder.names_in_sidecars for folder in before.folders} if before else {}
        wanted = [each.root for each in self._environment.settings.value.folders if each.names_in_sidecars in READ - {were.get(each.root)}]
        self._folders |= dict.fromkeys(wanted)
        self._news.set()

    def changed(self, path: str) -> None:
        """Handle a change of a sidecar, or of several in this watched folder."""
        queue = self._folders if any(folder.root == path for folder in self._environment.settings.value.folders) else self._changed
        if len(queue) < MOST:
            queue[path] = None
            self._news.set()

    async def conflicts(self) -> list[FoundConflict]:
        """Return faces with different names elsewhere, as far as detected since the start. Raises StoreError."""
        if not self._environment.settings.value.recognition.enabled:
            return []
        return await asyncio.to_thread(self.found.listed)

    async def keep(self, face_ids: Iterable[int], *, kept: bool = True) -> None:
        """Keep the user's names of these faces, see `NameConflicts.keep`. Raises StoreError."""
        await asyncio.to_thread(self.found.keep, set(face_ids), kept=kept)

    @asynccontextmanager
    async def forgetting(self, person_id: int) -> AsyncIterator[None]:
        """Remove their name from our entries; inside, nothing is written, so that it doesn't come back before they are deleted.

        This also happens while the agent is paused, because nothing would do it later. Raises StoreError.
        """
        name = (await asyncio.to_thread(self._library.person_names)).get(person_id, "")
        if not self._any(WRITTEN):
            yield
            self.found.drop(name)
            return
        faces = await asyncio.to_thread(self._library.faces_of_people, [person_id])
        images = await asyncio.to_thread(self._library.images_of_faces, faces)
        async with self._writing:
            await self._forget(name, images)
            yield
        self.found.drop(name)
        self._wait(self._to_write, images)  # for earlier names, if removing them failed then

    async def _forget(self, name: str, images: Iterable[int]) -> None:
        """Without an engine nothing is removed here, but by the writes that follow. Raises StoreError."""
        try:
            for image_id in images:
                image = await asyncio.to_thread(self._library.image, image_id)
                for path, _ in self._places(image, WRITTEN):
                    with _told_of(image_id):
                        await self._store.forget(path, [name])
        except NO_ENGINE as error:
            log.warning("sidecars.put_off", code=error.code)

    def _heard(self, recorded: StoredEvent) -> None:
        if isinstance(recorded.event, ImageIndexed | LocationAdded) and self._reads() and self._any(READ):
            self._wait(self._to_read, [recorded.event.image_id])

    def _any(self, wanted: frozenset[NamesInSidecars]) -> bool:
        return any(folder.names_in_sidecars in wanted for folder in self._environment.settings.value.folders)

    def _wait(self, queue: dict[int, None], images: Iterable[int]) -> None:
        fresh = [image_id for image_id in images if image_id not in queue]
        room = MOST - len(queue)
        if len(fresh) > room:
            log.warning("sidecars.queue_full", left_out=len(fresh) - room)
        queue |= dict.fromkeys(fresh[:room])
        self._news.set()

    async def _next(self) -> bool:
        """Process the next item; return False if there is none. Raises an error of PUT_OFF, and the item then stays queued."""
        if self._folders:
            root = next(iter(self._folders))
            images = (await asyncio.to_thread(self._library.index, Shown(folder=root))).ids
            del self._folders[root]
            self._wait(self._to_write, images if self._any(WRITTEN) else ())
            self._wait(self._to_read, images)
        elif self._said or self._renamed:
            said, renamed = set(self._said), set(self._renamed)
            faces = said | set(await asyncio.to_thread(self._library.faces_of_people, renamed))
            self._wait(self._to_write, await asyncio.to_thread(self._library.images_of_faces, faces))
            self._said -= said
            self._renamed -= renamed
        elif self._changed:
            path = next(iter(self._changed))
            beside = await asyncio.to_thread(self._library.images_beside, path)
            del self._changed[path]
            self._wait(self._to_read, beside)
        elif self._to_write:
            await self._do(self._to_write, self._write, 1)
        elif self._to_read:
            await self._do(self._to_read, self._read, AT_ONCE)
        else:
            return False
        return True

    async def _do(self, queue: dict[int, None], work: Callable[[Sequence[int]], Awaitable[None]], most: int) -> None:
        some = list(islice(queue, most))
        for image_id in some:
            del queue[image_id]  # first, so that edits meanwhile queue it again
        try:
            await work(some)
        except PUT_OFF:
            queue |= dict.fromkeys(some)
            raise

    async def _write(self, image_ids: Sequence[int]) -> None:
        """Write confirmed names only: suggestions are private."""
        for image_id in image_ids:
            async with self._writing:
                image = await asyncio.to_thread(self._library.image, image_id)
                if image is None:
                    continue
                theirs: dict[int, str] = {}
                places = self._places(image, WRITTEN)
                for path, root in places:
                    with _told_of(image_id):
                        theirs |= await self._put(path, image, root)
            self.found.remember(image_id, theirs)
            # Another process of a server may have written what was said since, and this one removed it again.
            now = await asyncio.to_thread(self._library.image, image_id) if places else None
            if now is not None and list(map(confirmed, now.faces)) != list(map(confirmed, image.faces)):
                self._wait(self._to_write, [image_id])

    async def _put(self, path: Path, image: StoredImage, root: Path) -> dict[int, str]:
        """Return face -> another program's name, if it differs from ours."""
        size = (image.width, image.height)
        boxes = [NamedBox(confirmed(face), face.face.box) for face in image.faces]
        written = await self._store.write(path, size, boxes, root=root)
        if written.changes:
            log.info("sidecars.written", image=image.id, regions=written.changes)
        faces = {area_of(face.face.box, *size, written.orientation): face.id for face in image.faces}
        return {faces[each.ours.area]: each.theirs.name for each in written.comparison if isinstance(each, Conflict)}

    async def _read(self, image_ids: Sequence[int]) -> None:
        """Read names: confirmed faces stay, possibly with a conflict; others get the sidecar's names."""
        settings = self._environment.settings.value
        images = await asyncio.to_thread(self._library.images_by_id, image_ids)
        places = {
            image.id: [path for path, _ in self._places(image, READ) if recipe_for(settings, str(path)).embedder is not None]
            for image in images
        }
        readings = iter(await self._store.read([path for paths in places.values() for path in paths]))
        for image in images:
            await self._take_over(image, list(islice(readings, len(places[image.id]))))

    async def _take_over(self, image: StoredImage, readings: Iterable[Reading | XmpError]) -> None:
        adopted, theirs, silent = dict[int, str](), dict[int, str](), {face.id for face in image.faces}
        for reading in readings:
            with _told_of(image.id, silent.clear):
                if isinstance(reading, XmpError):
                    raise reading
                for face, name in named(image, reading):
                    silent.discard(face.id)
                    ours = confirmed(face)
                    if not ours and not face.ignored:
                        adopted.setdefault(face.id, name)
                    elif ours and not same_name(ours, name):
                        theirs[face.id] = name
        self.found.remember(image.id, theirs)
        unsaid = await asyncio.to_thread(self._library.faces_adopted, silent)
        if adopted or unsaid:
            with _told_of(image.id):
                await self._adopt(ImportNamesEdit(names=tuple(adopted.items()), unsaid=tuple(sorted(unsaid))))

    def _places(self, image: StoredImage | None, wanted: frozenset[NamesInSidecars]) -> list[tuple[Path, Path]]:
        """Return the image's locations in folders with this setting, with the folder."""
        folders = self._environment.settings.value.folders
        found = [(path, folder_of(path, folders)) for _, path in image.places] if image else []
        return [(Path(path), Path(folder.root)) for path, folder in found if folder and folder.names_in_sidecars in wanted]


@contextmanager
def _told_of(image_id: int, wrong: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Report a fault of one photo without stopping, unless it is the library's or the engine's; then call `wrong`."""
    try:
        yield
    except PUT_OFF:
        raise
    except AgentError as error:
        wrong()
        log.warning("sidecars.failed", image=image_id, code=error.code)
    except Exception as error:  # what an untrusted file says is handled here
        wrong()
        log.error("sidecars.unexpected", image=image_id, kind=type(error).__name__)
