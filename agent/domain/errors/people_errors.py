"""Failures of requests about people and albums."""

from agent.domain.errors.error_tree import AgentError


class PeopleError(AgentError):
    """A request about people failed."""


class RecognitionOff(PeopleError):
    code = "people.recognition_off"


class FaceUnknown(PeopleError):
    code = "people.no_such_face"


class FaceWithoutPrint(PeopleError):
    """A face that nothing can be compared with: ignored, unclear, or not recognised yet."""

    code = "people.face_without_print"


class PersonUnknown(PeopleError):
    code = "people.no_such_person"


class NameTaken(PeopleError):
    """Another person has that name: they may be the same person."""

    code = "people.name_taken"


class NameEmpty(PeopleError):
    """A name of only spaces is invalid."""

    code = "people.name_empty"


class SelfMerge(PeopleError):
    code = "people.self_merge"


class NothingToUndo(PeopleError):
    code = "people.nothing_to_undo"


class FilingDue(PeopleError):
    """The number of stored people's face prints must be filed by law. Parameters `people`, and `days` to do so."""

    code = "people.filing_due"


class UnfitReference(PeopleError):
    """A photo that can't serve as a reference for one person."""


class ReferenceNoFace(UnfitReference):
    code = "people.reference_no_face"


class ReferenceSeveral(UnfitReference):
    """The photo shows several faces. Parameter `count`."""

    code = "people.reference_several"


class ReferenceSmall(UnfitReference):
    """The face is too small. Parameters `pixels` between the eyes, and `least`."""

    code = "people.reference_small"


class ReferenceBlurred(UnfitReference):
    code = "people.reference_blurred"


class ReferenceTurned(UnfitReference):
    """The face is turned away. Parameter `degrees`."""

    code = "people.reference_turned"


class ReferenceTaken(UnfitReference):
    """The photo is another person's reference already."""

    code = "people.reference_taken"


class ReferenceWithoutConsent(UnfitReference):
    """The person has not agreed to recognition, or no longer, or is never recognised."""

    code = "people.reference_without_consent"


class NoSuchName(PeopleError):
    """No person has that name. Parameters `name`, and `nearest`: a similar name, or empty."""

    code = "people.no_such_name"


class ImportBadRow(PeopleError):
    """A line of the import is invalid. Parameter `line`, counted from 1."""

    code = "people.import_bad_row"


class NoConsent(PeopleError):
    """There is no consent to withdraw."""

    code = "people.no_consent"


class ConsentLinkGone(PeopleError):
    """Replaced, ended, expired, or never made; or the person was forgotten."""

    code = "people.consent_link_gone"


class ConsentWithdrawn(PeopleError):
    """A person's own link offers nothing: they withdrew all consent, and nothing is kept to recognise them. Parameter `on`: the day."""

    code = "people.consent_withdrawn"


class ConsentGuardianNeeded(PeopleError):
    """For a child, a guardian consents."""

    code = "people.guardian_needed"


class ConsentBadTable(PeopleError):
    """A class list lacks a column, or can't be read as a table. Parameter `column`, or `line`."""

    code = "people.list_unreadable"


class ConsentListTooLarge(PeopleError):
    """A class list is larger than any. Parameter `megabytes`: the limit."""

    code = "people.list_too_large"


class ConsentBadRow(PeopleError):
    """A line of a class list is invalid. Parameters `line`, counted from 1, and `column`."""

    code = "people.list_bad_row"


class ConsentOtherBirthDate(PeopleError):
    """A person of that name is known, with another date of birth."""

    code = "people.other_birth_date"


class AlbumError(AgentError):
    """An album can't be shown or changed that way."""


class AlbumUnknown(AlbumError):
    code = "album.unknown"


class AlbumPhotoUnknown(AlbumError):
    """A file that is to be added is not in the library."""

    code = "album.photo_unknown"


class AlbumByRule(AlbumError):
    """Photos can't be added to, moved in or taken out of an album of people: it follows their names."""

    code = "album.by_rule"


class AlbumPersonKeptBack(AlbumError):
    """An album of people can't be made of someone who is not to be shown inside."""

    code = "album.kept_back"
