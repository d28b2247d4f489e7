"""Turns what is known about people into what crosses the API, and what is said about them into what the use cases take."""

from dataclasses import asdict, astuple
from datetime import timedelta

from agent.core.settings import Settings
from agent.domain import edits
from agent.library.records import FaceRef, PersonFace, PersonFacts
from agent.people import schemas as out
from agent.people.cluster_cards import GroupCard
from agent.people.face_search import FaceSearchResult
from agent.people.review import Question
from agent.people.sidecars.sidecar_names import NameConflict
from agent.web.present import person as person_out


def face_ref(face: FaceRef) -> out.FaceRef:
    return out.FaceRef(
        id=face.id, image_id=face.image_id, width=face.width, height=face.height, box=astuple(face.box), taken_at=face.taken_at
    )


def person_face(shown: PersonFace) -> out.PersonFace:
    return out.PersonFace(face=face_ref(shown.face), certainty=shown.certainty.value)


def detail(known: PersonFacts, settings: Settings) -> out.PersonDetail:
    person = person_out(known.person)
    days = known.retention_days or settings.recognition.person_days
    since = known.confirmed_at or known.named_at
    return out.PersonDetail(
        id=person.id,
        name=person.name,
        faces=person.faces,
        photos=known.photos,
        suggested=known.suggested,
        portrait=person.portrait,
        birth_date=known.birth_date,
        notes=known.notes,
        hidden=person.hidden,
        never=person.never,
        basis=known.basis.value if known.basis else None,
        basis_at=known.basis_at,
        named_at=known.named_at,
        confirmed_at=known.confirmed_at,
        retention_days=known.retention_days,
        expires_at=since + timedelta(days=days),
        watch_at=known.watch_at,
    )


def group(found: GroupCard) -> out.Group:
    return out.Group(id=found.id, size=found.size, faces=tuple(map(face_ref, found.faces)), doubtful=found.doubtful)


def doubt(asked: Question) -> out.Doubt:
    found = asked.doubt
    return out.Doubt(
        face=face_ref(found.face),
        person_id=found.person_id,
        person=found.person,
        agree=found.agree,
        references=found.references,
        shown=tuple(out.KnownFace(**face_ref(face).model_dump(), agrees=face.id in asked.agree) for face in asked.shown),
    )


def conflict(found: NameConflict, face: FaceRef) -> out.NameConflict:
    return out.NameConflict(face=face_ref(face), person_id=found.person_id, ours=found.ours, theirs=found.theirs)


def wish(asked: out.Edit) -> edits.Edit:
    match asked:
        case out.NameFaces():
            return edits.NameFaces(face_ids=asked.face_ids, person_id=asked.person_id, name=asked.name, basis=_basis(asked.basis))
        case out.NameMany():
            return edits.NameMany(people=tuple((each.name, each.face_ids) for each in asked.people))
        case out.NotThisPerson():
            return edits.RejectFaces(face_ids=asked.face_ids, person_id=asked.person_id)
        case out.UnnameFaces():
            return edits.UnnameFaces(face_ids=asked.face_ids)
        case out.IgnoreFaces():
            return edits.IgnoreFaces(face_ids=asked.face_ids, ignored=asked.kind == "ignore")
        case out.MergePeople():
            return edits.MergePeople(person_ids=asked.person_ids, into=asked.into)
        case out.DescribePerson():
            said = asked.model_dump(exclude={"kind", "basis", "clear"})
            return edits.DescribePerson(**said, basis=_basis(asked.basis), clear=frozenset(asked.clear))


def alike(found: FaceSearchResult) -> out.FaceSearchOut:
    return out.FaceSearchOut(
        width=found.width,
        height=found.height,
        faces=tuple(
            out.AlikeFace(
                box=astuple(each.box),
                person_id=each.identity.person_id if each.identity else None,
                certainty=each.identity.certainty.value if each.identity else None,
                found=tuple(map(face_ref, each.found)),
            )
            for each in found.faces
        ),
    )


def step(done: edits.Step | None) -> out.Step | None:
    return None if done is None else step_done(done)


def step_done(done: edits.Step) -> out.Step:
    return out.Step(action=done.action, count=done.count)


def forgotten(gone: edits.Forgotten) -> out.Forgotten:
    return out.Forgotten(**asdict(gone))


def _basis(said: out.Basis | None) -> edits.Basis | None:
    return None if said is None else edits.Basis(said)
