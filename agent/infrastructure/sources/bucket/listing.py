"""A bucket's photos in the order of their names, in parts, so that a million of them are never held at once."""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Final, Protocol

from agent.domain.errors import BucketError, BucketNamesUnreadable
from agent.domain.image import is_image, storable
from agent.infrastructure.sources.bucket.bucket import Bucket, version_of
from agent.infrastructure.sources.folder.folder_scan import Entry

if TYPE_CHECKING:
    from obstore import ObjectMeta

_MOST_KEY: Final = 1024  # bytes, by the protocol
_MOST_DEPTH: Final = 100  # folders in folders


class Lister(Protocol):
    """What is listed: `BucketStore`, or one in memory."""

    def pages(self) -> Iterator[Sequence["ObjectMeta"]]: ...

    def folder(self, prefix: str) -> tuple[Sequence["ObjectMeta"], Sequence[str]]: ...


class Listing:
    """Iterates over paths with their facts.

    `whole` is False afterwards if some objects could not be listed, or came in another order: what was not seen may still be there.
    So it is if the listing broke off, for the reason in `failure`. `empty` stays True if it showed no object of any kind.
    """

    def __init__(self, store: Lister, bucket: Bucket) -> None:
        self._store = store
        self._bucket = bucket
        self._last = ""
        self.whole = self.empty = True
        self.failure: BucketError | None = None

    def __iter__(self) -> Iterator[Entry]:
        try:
            for page in self._store.pages():
                yield from self._photos(page)
        except BucketNamesUnreadable:
            # One such name ends the listing: folder by folder, only its neighbours are lost.
            self.whole = False
            try:
                yield from self._below("")
            except BucketError as error:
                self.failure = error
        except BucketError as error:
            self.whole = False
            self.failure = error

    def _below(self, top: str, depth: int = 0) -> Iterator[Entry]:
        """Yield what is below a folder, in order: a folder's name sorts with the slash at its end."""
        try:
            objects, folders = self._store.folder(top)
        except BucketNamesUnreadable:
            return
        found: list[tuple[str, ObjectMeta | None]] = [(each["path"], each) for each in objects]
        found += [(f"{each.rstrip('/')}/", None) for each in folders]
        for name, each in sorted(found, key=itemgetter(0)):
            if each is not None:
                yield from self._photos((each,))
            elif depth < _MOST_DEPTH:
                yield from self._below(name.rstrip("/"), depth + 1)

    def _photos(self, objects: Iterable["ObjectMeta"]) -> Iterator[Entry]:
        for each in objects:
            key, size = each["path"], each["size"]
            self.empty = self.empty and size == 0  # what stands for a folder has no bytes
            if not is_image(key) or size == 0 or len(key.encode("utf-8", "surrogatepass")) > _MOST_KEY:
                continue
            path = self._bucket.item(key)
            if path <= self._last:
                self.whole = False
                continue
            self._last = path
            yield path, (storable(size), version_of(each["last_modified"], each.get("e_tag")))
