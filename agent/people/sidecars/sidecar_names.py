"""Names in sidecars: imports other programs' names, and writes the user's names beside the photo."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from agent.core.environment import Environment
from agent.core.settings import NamesInSidecars, Settings, folder_of
from agent.domain.edits import AdoptNamesEdit, EditStep
from agent.domain.errors import AgentError, StoreError, XmpError
from agent.domain.events import ImageIndexed, PlaceAdded, Recorded
from agent.library.recipes import recipe_for
from agent.library.records import Shown, StoredImage
from agent.library.work_state import WorkState
from agent.people.queries.people_queries import PeopleQueries
from agent.people.sidecars.regions import Conflict, NamedBox, area_of, same_name
from agent.people.sidecars.sidecar_faces import confirmed, named
from agent.people.sidecars.sidecar_port import SidecarStore

log = structlog.get_logger()

RETRY_AFTER_S = 30.0
MOST = 100_000  # queued photos; a later naming or a rescan makes up for those that a full queue leaves out
MOST_CONFLICTS = 1_000  # remembered: the latest
KEPT = "name_kept.{face}"  # noted with the person: as numbers, so that forgetting leaves no name

READ = frozenset({NamesInSidecars.READ, NamesInSidecars.BOTH})
WRITTEN = frozenset({NamesInSidecars.BOTH})


@dataclass(frozen=True, slots=True)
class FoundConflict:
    """A face whose name differs in another program."""

    image_id: int
    face_id: int
    ours: str
    theirs: str
    person_id: int = 0  # the person of `ours`


class SidecarNames:
    """Reads and writes one photo after the other, in the background, and not while the agent is paused."""

    def __init__(
        self,
        library: PeopleQueries,
        store: SidecarStore,
        work: WorkState,
        environment: Environment,
        *,
        adopt: Callable[[AdoptNamesEdit], Awaitable[object]],
    ) -> None:
        """`adopt` imports other programs' names as an undo step; it raises AgentError."""
        self._library = library
        self._store = store
        self._work = work
        self._environment = environment
        self._adopt = adopt
        self._news = asyncio.Event()
        self._busy = False
        self._writing = asyncio.Lock()
        self._folders: dict[str, None] = {}  # to be scanned
        self._changed: dict[str, None] = {}  # sidecars
        self._said: set[int] = set()  # faces with a new edit
        self._renamed: set[int] = set()  # people whose name may have changed
        self._to_write: dict[int, None] = {}  # image ids, in the order they came
        self._to_read: dict[int, None] = {}
        self._theirs: dict[tuple[int, int], str] = {}  # (image, face) -> another program's name, if it differed from ours

    async def run(self) -> None:
        """Run until cancelled."""
        with self._environment.bus.listening(self._heard):
            while True:
                await self._news.wait()
                self._busy = True
                self._news.clear()
                try:
                    while not self._work.paused and await self._next():
                        pass
                    self._busy = False
                except StoreError as error:
                    log.warning("sidecars.put_off", code=error.code)
                    self._news.set()
                    await asyncio.sleep(RETRY_AFTER_S)

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
        return await asyncio.to_thread(self._conflicts)

    def _conflicts(self) -> list[FoundConflict]:
        images = self._library.images_by_id(list(dict.fromkeys(image_id for image_id, _ in self._theirs)))
        told = [(image.id, face, self._theirs.get((image.id, face.id))) for image in images for face in image.faces]
        found = [
            FoundConflict(image_id, face.id, ours, theirs, face.identity.person_id)
            for image_id, face, theirs in told
            if theirs and face.identity and (ours := confirmed(face)) and not same_name(ours, theirs)
        ]
        return [each for each in found if self._library.note(KEPT.format(face=each.face_id)) != each.person_id]

    async def keep(self, face_ids: Iterable[int], *, kept: bool = True) -> None:
        """Keep the user's names of these faces: no longer report conflicts, until another name appears there.

        `kept=False` reverts that. Raises StoreError.
        """
        wanted = set(face_ids)
        images = await asyncio.to_thread(self._library.images_of_faces, sorted(wanted))
        stored = await asyncio.to_thread(self._library.images_by_id, list(images))
        faces = [face for image in stored for face in image.faces if face.id in wanted and face.identity]
        notes = {KEPT.format(face=face.id): face.identity.person_id if kept and face.identity else None for face in faces}
        await asyncio.to_thread(self._library.take_notes, notes)

    @asynccontextmanager
    async def forgetting(self, person_id: int) -> AsyncIterator[None]:
        """Remove their name from our entries; inside, nothing is written, so that it doesn't come back before they are deleted.

        This also happens while the agent is paused, because nothing would do it later. Raises StoreError.
        """
        name = (await asyncio.to_thread(self._library.person_names)).get(person_id, "")
        if not self._any(WRITTEN):
            yield
            self._drop(name)
            return
        faces = await asyncio.to_thread(self._library.faces_of_people, [person_id])
        images = await asyncio.to_thread(self._library.images_of_faces, faces)
        async with self._writing:
            for image_id in images:
                image = await asyncio.to_thread(self._library.image, image_id)
                for path, _ in self._places(image, WRITTEN):
                    with _told_of(image_id):
                        await asyncio.to_thread(self._store.forget, path, [name])
            yield
        self._drop(name)
        self._wait(self._to_write, images)  # for earlier names, if removing them failed then

    def _drop(self, name: str) -> None:
        """Discard remembered conflicts with that name."""
        self._theirs = {key: theirs for key, theirs in self._theirs.items() if not same_name(theirs, name)}

    def _heard(self, recorded: Recorded) -> None:
        if isinstance(recorded.event, ImageIndexed | PlaceAdded) and self._any(READ):
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
        """Process the next item; return False if there is none. Raises StoreError, and the item then stays queued."""
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
            await self._do(self._to_write, self._write)
        elif self._to_read:
            await self._do(self._to_read, self._read)
        else:
            return False
        return True

    async def _do(self, queue: dict[int, None], work: Callable[[int], Awaitable[None]]) -> None:
        image_id = next(iter(queue))
        del queue[image_id]  # first, so that edits meanwhile queue it again
        try:
            await work(image_id)
        except StoreError:
            queue[image_id] = None
            raise
        except AgentError as error:
            log.warning("sidecars.failed", image=image_id, code=error.code)

    async def _write(self, image_id: int) -> None:
        """Write confirmed names only: suggestions are private."""
        async with self._writing:
            image = await asyncio.to_thread(self._library.image, image_id)
            if image is None:
                return
            theirs: dict[int, str] = {}
            for path, root in self._places(image, WRITTEN):
                with _told_of(image_id):
                    theirs |= await asyncio.to_thread(self._put, path, image, root)
        self._remember(image_id, theirs)

    def _put(self, path: Path, image: StoredImage, root: Path) -> dict[int, str]:
        """Return face -> another program's name, if it differs from ours."""
        size, orientation = (image.width, image.height), self._store.read(path).orientation
        boxes = [NamedBox(confirmed(face), face.face.box) for face in image.faces]
        written = self._store.write(path, size, orientation, boxes, root=root)
        if written.changes:
            log.info("sidecars.written", image=image.id, regions=written.changes)
        faces = {area_of(face.face.box, *size, orientation): face.id for face in image.faces}
        return {faces[each.ours.area]: each.theirs.name for each in written.comparison if isinstance(each, Conflict)}

    async def _read(self, image_id: int) -> None:
        """Read names: confirmed faces stay, possibly with a conflict; others get the sidecar's names."""
        settings = self._environment.settings.value
        image = await asyncio.to_thread(self._library.image, image_id)
        if image is None:
            return
        adopted, theirs, silent = dict[int, str](), dict[int, str](), {face.id for face in image.faces}
        for path, _ in self._places(image, READ):
            if recipe_for(settings, str(path)).embedder is None:
                continue
            with _told_of(image_id, silent.clear):
                for face, name in named(image, await asyncio.to_thread(self._store.read, path)):
                    silent.discard(face.id)
                    ours = confirmed(face)
                    if not ours and not face.ignored:
                        adopted.setdefault(face.id, name)
                    elif ours and not same_name(ours, name):
                        theirs[face.id] = name
        self._remember(image_id, theirs)
        unsaid = await asyncio.to_thread(self._library.faces_adopted, silent)
        if adopted or unsaid:
            await self._adopt(AdoptNamesEdit(names=tuple(adopted.items()), unsaid=tuple(sorted(unsaid))))

    def _places(self, image: StoredImage | None, wanted: frozenset[NamesInSidecars]) -> list[tuple[Path, Path]]:
        """Return the image's locations in folders with this setting, with the folder."""
        folders = self._environment.settings.value.folders
        found = [(path, folder_of(path, folders)) for _, path in image.places] if image else []
        return [(Path(path), Path(folder.root)) for path, folder in found if folder and folder.names_in_sidecars in wanted]

    def _remember(self, image_id: int, theirs: Mapping[int, str]) -> None:
        if theirs:
            log.info("sidecars.conflicts", image=image_id, count=len(theirs))
        kept = {key: name for key, name in self._theirs.items() if key[0] != image_id}
        fresh = {(image_id, face_id): name for face_id, name in theirs.items()}
        self._theirs = dict([*kept.items(), *fresh.items()][-MOST_CONFLICTS:])


@contextmanager
def _told_of(image_id: int, wrong: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Report a fault of one sidecar without stopping; then call `wrong`."""
    try:
        yield
    except XmpError as error:
        wrong()
        log.warning("sidecars.failed", image=image_id, code=error.code)
    except AgentError:
        raise
    except Exception as error:  # an untrusted file is read here
        wrong()
        log.error("sidecars.unexpected", image=image_id, kind=type(error).__name__)
