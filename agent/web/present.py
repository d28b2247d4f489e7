"""Turns what the use cases know into what crosses the API, in the program's language."""

import struct
from collections.abc import Mapping
from dataclasses import asdict, astuple
from pathlib import PurePath
from typing import Literal

from agent.core.i18n import Texts
from agent.core.setting_fields import setting_fields
from agent.core.settings import Folder
from agent.domain.errors import (
    AgentError,
    AutostartFailed,
    EngineMemory,
    EngineTimeout,
    ImageChanged,
    ImageError,
    ImageMissing,
    ImageOnlineOnly,
    ImageTooLarge,
    ImageUnreadable,
    RecognitionOff,
    SettingsInvalid,
    Unexpected,
)
from agent.domain.events import (
    Event,
    FavouritesChanged,
    ImageFailed,
    ImageIndexed,
    ImagesHidden,
    PeopleChanged,
    PersonNamed,
    PlaceAdded,
    PlaceLost,
    PlaceMoved,
    RecognitionPurged,
    Recorded,
)
from agent.domain.face import Face
from agent.domain.jobs import JobState
from agent.domain.path_text import printable, uri_of_odd
from agent.library.records import Person, PlaceState, StoredFace, StoredImage
from agent.library.scan import Scanned
from agent.library.scan_schemas import ScanLine, ScannedError, ScannedFace
from agent.library.scan_schemas import Scanned as ScannedOut
from agent.library.status import Status as AppStatus
from agent.web.schemas import (
    Burst,
    EventOut,
    FaceOut,
    Finished,
    FolderOut,
    FolderState,
    ImageOut,
    PersonOut,
    PlaceProblem,
    PortraitOut,
    Problem,
    Status,
    SubfolderOut,
)


def problem(error: AgentError, texts: Texts) -> Problem:
    line = error.params.get("line")
    return Problem(
        code=error.code,
        cause=texts.cause(error),
        remedy=texts.remedy(error),
        setting=setting(error),
        line=line if isinstance(line, int) else None,
        params=error.params,
    )


def setting(error: AgentError) -> str | None:
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


def status(now: AppStatus, texts: Texts, version: str) -> Status:
    settings, problems, done = now.settings, dict(now.folder_problems), now.finished
    return Status(
        version=version,
        state=now.state.value,
        language="zh-CN" if texts.language == "zh-CN" else "en",
        theme=settings.general.theme.value,
        letter_keys=settings.general.letter_keys,
        recognition=settings.recognition.enabled,
        popup_seconds=settings.popup.seconds,
        queued=now.queued,
        failed=now.failed,
        images=now.images,
        faces=now.faces,
        people=now.people,
        doubts=now.doubts,
        people_changed=now.people_changed,
        update=now.update,
        taken_back=problem(now.taken_back, texts) if now.taken_back else None,
        captures=now.captures,
        captures_changed=now.captures_changed,
        watch=now.watch.value,
        watch_until=now.watch_until,
        watch_said=now.watch_said,
        watch_problem=problem(now.watch_problem, texts) if now.watch_problem else None,
        burst=Burst(**asdict(now.burst)) if now.burst and now.burst.total >= settings.popup.burst else None,
        folders=tuple(
            FolderState(
                path=printable(folder.path),
                name=PurePath(printable(folder.path)).name,
                problem=problem(problems[folder.root], texts) if folder.root in problems else None,
            )
            for folder in settings.folders
        ),
        problem=problem(now.problem, texts) if now.problem else None,
        online_only=now.online_only,
        quiet_until=now.quiet_until,
        throttled=now.throttled.value if now.throttled else None,
        warning=problem(now.warning, texts) if now.warning else None,
        device_note=now.device_note.text(texts) if now.device_note else None,
        finished=Finished(**asdict(done)) if done and done.photos + done.failed >= settings.popup.burst else None,
    )


def folder(watched: Folder, images: int, problems: Mapping[str, AgentError], texts: Texts) -> FolderOut:
    path, error = printable(watched.path), problems.get(watched.root)
    return FolderOut(path=path, name=PurePath(path).name, images=images, problem=problem(error, texts) if error else None)


def subfolder(path: str, images: int, nested: bool) -> SubfolderOut:
    return SubfolderOut(path=path, name=PurePath(path).name, images=images, nested=nested)


