"""What of people can't be answered."""

from agent.domain.errors.tree import AgentError


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


class SelfMerge(PeopleError):
    code = "people.self_merge"


class NothingToUndo(PeopleError):
    code = "people.nothing_to_undo"
