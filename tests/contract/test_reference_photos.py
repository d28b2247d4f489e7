"""References without a photo over each dialect: they recognise as any named face does, and nothing of them outlives its reason."""

from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

import pytest
from sqlalchemy import func, select

from agent.domain import reference_path
from agent.domain.consent import Purpose
from agent.domain.edits import DescribePersonEdit, MergePeopleEdit, NameFacesEdit, UnnameFacesEdit
from agent.domain.errors import FaceUnknown, PersonUnknown, ReferenceTaken, ReferenceWithoutConsent
from agent.domain.image import Recipe
from agent.features.consent.queries import ConsentPrints, ConsentQueries
from agent.features.library.recipes import EMBEDDER
from agent.features.library.records import Shown
from agent.features.people.queries import reference_queries
from agent.features.people.queries.reference_queries import NewReference
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.access_scope import AccessScope, reaching
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED
from agent.infrastructure.store.row_security import secure
from agent.infrastructure.store.schema import face, image, place, undo
from agent.server.libraries.queries import LibrariesQueries
from agent.server.reference_photos.queries import ReferenceQueries
from tests.contract.test_consent import CLEAR, NOTE, NOW, give, given, name, photo, withdraw
from tests.support.in_process_agent import analysis

There: TypeAlias = tuple[list[int], bool, bytes | None]

RECIPE = Recipe("centerface-2", EMBEDDER)


def new(of: str = "a") -> NewReference:
    found = analysis(of.encode(), RECIPE)
    whole = replace(found.faces[0], quality=CLEAR, chip=b"jpeg of " + of.encode())
    return NewReference(reference_path.key_of(found.sha256), whole, found.recipe.detector, found.precision)


def add(library: RedactionQueries, person_id: int, of: str = "a") -> bool:
    step, _ = ReferenceQueries(library.database).add_reference(person_id, new(of), None, now=NOW, note=NOTE)
    return step.count > 0


def agreed(library: RedactionQueries, who: str) -> int:
    return give(library, who, *given(Purpose.RECOGNISE)).person_id


def referenced(library: RedactionQueries) -> dict[int, list[int]]:
    """Faces that the matcher knows people by, by person."""
    found: dict[int, list[int]] = {}
    for face_id, person_id in library.people_of_references(EMBEDDER).items():
        found.setdefault(person_id, []).append(face_id)
    return found


def left(library: RedactionQueries) -> int:
    """Rows of references, in all tables that hold one."""
    with library.database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(face).where(face.c.image_id.not_in(select(image.c.id)))) == 0
        found = {
            tx.scalar(select(func.count()).select_from(image).where(reference_queries.is_reference())),
            tx.scalar(select(func.count()).select_from(place).where(place.c.source == reference_path.SOURCE)),
        }
    [count] = found
    return count or 0


def test_a_reference_recognises_and_is_no_photo_of_the_library(library: RedactionQueries) -> None:
    ada = agreed(library, "Ada")
    assert add(library, ada)
    [[face_id]] = referenced(library).values()
    assert referenced(library) == {ada: [face_id]}
    assert library.index(Shown()).ids == library.index(Shown(hidden=True)).ids == () and library.counts().images == 0
    [person] = library.people()
    assert person.portrait is not None and (person.portrait.width, person.portrait.height) == (160, 160)
    shown = person.portrait.image_id
    assert library.picture_of_reference(shown) == b"jpeg of a"
    assert library.requeue_outdated(Recipe("yunet-1", EMBEDDER), now=NOW) == library.rescan([shown], now=NOW) == 0
    assert [each.action for each in library.audit_entries(limit=1)] == ["reference_added"]


def test_a_person_counts_photos_of_the_library_and_references_apart(library: RedactionQueries) -> None:
    ada, bo = agreed(library, "Ada"), agreed(library, "Bo")
    assert add(library, ada) and add(library, ada, "b")
    name(library, "Bo", *photo(library, "z", 1))
    counted = {each.id: (each.photos, each.faces, each.suggested, each.references) for each in library.people()}
    assert counted == {ada: (0, 0, 0, 2), bo: (1, 1, 0, 0)}
    name(library, "Ada", *photo(library, "y", 1))
    facts = library.person(ada)
    assert facts is not None and (facts.photos, facts.suggested) == (1, 0)
    assert (facts.person.photos, facts.person.faces, facts.person.references) == (1, 1, 2)
    assert library.person_faces(ada, limit=10)[1] == 1 and len(library.faces_held(ada, after=0, limit=10)) == 3


def test_the_same_photo_again_changes_nothing_and_can_not_be_someone_elses(library: RedactionQueries) -> None:
    ada, bo = agreed(library, "Ada"), agreed(library, "Bo")
    assert add(library, ada) and not add(library, ada) and add(library, ada, "b")
    assert left(library) == 2
    with pytest.raises(ReferenceTaken):
        add(library, bo)
    assert list(referenced(library)) == [ada]


