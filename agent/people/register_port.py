"""The library's part about people, as the use cases see it; see `agent.library.library_port` for rules of all calls."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from agent.domain.edits import Forgotten
from agent.domain.embeddings import FacePrint, GroupMember
from agent.domain.events import Recorded
from agent.domain.face import Face
from agent.domain.people import Identity
from agent.engine.matcher_port import Groups
from agent.library.records import Area, Doubt, FaceGroup, FaceRef, Person, PersonFace, PersonFacts, ToJudge


class Register(Protocol):
    """The known people, face prints, and identities."""

    def people(self) -> list[Person]: ...

    def person(self, person_id: int) -> PersonFacts | None: ...

    def person_faces(self, person_id: int, *, limit: int, offset: int = 0) -> tuple[list[PersonFace], int]:
        """Return faces on shown images that are or may be this person, newest first, and the total."""
        ...

    def faces_held(self, person_id: int, *, after: int, limit: int) -> list[PersonFace]:
        """Return faces that are or may be this person, also on hidden or missing images: by ascending id, starting after `after`."""
        ...

    def face_refs(self, faces: Collection[int]) -> list[FaceRef]:
        """Return those on shown images, in no order."""
        ...

    def groups(self, *, limit: int, offset: int = 0) -> tuple[list[FaceGroup], int]:
        """Return clusters of unnamed faces: the largest first, and the total."""
        ...

    def group_faces(self, group_id: int) -> list[FaceRef]: ...

    def doubts(self, *, limit: int, person_id: int | None = None) -> tuple[list[Doubt], int]:
        """Return faces that are probably a person, the nearest first, and the total."""
        ...

    def rejections(self, face_ids: Sequence[int]) -> dict[int, frozenset[int]]:
        """Return the people whom the user rejected for each of these faces."""
        ...

    def forget_person(self, person_id: int, *, now: datetime, note: str) -> tuple[Forgotten, list[Recorded]]:
        """Delete a person, their names, face prints and pictures of faces, with the note in the same transaction; rewrite the file.

        Also deletes people merged into them. Raises PersonUnknown.
        """
        ...

    def uids_of(self, person_id: int) -> list[str]:
        """Return the random ids of a person, and of people merged into them. Raises PersonUnknown."""
        ...

    def overdue(self, *, now: datetime, usual_days: int) -> dict[int, datetime]:
        """Return people without a confirmation within their retention time (their own, or the usual), and since when."""
        ...

    def expire_unnamed(self, *, before: datetime, note: str) -> int:
        """Delete face prints and pictures of unnamed faces of images analysed before then, with the note. Return the number of faces."""
        ...

    def audit_broken_at(self) -> int | None:
        """Return the first audit entry that was changed, or that follows a missing one; None if the log is intact."""
        ...

    def people_by_uids(self, uids: Iterable[str]) -> list[int]:
        """Return the people with these random ids."""
        ...

    def faces_of(self, sha256: str) -> list[int]:
        """Return the faces of the image with that content."""
        ...

    def faces_of_image(self, image_id: int) -> list[int]: ...

    def faces_of_people(self, people: Collection[int] | None, *, within: Collection[int] | None = None) -> list[int]:
        """Return faces that the user confirmed as these people (None: as any person), limited to the given faces, if any."""
        ...

    def faces_adopted(self, within: Collection[int]) -> set[int]:
        """Return those of these faces that have an imported name."""
        ...

    def images_of_faces(self, faces: Collection[int]) -> list[int]: ...

    def person_names(self) -> dict[int, str]:
        """Return names by id; fast, because no faces are counted."""
        ...

    def people_watched(self) -> dict[int, str]:
        """Return people who agreed to be named in alerts, by id, without those who are never recognised."""
        ...

    def people_kept(self, *, least: int) -> int:
        """Return the number of different people with face prints, named or not; 0, and fast, if there are fewer than `least` prints.

        A face without similar ones counts as a person.
        """
        ...

    def faces_thought_of(self, people: Collection[int]) -> list[int]:
        """Return faces that are suggested as these people."""
        ...

    def prints(self, embedder: str) -> Iterator[list[FacePrint]]:
        """Yield all face prints, page by page."""
        ...

    def prints_of(self, faces: Collection[int], embedder: str) -> list[FacePrint]: ...

    def unconfirmed(self, embedder: str, *, after: int, limit: int) -> list[int]:
        """Return unconfirmed faces with a print, by ascending id."""
        ...

    def to_judge(self, faces: Collection[int], embedder: str) -> list[ToJudge]:
        """Return the unconfirmed faces that have a print."""
        ...

    def ungrouped(self, limit: int) -> list[GroupMember]:
        """Return faces with a print that were neither clustered nor marked as alone, oldest first."""
        ...

    def grouped(self) -> Groups:
        """Return the clusters of all other faces with a print."""
        ...

    def all_members(self) -> Groups:
        """Return both."""
        ...

    def set_groups(self, groups: dict[int, int], *, anew: bool) -> None:
        """Store the cluster of each face, 0 for one that is alone. `anew` discards all earlier ones."""
        ...

    def image_embeddings(self, image_id: int, embedder: str) -> list[tuple[int, bytes, Face]]: ...

    def set_identities(self, identities: Mapping[int, Identity | None], *, now: datetime) -> None:
        """Replace the identities of these faces; the user's confirmations stay.

        A face of a person who is never recognised loses its print, and its identity is not stored.
        """
        ...

    def purge_recognition(
        self, *, now: datetime, keep: Sequence[Area] = (), note: str | None = None, tell_none: bool = False
    ) -> list[Recorded]:
        """Delete every embedding, chip and identity, overwrite their pages, record the counts, and take the note if anything was deleted.

        Images with a location in an area to keep, even a missing one, keep theirs. `tell_none` also records it if nothing was there.
        """
        ...
