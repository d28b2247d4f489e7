"""Consent over each dialect: who may be recognised, what its end deletes, and its history."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.edits import Basis, DescribePersonEdit, Edit, MergePeopleEdit, NameFacesEdit
from agent.domain.errors import ConsentGuardianNeeded, NameEmpty, NoConsent, PersonUnknown
from agent.domain.face import Quality
from agent.domain.identity_matching import Certainty, Identity
from agent.features.consent.queries import ConsentChange, ConsentPrints
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED
from agent.infrastructure.store.schema import chip
from tests.contract import test_people
from tests.contract.test_people import RECIPE

NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
TODAY = NOW.astimezone().date()
NOTE = "in_doubt"
EMBEDDER = RECIPE.embedder or ""
CLEAR = Quality(60, 400, 0, 0)
CURATOR = "c" * 32


def photo(library: RedactionQueries, of: str, faces: int) -> list[int]:
    return test_people.photo(library, of, faces, quality=CLEAR)


def do(library: RedactionQueries, wish: Edit) -> None:
    library.edit(wish, now=NOW)


def name(library: RedactionQueries, who: str, *faces: int) -> int:
    step, _ = library.edit(NameFacesEdit(face_ids=faces, name=who), now=NOW)
    assert step.person_id is not None
    return step.person_id


def given(*purposes: Purpose, until: date | None = None, guardian: str = "", on: date = TODAY) -> list[Consent]:
    basis = Basis.GUARDIAN if guardian else Basis.OWN_CONSENT
    return [
        Consent(purpose=each, state=ConsentState.GIVEN, basis=basis, given_on=on, valid_until=until, guardian=guardian) for each in purposes
    ]


def withdrawn(purpose: Purpose = Purpose.RECOGNISE) -> Consent:
    return Consent(purpose=purpose, state=ConsentState.WITHDRAWN, given_on=TODAY)


def give(library: RedactionQueries, who: int | str, *said: Consent, at: datetime = NOW, born: date | None = None) -> ConsentChange:
    return library.give_consents(who, said, now=at, note=NOTE, birth_date=born)


def withdraw(library: RedactionQueries, person_id: int, purpose: Purpose = Purpose.RECOGNISE, at: datetime = NOW) -> ConsentChange:
    return library.withdraw_consent(person_id, withdrawn(purpose), now=at, note=NOTE)


def require(library: RedactionQueries, required: bool, at: datetime = NOW) -> ConsentChange:
    return library.follow_consents(required, now=at, note=NOTE)


def referenced(library: RedactionQueries) -> dict[int, list[int]]:
    """Faces that the matcher would know people by, by person."""
    found: dict[int, list[int]] = {}
    for page in library.prints(EMBEDDER):
        for each in page:
            if each.person_id:
                found.setdefault(each.person_id, []).append(each.face_id)
    return found


def printed(library: RedactionQueries, *faces: int) -> list[int]:
    return [each.face_id for each in library.prints_of(faces, EMBEDDER)]


def test_without_a_requirement_people_who_were_never_asked_are_recognised(library: RedactionQueries) -> None:
    [face] = photo(library, "a", 1)
    mei = name(library, "Mei", face)
    assert library.consents(mei).recognised and library.consents(mei).entries == ()
    assert library.consents_followed(False, now=NOW)
    assert require(library, False).events == [] and referenced(library) == {mei: [face]}


def test_a_withdrawal_deletes_every_print_and_says_how_many(library: RedactionQueries) -> None:
    first, second = photo(library, "a", 1) + photo(library, "b", 1)
    suggested, other = photo(library, "c", 2)
    mei, ben = name(library, "Mei", first, second), name(library, "Ben", other)
    library.set_identities({suggested: Identity(mei, Certainty.CERTAIN, 0.5, 2, 2)}, now=NOW)
    give(library, mei, *given(Purpose.RECOGNISE, Purpose.PUBLISH))
    assert referenced(library) == {mei: [first, second], ben: [other]}

    change = withdraw(library, mei)

    assert change.deleted == ConsentPrints(3, 3) and change.lapsed == {mei}
    assert change.step.people == {mei} and suggested in change.step.faces, "the matcher must hear of both"
    assert referenced(library) == {ben: [other]} and printed(library, first, second, suggested) == []
    with library.database.read() as tx:
        assert list(tx.scalars(select(chip.c.face_id))) == [other]
    assert library.noted(BACKUPS_HOLD_PURGED) and library.noted(NOTE)
    assert not library.consents(mei).recognised
    names = {face.id: face.person for image in library.images(limit=9) for face in image.faces}
    assert names[first] == names[second] == "Mei" and names[suggested] is None, "what was confirmed is still said"
    assert library.consenting(Purpose.PUBLISH, now=NOW) == {mei}, "another purpose stands"
    with pytest.raises(NoConsent):
        withdraw(library, mei)


def test_a_new_face_of_who_withdrew_keeps_no_print_not_even_one_to_exclude_them(library: RedactionQueries) -> None:
    [face] = photo(library, "a", 1)
    mei = name(library, "Mei", face)
    withdraw(library, mei)
    [later] = photo(library, "b", 1)
    assert printed(library, later) == [later], "a stranger's, so far"
    name(library, "Mei", later)
    assert printed(library, face, later) == [] and referenced(library) == {}
    do(library, DescribePersonEdit(person_id=mei, never=True))
    do(library, DescribePersonEdit(person_id=mei, never=False))
    assert referenced(library) == {} and not library.consents(mei).recognised


def test_the_one_print_of_somebody_never_recognised_goes_with_a_withdrawal(library: RedactionQueries) -> None:
    faces = photo(library, "a", 1) + photo(library, "b", 1)
    mei = name(library, "Mei", *faces)
    do(library, DescribePersonEdit(person_id=mei, never=True))
    assert len(printed(library, *faces)) == 1
    assert withdraw(library, mei).deleted == ConsentPrints(1, 1)
    assert printed(library, *faces) == []


def test_consent_given_again_has_their_photos_analysed_again(library: RedactionQueries) -> None:
    [face] = photo(library, "a", 1)
    mei = name(library, "Mei", face)
    withdraw(library, mei)
    change = give(library, mei, *given(Purpose.RECOGNISE), at=NOW + timedelta(minutes=1))
    assert change.restored == {mei} and library.consents(mei).recognised
    [job] = library.lease(9, now=NOW, until=NOW + timedelta(hours=1))[0]
    assert job.path == "/photos/a.jpg"
    assert [each.consent.state for each in library.consents(mei).entries] == ["given", "withdrawn"]


def test_where_it_is_required_only_people_who_agreed_are_recognised(library: RedactionQueries) -> None:
    first, second = photo(library, "a", 1) + photo(library, "b", 1)
    mei, ben = name(library, "Mei", first), name(library, "Ben", second)
    give(library, mei, *given(Purpose.RECOGNISE))
    assert not library.consents_followed(True, now=NOW)

    change = require(library, True)

    assert change.lapsed == {ben} and change.deleted == ConsentPrints(1, 1)
    assert referenced(library) == {mei: [first]} and library.consents_followed(True, now=NOW)
    [third] = photo(library, "c", 1)
    eve = name(library, "Eve", third)
    assert referenced(library) == {mei: [first]} and printed(library, third) == [], "nor is a new person"
    library.undo(None, now=NOW)
    library.do_again(now=NOW)
    assert not library.consents(eve).recognised, "nor one who comes back"

    assert require(library, False).restored == {ben, eve}
    assert library.consents(eve).recognised
    said = [each.action for each in library.audit_entries(limit=99) if each.action.startswith("consent")]
    assert said == ["consent_not_required", "consent_required", "consent_given"]


def test_consent_ends_with_its_last_day(library: RedactionQueries) -> None:
    [face] = photo(library, "a", 1)
    mei = name(library, "Mei", face)
    give(library, mei, *given(Purpose.RECOGNISE, until=TODAY + timedelta(days=2)))
    later = NOW + timedelta(days=2)
    assert library.consents_followed(False, now=later) and referenced(library) == {mei: [face]}
    tomorrow = later + timedelta(days=1)
    assert not library.consents_followed(False, now=tomorrow)
    change = require(library, False, at=tomorrow)
    assert change.lapsed == {mei} and change.deleted.embeddings == 1 and referenced(library) == {}
    actions = [each.action for each in library.audit_entries(limit=2)]
    assert actions == ["prints_deleted", "recognition_lapsed"]


def test_consents_that_end_soon_are_listed_by_their_end(library: RedactionQueries) -> None:
    days = {"Mei": 40, "Ben": 10, "Eve": 0, "Ada": -1}
    for who, left in days.items():
        give(library, who, *given(Purpose.PUBLISH, until=TODAY + timedelta(days=left)))
    give(library, "Ian", *given(Purpose.PUBLISH, Purpose.RECOGNISE, until=TODAY + timedelta(days=5)))
    give(library, "Ian", withdrawn(Purpose.PUBLISH), at=NOW + timedelta(minutes=1))
    found = library.consents_ending(TODAY, TODAY + timedelta(days=30))
    assert [(who, entry.consent.purpose) for _, who, entry in found] == [("Eve", "publish"), ("Ian", "recognise"), ("Ben", "publish")]


def test_the_same_list_again_changes_nothing_and_another_word_becomes_the_last(library: RedactionQueries) -> None:
    with acting_as(CURATOR):
        first = give(library, " Mei ", *given(Purpose.RECOGNISE, Purpose.PUBLISH), born=date(2001, 2, 3))
    assert (first.made, first.entered) == (True, 2)
    again = give(library, "Mei", *given(Purpose.RECOGNISE, Purpose.PUBLISH, on=TODAY + timedelta(days=1)), born=date(2001, 2, 3))
    assert (again.made, again.entered, again.person_id, again.events) == (False, 0, first.person_id, [])
    other = give(library, "Mei", withdrawn(Purpose.PUBLISH), *given(Purpose.RECOGNISE))
    assert other.entered == 1 and library.consenting(Purpose.PUBLISH, now=NOW) == frozenset()
    entries = library.consents(first.person_id).entries
    assert [(each.consent.purpose, each.consent.state, each.entered_by) for each in entries] == [
        ("publish", "withdrawn", ""),
        ("publish", "given", CURATOR),
        ("recognise", "given", CURATOR),
    ]
    facts = library.person(first.person_id)
    assert facts is not None and (facts.basis, facts.birth_date) == (Basis.OWN_CONSENT, date(2001, 2, 3))


def test_a_childs_consent_needs_a_guardian(library: RedactionQueries) -> None:
    born = TODAY - timedelta(days=3_000)
    with pytest.raises(ConsentGuardianNeeded):
        give(library, "Mei", *given(Purpose.PUBLISH), born=born)
    assert library.people() == [], "and nobody is made without it"
    mei = give(library, "Mei", *given(Purpose.RECOGNISE, guardian="Li Wei"), born=born).person_id
    assert library.consents(mei).recognised
    with pytest.raises(ConsentGuardianNeeded):
        give(library, mei, *given(Purpose.PUBLISH))
    ben = give(library, "Ben", *given(Purpose.PUBLISH, guardian="Li Wei"), born=born).person_id
    assert not library.consents(ben).recognised, "a child about whose recognition nobody said anything"
    give(library, "Ben", *given(Purpose.RECOGNISE, guardian="Li Wei"))
    assert library.consents(ben).recognised


def test_strangers_and_empty_names_have_no_consents(library: RedactionQueries) -> None:
    with pytest.raises(PersonUnknown):
        library.consents(9)
    with pytest.raises(PersonUnknown):
        give(library, 9, *given(Purpose.PUBLISH))
    with pytest.raises(NameEmpty):
        give(library, "  ", *given(Purpose.PUBLISH))
    mei = give(library, "Mei").person_id
    with pytest.raises(NoConsent):
        withdraw(library, mei, Purpose.PUBLISH)
    assert withdraw(library, mei).entered == 1, "recognition can be refused without having been asked"


def test_merged_people_stay_withdrawn_and_undoing_brings_each_ones_word_back(library: RedactionQueries) -> None:
    first, second = photo(library, "a", 1) + photo(library, "b", 1)
    mei, ben = name(library, "Mei", first), name(library, "Ben", second)
    give(library, mei, *given(Purpose.RECOGNISE))
    withdraw(library, ben)
    do(library, MergePeopleEdit(person_ids=(ben,), into=mei))
    assert not library.consents(mei).recognised
    library.undo(None, now=NOW)
    assert library.consents(mei).recognised and not library.consents(ben).recognised
    assert [each.consent.state for each in library.consents(ben).entries] == ["withdrawn"]


def test_forgetting_a_person_forgets_what_they_agreed_to(library: RedactionQueries) -> None:
    mei = give(library, "Mei", *given(Purpose.PUBLISH)).person_id
    give(library, "Ben", *given(Purpose.PUBLISH))
    library.forget_person(mei, now=NOW, note="note")
    with library.database.read() as tx:
        from agent.infrastructure.store.schema import consent

        assert len(tx.scalars(select(consent.c.id)).all()) == 1
    assert library.audit_broken_at() is None


def test_people_without_consent_are_listed_by_name_until_they_give_it(library: RedactionQueries) -> None:
    first, second = photo(library, "a", 1) + photo(library, "b", 1)
    ben = name(library, "Ben", second)
    name(library, "Ada", first)
    assert library.consents_missing() == []
    require(library, True)
    assert [(who, count) for _, who, _, count in library.consents_missing()] == [("Ada", 1), ("Ben", 1)]
    give(library, ben, *given(Purpose.RECOGNISE))
    assert [who for _, who, _, _ in library.consents_missing()] == ["Ada"]
