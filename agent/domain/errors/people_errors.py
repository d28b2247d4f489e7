"""What of people can't be answered."""

from agent.domain.errors.error_tree import AgentError


class PeopleError(AgentError):
    """A question about people that can't be answered."""


class RecognitionOff(PeopleError):
    code = "people.recognition_off"


class FaceUnknown(PeopleError):
    code = "people.no_such_face"


class PersonUnknown(PeopleError):
    code = "people.no_such_person"


class NameTaken(PeopleError):
    """Somebody else has that name: they may be the same person."""

    code = "people.name_taken"


class NameEmpty(PeopleError):
    """A name of nothing but spaces is none."""

    code = "people.name_empty"


class SelfMerge(PeopleError):
    code = "people.self_merge"


class NothingToUndo(PeopleError):
    code = "people.nothing_to_undo"


class FilingDue(PeopleError):
    """So many people's face prints are kept that the law asks for it to be filed. Parameters `people`, and `days` to do so."""

    code = "people.filing_due"


class UnfitReference(PeopleError):
    """A photo that does not tell what one person looks like."""


class ReferenceNoFace(UnfitReference):
    code = "people.reference_no_face"


class ReferenceSeveral(UnfitReference):
    """Parameter `count`."""

    code = "people.reference_several"


class ReferenceSmall(UnfitReference):
    """Parameters `pixels` between the eyes, and `least`."""

    code = "people.reference_small"


class ReferenceBlurred(UnfitReference):
    code = "people.reference_blurred"


class ReferenceTurned(UnfitReference):
    """Parameter `degrees`."""

    code = "people.reference_turned"


class NoSuchName(PeopleError):
    """Parameters `name`, and `nearest`: the name it may have been meant for, or empty."""

    code = "people.no_such_name"


class ImportBadRow(PeopleError):
    """Parameter `line`, counted from 1."""

    code = "people.import_bad_row"