def test_only_those_who_agreed_get_a_reference(library: RedactionQueries) -> None:
    ada = name(library, "Ada", *photo(library, "z", 1))
    with pytest.raises(ReferenceWithoutConsent):
        add(library, ada)
    bo = give(library, "Bo", *given(Purpose.RECOGNISE, until=NOW.date())).person_id
    with pytest.raises(ReferenceWithoutConsent):
        ReferenceQueries(library.database).add_reference(bo, new(), None, now=NOW + timedelta(days=2), note=NOTE)
    agreed(library, "Bo")
    library.edit(DescribePersonEdit(person_id=bo, never=True), now=NOW)
    with pytest.raises(ReferenceWithoutConsent):
        add(library, bo)
    with pytest.raises(PersonUnknown):
        add(library, 99)
    assert left(library) == 0


def test_a_withdrawal_deletes_them_and_they_can_come_again(library: RedactionQueries) -> None:
    ada, bo = agreed(library, "Ada"), agreed(library, "Bo")
    assert add(library, ada) and add(library, ada, "b") and add(library, bo, "c")
    receipt = withdraw(library, ada)
    assert receipt.deleted == ConsentPrints(2, 2) and left(library) == 1 and list(referenced(library)) == [bo]
    assert library.noted(BACKUPS_HOLD_PURGED)
    agreed(library, "Ada")
    assert add(library, ada) and left(library) == 2


def test_a_consent_that_ended_deletes_them(library: RedactionQueries) -> None:
    ada = give(library, "Ada", *given(Purpose.RECOGNISE, until=NOW.date() + timedelta(days=1))).person_id
    add(library, ada)
    consents = ConsentQueries(library.database)
    consents.follow_consents(False, now=NOW, note=NOTE)
    assert left(library) == 1
    ended = consents.follow_consents(False, now=NOW + timedelta(days=3), note=NOTE)
    assert ended.deleted == ConsentPrints(1, 1) and left(library) == 0


def test_nothing_of_them_outlives_the_name_the_person_or_recognition(library: RedactionQueries) -> None:
    ada, bo = agreed(library, "Ada"), agreed(library, "Bo")
    assert add(library, ada) and add(library, ada, "b") and add(library, bo, "c")
    first, second = referenced(library)[ada]
    library.edit(UnnameFacesEdit(face_ids=(first,)), now=NOW)
    assert left(library) == 2 and library.noted(BACKUPS_HOLD_PURGED)
    assert library.undo(now=NOW) is None
    assert left(library) == 2, "the photo has to be sent again"
    library.edit(NameFacesEdit(face_ids=(second,), name="Bo"), now=NOW)
    assert len(referenced(library)[bo]) == 2
    library.edit(MergePeopleEdit(person_ids=(bo,), into=ada), now=NOW)
    assert len(referenced(library)[ada]) == 2 and left(library) == 2
    library.edit(DescribePersonEdit(person_id=ada, never=True), now=NOW)
    assert left(library) == 1, "the one print that excludes them"
    library.edit(DescribePersonEdit(person_id=ada, never=False), now=NOW)
    gone = library.forget_person(ada, now=NOW, note="n")
    assert (gone[0].embeddings, left(library)) == (1, 0)
    add(library, agreed(library, "Cy"))
    library.purge_recognition(now=NOW)
    assert left(library) == 0


def test_adding_and_removing_one_can_be_undone(library: RedactionQueries) -> None:
    ada, queries = agreed(library, "Ada"), ReferenceQueries(library.database)
    name(library, "Ada", *photo(library, "z", 1))
    step, events = queries.add_reference(ada, new(), None, now=NOW, note=NOTE)
    [shown] = library.person_references(ada)
    assert step.token is not None and (set(step.faces), set(step.people), len(events)) == ({shown.id}, {ada}, 1)
    library.edit(DescribePersonEdit(person_id=ada, cover_face_id=shown.id), now=NOW)

    def there() -> There:
        """References, whether the one is the cover, and its picture."""
        [known] = [each for each in library.people() if each.id == ada]
        held = [each.id for each in library.person_references(ada)]
        assert known.references == left(library) and referenced(library).get(ada, []) == held
        assert (known.photos, known.faces) == (1, 1)
        [picture] = [library.picture_of_reference(each.image_id) for each in library.person_references(ada)] or [None]
        return held, known.portrait is not None and known.portrait.width == 160, picture

    whole: There = ([shown.id], True, b"jpeg of a")
    none: There = ([], False, None)
    assert there() == whole
    gone, _ = queries.remove_reference(ada, shown.id, now=NOW, note=NOTE)
    assert (set(gone.faces), set(gone.people)) == ({shown.id}, {ada}) and there() == none
    with pytest.raises(FaceUnknown):
        queries.remove_reference(ada, shown.id, now=NOW, note=NOTE)
    assert library.undo(now=NOW) is not None and there() == whole
    assert library.do_again(now=NOW) is not None and there() == none
    assert library.undo(now=NOW) is not None and library.undo(now=NOW) is not None
    assert library.undo(step.token, now=NOW) is not None and there() == none, "the adding itself"
    assert library.do_again(now=NOW) is not None and there()[0] == [shown.id]
    with pytest.raises(FaceUnknown):
        queries.remove_reference(agreed(library, "Bo"), shown.id, now=NOW, note=NOTE)
    said = [each.action for each in library.audit_entries(limit=100)]
    assert (said.count("reference_added"), said.count("reference_removed")) == (1, 1)


