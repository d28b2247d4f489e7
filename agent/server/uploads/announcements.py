"""Announces uploads: each holds the room of its whole size, so what never begins to arrive lapses, and a member holds half at most."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from agent.domain.errors import UploadNoRoom, UploadShare, UploadsTooMany, UploadUnwritable
from agent.server.uploads.queries import UploadQueries
from agent.server.uploads.records import GIGABYTE, Limits, Received, Upload
from agent.server.uploads.upload_files import UploadFiles

_SHARES: Final = 2  # a member's announcements may take one of so many parts of the room


class Announcements:
    """All of it blocks."""

    def __init__(self, queries: UploadQueries, files: UploadFiles, clock: Callable[[], datetime]) -> None:
        self._queries = queries
        self._files = files
        self._clock = clock

    def announce(self, upload: Upload, limits: Limits) -> Upload:
        """Return the upload, or the unfinished one of the same content that came by the same token.

        Raises UploadsTooMany, UploadNoRoom, UploadShare, UploadUnwritable, StoreError.
        """
        with self._files.alone():
            open_ = [each for each in self._queries.unfinished() if not self._dropped(each)]
            begun = next((each for each in open_ if each.is_same(upload) and self._files.size(each.id) is not None), None)
            if begun is None:
                self._check(upload, open_, limits)
                self._files.create(upload.id)
                self._queries.add(upload)
            return begun or upload

    def is_over(self, upload: Upload, arrived: int) -> bool:
        """Whether its time is over; one whose first bytes a request is bringing goes on."""
        now = self._clock()
        if Received(upload, arrived).expires_at > now:
            return False
        return upload.expires_at <= now or not self._files.is_held(upload.id)

    def _dropped(self, upload: Upload) -> bool:
        """Whether it held room without a byte for too long, and is gone now."""
        arrived = self._files.size(upload.id) or 0
        if arrived or upload.target is not None or not self.is_over(upload, 0):
            return False
        try:
            self._files.drop(upload.id)
        except UploadUnwritable:  # Windows removes no file that is being written
            return False
        self._queries.drop(upload.id)
        return True

    def _check(self, upload: Upload, open_: Sequence[Upload], limits: Limits) -> None:
        mine = [each.size for each in open_ if each.member == upload.member]
        if len(mine) >= limits.unfinished:
            raise UploadsTooMany(limit=limits.unfinished)
        taken = self._queries.room()
        if limits.total_bytes and taken.unfinished + taken.stored + upload.size > limits.total_bytes:
            raise UploadNoRoom(limit=limits.total_bytes // GIGABYTE)
        arrived = sum(self._files.size(each.id) or 0 for each in open_)
        room = self._files.free() + arrived - limits.keep_free_bytes  # for all that is unfinished
        if taken.unfinished + upload.size > room:
            raise UploadNoRoom
        if limits.total_bytes:
            room = min(room, limits.total_bytes - taken.stored)
        # A single one may take more: in a room that is nearly full, large photos would fit for nobody otherwise.
        if mine and sum(mine) + upload.size > room // _SHARES:
            raise UploadShare
