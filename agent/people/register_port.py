"""The library's part about people, as the use cases see it; see `agent.library.library_port` for what holds for every call."""

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
    """The known people, face prints, and opinions about who is who."""

    def people(self) -> list[Person]: ...

    def person(self, person_id: int) -> PersonFacts | None: ...

    def person_faces(self, person_id: int, *, limit: int, offset: int = 0) -> tuple[list[PersonFace], int]:
        """Those on images that the library page shows that are or may be this person, newest taken first, and how many there are."""
        ...

    def faces_held(self, person_id: int, *, after: int, limit: int) -> list[PersonFace]:
        """Those that are or may be this person, also on images that are hidden or away: by ascending id, from the one behind `after`."""
        ...

    def face_refs(self, faces: Collection[int]) -> list[FaceRef]:
        """Those on images that the library page shows, in no order."""
        ...

    def groups(self, *, limit: int, offset: int = 0) -> tuple[list[FaceGroup], int]:
        """Unnamed faces that look like one person: the largest groups first, and how many there are."""
        ...

    def group_faces(self, group_id: int) -> list[FaceRef]: ...

    def doubts(self, *, limit: int, person_id: int | None = None) -> tuple[list[Doubt], int]:
        """Faces that are probably somebody, the nearest first, and how many there are."""
        ...

    def rejections(self, face_ids: Sequence[int]) -> dict[int, frozenset[int]]:
        """The people whom each of these faces is not, as the user said."""
        ...

    def forget_person(self, person_id: int, *, now: datetime, note: str) -> tuple[Forgotten, list[Recorded]]:
        """Delete a person, their names, face prints and pictures of faces, and take the note in the same transaction; write the file anew.

        Also whoever was merged into them. Raises PersonUnknown.
        """
        ...

    def uids_of(self, person_id: int) -> list[str]:
        """The random ids of a person, and of whoever was merged into them. Raises PersonUnknown."""
        ...

    def overdue(self, *, now: datetime, usual_days: int) -> dict[int, datetime]:
        """People of whom no face was confirmed for as long as they may be kept (their own time, or else the usual), and since when."""
        ...

    def expire_unnamed(self, *, before: datetime, note: str) -> int:
        """Delete face prints and pictures of unnamed faces of images analysed before then, and take the note. Returns how many faces."""
        ...

    def audit_broken_at(self) -> int | None:
        """The first entry of the audit that was changed, or before which one is missing; None if all are as they were written."""
        ...

    def people_by_uids(self, uids: Iterable[str]) -> list[int]:
        """Which people have these random ids."""
        ...

    def faces_of(self, sha256: str) -> list[int]:
        """The faces of the image with that content."""
        ...

    def faces_of_image(self, image_id: int) -> list[int]: ...

    def faces_of_people(self, people: Collection[int] | None, *, within: Collection[int] | None = None) -> list[int]:
        """Faces that the user confirmed as these people (None: as anybody), of those faces only if any are given."""
        ...

    def faces_adopted(self, within: Collection[int]) -> set[int]:
        """Those of these faces of which another program's name was once taken over."""
        ...

    def images_of_faces(self, faces: Collection[int]) -> list[int]: ...

    def person_names(self) -> dict[int, str]:
        """By id. Quick: nobody's faces are counted."""
        ...

    def people_watched(self) -> dict[int, str]:
        """Those who agreed to being named when they are seen on the screen, by id; nobody who is never recognised."""
        ...

    def people_kept(self, *, least: int) -> int:
        """Of how many different people there are face prints, named or not; 0, and quickly, if there are fewer than `least` prints.

        A face that is like no other counts as somebody.
        """
        ...

    def faces_thought_of(self, people: Collection[int]) -> list[int]:
        """Faces that are thought to be these people."""
        ...

    def prints(self, embedder: str) -> Iterator[list[FacePrint]]:
        """All face prints, read page by page."""
        ...

    def prints_of(self, faces: Collection[int], embedder: str) -> list[FacePrint]: ...

    def unconfirmed(self, embedder: str, *, after: int, limit: int) -> list[int]:
        """Faces with a print that nobody confirmed, by ascending id."""
        ...

    def to_judge(self, faces: Collection[int], embedder: str) -> list[ToJudge]:
        """Those of the faces that have a print and that nobody confirmed."""
        ...

    def ungrouped(self, limit: int) -> list[GroupMember]:
        """Faces with a print that were neither put into a group nor found to be alone, oldest first."""
        ...

    def grouped(self) -> Groups:
        """How all other faces with a print are grouped."""
        ...

    def all_members(self) -> Groups:
        """Both."""
        ...

    def set_groups(self, groups: dict[int, int], *, anew: bool) -> None:
        """The group of each face, 0 for one that is alone. `anew`: nothing of how it was before is kept."""
        ...

    def image_embeddings(self, image_id: int, embedder: str) -> list[tuple[int, bytes, Face]]: ...

    def set_identities(self, identities: Mapping[int, Identity | None], *, now: datetime) -> None:
        """Replace the opinions about these faces; what the user confirmed stays.

        A face that is somebody who is never recognised loses its print, and nothing is kept of who it is.
        """
        ...

    def purge_recognition(
        self, *, now: datetime, keep: Sequence[Area] = (), note: str | None = None, tell_none: bool = False
    ) -> list[Recorded]:
        """Delete every embedding and chip and every opinion, overwrite their pages, record what went, and take the note if anything did.

        Images that have a place in an area to keep, be it missing now, keep theirs. `tell_none` records it also if nothing was there.
        """
        ...
