"""The one error tree: a class for each thing that can go wrong, a stable code, and facts for its message.

Cause and remedy of each code stand in both languages in `assets/locales/*.json` under `errors.<code>.cause` and `.remedy`.
Parameters are facts a message needs (numbers, setting names), never a path, a name or anything of a picture, for they are logged.
"""

from typing import ClassVar, TypeAlias

Param: TypeAlias = str | int | float


class AgentError(Exception):
    """Root of the tree. Families below it group codes; only leaves (classes with a `code`) are raised."""

    code: ClassVar[str] = ""

    def __init__(self, **params: Param) -> None:
        super().__init__(self.code)
        self.params: dict[str, Param] = params

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{name}={value}" for name, value in self.params.items())])


# -- images: one file is at fault; the rest goes on ------------------------------------------------------------------------------
class ImageError(AgentError):
    """One image could not be analysed."""


class ImageMissing(ImageError):
    code = "image.missing"


class ImageUnreadable(ImageError):
    code = "image.unreadable"


class ImageEmpty(ImageError):
    code = "image.empty"


class ImageTruncated(ImageError):
    code = "image.truncated"


class ImageCorrupt(ImageError):
    code = "image.corrupt"


class ImageUnsupported(ImageError):
    code = "image.unsupported"


class ImageTooLarge(ImageError):
    """Parameters: `megapixels` or `megabytes`, and the `limit` that was passed, in the same unit."""

    code = "image.too_large"


class ImageChanged(ImageError):
    """The file was written to while it was read: it is taken again once it is steady."""

    code = "image.changed"


class ImageOnlineOnly(ImageError):
    """The file's content lies in a cloud; reading it would fetch it, so it waits until somebody asks."""

    code = "image.online_only"


# -- engine ----------------------------------------------------------------------------------------------------------------------
class EngineError(AgentError):
    """The child process that decodes and infers failed at a task."""


class EngineStartFailed(EngineError):
    code = "engine.start_failed"


class EngineCrashed(EngineError):
    """The process ended by itself in the middle of a task: the file is suspect."""

    code = "engine.crashed"


class EngineKilled(EngineError):
    """Somebody else (the user, the system short of memory) ended the process: the file is hardly to blame."""

    code = "engine.killed"


class EngineTimeout(EngineError):
    """Parameter: `seconds`, the limit that was passed."""

    code = "engine.timeout"


class EngineMemory(EngineError):
    """The engine took more memory than it may and was started anew. Parameters: `megabytes`, `limit`."""

    code = "engine.memory"


class EngineBadAnswer(EngineError):
    code = "engine.bad_answer"


# -- models ----------------------------------------------------------------------------------------------------------------------
class ModelError(AgentError):
    """A model file is not there or not what it should be. Parameter `model`: its name in the manifest."""


class ModelMissing(ModelError):
    code = "model.missing"


class ModelWrongHash(ModelError):
    code = "model.wrong_hash"


class ModelUnknown(ModelError):
    code = "model.unknown"


class ModelUnreachable(ModelError):
    """Every source was tried. Parameters: `model`, `sources` (how many)."""

    code = "model.unreachable"


# -- store and keys --------------------------------------------------------------------------------------------------------------
class StoreError(AgentError):
    """The encrypted library can't be used as it is."""


class StoreKeyMissing(StoreError):
    """There is a library, but the key that opens it is not in the key home. Never answered by a new library."""

    code = "store.key_missing"


class StoreKeyWrong(StoreError):
    code = "store.key_wrong"


class StoreRecoveryCodeWrong(StoreError):
    code = "store.recovery_code_wrong"


class StoreDamaged(StoreError):
    code = "store.damaged"


class StoreNewer(StoreError):
    """The library was written by a newer version of the program."""

    code = "store.newer"


class StoreBusy(StoreError):
    code = "store.busy"


class StoreDiskFull(StoreError):
    code = "store.disk_full"


