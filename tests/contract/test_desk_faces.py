"""What a server tells a desktop of the faces that it spoke of, over each dialect."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update

from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.edits import MergePeopleEdit, NameFacesEdit, UnnameFacesEdit
from agent.features.people.queries import consent_queries
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.access_scope import AccessScope, reaching
from agent.infrastructure.store.row_security import secure
from agent.infrastructure.store.schema import api_token, desk_face, library_source, member, place
from agent.infrastructure.store.schema import library as library_table
from agent.interfaces.web.desk_exchange import NO_ONE, DeskOperation, FaceAt
from agent.server.devices.queries import DeskQueries
from tests.contract.test_people import NOW, photo
from tests.support.postgres_server import ON_SERVER

DESKS, MEI, LIN = ("a" * 32, "b" * 32), "c" * 32, "d" * 32
AT = FaceAt(photo="a" * 64, x=0.0, y=5.0, w=40.0, h=40.0)


@pytest.fixture
def desks(library: RedactionQueries) -> DeskQueries:
    with library.database.write() as tx:
        tx.execute(member.insert().values(id="e" * 32, name="mei", display_name="Mei", role="curator", created_at=NOW))
        for each in DESKS:
            values = {"name": "desk", "sha256": each * 2, "scopes": [], "created_at": NOW, "expires_at": NOW + timedelta(days=1)}
            tx.execute(api_token.insert().values(id=each, member_id="e" * 32, **values))
    return DeskQueries(library.database)


def say(desks: DeskQueries, desk_id: str, kind: str, person_uid: str, **content: str) -> str:
    asked = DeskOperation.model_validate({"uid": uuid.uuid4().hex, "kind": kind, "person_uid": person_uid, "face": AT} | content)
    known = desks.within_reach(asked)
    return desks.operate(asked, known, may_name=True, recognises=False, now=NOW, note="", desk_id=desk_id)[0].state


def told(desks: DeskQueries, desk_id: str) -> list[str]:
    return [each.name for each in desks.feed(0, 0, desk_id, now=NOW).faces]


def test_a_desk_is_told_who_its_face_is_by_now_until_it_took_that(library: RedactionQueries, desks: DeskQueries) -> None:
    photo(library, "a", 1)
    one, other = DESKS
    assert say(desks, one, "name", MEI, name="Mei") == "done"
    assert say(desks, other, "name", LIN, name="Lin") == "conflict"
    assert told(desks, one) == told(desks, other) == [], "a conflict says it itself"
    assert say(desks, other, "name", LIN, name="Lin", base=MEI) == "done"
    assert told(desks, one) == told(desks, one) == ["Lin"] and told(desks, other) == []
    assert say(desks, one, "known", LIN, base=LIN) == "done"
    assert told(desks, one) == []


def test_a_desk_that_named_a_face_at_the_same_moment_is_told_the_other_name(library: RedactionQueries, desks: DeskQueries) -> None:
    photo(library, "a", 1)
    asked = DeskOperation(uid=uuid.uuid4().hex, kind="name", person_uid=LIN, name="Lin", face=AT)
    known = desks.within_reach(asked)
    assert say(desks, DESKS[0], "name", MEI, name="Mei") == "done"
    answer, _, _ = desks.operate(asked, known, may_name=True, recognises=False, now=NOW, note="", desk_id=DESKS[1])
    assert (answer.state, answer.name, answer.person_uid) == ("conflict", "", MEI)
    assert told(desks, DESKS[1]) == ["Mei"]


def test_a_desk_hears_nothing_of_faces_that_it_did_not_name(library: RedactionQueries, desks: DeskQueries) -> None:
    photo(library, "a", 1)
    assert say(desks, DESKS[0], "name", MEI, name="Mei") == "done"
    assert told(desks, DESKS[1]) == []


def test_a_name_taken_away_is_told_unless_its_person_was_forgotten(library: RedactionQueries, desks: DeskQueries) -> None:
    [face_id] = photo(library, "a", 1)
    assert say(desks, DESKS[0], "name", MEI, name="Mei") == "done"
    library.edit(UnnameFacesEdit(face_ids=(face_id,)), now=NOW)
    assert told(desks, DESKS[0]) == [""]
    assert say(desks, DESKS[0], "known", NO_ONE) == "done"
    assert told(desks, DESKS[0]) == []
    step, _ = library.edit(NameFacesEdit(face_ids=(face_id,), name="Lin"), now=NOW)
    assert told(desks, DESKS[0]) == ["Lin"] and step.person_id is not None
    [lin] = library.uids_of(step.person_id)
    assert say(desks, DESKS[0], "known", lin, base=lin) == "done"
    library.forget_person(step.person_id, now=NOW, note="")
    assert told(desks, DESKS[0]) == []


def test_the_name_of_who_withdrew_is_not_told(library: RedactionQueries, desks: DeskQueries) -> None:
    photo(library, "a", 1)
    assert say(desks, DESKS[0], "name", MEI, name="Mei") == "done"
    assert say(desks, DESKS[1], "name", LIN, name="Lin", base=MEI) == "done"
    with library.database.write() as tx:
        consent_queries.enter(tx, LIN, Consent(purpose=Purpose.RECOGNISE, state=ConsentState.WITHDRAWN, given_on=NOW.date()), NOW)
    assert told(desks, DESKS[0]) == []
    with library.database.write() as tx:
        consent_queries.enter(tx, LIN, Consent(purpose=Purpose.RECOGNISE, state=ConsentState.GIVEN, given_on=NOW.date()), NOW)
    assert told(desks, DESKS[0]) == ["Lin"]


def test_a_merge_on_the_server_and_its_undo_are_told(library: RedactionQueries, desks: DeskQueries) -> None:
    [_, other] = photo(library, "a", 2)
    assert say(desks, DESKS[0], "name", MEI, name="Mei") == "done"
    step, _ = library.edit(NameFacesEdit(face_ids=(other,), name="Lin"), now=NOW)
    [mei] = [each for each, name in library.person_names().items() if name == "Mei"]
    assert step.person_id is not None
    [lin] = library.uids_of(step.person_id)
    merged, _ = library.edit(MergePeopleEdit(person_ids=(mei,), into=step.person_id), now=NOW)
    assert told(desks, DESKS[0]) == ["Lin"]
    assert say(desks, DESKS[0], "known", lin, base=lin) == "done"
    assert library.undo(merged.token, now=NOW) is not None
    assert told(desks, DESKS[0]) == ["Mei"]


@pytest.fixture
def in_libraries(library: RedactionQueries, desks: DeskQueries) -> int:
    """A face that a desk knows as Mei, in the first of two libraries, with row security in force."""
    with library.database.write() as tx:
        secure(tx)
        tx.execute(insert(library_table), [{"id": each, "name": str(each), "created_at": NOW} for each in (1, 2)])
        tx.execute(insert(library_source), [{"root": root, "library_id": each} for each, root in ((1, "/photos"), (2, "/others"))])
    [face_id] = photo(library, "a", 1)
    assert say(desks, DESKS[0], "name", MEI, name="Mei") == "done"
    return face_id


@pytest.mark.parametrize("database", ON_SERVER, indirect=True)
def test_a_photo_beyond_the_members_reach_tells_nothing(library: RedactionQueries, desks: DeskQueries, in_libraries: int) -> None:
    library.edit(NameFacesEdit(face_ids=(in_libraries,), name="Lin"), now=NOW)

    def seen(by: int) -> tuple[list[str], int | None]:
        """What the desk is told, and how many rows its member's role of the database reads."""
        with reaching(AccessScope(frozenset({by}))), library.database.read() as tx:
            return told(desks, DESKS[0]), tx.scalar(select(func.count()).select_from(desk_face))

    assert (seen(1), seen(2)) == ((["Lin"], 1), ([], 0))
    with library.database.write() as tx:
        tx.execute(update(place).values(folder="/others"))
    assert (seen(1), seen(2)) == (([], 0), (["Lin"], 1))


