"""What an edit by a member of a team may be about: an edit holds in all libraries, and is applied without regard to them."""

from agent.domain.edits import (
    AdoptNamesEdit,
    DescribePersonEdit,
    Edit,
    IgnoreFacesEdit,
    MergePeopleEdit,
    NameFacesEdit,
    NameManyEdit,
    RejectFaces,
    UnnameFacesEdit,
)
from agent.people.queries.reach_rows import ReachQueries


def check_edit(library: ReachQueries, wish: Edit) -> None:
    """Raises FaceUnknown, PersonUnknown for what is beyond reach; PersonElsewhere to change a person who is also there. Blocks."""
    match wish:
        case NameFacesEdit():
            library.check_faces([*wish.face_ids, *wish.left_out])
            library.check_people([wish.person_id] if wish.person_id is not None else [], whole=False)
        case NameManyEdit():
            library.check_faces([each for _, faces in wish.people for each in faces])
        case AdoptNamesEdit():
            library.check_faces([face_id for face_id, _ in wish.names])
        case RejectFaces():
            library.check_faces(wish.face_ids)
            library.check_people([wish.person_id], whole=False)
        case UnnameFacesEdit() | IgnoreFacesEdit():
            library.check_faces(wish.face_ids)
        case MergePeopleEdit():
            library.check_people({*wish.person_ids, wish.into}, whole=True)
        case DescribePersonEdit():
            library.check_people([wish.person_id], whole=True)
            library.check_faces([wish.cover_face_id] if wish.cover_face_id is not None else [])