class StoreUnwritable(StoreError):
    code = "store.unwritable"


class BackupMissing(StoreError):
    code = "backup.missing"


class BackupDamaged(StoreError):
    code = "backup.damaged"


class KeyHomeError(AgentError):
    """The place that keeps the library's key (keyring or key file) can't be used."""


class KeyringAbsent(KeyHomeError):
    code = "keys.no_keyring"


class KeyringLocked(KeyHomeError):
    code = "keys.locked"


class KeyFileUnsafe(KeyHomeError):
    """Others than the owner can read the key file."""

    code = "keys.file_unsafe"


# -- settings --------------------------------------------------------------------------------------------------------------------
class SettingsError(AgentError):
    """The settings can't be taken over; those in force stay. Parameter `key`: the setting's dotted name."""


class SettingsUnreadable(SettingsError):
    """Not TOML. Parameter: `line`."""

    code = "settings.unreadable"


class SettingsUnknownKey(SettingsError):
    """Parameters: `key`, `nearest` (empty if none is near)."""

    code = "settings.unknown_key"


class SettingsInvalid(SettingsError):
    """Parameters: `key`, `reason` (what the value must be)."""

    code = "settings.invalid"


class SettingsUnwritable(SettingsError):
    code = "settings.unwritable"


# -- sources ---------------------------------------------------------------------------------------------------------------------
class SourceError(AgentError):
    """A watched folder can't be watched."""


class SourceUnreachable(SourceError):
    code = "source.unreachable"


class SourceLimit(SourceError):
    """The system's limit of watched folders is reached; the folder is looked through at intervals instead."""

    code = "source.limit"


# -- people ----------------------------------------------------------------------------------------------------------------------
class PeopleError(AgentError):
    """A question about people that can't be answered."""


class RecognitionOff(PeopleError):
    code = "people.recognition_off"


class FaceUnknown(PeopleError):
    code = "people.no_such_face"


class PersonUnknown(PeopleError):
    code = "people.no_such_person"


# -- agent, API, desktop ---------------------------------------------------------------------------------------------------------
class LifecycleError(AgentError):
    """Whether the agent runs."""


class NotRunning(LifecycleError):
    code = "agent.not_running"


class AlreadyRunning(LifecycleError):
    code = "agent.already_running"


class AgentUnreachable(LifecycleError):
    code = "agent.unreachable"


class ApiError(AgentError):
    """A request that is refused."""


class Unauthorised(ApiError):
    code = "api.unauthorised"


class ForeignOrigin(ApiError):
    code = "api.foreign_origin"


class NotFound(ApiError):
    code = "api.not_found"


class BadRequest(ApiError):
    """Parameter: `reason`."""

    code = "api.bad_request"


class DesktopError(AgentError):
    """The desktop lacks something; the rest works without it."""


class NoTray(DesktopError):
    code = "desktop.no_tray"


class NoDisplay(DesktopError):
    code = "desktop.no_display"


class PopupFailed(DesktopError):
    code = "desktop.popup_failed"


class AutostartFailed(DesktopError):
    code = "desktop.autostart_failed"


class Unexpected(AgentError):
    """A defect of the program. Parameter `kind`: the exception's class name."""

    code = "agent.unexpected"


def leaves(root: type[AgentError] = AgentError) -> dict[str, type[AgentError]]:
    """Every code of the tree with its class."""
    found: dict[str, type[AgentError]] = {}
    for child in root.__subclasses__():
        if child.code:
            found[child.code] = child
        found.update(leaves(child))
    return found


def from_code(code: str, params: dict[str, Param]) -> AgentError:
    """Rebuild an error that crossed a process or the network; an unknown code becomes `Unexpected`."""
    leaf = leaves().get(code)
    return leaf(**params) if leaf else Unexpected(kind=code)


def reason_of(error: BaseException) -> BaseException:
    """What a group of tasks failed with: the first of its errors, which can be told with cause and remedy."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