@pytest.mark.parametrize("database", ON_SERVER, indirect=True)
def test_a_person_who_is_not_shown_inside_keeps_the_name_at_the_desk_that_gave_it(
    library: RedactionQueries, desks: DeskQueries, in_libraries: int
) -> None:
    def say_inside(uid: str, state: ConsentState) -> None:
        with library.database.write() as tx:
            consent_queries.enter(tx, uid, Consent(purpose=Purpose.SHOW_INSIDE, state=state, given_on=NOW.date()), NOW)

    def seen(confided: bool) -> list[str]:
        with reaching(AccessScope(frozenset({1}), confided=frozenset({1} if confided else ()))):
            return told(desks, DESKS[0])

    say_inside(MEI, ConsentState.WITHDRAWN)
    assert (seen(False), seen(True)) == ([], []), "the face is still Mei's"
    step, _ = library.edit(NameFacesEdit(face_ids=(in_libraries,), name="Lin"), now=NOW)
    assert step.person_id is not None
    [lin] = library.uids_of(step.person_id)
    say_inside(lin, ConsentState.WITHDRAWN)
    assert (seen(False), seen(True)) == ([""], ["Lin"])
    with reaching(AccessScope(frozenset({1}))):
        assert say(desks, DESKS[0], "known", NO_ONE) == "done"
    assert seen(False) == []
    say_inside(lin, ConsentState.GIVEN)
    assert seen(False) == ["Lin"]


@pytest.mark.parametrize("database", ON_SERVER, indirect=True)
def test_a_forgotten_person_takes_no_name_away_from_a_member_who_may_not_read_the_record(
    library: RedactionQueries, desks: DeskQueries, in_libraries: int
) -> None:
    [mei] = library.person_names()
    library.forget_person(mei, now=NOW, note="")
    with reaching(AccessScope(frozenset({1}))):
        assert told(desks, DESKS[0]) == []
