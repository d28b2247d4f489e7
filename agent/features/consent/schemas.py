"""The API schemas of consent."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from agent.domain import edits
from agent.domain.consent import Consent, ConsentState, Purpose
from agent.features.consent.queries import ConsentChange, PersonConsents
from agent.features.consent.service import Receipt
from agent.features.people.edit_schemas import PersonName
from agent.features.people.queries.consent_queries import ConsentEntry, latest
from agent.features.people.schemas import Basis
from agent.interfaces.web.schema_base import Schema, Visible

Guardian = Annotated[Visible, Field(max_length=200)]
Document = Annotated[Visible, Field(max_length=500)]
PurposeName = Literal["recognise", "show_inside", "publish"]


class ConsentGiven(Schema):
    """What a person, or their guardian, agreed to."""

    purposes: Annotated[tuple[PurposeName, ...], Field(max_length=3)] = ()
    refused: Annotated[tuple[PurposeName, ...], Field(max_length=3)] = ()
    """what they did not agree to; what is in neither list stays as it is"""
    basis: Basis = "own_consent"
    given_on: date | None = None
    """null: today"""
    valid_until: date | None = None
    """its last day; null: until it is withdrawn"""
    guardian: Guardian = ""
    """who gave it for them; empty: they themselves"""
    document: Document = ""
    """where the consent is on paper or on file"""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if set(self.purposes) & set(self.refused):
            raise ValueError("both agreed to and refused")
        if self.valid_until is not None and self.given_on is not None and self.valid_until < self.given_on:
            raise ValueError("ends before it begins")
        return self

    def said(self, today: date) -> list[Consent]:
        on = self.given_on or today
        given = [
            Consent(
                purpose=Purpose(each),
                state=ConsentState.GIVEN,
                basis=edits.Basis(self.basis),
                given_on=on,
                valid_until=self.valid_until,
                guardian=self.guardian,
                document=self.document,
            )
            for each in self.purposes
        ]
        refused = [
            Consent(purpose=Purpose(each), state=ConsentState.WITHDRAWN, given_on=on, guardian=self.guardian, document=self.document)
            for each in self.refused
        ]
        return given + refused


class PersonOnList(ConsentGiven):
    """A person of a class list; created if there is none of that name."""

    name: PersonName
    birth_date: date | None = None


class OnListOut(Schema):
    """What became of a person of a class list."""

    person_id: int
    new: bool
    entered: int
    """consents and refusals that were not known yet"""


class WithdrawRequest(Schema):
    guardian: Guardian = ""
    document: Document = ""


class ReceiptOut(Schema):
    """What a withdrawal deleted."""

    at: datetime
    purpose: PurposeName
    embeddings: int
    """face prints"""
    chips: int
    """pictures of faces"""
    backups_pending: bool
    """older backups still hold them, and are being replaced"""

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        return cls.from_record(receipt, purpose=receipt.purpose.value, **receipt.deleted._asdict())


class ConsentOut(Schema):
    """One entry of a person's history."""

    id: int
    purpose: PurposeName
    state: Literal["given", "withdrawn"]
    basis: Basis | None
    given_on: date
    """or withdrawn"""
    valid_until: date | None
    guardian: str
    document: str
    entered_by: str
    """a member's id; empty: the user of this computer"""
    entered_at: datetime
    valid: bool
    """it is the last word on this purpose, given, and has not ended"""

    @classmethod
    def of(cls, entry: ConsentEntry, *, valid: bool) -> Self:
        said = entry.consent
        return cls.from_record(
            said,
            id=entry.id,
            purpose=said.purpose.value,
            state=said.state.value,
            basis=said.basis and said.basis.value,
            entered_by=entry.entered_by,
            entered_at=entry.entered_at,
            valid=valid,
        )


class PersonConsentsOut(Schema):
    person_id: int
    name: str
    required: bool
    """people without consent to it are not recognised"""
    recognised: bool
    """they may be recognised: they agreed, or needn't have been asked, and are not excluded otherwise"""
    agreed: tuple[PurposeName, ...]
    """the purposes for which there is valid consent"""
    entries: tuple[ConsentOut, ...]
    """newest first"""

    @classmethod
    def of(cls, found: PersonConsents, today: date, *, required: bool) -> Self:
        valid = {entry.id for entry in latest(found.entries).values() if entry.consent.is_valid(today)}
        entries = tuple(ConsentOut.of(entry, valid=entry.id in valid) for entry in found.entries)
        agreed = tuple(each.value for each in Purpose if any(entry.valid and entry.purpose == each.value for entry in entries))
        return cls(
            person_id=found.person_id, name=found.name, required=required, recognised=found.recognised, agreed=agreed, entries=entries
        )


class EndingConsent(ConsentOut):
    """A valid consent that ends soon."""

    person_id: int
    person: str

    @classmethod
    def ending(cls, person_id: int, name: str, entry: ConsentEntry) -> Self:
        return cls(**ConsentOut.of(entry, valid=True).model_dump(), person_id=person_id, person=name)


class EndingConsents(Schema):
    items: tuple[EndingConsent, ...]
    """the first to end first"""


class MissingConsent(Schema):
    """A person who is not recognised for want of consent."""

    person_id: int
    person: str
    since: datetime
    faces: int
    """confirmed ones"""


class MissingConsents(Schema):
    items: tuple[MissingConsent, ...]
    """by name"""


def on_list(change: ConsentChange) -> OnListOut:
    return OnListOut(person_id=change.person_id, new=change.made, entered=change.entered)
