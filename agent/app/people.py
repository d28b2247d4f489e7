"""Who is on the photos: opinions from stored embeddings, formed anew whenever the known people change."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from agent.app.bus import Bus
from agent.app.ports import Analyser, Library
from agent.domain.errors import AgentError, RecognitionOff
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
        clock: Callable[[], datetime],
    ) -> None:
        self._library = library
        self._analyser = analyser
        self._bus = bus
        self._recipe = recipe
        self._bounds = bounds
        self._clock = clock
        self._gallery: Gallery | None = None  # the snapshot in force; None: read it again
        self._snapshots = 0  # grows when the snapshot is dropped, so that one read before is not taken for the new one
        self._naming = asyncio.Lock()
        self._doubtful = asyncio.Event()

    async def name_face(self, face_id: int, name: str) -> int:
        """The user says who a face is; everybody else's opinions follow. Returns the person id. Raises RecognitionOff, FaceUnknown."""
        async with self._naming:
            if self._recipe().embedder is None:
                raise RecognitionOff
            person_id, events = await asyncio.to_thread(self._library.name_face, face_id, name, now=self._clock())
            self.forget_gallery()
            try:
                await self._identify_all()
            finally:
                self._bus.publish(events)
        return person_id

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
        identities = await self._judge([(embedding, face) for _, embedding, face in rows], gallery)
        await asyncio.to_thread(self._library.set_identities, {row[0]: identity for row, identity in zip(rows, identities, strict=True)})

    async def _judge(self, faces: Sequence[tuple[bytes, Face]], gallery: Gallery) -> list[Identity | None]:
        if not faces or not gallery.references:
            return [None] * len(faces)
        bounds = self._bounds()
        candidates = await self._analyser.match([embedding for embedding, _ in faces], gallery, bounds)
        return [identify(near, face.quality, bounds) for near, (_, face) in zip(candidates, faces, strict=True)]

    async def _known(self, embedder: str) -> Gallery:
        while self._gallery is None or self._gallery.embedder != embedder:
            snapshot = self._snapshots
            gallery = await asyncio.to_thread(self._library.gallery, embedder)
            if snapshot == self._snapshots:
                self._gallery = gallery
        return self._gallery