def test_no_print_outlives_its_reason_in_what_can_be_undone(library: RedactionQueries) -> None:
    ada, bo, queries = agreed(library, "Ada"), agreed(library, "Bo"), ReferenceQueries(library.database)

    def remove() -> str | None:
        add(library, ada)
        [shown] = library.person_references(ada)
        return queries.remove_reference(ada, shown.id, now=NOW, note=NOTE)[0].token

    def kept() -> int:
        with library.database.read() as tx:
            held = tx.scalars(select(undo.c.changes)).all()
        return sum("vector" in str(changes) for changes in held)

    def withdrawn() -> None:
        withdraw(library, ada)
        agreed(library, "Ada")

    def never() -> None:
        for value in (True, False):
            library.edit(DescribePersonEdit(person_id=ada, never=value), now=NOW)

    def withdrawn_after_never() -> None:
        library.edit(DescribePersonEdit(person_id=ada, never=True), now=NOW)
        [kept_one] = library.person_references(ada)
        queries.remove_reference(ada, kept_one.id, now=NOW, note=NOTE)
        withdrawn()

    ends = (
        withdrawn,
        never,
        lambda: library.purge_recognition(now=NOW),
        lambda: library.forget_person(bo, now=NOW, note="n"),  # a face may have been theirs in between
        lambda: library.expire_reference_undo(before=NOW + timedelta(seconds=1), note=BACKUPS_HOLD_PURGED),
    )
    for end in ends:
        token = remove()
        assert library.expire_reference_undo(before=NOW, note=NOTE) == 0 and kept() == 2
        end()
        assert kept() == 0 and library.undo(token, now=NOW) is None and left(library) == 0
    assert library.noted(BACKUPS_HOLD_PURGED)
    add(library, ada, "b")
    withdrawn_after_never()
    assert kept() == 0, "the one print that excluded them"


def test_members_see_a_reference_in_its_library_alone(library: RedactionQueries) -> None:
    ada = agreed(library, "Ada")
    shared = library.database.is_shared
    if shared:
        with library.database.write() as tx:
            secure(tx)
            tx.exec_driver_sql("INSERT INTO library (id, name, created_at) VALUES (1, 'one', 0), (2, 'two', 0)")
    step, _ = ReferenceQueries(library.database).add_reference(ada, new(), 1 if shared else None, now=NOW, note=NOTE)
    for libraries, seen in ((frozenset({1}), 1), (frozenset({2}), 0 if shared else 1)):
        with reaching(AccessScope(libraries, curates=True)):
            assert sum(each.references for each in library.people()) == len(library.people()) == seen
            if seen:
                assert len(library.person_references(ada)) == 1
            else:
                with pytest.raises(PersonUnknown):
                    library.person_references(ada)
                with pytest.raises(FaceUnknown):
                    library.check_faces(step.faces)
    withdraw(library, ada)
    said = {each.action: each.libraries for each in library.audit_entries(limit=100)}
    where = "1" if shared else ""
    assert (said["reference_added"], said["recognition_lapsed"], said["prints_deleted"]) == (where, where, where)


def test_a_reference_stays_in_its_library_and_goes_out_of_reach_with_it(library: RedactionQueries) -> None:
    ada, queries, libraries = agreed(library, "Ada"), ReferenceQueries(library.database), LibrariesQueries(library.database)
    if library.database.is_shared:
        with library.database.write() as tx:
            secure(tx)
    libraries.begin("Photos", NOW)
    [first] = [each.id for each in libraries.libraries()]

    def placed() -> list[int | None]:
        """The libraries of all references."""
        with library.database.read() as tx:
            return list(tx.scalars(select(place.c.library_id).where(place.c.source == reference_path.SOURCE).order_by(place.c.id)))

    def remove(of: str, from_library: int) -> str | None:
        queries.add_reference(ada, new(of), from_library, now=NOW, note=NOTE)
        face_id = max(each.id for each in library.person_references(ada))
        return queries.remove_reference(ada, face_id, now=NOW, note=NOTE)[0].token

    queries.add_reference(ada, new(), first, now=NOW, note=NOTE)
    second = libraries.add("Sports", for_all=True, sources=[], roles={}, watched=(), now=NOW)
    assert placed() == [first], "another library changes nothing"
    removed = {each: remove(f"of {each}", each) for each in (first, second)}
    libraries.remove(first, NOW)
    assert placed() == [None] and len(referenced(library)[ada]) == 1, "administrators see it, as the library's photos"
    assert library.undo(removed[first], now=NOW) is None and placed() == [None], "no member would see it"
    assert library.noted(BACKUPS_HOLD_PURGED)
    assert library.undo(removed[second], now=NOW) is not None and placed() == [None, second]
