"""Consent: what a person, or their guardian, agreed to, and until when."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from agent.domain.edits import Basis


class Purpose(StrEnum):
    RECOGNISE = "recognise"  # recognise them: keep their face prints and compare faces with these
    SHOW_INSIDE = "show_inside"  # show their photos within the organisation
    PUBLISH = "publish"  # show their face in published photos


class ConsentState(StrEnum):
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A person's last word on one purpose."""

    purpose: Purpose
    state: ConsentState
    basis: Basis | None = None  # None for a withdrawal
    given_on: date  # or withdrawn
    valid_until: date | None = None  # its last day; None: until it is withdrawn
    guardian: str = ""  # who gave or withdrew it for them; empty: they themselves
    document: str = ""  # where it is on paper or on file

    def is_valid(self, today: date) -> bool:
        return self.state is ConsentState.GIVEN and self.given_on <= today and (self.valid_until is None or today <= self.valid_until)
