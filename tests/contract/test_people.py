"""What every library must do with what the user says of people and faces, and how it is taken back."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from agent.domain.edits import (
    Basis,
    DescribePersonEdit,
    Edit,
    EditStep,
    IgnoreFacesEdit,
    ImportNamesEdit,
    MergePeopleEdit,
    NameFacesEdit,
    NameManyEdit,
    RejectFaces,
    UnnameFacesEdit,
)
from agent.domain.embeddings import numbers
from agent.domain.errors import FaceUnknown, NameEmpty, NameTaken, PersonUnknown, SelfMerge, StoreBusy, StoreDiskFull
from agent.domain.events import PeopleChanged, RecognitionPurged
from agent.domain.face import Analysis, Box, Face, Quality, StageTimes
from agent.domain.identity_matching import Certainty, Identity
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import JobState, Priority
from agent.features.library.records import Index, Match, Shown
from agent.features.people.queries import cluster_queries
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED
from agent.infrastructure.store.schema import audit, embedding
from agent.infrastructure.store.schema import unseen as unseen_table
from tests.support.stored_embeddings import image_embeddings

NOW = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
RECIPE = Recipe("centerface-2", "mobilefacenet-1")
NOTE = "backups"


ORDINARY = Quality(30, 30, 0, 0)


def photo(library: RedactionQueries, name: str, faces: int, *, recipe: Recipe = RECIPE, quality: Quality = ORDINARY) -> list[int]:
    """A photo with so many faces side by side; returns their ids."""
    seen = FileSeen(f"/photos/{name}.jpg", 100 + ord(name), 1, "/photos")
    library.note_file(seen, recipe, priority=Priority.ASKED, now=NOW)
    [job], _ = library.lease(1, now=NOW, until=LATER)
    landmarks = ((1.0, 1.0), (9.0, 1.0), (5.0, 5.0), (1.0, 9.0), (9.0, 9.0))
    found = tuple(
        Face(Box(50.0 * n, 5, 40, 40), 0.9, landmarks, quality, f"{name}{n}".encode() * 4, f"{name}{n}".encode()) for n in range(faces)
    )
    library.commit(job, Analysis(name * 64, 9, 640, 480, "jpeg", recipe, "f32", found, StageTimes()), now=NOW)
    place = library.place(seen.path)
    assert place is not None and place.image_id is not None
    image = library.image(place.image_id)
    assert image is not None
    return [face.id for face in image.faces]


def do(library: RedactionQueries, wish: Edit, at: datetime = NOW) -> EditStep:
    return library.edit(wish, now=at)[0]


def name(library: RedactionQueries, who: str, *face_ids: int) -> int:
    step = do(library, NameFacesEdit(face_ids=face_ids, name=who))
    assert step.person_id is not None
    return step.person_id


def who(library: RedactionQueries) -> dict[int, str | None]:
    """Face -> name."""
    return {face.id: face.person for image in library.images(limit=99) for face in image.faces}


def audited(library: RedactionQueries) -> list[str]:
    assert isinstance(library, RedactionQueries) and library.audit_broken_at() is None
    with library.database.read() as tx:
        return list(tx.scalars(select(audit.c.action).order_by(audit.c.id)))


def names(library: RedactionQueries) -> list[str]:
    return [person.name for person in library.people()]


def test_faces_beside_the_named_ones_are_unseen_until_the_naming_is_undone(library: RedactionQueries) -> None:
    named, shown, beside, alone, suggested = (photo(library, each, 1)[0] for each in "abcde")
    library.set_groups({named: 1, shown: 1, beside: 1, suggested: 1, alone: 0})
    who_else = name(library, "Ben", alone)
    library.set_identities({suggested: Identity(who_else, Certainty.PROBABLE, 1.0, 1, 1)}, now=NOW)
    mei = name(library, "Mei", named, shown)

    def unseen() -> dict[int, frozenset[int]]:
        return library.unseen([beside, suggested])

    assert unseen() == {beside: {mei}}
    library.set_identities({each: Identity(mei, Certainty.CERTAIN, 0.5, 1, 1) for each in (beside, suggested)}, now=NOW)
    found = {face.id: face.identity and face.identity.certainty for image in library.images(limit=9) for face in image.faces}
    assert (found[beside], found[suggested]) == (Certainty.PROBABLE, Certainty.CERTAIN)
    do(library, MergePeopleEdit(person_ids=(mei,), into=who_else))
    assert unseen() == {beside: {who_else}}
    library.undo(None, now=LATER)
    assert unseen() == {beside: {mei}}
    library.undo(None, now=LATER)
    assert unseen() == {}
    library.do_again(now=LATER)
    assert unseen() == {beside: {mei}}
    library.purge_recognition(now=LATER)
    with library.database.read() as tx:
        assert not tx.scalars(select(unseen_table.c.face_id)).all()


def test_a_face_that_is_named_alone_leaves_its_group_as_it_is(library: RedactionQueries) -> None:
    named, beside = (photo(library, each, 1)[0] for each in "ab")
    library.set_groups({named: 1, beside: 1})
    name(library, "Mei", named)
    assert library.unseen([beside]) == {}


def test_a_group_is_named_at_once_and_that_is_taken_back_at_once(library: RedactionQueries) -> None:
    faces = photo(library, "a", 2) + photo(library, "b", 1)
    step, happened = library.edit(NameFacesEdit(face_ids=tuple(faces), name=" Mei "), now=NOW)
    assert step.count == 3 and [each.event for each in happened] == [PeopleChanged(action="name")]
    assert set(who(library).values()) == {"Mei"}
    back = library.undo(step.token, now=NOW)
    assert back is not None and back[0].count == 3 and back[0].faces == set(faces)
    assert set(who(library).values()) == {None} and names(library) == []
    again = library.do_again(now=NOW)
    assert again is not None and set(who(library).values()) == {"Mei"}
    assert audited(library) == ["person_made", "named", "taken_back", "done_again"]
    assert library.do_again(now=NOW) is None


def test_members_of_a_team_take_back_and_redo_only_their_own_steps(library: RedactionQueries) -> None:
    [first, second, third] = photo(library, "a", 3)
    with acting_as("a" * 32):
        name(library, "Mei", first)
        name(library, "Ada", third)
        assert library.undo(now=NOW) and who(library) == {first: "Mei", second: None, third: None}
    with acting_as("b" * 32):
        assert library.steps() == (None, None) and library.undo(now=NOW) is None and library.do_again(now=NOW) is None
        step, _ = library.edit(NameFacesEdit(face_ids=(second,), name="Xu"), now=NOW)
    with acting_as("a" * 32):
        assert library.undo(step.token, now=NOW) is None
        assert library.do_again(now=NOW) and library.undo(now=NOW) and library.undo(now=NOW)
        assert who(library) == {first: None, second: "Xu", third: None}


def test_steps_are_taken_back_from_the_latest_to_the_first_and_done_again_in_their_order(library: RedactionQueries) -> None:
    [first, second] = photo(library, "a", 2)
    name(library, "Mei", first)
    name(library, "Xu", second)
    assert library.steps()[0] == EditStep("name", 1) and library.steps()[1] is None
    assert library.undo(now=NOW) and who(library) == {first: "Mei", second: None}
    assert library.undo(now=NOW) and who(library) == {first: None, second: None}
    assert library.undo(now=NOW) is None
    assert library.do_again(now=NOW) and who(library) == {first: "Mei", second: None}
    assert library.do_again(now=NOW) and who(library) == {first: "Mei", second: "Xu"}


def test_what_was_taken_back_is_gone_once_something_else_is_done(library: RedactionQueries) -> None:
    [first, second] = photo(library, "a", 2)
    name(library, "Mei", first)
    library.undo(now=NOW)
    name(library, "Xu", second)
    assert library.do_again(now=NOW) is None


def test_a_step_taken_back_out_of_turn_leaves_what_came_later(library: RedactionQueries) -> None:
    [first, second] = photo(library, "a", 2)
    token = do(library, NameFacesEdit(face_ids=(first,), name="Mei")).token
    name(library, "Mei", second)
    assert library.undo(token, now=NOW)
    assert who(library) == {first: None, second: "Mei"}, "she was made by the step taken back, but has another face now"


def test_what_was_said_later_stands_when_an_earlier_step_is_taken_back(library: RedactionQueries) -> None:
    first, second, third = photo(library, "a", 3)
    named = do(library, NameFacesEdit(face_ids=(first, second), name="Mei"))
    library.edit(NameFacesEdit(face_ids=(first,), name="Xu"), now=LATER)
    assert library.undo(named.token, now=LATER)
    assert who(library) == {first: "Xu", second: None, third: None}, "she was called Xu since"

    mei = name(library, "Mei", third)
    renamed = do(library, DescribePersonEdit(person_id=mei, name="May", notes="tall"))
    do(library, DescribePersonEdit(person_id=mei, name="Maya"))
    assert library.undo(renamed.token, now=LATER)
    facts = library.person(mei)
    assert facts is not None and (facts.person.name, facts.notes) == ("Maya", ""), "only what nobody said anew is as it was"

    ignored = do(library, IgnoreFacesEdit(face_ids=(second,)))
    do(library, NameFacesEdit(face_ids=(second,), name="Bo"))
    assert library.undo(ignored.token, now=LATER) is None, "it is not ignored any more"
    assert who(library)[second] == "Bo"


def test_a_step_of_which_nothing_is_left_is_not_undone_until_what_followed_is(library: RedactionQueries) -> None:
    first, second = photo(library, "a", 2)
    name(library, "Mei", second)
    named = do(library, NameFacesEdit(face_ids=(first,), name="Mei"))
    renamed, _ = library.edit(NameFacesEdit(face_ids=(first,), name="Xu"), now=LATER)
    assert library.undo(named.token, now=LATER) is None and who(library)[first] == "Xu"
    assert library.undo(renamed.token, now=LATER) and who(library)[first] == "Mei"
    assert library.undo(named.token, now=LATER) and who(library)[first] is None


def test_the_latest_step_of_which_nothing_is_left_makes_way_for_the_one_before_it(library: RedactionQueries) -> None:
    first, second = photo(library, "a", 2)
    with acting_as("a" * 32):
        name(library, "Mei", second)
        name(library, "Mei", first)
    with acting_as("b" * 32):
        library.edit(NameFacesEdit(face_ids=(first,), name="Xu"), now=LATER)
    with acting_as("a" * 32):
        assert library.undo(now=LATER) is None and who(library) == {first: "Xu", second: "Mei"}, "what another member said since stands"
        assert library.undo(now=LATER) and who(library) == {first: "Xu", second: None}
        assert library.undo(now=LATER) is None


def test_a_step_of_which_nothing_can_be_redone_makes_way_for_the_next(library: RedactionQueries) -> None:
    [first, second] = photo(library, "a", 2)
    with acting_as("a" * 32):
        mei = name(library, "Mei", first)
        library.edit(DescribePersonEdit(person_id=mei, name="May"), now=NOW)
        name(library, "Ada", second)
        for _ in range(2):
            assert library.undo(now=NOW)
    with acting_as("b" * 32):
        library.edit(DescribePersonEdit(person_id=mei, name="Maya"), now=LATER)
    with acting_as("a" * 32):
        assert library.do_again(now=LATER) is None, "what another member said since stands"
        assert names(library) == ["Maya"]
        assert library.do_again(now=LATER) and names(library) == ["Ada", "Maya"]
        assert library.do_again(now=LATER) is None


def test_undoing_says_if_something_stays_because_it_was_changed_since(library: RedactionQueries) -> None:
    first, second, third = photo(library, "a", 3)
    name(library, "Mei", third)
    named = do(library, NameFacesEdit(face_ids=(first, second), name="Mei"))
    library.edit(NameFacesEdit(face_ids=(first,), name="Xu"), now=LATER)
    undone = library.undo(named.token, now=LATER)
    assert undone is not None and undone[0].partly
    whole = library.undo(do(library, NameFacesEdit(face_ids=(second,), name="Mei")).token, now=LATER)
    assert whole is not None and not whole[0].partly
    fresh = library.undo(do(library, NameFacesEdit(face_ids=(second,), name="Bo")).token, now=LATER)
    assert fresh is not None and not fresh[0].partly and names(library) == ["Mei", "Xu"]


@pytest.mark.parametrize("blank", ["", "   ", "\u3000"])
def test_nobody_is_called_nothing(library: RedactionQueries, blank: str) -> None:
    face, other = photo(library, "a", 2)
    mei = name(library, "Mei", face)
    for wish in (
        DescribePersonEdit(person_id=mei, name=blank),
        NameFacesEdit(face_ids=(other,), name=blank),
        NameManyEdit(people=((blank, (other,)),)),
    ):
        with pytest.raises(NameEmpty):
            library.edit(wish, now=NOW)
    library.edit(ImportNamesEdit(names=((other, blank),)), now=NOW)
    assert who(library) == {face: "Mei", other: None} and names(library) == ["Mei"]


def test_suggested_faces_and_photos_are_counted_apart(library: RedactionQueries) -> None:
    twins, [alone], [sure], [perhaps] = photo(library, "a", 2), photo(library, "b", 1), photo(library, "c", 1), photo(library, "d", 1)
    mei = name(library, "Mei", *twins, alone)
    library.set_identities(
        {sure: Identity(mei, Certainty.CERTAIN, 0.5, 1, 1), perhaps: Identity(mei, Certainty.PROBABLE, 1.0, 1, 3)}, now=NOW
    )
    [person] = library.people()
    assert (person.faces, person.photos, person.suggested) == (5, 4, 2)
    facts = library.person(mei)
    assert facts is not None and (facts.photos, facts.suggested) == (4, 2)
    assert len(library.index(Shown(people=(mei,))).ids) == 4
    assert len(library.index(Shown(people=(mei,), certain=True)).ids) == 3, "the probable one is left out"


def test_naming_the_same_again_is_no_step(library: RedactionQueries) -> None:
    [face] = photo(library, "a", 1)
    mei = name(library, "Mei", face)
    step, happened = library.edit(NameFacesEdit(face_ids=(face,), person_id=mei), now=LATER)
    assert step.token is None and happened == []


def test_adopted_names_are_one_step_and_count_where_nothing_was_said(library: RedactionQueries) -> None:
    one, two, settled, hushed, never, wrong = photo(library, "a", 6)
    mei = name(library, "Mei", settled)
    xu = name(library, "Xu", wrong)
    do(library, RejectFaces(face_ids=(wrong,), person_id=xu))
    do(library, IgnoreFacesEdit(face_ids=(hushed,)))
    do(library, DescribePersonEdit(person_id=xu, never=True))
    said = ((one, " mei"), (two, "Bo"), (settled, "Bo"), (hushed, "Bo"), (never, "XU"), (wrong, "Xu"))
    step, happened = library.edit(ImportNamesEdit(names=said), now=NOW)
    assert (step.action, step.count, step.faces) == ("name", 2, frozenset({one, two})) and len(happened) == 1
    assert who(library) == {one: "Mei", two: "Bo", settled: "Mei", hushed: None, never: None, wrong: None}
    assert library.undo(now=NOW) and names(library) == ["Mei", "Xu"]
    do(library, RejectFaces(face_ids=(one,), person_id=mei))
    assert library.edit(ImportNamesEdit(names=((one, "Mei"),)), now=NOW)[0].token is None
    with pytest.raises(FaceUnknown):
        library.edit(ImportNamesEdit(names=((99, "Mei"),)), now=NOW)


def test_many_people_are_named_in_one_step(library: RedactionQueries) -> None:
    one, two, three = photo(library, "a", 3)
    mei = name(library, "Mei", one)
    step = do(library, NameManyEdit(people=(("Anna", (one, two, 99)), (" Mei ", (three,)), ("Nobody", (98,)))))
    assert (step.count, step.person_id) == (3, None) and who(library) == {one: "Anna", two: "Anna", three: "Mei"}
    assert names(library) == ["Anna", "Mei"] and library.rejections([one]) == {one: {mei}}
    library.undo(now=NOW)
    assert who(library) == {one: "Mei", two: None, three: None} and names(library) == ["Mei"]


def test_a_name_is_adopted_once_until_it_is_unsaid_or_another(library: RedactionQueries) -> None:
    one, other = photo(library, "a", 2)
    mei = ImportNamesEdit(names=((one, "Mei"), (other, "Anna")))
    do(library, mei)
    library.undo(now=NOW)
    assert library.faces_adopted([one, other, 99]) == {one, other}
    assert do(library, mei).token is None and names(library) == []
    assert do(library, ImportNamesEdit(names=((one, " mei "), (other, "Xu")))).count == 1 and who(library)[other] == "Xu"
    assert do(library, ImportNamesEdit(names=(), unsaid=(one,))).token is None and library.faces_adopted([one]) == set()
    assert do(library, mei).count == 1 and who(library) == {one: "Mei", other: "Xu"}


def test_of_somebody_forgotten_not_even_what_another_program_said_is_kept(library: RedactionQueries) -> None:
    one, other = photo(library, "a", 2)
    do(library, ImportNamesEdit(names=((one, "Mei"), (other, "Anna"))))
    [mei] = [person for person, called in library.person_names().items() if called == "Mei"]
    library.forget_person(mei, now=LATER, note="forgotten")
    assert library.faces_adopted([one, other]) == {other}


def test_images_are_found_by_their_faces_and_names_by_their_people(library: RedactionQueries) -> None:
    faces = photo(library, "a", 2) + photo(library, "b", 1)
    assert library.images_of_faces([*faces, 99]) == [1, 2] and library.images_of_faces([]) == []
    mei = name(library, "Mei", faces[0])
    assert library.person_names() == {mei: "Mei"}


def test_not_this_person_is_remembered_and_ends_a_confirmation(library: RedactionQueries) -> None:
    [first, second] = photo(library, "a", 2)
    mei = name(library, "Mei", first)
    library.set_identities({second: Identity(mei, Certainty.PROBABLE, 1.0, 1, 1)}, now=NOW)
    do(library, RejectFaces(face_ids=(first, second), person_id=mei))
    assert who(library) == {first: None, second: None}
    assert library.rejections([first, second, 99]) == {first: {mei}, second: {mei}}
    library.undo(now=NOW)
    assert library.rejections([first, second]) == {} and who(library)[first] == "Mei"


def test_faces_that_were_left_out_when_others_were_named_are_not_that_person(library: RedactionQueries) -> None:
    one, two, out, beside = (photo(library, letter, 1)[0] for letter in "abcd")
    library.set_groups({one: 1, two: 1, out: 1, beside: 1})
    step = do(library, NameFacesEdit(face_ids=(one, two), name="Mei", left_out=(out, two)))
    [mei] = library.person_names()
    assert step.count == 2 and who(library) == {one: "Mei", two: "Mei", out: None, beside: None}
    assert library.rejections([one, two, out, beside]) == {out: {mei}}
    library.undo(now=NOW)
    assert library.rejections([out]) == {} and names(library) == []
    with pytest.raises(FaceUnknown):
        library.edit(NameFacesEdit(face_ids=(one,), name="Mei", left_out=(99,)), now=NOW)


def test_a_corrected_name_is_remembered_as_not_the_wrong_one(library: RedactionQueries) -> None:
    [face] = photo(library, "a", 1)
    mei = name(library, "Mei", face)
    xu = name(library, "Xu", face)
    assert library.rejections([face]) == {face: {mei}}
    do(library, NameFacesEdit(face_ids=(face,), person_id=mei))
    assert library.rejections([face]) == {face: {xu}}, "the last word counts"


def test_faces_split_off_are_not_suggested_again(library: RedactionQueries) -> None:
    faces = photo(library, "a", 3)
    mei = name(library, "Mei", *faces)
    do(library, UnnameFacesEdit(face_ids=tuple(faces)))
    assert set(who(library).values()) == {None}
    assert library.rejections(faces) == {face: {mei} for face in faces}
    assert names(library) == ["Mei"], "the person stays, with nobody's face"


def test_an_ignored_face_is_asked_about_no_more(library: RedactionQueries) -> None:
    [first, second] = photo(library, "a", 2)
    mei = name(library, "Mei", first)
    opinion = {second: Identity(mei, Certainty.PROBABLE, 1.0, 1, 1)}
    library.set_identities(opinion, now=NOW)
    do(library, IgnoreFacesEdit(face_ids=(second,)))
    library.set_identities(opinion, now=NOW)
    image = library.image(1)
    assert image is not None and [(face.person, face.ignored) for face in image.faces] == [("Mei", False), (None, True)]
    assert library.doubts(limit=9) == ([], 0)
    do(library, IgnoreFacesEdit(face_ids=(second,), ignored=False))
    library.set_identities(opinion, now=NOW)
    assert library.doubts(limit=9)[1] == 1


def test_merged_people_are_one_and_come_apart_again(library: RedactionQueries) -> None:
    [first, second, third] = photo(library, "a", 3)
    mei, other = name(library, "Mei", first), name(library, "Mei (2)", second)
    do(library, RejectFaces(face_ids=(third,), person_id=other))
    do(library, DescribePersonEdit(person_id=other, notes="from school", birth_date=date(2001, 2, 3)))
    step = do(library, MergePeopleEdit(person_ids=(other,), into=mei))
    assert step.count == 1 and names(library) == ["Mei"] and who(library) == {first: "Mei", second: "Mei", third: None}
    assert library.rejections([third]) == {third: {mei}}, "who is not the one is not the other"
    library.undo(now=NOW)
    assert names(library) == ["Mei", "Mei (2)"] and who(library) == {first: "Mei", second: "Mei (2)", third: None}
    assert library.rejections([third]) == {third: {other}}
    facts = library.person(other)
    assert facts is not None and facts.notes == "from school" and facts.birth_date == date(2001, 2, 3)


def test_a_merge_counts_the_confirmed_faces_that_it_moves(library: RedactionQueries) -> None:
    [first, second, third, fourth] = photo(library, "a", 4)
    mei, other = name(library, "Mei", first), name(library, "Mei (2)", second)
    taken_for = {third: Identity(other, Certainty.CERTAIN, 0.4, 1, 1), fourth: Identity(mei, Certainty.CERTAIN, 0.4, 1, 1)}
    library.set_identities(taken_for, now=NOW)
    assert do(library, MergePeopleEdit(person_ids=(other,), into=mei)).count == 1


def test_nobody_is_merged_into_themselves_or_into_nobody(library: RedactionQueries) -> None:
    [face] = photo(library, "a", 1)
    mei = name(library, "Mei", face)
    with pytest.raises(SelfMerge):
        do(library, MergePeopleEdit(person_ids=(mei,), into=mei))
    with pytest.raises(PersonUnknown):
        do(library, MergePeopleEdit(person_ids=(99,), into=mei))
    with pytest.raises(PersonUnknown):
        do(library, NameFacesEdit(face_ids=(face,), person_id=99))
    with pytest.raises(FaceUnknown):
        do(library, IgnoreFacesEdit(face_ids=(99,)))
    assert names(library) == ["Mei"]


def test_a_name_that_somebody_has_is_refused_and_says_who(library: RedactionQueries) -> None:
    [first, second] = photo(library, "a", 2)
    mei, xu = name(library, "Mei", first), name(library, "Xu", second)
    with pytest.raises(NameTaken) as refused:
        do(library, DescribePersonEdit(person_id=xu, name=" Mei", notes="kept?"))
    assert refused.value.params == {"person_id": mei}
    facts = library.person(xu)
    assert facts is not None and facts.notes == "", "all or nothing"


def test_a_name_taken_meanwhile_gets_a_number_when_it_comes_back(library: RedactionQueries) -> None:
    [first, second] = photo(library, "a", 2)
    mei = name(library, "Mei", first)
    token = do(library, DescribePersonEdit(person_id=mei, name="Mei Lin")).token
    name(library, "Mei", second)
    assert library.undo(token, now=NOW)
    assert names(library) == ["Mei", "Mei (2)"]


def test_what_is_said_of_a_person_is_kept_and_taken_back(library: RedactionQueries) -> None:
    [face, other] = photo(library, "a", 2)
    mei = name(library, "Mei", face, other)
    said = {"birth_date": date(2015, 1, 2), "notes": "n", "cover_face_id": face, "basis": Basis.GUARDIAN, "retention_days": 9}
    do(library, DescribePersonEdit(person_id=mei, hidden=True, never=True, **said))  # type: ignore[arg-type]
    facts = library.person(mei)
    assert facts is not None and facts.person.hidden and facts.person.never and facts.basis is Basis.GUARDIAN and facts.basis_at == NOW
    assert facts.retention_days == 9 and facts.person.portrait is not None and facts.person.portrait.box.x == 0
    do(library, DescribePersonEdit(person_id=mei, clear=frozenset({"basis", "birth_date"})))
    facts = library.person(mei)
    assert facts is not None and facts.basis is None is facts.basis_at and facts.birth_date is None and facts.notes == "n"
    library.undo(now=NOW)
    library.undo(now=NOW)
    facts = library.person(mei)
    assert facts is not None and not facts.person.hidden and facts.birth_date is None and facts.notes == ""
    assert library.person(99) is None


def test_a_step_about_faces_that_are_gone_is_taken_back_as_far_as_it_goes(library: RedactionQueries) -> None:
    [gone], [stays] = photo(library, "a", 1), photo(library, "b", 1)
    name(library, "Mei", gone, stays)
    mei = library.people()[0].id
    do(library, UnnameFacesEdit(face_ids=(gone, stays)))
    library.files_gone(["/photos/a.jpg"], now=NOW)
    assert library.purge_missing(before=LATER) == 1
    assert library.undo(now=NOW) and who(library) == {stays: "Mei"}
    assert library.rejections([stays]) == {}
    assert library.person_faces(mei, limit=9)[1] == 1


def test_the_photos_that_a_search_found_are_shown_and_no_others(library: RedactionQueries) -> None:
    for letter in "abc":
        photo(library, letter, 1)
    first, _, third = sorted(library.index(Shown()).ids)
    assert set(library.index(Shown(images=(first, third, 99))).ids) == {first, third}
    assert library.index(Shown(images=())).ids == ()


def test_people_of_whom_there_are_prints_are_counted_named_or_not(library: RedactionQueries) -> None:
    assert library.people_kept(least=0) == 0
    faces = [each for letter in "abcdef" for each in photo(library, letter, 1)]
    assert library.people_kept(least=0) == 6, "each may be somebody"
    library.set_groups({faces[0]: faces[0], faces[1]: faces[0], faces[2]: 0})
    name(library, "Mei", *faces[3:5])
    assert library.people_kept(least=0) == 4, "a group, Mei, and two who are like nobody"
    assert library.people_kept(least=7) == 0, "so few prints are not looked at closely"


def test_a_face_without_a_print_leaves_its_cluster(library: RedactionQueries) -> None:
    a, b, c = (photo(library, each, 1)[0] for each in "abc")
    library.set_groups({a: 7, b: 7, c: 7})
    with library.database.write() as tx:
        tx.execute(delete(embedding).where(embedding.c.face_id == b))
    library.drop_without_print()
    assert set(library.groups(limit=9)[0][0].face_ids) == {a, c} and library.count_members() == (2, 0)


def test_clusters_are_read_one_after_another_page_by_page(library: RedactionQueries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_queries, "PAGE", 2)
    a, b, c, d, e, new = (photo(library, each, 1)[0] for each in "abcdef")
    library.set_groups({a: 7, b: 0, c: 7, d: 0, e: 7})
    mei = name(library, "Mei", c)
    told = library.grouped()
    assert [(each.face_id, each.person_id, each.group_id) for each in told.members] == [
        (b, 0, 0), (d, 0, 0), (a, 0, 7), (c, mei, 7), (e, 0, 7),
    ]  # fmt: skip
    assert [each.face_id for each in library.ungrouped(9)] == [new]
    assert library.count_members() == (6, 1)
    every = library.all_members()
    assert [*numbers(every.faces)] == [a, b, c, d, e, new] and [*numbers(every.groups)] == [7, 0, 7, 0, 7, -1]
    assert [*numbers(every.people)] == [0, 0, mei, 0, 0, 0]
    library.edit(RejectFaces(face_ids=(a,), person_id=mei), now=NOW)
    assert library.grouped().cannot == library.all_members().cannot == ((a, c),)


def test_photos_of_somebody_are_counted_once(library: RedactionQueries) -> None:
    twins, [alone], [thought] = photo(library, "a", 2), photo(library, "b", 1), photo(library, "c", 1)
    mei = name(library, "Mei", *twins, alone)
    library.set_identities({thought: Identity(mei, Certainty.CERTAIN, 0.5, 1, 1)}, now=NOW)
    name(library, "Xu", *photo(library, "d", 1))
    assert {person.name: (person.faces, person.photos) for person in library.people()} == {"Mei": (4, 3), "Xu": (1, 1)}


def test_a_persons_faces_come_page_by_page(library: RedactionQueries) -> None:
    faces = [each for letter in "abcde" for each in photo(library, letter, 1)]
    mei = name(library, "Mei", *faces[:4])
    library.set_identities({faces[4]: Identity(mei, Certainty.CERTAIN, 0.5, 1, 1)}, now=NOW)
    first, total = library.person_faces(mei, limit=3)
    rest, _ = library.person_faces(mei, limit=3, offset=3)
    assert total == 5 and {each.face.id for each in [*first, *rest]} == set(faces)
    facts = library.person(mei)
    assert facts is not None and facts.photos == 5 and facts.confirmed_at == NOW


def test_doubtful_faces_come_nearest_first_with_the_references(library: RedactionQueries) -> None:
    known, near, far = photo(library, "a", 3)
    mei = name(library, "Mei", known)
    library.set_identities(
        {far: Identity(mei, Certainty.PROBABLE, 1.04, 1, 1), near: Identity(mei, Certainty.PROBABLE, 1.0, 1, 1)}, now=NOW
    )
    found, total = library.doubts(limit=1)
    assert total == 2 and found[0].face.id == near and [face.id for face in found[0].shown] == [known]
    assert library.doubts(limit=9, person_id=mei + 1) == ([], 0)
    assert library.counts().doubts == 2


def test_a_blurred_face_stands_for_nobody_while_there_is_a_sharp_one(library: RedactionQueries) -> None:
    [blurred] = photo(library, "a", 1, quality=Quality(60, 30, 0, 0))
    [sharp] = photo(library, "b", 1, quality=Quality(40, 200, 0, 0))
    [small] = photo(library, "c", 1, quality=Quality(20, 200, 0, 0))
    library.set_groups({blurred: 1, sharp: 1, small: 1})
    assert [face.id for face in library.group_faces(1)] == [sharp, small, blurred]
    assert [face.id for face in library.group_faces(1, limit=2)] == [sharp, small]

    [doubtful] = photo(library, "d", 1)
    mei = name(library, "Mei", blurred, sharp, small)
    library.set_identities({doubtful: Identity(mei, Certainty.PROBABLE, 1.0, 1, 1)}, now=NOW)
    [doubt] = library.doubts(limit=9)[0]
    assert [face.id for face in doubt.shown] == [sharp, small, blurred]


def shown(library: RedactionQueries, *people: int, match: Match = Match.ALL, unnamed: bool = False) -> Index:
    return library.index(Shown(people=people, match=match, unnamed=unnamed))


def test_photos_are_found_by_who_is_on_them(library: RedactionQueries) -> None:
    both, alone, with_stranger = photo(library, "a", 2), photo(library, "b", 1), photo(library, "c", 2)
    mei, xu = name(library, "Mei", both[0], alone[0], with_stranger[0]), name(library, "Xu", both[1])
    assert set(shown(library, mei).ids) == {1, 2, 3}
    assert shown(library, mei, xu).ids == (1,)
    assert set(shown(library, mei, xu, match=Match.ANY).ids) == {1, 2, 3}
    assert shown(library, mei, match=Match.ONLY).ids == (2,)
    assert shown(library, unnamed=True).ids == (3,)
    do(library, IgnoreFacesEdit(face_ids=(with_stranger[1],)))
    assert shown(library, unnamed=True).ids == ()


def test_a_forgotten_person_leaves_nothing_and_cannot_come_back(library: RedactionQueries) -> None:
    [first, second, third] = photo(library, "a", 3)
    mei, old = name(library, "Mei", first), name(library, "Meimei", second)
    name(library, "Xu", third)
    do(library, MergePeopleEdit(person_ids=(old,), into=mei))
    uids = library.uids_of(mei)
    assert len(uids) == 2 and library.people_by_uids(uids) == [mei]
    gone, happened = library.forget_person(mei, now=NOW, note=NOTE)
    assert (gone.faces, gone.embeddings, gone.chips, gone.undo) == (2, 2, 2, 3) and library.noted(NOTE)
    assert [each.event for each in happened] == [PeopleChanged(action="forget")]
    assert who(library) == {first: None, second: None, third: "Xu"} and names(library) == ["Xu"]
    assert [row[0] for row in image_embeddings(library, 1, RECIPE.embedder or "")] == [third]
    assert library.undo(now=NOW) and names(library) == [], "only what is not theirs is taken back"
    assert library.undo(now=NOW) is None and library.people_by_uids(uids) == []
    with pytest.raises(PersonUnknown):
        library.forget_person(mei, now=NOW, note=NOTE)


def test_somebody_is_forgotten_also_where_there_is_no_room_to_write_the_file_anew(
    library: RedactionQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Database) -> None:
        raise StoreDiskFull

    monkeypatch.setattr(Database, "compact", full)
    [face] = photo(library, "a", 1)
    gone, _ = library.forget_person(name(library, "Mei", face), now=NOW, note=NOTE)
    assert gone.embeddings == 1 and names(library) == [] and library.noted(NOTE)


def test_what_is_deleted_while_somebody_reads_all_the_time_is_told_and_noted(
    library: RedactionQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_: Database) -> None:
        raise StoreBusy

    monkeypatch.setattr(Database, "flush", busy)
    photo(library, "a", 1)
    assert library.expire_unnamed(before=LATER, note=NOTE) == 1 and library.noted(NOTE)
    photo(library, "b", 1)
    assert [each.event for each in library.purge_recognition(now=NOW, note="others")] == [RecognitionPurged(embeddings=1, chips=1)]
    assert library.noted("others")


def test_a_note_is_not_dropped_for_what_was_deleted_since_it_was_read(library: RedactionQueries) -> None:
    [first, second] = photo(library, "a", 2)
    mei, xu = name(library, "Mei", first), name(library, "Xu", second)
    library.forget_person(mei, now=NOW, note=NOTE)
    noted = library.note(NOTE) or 0
    library.forget_person(xu, now=NOW, note=NOTE)
    library.drop_note(NOTE, noted)
    assert library.noted(NOTE)
    library.drop_note(NOTE, library.note(NOTE) or 0)
    assert not library.noted(NOTE)


def test_all_faces_that_are_held_of_a_person_are_given_page_by_page_also_of_photos_that_are_hidden_or_away(
    library: RedactionQueries,
) -> None:
    faces = [each for letter in "abc" for each in photo(library, letter, 1)]
    mei = name(library, "Mei", *faces[:2])
    library.set_identities({faces[2]: Identity(mei, Certainty.PROBABLE, 0.5, 1, 1)}, now=NOW)
    library.set_hidden([1], True, now=NOW)
    library.files_gone(["/photos/b.jpg"], now=NOW)
    page = library.faces_held(mei, after=0, limit=2)
    page += library.faces_held(mei, after=page[-1].face.id, limit=2)
    assert [each.face.id for each in page] == faces and page[2].certainty is Certainty.PROBABLE
    assert library.faces_held(mei, after=faces[-1], limit=2) == [] and library.person_faces(mei, limit=9)[1] == 1
    assert library.faces_held(mei + 1, after=0, limit=2) == []


def test_who_was_forgotten_or_merged_since_a_face_was_compared_is_nobodys_opinion(library: RedactionQueries) -> None:
    first, second, third, *rest = photo(library, "a", 5)
    mei, xu, lin = name(library, "Mei", first), name(library, "Xu", second), name(library, "Lin", third)
    library.forget_person(mei, now=NOW, note=NOTE)
    do(library, MergePeopleEdit(person_ids=(xu,), into=lin))
    late = [Identity(each, Certainty.CERTAIN, 0.5, 1, 1) for each in (mei, xu)]
    library.set_identities(dict(zip(rest, late, strict=True)), now=NOW)
    assert who(library) == {first: None, second: "Lin", third: "Lin", **dict.fromkeys(rest)}


def test_no_print_of_a_forgotten_face_is_stored_again(library: RedactionQueries) -> None:
    [face] = photo(library, "a", 1)
    library.forget_person(name(library, "Mei", face), now=NOW, note=NOTE)
    library.rescan([1], now=NOW)
    assert photo(library, "a", 1) == [face]
    assert image_embeddings(library, 1, RECIPE.embedder or "") == []


def test_whoever_was_not_confirmed_for_long_is_overdue(library: RedactionQueries) -> None:
    [first, second] = photo(library, "a", 2)
    mei, xu = name(library, "Mei", first), name(library, "Xu", second)
    do(library, DescribePersonEdit(person_id=xu, retention_days=9))
    day = timedelta(days=1)
    assert library.overdue(now=NOW + 8 * day, usual_days=5) == {mei: NOW + 5 * day}
    do(library, UnnameFacesEdit(face_ids=(first,)))
    do(library, NameFacesEdit(face_ids=(first,), person_id=mei), at=NOW + 8 * day)
    assert library.overdue(now=NOW + 9 * day, usual_days=5) == {xu: NOW + 9 * day}, "confirmed again, her time begins anew"


def test_prints_of_unnamed_faces_expire(library: RedactionQueries) -> None:
    [named, stranger] = photo(library, "a", 2)
    name(library, "Mei", named)
    assert library.expire_unnamed(before=NOW, note=NOTE) == 0
    assert library.expire_unnamed(before=LATER, note=NOTE) == 1 and library.noted(NOTE)
    assert [row[0] for row in image_embeddings(library, 1, RECIPE.embedder or "")] == [named]
    assert stranger in who(library), "where it is stays known"


EMBEDDER = RECIPE.embedder or ""


def prints(library: RedactionQueries, *images: int) -> list[int]:
    return [row[0] for image in images for row in image_embeddings(library, image, EMBEDDER)]


def test_of_somebody_never_recognised_one_print_is_kept_and_nothing_is_claimed(library: RedactionQueries) -> None:
    [first], [second], [thought, other] = photo(library, "a", 1), photo(library, "b", 1), photo(library, "c", 2)
    mei = name(library, "Mei", first, second)
    library.set_identities({thought: Identity(mei, Certainty.CERTAIN, 0.5, 1, 1)}, now=NOW)
    assert not library.noted(BACKUPS_HOLD_PURGED)
    do(library, DescribePersonEdit(person_id=mei, never=True))
    assert library.noted(BACKUPS_HOLD_PURGED)
    assert prints(library, 1, 2, 3) == [first, other] and who(library) == {first: "Mei", second: "Mei", thought: None, other: None}
    library.set_identities({other: Identity(mei, Certainty.CERTAIN, 0.5, 1, 1)}, now=NOW)
    image = library.image(3)
    assert prints(library, 3) == [] and image is not None and [face.ignored for face in image.faces] == [False, True]
    for picture, letter in ((1, "a"), (2, "b")):
        library.rescan([picture], now=NOW)
        photo(library, letter, 1)
    assert prints(library, 1, 2) == [first], "analysed anew, no other print comes back"
    library.undo(now=NOW)
    assert library.counts().jobs[JobState.QUEUED] == 3, "their photos are looked at again, and those they were thought to be on"
    for letter, faces in (("a", 1), ("b", 1), ("c", 2)):
        photo(library, letter, faces)
    assert prints(library, 1, 2, 3) == [first, second, thought]


def test_a_face_that_becomes_theirs_who_is_never_recognised_keeps_no_print_and_gets_it_back_when_it_is_not(
    library: RedactionQueries,
) -> None:
    [first], [second], [other] = photo(library, "a", 1), photo(library, "b", 1), photo(library, "c", 1)
    mei, bo = name(library, "Mei", first), name(library, "Bo", other)
    do(library, DescribePersonEdit(person_id=mei, never=True))
    name(library, "Mei", second)
    assert prints(library, 1, 2, 3) == [first, other]
    do(library, MergePeopleEdit(person_ids=(bo,), into=mei))
    assert prints(library, 1, 2, 3) == [first]
    for picture, face in (("c", other), ("b", second)):
        library.undo(now=NOW)
        assert library.counts().jobs[JobState.QUEUED] == 1, "its photo is looked at again"
        assert photo(library, picture, 1) == [face]
    assert prints(library, 1, 2, 3) == [first, second, other]


def test_of_somebody_never_recognised_who_has_no_print_the_first_one_is_kept(library: RedactionQueries) -> None:
    [first], twins = photo(library, "a", 1, recipe=Recipe("centerface-2")), photo(library, "b", 2)
    mei = name(library, "Mei", first)
    do(library, DescribePersonEdit(person_id=mei, never=True))
    name(library, "Mei", *twins)
    assert prints(library, 1, 2) == twins[:1]


def test_a_wish_never_to_be_recognised_passes_to_whom_they_are_merged_into_and_back(library: RedactionQueries) -> None:
    [first], [second] = photo(library, "a", 1), photo(library, "b", 1)
    mei, lin = name(library, "Mei", first), name(library, "Lin", second)
    do(library, DescribePersonEdit(person_id=mei, never=True))
    do(library, MergePeopleEdit(person_ids=(mei,), into=lin))
    assert [person.never for person in library.people()] == [True] and prints(library, 1, 2) == [first]
    library.undo(now=NOW)
    assert {person.name: person.never for person in library.people()} == {"Mei": True, "Lin": False}
    assert library.counts().jobs[JobState.QUEUED] == 1 and photo(library, "b", 1) == [second]
    assert prints(library, 1, 2) == [first, second] and library.audit_broken_at() is None


def test_a_child_is_never_recognised_unless_a_guardian_consented(library: RedactionQueries) -> None:
    [first, second] = photo(library, "a", 2)
    leo, noor = name(library, "Leo", first), name(library, "Noor", second)
    do(library, DescribePersonEdit(person_id=leo, birth_date=date(2020, 1, 1)))
    do(library, DescribePersonEdit(person_id=noor, birth_date=date(2020, 1, 1), basis=Basis.GUARDIAN))
    assert [person.never for person in library.people()] == [True, False]


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the process’s time zone is set")
def test_a_child_comes_of_age_on_their_birthday_where_they_are(library: RedactionQueries, monkeypatch: pytest.MonkeyPatch) -> None:
    leo = name(library, "Leo", photo(library, "a", 1)[0])
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        birthday = datetime(2026, 3, 3, 16, 30, tzinfo=UTC)  # there, it is half an hour into the fourth
        library.edit(DescribePersonEdit(person_id=leo, birth_date=date(2012, 3, 4)), now=birthday)
    time.tzset()
    assert [person.never for person in library.people()] == [False]


def test_only_who_agreed_to_it_is_named_on_the_screen_until_they_withdraw_are_never_recognised_or_forgotten(
    library: RedactionQueries,
) -> None:
    [first, second] = photo(library, "a", 2)
    mei, lin = name(library, "Mei", first), name(library, "Lin", second)
    assert library.people_watched() == {}
    do(library, DescribePersonEdit(person_id=mei, watch=True))
    do(library, DescribePersonEdit(person_id=lin, watch=True))
    facts = library.person(mei)
    assert facts is not None and facts.watch_at == NOW and library.people_watched() == {mei: "Mei", lin: "Lin"}
    do(library, DescribePersonEdit(person_id=mei, watch=False))
    assert library.people_watched() == {lin: "Lin"}
    do(library, DescribePersonEdit(person_id=lin, never=True))
    assert library.people_watched() == {}
    library.undo(now=NOW)
    library.forget_person(lin, now=NOW, note="n")
    assert library.people_watched() == {}
    assert library.audit_broken_at() is None


def test_what_somebody_agreed_to_does_not_pass_to_whom_they_are_merged_into(library: RedactionQueries) -> None:
    [first, second] = photo(library, "a", 2)
    mei, lin = name(library, "Mei", first), name(library, "Lin", second)
    do(library, DescribePersonEdit(person_id=mei, watch=True))
    token = do(library, MergePeopleEdit(person_ids=(mei,), into=lin)).token
    assert library.people_watched() == {}
    library.undo(token, now=NOW)
    assert library.people_watched() == {mei: "Mei"}