def image(stored: StoredImage) -> ImageOut:
    path = PurePath(printable(stored.places[0][1])) if stored.places else PurePath()
    return ImageOut(
        id=stored.id,
        name=path.name,
        folder=path.parent.name,
        path=str(path),
        places=len(stored.places),
        width=stored.width,
        height=stored.height,
        faces=tuple(_face(face) for face in stored.faces),
        indexed_at=stored.indexed_at,
        taken_at=stored.taken_at,
        size=stored.size,
        format=stored.format,
        hidden=stored.hidden,
        favourite=stored.favourite,
    )


def _face(stored: StoredFace) -> FaceOut:
    box, identity = stored.face.box, stored.identity
    return FaceOut(
        id=stored.id,
        box=(box.x, box.y, box.w, box.h),
        score=stored.face.score,
        person_id=identity.person_id if identity else None,
        person=stored.person,
        certainty=identity.certainty.value if identity else None,
        agree=identity.agree if identity else 0,
        references=identity.references if identity else 0,
        ignored=stored.ignored,
    )


def place_problem(place: PlaceState, texts: Texts) -> PlaceProblem:
    path = printable(place.path)
    return PlaceProblem(
        place_id=place.place_id,
        name=PurePath(path).name,
        path=path,
        quarantined=place.job is JobState.QUARANTINED,
        at=place.at,
        problem=problem(place.error or Unexpected(kind="unknown"), texts),
        action=action(place.error),
    )


Action = Literal["retry", "show", "settings", "clear"]


def action(error: AgentError | None) -> Action:
    """The button that goes with an error of a file."""
    match error:
        case ImageTooLarge() | EngineTimeout() | EngineMemory():
            return "settings"
        case ImageMissing():
            return "clear"  # nothing is there to look at or to try
        case ImageUnreadable() | ImageChanged() | ImageOnlineOnly():
            return "retry"
        case ImageError():
            return "show"  # it stays as it is until somebody mends the file
        case _:
            return "retry"


def person(known: Person, *, overdue: bool = False) -> PersonOut:
    found = known.portrait
    portrait = found and PortraitOut(image_id=found.image_id, width=found.width, height=found.height, box=astuple(found.box))
    return PersonOut(
        id=known.id,
        name=known.name,
        faces=known.faces,
        photos=known.photos,
        suggested=known.suggested,
        hidden=known.hidden,
        never=known.never,
        overdue=overdue,
        portrait=portrait,
    )


_KINDS: dict[type[Event], str] = {
    ImageIndexed: "image_indexed",
    PlaceAdded: "place_added",
    PlaceMoved: "place_moved",
    PlaceLost: "place_lost",
    ImageFailed: "image_failed",
    ImagesHidden: "images_hidden",
    FavouritesChanged: "favourites_changed",
    PersonNamed: "person_named",
    PeopleChanged: "people_changed",
    RecognitionPurged: "recognition_purged",
}


def event(recorded: Recorded) -> EventOut:
    said = {name: value for name, value in asdict(recorded.event).items() if name in EventOut.model_fields}
    return EventOut.model_validate({"id": recorded.id, "at": recorded.at, "kind": _KINDS[type(recorded.event)], **said})


def scan_line(scanned: Scanned, texts: Texts) -> ScanLine:
    error = scanned.error
    return ScanLine(
        image=ScannedOut(
            path=printable(scanned.path),
            uri=uri_of_odd(scanned.path),
            sha256=scanned.sha256,
            width=scanned.width,
            height=scanned.height,
            faces=tuple(_scanned_face(face) for face in scanned.faces),
            error=ScannedError(code=error.code, message=texts("ui.sentences", cause=texts.cause(error), remedy=texts.remedy(error)))
            if error
            else None,
            ms=asdict(scanned.ms) if scanned.ms else None,
        )
    )


def _scanned_face(face: Face) -> ScannedFace:
    box = face.box
    return ScannedFace(
        box=(box.x, box.y, box.w, box.h),
        score=face.score,
        landmarks=face.landmarks,
        quality=asdict(face.quality),
        embedding=floats(face.embedding) if face.embedding else None,
    )


def floats(packed: bytes) -> tuple[float, ...]:
    """Little-endian float32 as numbers."""
    return struct.unpack(f"<{len(packed) // 4}f", packed)
