"""The shapes that cross the HTTP API; the UI's types are generated from them."""

import os
from datetime import datetime
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from agent.core.i18n import Texts
from agent.core.setting_fields import setting_fields
from agent.domain.errors import (
    AgentError,
    AutostartFailed,
    EngineMemory,
    EngineTimeout,
    ImageTooLarge,
    RecognitionOff,
    SettingsInvalid,
)

_LONGEST_PATH: Final = 4_096

Id: TypeAlias = Annotated[int, Field(ge=1, lt=2**63)]


def _of_a_file(path: str) -> str:
    """Refuse what no file can be called. Bytes that are no text pass: Python holds them as halves of characters."""
    if "\0" in path or not 1 <= len(path) <= _LONGEST_PATH:
        raise ValueError("not a path")
    os.fsencode(path)  # UnicodeEncodeError is a ValueError
    return path


# The lengths are only told here: Pydantic refuses to count letters of a path that is no text.
FilePath = Annotated[str, AfterValidator(_of_a_file), Field(json_schema_extra={"minLength": 1, "maxLength": _LONGEST_PATH})]


class Schema(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def from_record(cls, record: object, **others: object) -> Self:
        """What `record` calls by the names of the fields; `others` are given, or take a field's place."""
        shared = {name: getattr(record, name) for name in cls.model_fields if name not in others and hasattr(record, name)}
        return cls.model_validate({**shared, **others})


class Problem(Schema):
    """An error as the user meets it, in the program's language."""

    code: str
    cause: str
    remedy: str
    setting: str | None = None
    """the setting that would help, or that is wrong, such as `engine.max_megapixels`"""
    line: int | None = None
    """where the settings file is wrong"""
    params: dict[str, str | int | float] = {}
    """what the words are about"""

    @classmethod
    def of(cls, error: AgentError, texts: Texts) -> Self:
        line = error.params.get("line")
        return cls(
            code=error.code,
            cause=texts.cause(error),
            remedy=texts.remedy(error),
            setting=setting_of(error),
            line=line if isinstance(line, int) else None,
            params=error.params,
        )

    @classmethod
    def maybe(cls, error: AgentError | None, texts: Texts) -> Self | None:
        return cls.of(error, texts) if error else None


def setting_of(error: AgentError) -> str | None:
    """The setting that would help against an error, or that is wrong; None if none would."""
    match error:
        case ImageTooLarge():
            return "engine.max_megabytes" if "megabytes" in error.params else "engine.max_megapixels"
        case EngineTimeout():
            return "engine.time_limit_s"
        case EngineMemory():
            return "engine.max_memory_mb"
        case RecognitionOff():
            return "recognition.enabled"
        case AutostartFailed():
            return "general.autostart"
        case SettingsInvalid():
            key = str(error.params["key"])
            return key if key in setting_fields() else None
        case _:
            return None


class Burst(Schema):
    """The work under way, while more than a few photos wait."""

    done: int
    total: int
    rate: float
    """photos per second, lately"""
    seconds_left: float | None
    faces: int
    """found in this burst"""
    people: int
    """known ones who are on its photos"""
    failed: int


class Finished(Schema):
    """The result of a burst."""

    photos: int
    """that could be looked at"""
    with_faces: int
    failed: int


class FolderState(Schema):
    path: str
    name: str
    problem: Problem | None


class Status(Schema):
    """What the agent does now: sent whole whenever it changes, at most a few times a second."""

    version: str
    state: Literal["idle", "working", "paused", "attention"]
    language: Literal["en", "zh-CN"]
    theme: Literal["auto", "light", "dark"]
    letter_keys: bool = True
    """keys of one letter do something"""
    recognition: bool
    popup_seconds: int
    """the popup hides after this long"""
    queued: int
    failed: int
    """files that could not be analysed, those set aside included"""
    images: int
    """in the library: a file is there, and nobody hid them"""
    faces: int
    people: int
    doubts: int = 0
    """faces that are probably somebody: the user may say"""
    people_changed: int = 0
    """grows when groups or opinions about faces were formed, which no event tells"""
    captures: int = 0
    """of the screen, open for review"""
    captures_changed: int = 0
    """grows when one of them comes, changes or goes"""
    watch: Literal["off", "on", "paused", "snoozed", "battery", "locked", "call", "failed"] = "off"
    """whether the screen is watched for faces, or why it is not just now"""
    watch_until: datetime | None = None
    """it is snoozed until then"""
    watch_said: int = 0
    """grows with everything that is said of it"""
    watch_problem: Problem | None = None
    """why it is not watched although it should be"""
    update: str | None = None
    """a newer version that waits to be installed"""
    taken_back: Problem | None = None
    """the last new version did not come up"""
    burst: Burst | None
    folders: tuple[FolderState, ...]
    problem: Problem | None
    """what stops the work (`state` is attention)"""
    quiet_until: datetime | None = None
    """no popup until then"""
    online_only: int = 0
    """files whose content lies in a cloud: not looked at until asked for"""
    throttled: Literal["battery", "battery_low", "busy"] | None = None
    """why the engine does not work as hard as it might"""
    warning: Problem | None = None
    """the work goes on, but somebody should know: the engine passed its memory limit"""
    device_note: str | None = None
    """a device that was wanted and is not used, and why"""
    finished: Finished | None = None
    """the last burst, until the next photo comes"""
