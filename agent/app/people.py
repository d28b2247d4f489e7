"""Who is on the photos: opinions from stored embeddings, formed anew whenever the known people change."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import structlog

from agent.app.bus import Bus
from agent.app.ports import BACKUPS_HOLD_PURGED, Analyser, ForgottenList, Library
from agent.domain.edits import Edit, Forgotten, NameFaces, Step
from agent.domain.errors import AgentError, NothingToUndo, RecognitionOff
from agent.domain.events import ImageIndexed, Recorded
from agent.domain.face import Analysis, Face
from agent.domain.image import Recipe
from agent.domain.people import Bounds, Certainty, Gallery, Identity, identify

log = structlog.get_logger()

PAGE = 2_000
RETRY_AFTER_S = 30.0


class People:
    """Recognition's use cases. Nothing here runs inference: embeddings are facts, identities are opinions."""

    def __init__(
        self,
        library: Library,
        analyser: Analyser,
        bus: Bus,
        *,
        recipe: Callable[[], Recipe],
        bounds: Callable[[], Bounds],
        forgotten: ForgottenList,
        backups_stale: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`backups_stale` is called when something was deleted that backups may still hold."""
        self._library = library
        self._analyser = analyser
        self._bus = bus
        self._recipe = recipe
        self._bounds = bounds
        self._forgotten = forgotten
        self._backups_stale = backups_stale
        self._clock = clock
        self._gallery: Gallery | None = None  # the snapshot in force; None: read it again
        self._snapshots = 0  # grows when the snapshot is dropped, so that one read before is not taken for the new one
        self._naming = asyncio.Lock()
        self._doubtful = asyncio.Event()

    async def name_face(self, face_id: int, name: str) -> int:
        """The user says who a face is; everybody else's opinions follow. Returns the person id. Raises RecognitionOff, FaceUnknown."""
        step = await self.edit(NameFaces(face_ids=(face_id,), name=name))
        assert step.person_id is not None
        return step.person_id

    async def edit(self, wish: Edit) -> Step:
        """What the user says of people and faces; opinions follow. Raises RecognitionOff (only names need it), PeopleError."""
        if isinstance(wish, NameFaces) and self._recipe().embedder is None:
            raise RecognitionOff
        return await self._step(partial(self._library.edit, wish, now=self._clock()))

    async def take_back(self, token: str | None = None) -> Step:
        """What the token stands for, or the latest step. Raises NothingToUndo."""
        return await self._step(partial(self._library.take_back, token, now=self._clock()))

    async def do_again(self) -> Step:
        """What was taken back last. Raises NothingToUndo."""
        return await self._step(partial(self._library.do_again, now=self._clock()))

    async def forget(self, person_id: int) -> Forgotten:
        """Delete all that a person is known by; it can't be taken back. Raises PersonUnknown, StoreError."""
        async with self._naming:
            # First, so that whatever happens they are not there after the next start, and not after an old backup is restored.
            uids = await asyncio.to_thread(self._library.uids_of, person_id)
            await asyncio.to_thread(self._forgotten.add, uids)
            gone, events = await asyncio.to_thread(self._library.forget_person, person_id, now=self._clock(), note=BACKUPS_HOLD_PURGED)
            self._backups_stale()
            self._analyser.forget()
            self.forget_gallery()
            try:
                await self._identify_all()
            finally:
                self._bus.publish(events)
        return gone

    async def forget_again(self) -> None:
        """Whoever was forgotten and is there all the same: the agent died meanwhile, or a backup from before was restored."""
        uids = await asyncio.to_thread(self._forgotten.read)
        while uids and (there := await asyncio.to_thread(self._library.people_by_uids, uids)):
            await self.forget(there[0])

    async def _step(self, write: Callable[[], tuple[Step, list[Recorded]] | None]) -> Step:
        """It is told of only once the opinions are what they should be now."""
        async with self._naming:
            written = await asyncio.to_thread(write)
            if written is None:
                raise NothingToUndo
            step, events = written
            try:
                if step.faces or step.people:
                    self.forget_gallery()
                    await self._identify_all()
            finally:
                self._bus.publish(events)
        return step

    async def run(self) -> None:
        """Form all opinions anew whenever they are in doubt, until cancelled."""
        while True:
            await self._doubtful.wait()
            self._doubtful.clear()
            try:
                async with self._naming:
                    self.forget_gallery()
                    await self._identify_all()
            except AgentError as error:
                log.warning("people.opinions_failed", code=error.code)
                self._doubtful.set()
                await asyncio.sleep(RETRY_AFTER_S)

    def doubt(self) -> None:
        """The bounds changed, or a known face's print came back: `run` forms the opinions anew."""
        self._doubtful.set()

    def at_rest(self) -> asyncio.Lock:
        """Inside (`async with`), nobody is named and no opinions are formed, but for those about photos being analysed."""
        return self._naming

    def forget_gallery(self) -> None:
        """The known people changed, or recognition was switched: read them again when next needed."""
        self._gallery = None
        self._snapshots += 1

    async def opinions(self, analysis: Analysis) -> tuple[list[Identity | None], Gallery | None]:
        """Who the faces of a fresh analysis are, in their order, and the known people it was judged by."""
        embedder = analysis.recipe.embedder
        if embedder is None:
            return [None] * len(analysis.faces), None
        gallery = await self._known(embedder)
        pairs = [(face.embedding or b"", face) for face in analysis.faces]
        return await self._judge(pairs, gallery), gallery

    async def recheck(self, events: Sequence[Recorded], judged_by: Gallery | None) -> None:
        """Somebody was named between judging and writing: judge the written images once more."""
        if judged_by is None:
            return
        for recorded in events:
            if isinstance(recorded.event, ImageIndexed):
                await self._recheck(recorded.event.image_id, judged_by)

    async def _recheck(self, image_id: int, judged_by: Gallery) -> None:
        image = await asyncio.to_thread(self._library.image, image_id)
        if image is not None and any(face.identity and face.identity.certainty is Certainty.CONFIRMED for face in image.faces):
            self.doubt()  # analysed anew, it brought the print of a known face along
        elif self._gallery is not judged_by:
            await self._rejudge(await asyncio.to_thread(self._library.image_embeddings, image_id, judged_by.embedder))

    async def _identify_all(self) -> None:
        """All unconfirmed faces, a page at a time."""
        embedder = self._recipe().embedder
        if embedder is None:
            return
        after = 0
        while page := await asyncio.to_thread(self._library.embeddings, embedder, after=after, limit=PAGE):
            await self._rejudge(page)
            after = page[-1][0]

    async def _rejudge(self, rows: Sequence[tuple[int, bytes, Face]]) -> None:
        embedder = self._recipe().embedder
        if not rows or embedder is None:
            return
        gallery = await self._known(embedder)
        not_them = await asyncio.to_thread(self._library.rejections, [row[0] for row in rows])
        wrong = [not_them.get(row[0]) for row in rows]
        identities = await self._judge([(embedding, face) for _, embedding, face in rows], gallery, wrong)
        opinions = {row[0]: identity for row, identity in zip(rows, identities, strict=True)}
        await asyncio.to_thread(self._library.set_identities, opinions, now=self._clock())

    async def _judge(
        self, faces: Sequence[tuple[bytes, Face]], gallery: Gallery, not_them: Sequence[frozenset[int] | None] | None = None
    ) -> list[Identity | None]:
        if not faces or not gallery.references:
            return [None] * len(faces)
        bounds = self._bounds()
        candidates = await self._analyser.match([embedding for embedding, _ in faces], gallery, bounds)
        others = not_them or [None] * len(faces)
        return [
            identify([each for each in near if each.person_id not in (wrong or ())], face.quality, bounds)
            for near, (_, face), wrong in zip(candidates, faces, others, strict=True)
        ]

    async def _known(self, embedder: str) -> Gallery:
        while self._gallery is None or self._gallery.embedder != embedder:
            snapshot = self._snapshots
            gallery = await asyncio.to_thread(self._library.gallery, embedder)
            if snapshot == self._snapshots:
                self._gallery = gallery
        return self._gallery
