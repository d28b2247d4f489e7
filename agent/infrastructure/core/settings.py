"""Every setting with its bounds and description: one immutable, validated snapshot."""

import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from agent.domain.redaction import Style
from agent.infrastructure.core.backup_settings import BackupSettings
from agent.infrastructure.core.program_settings import LogSettings, MemorySettings, UpdateSettings
from agent.infrastructure.core.screen_settings import CaptureSettings, WatchSettings
from agent.infrastructure.core.server_settings import (
    AlertSettings,
    IncidentSettings,
    OidcSettings,
    ServerSettings,
    UploadSettings,
    WorkerSettings,
)
from agent.infrastructure.core.setting_section import Name, Pattern, Section, TimeOfDay
from agent.infrastructure.core.user_paths import comparable, full_path


class Language(StrEnum):
    AUTO = "auto"
    EN = "en"
    ZH_CN = "zh-CN"


class Theme(StrEnum):
    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class KeyHome(StrEnum):
    KEYRING = "keyring"
    FILE = "file"


class ConsentRequired(StrEnum):
    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Corner(StrEnum):
    BOTTOM_RIGHT = "bottom-right"
    BOTTOM_LEFT = "bottom-left"
    TOP_RIGHT = "top-right"
    TOP_LEFT = "top-left"


class Precision(StrEnum):
    AUTO = "auto"
    F32 = "f32"
    BF16 = "bf16"
    F16 = "f16"
    INT8 = "int8"
    INT8_BF16 = "int8_bf16"


class FaceDetector(StrEnum):
    THOROUGH = "thorough"
    FAST = "fast"


class NamesInSidecars(StrEnum):
    OFF = "off"
    READ = "read"
    BOTH = "both"


class OnBattery(StrEnum):
    NORMAL = "normal"
    GENTLE = "gentle"
    PAUSE = "pause"


# Kinds of devices: the first by OpenVINO, the others by ONNX Runtime; ".1" names the second one of a kind.
_DEVICES = r"^(AUTO|CPU|GPU|NPU|CUDA|TENSORRT|MIGRAPHX|ROCM|COREML|DIRECTML|ONNX-CPU)(\.\d+)?$"


class GeneralSettings(Section):
    language: Language = Language.AUTO
    """Language of the program; `auto` follows the system."""
    theme: Theme = Theme.AUTO
    """Light or dark; `auto` follows the system."""
    autostart: bool = False
    """Start when the user logs in. Nothing is changed about that while `AI_POPUP_HOME` is set."""
    letter_keys: bool = True
    """Single-key shortcuts work on the pages."""


def root_of(path: str) -> str:
    """Return the absolute path of a folder as the user typed it."""
    return full_path(os.path.expanduser(path))  # noqa: PTH111  # pathlib fails without a home


class Share(StrEnum):
    """What of a folder goes to the team's server."""

    KEEP = "keep"
    RESULTS = "results"
    UPLOAD = "upload"


class Folder(Section):
    """A watched folder."""

    path: Annotated[str, Field(min_length=1)]
    """The folder; `~` is the home folder."""
    recursive: bool = True
    """Watch the folders inside it too."""
    include: tuple[Pattern, ...] = ()
    """Only files whose name or path inside the folder matches one of these patterns (`*.jpg`); empty means all."""
    exclude: tuple[Pattern, ...] = (".*", "*.tmp", "*.part", "*.crdownload")
    """Files and folders that match one of these patterns are left out."""
    faces: bool = True
    """Look for faces in its photos. Switched off, the photos are only listed; faces found before stay."""
    recognition: bool = True
    """Recognise people in it, while recognition is on. Switched off, face prints of photos in no other folder are deleted."""
    muted: bool = False
    """No popup for new photos in it."""
    names_in_sidecars: NamesInSidecars = NamesInSidecars.OFF
    """People's names in XMP files beside its photos, as other photo programs keep them: `read`, or `both` read and written."""
    redact_to: str = ""
    """A folder outside it for copies of its new photos with all faces covered; `~` is the home folder. Empty makes none."""
    redact_style: Style = Style.SOLID
    """How the faces are covered. What `mosaic` and `blur` hide can be partly made out again."""
    redact_keep: tuple[Name, ...] = ()
    """Names of people who stay visible in the copies, while recognition is on."""
    redact_strip: bool = True
    """Leave out of the copies where and when a photo was taken, with what, and all else that is not the picture."""
    share: Share = Share.KEEP
    """What of its photos goes to the team's server, on a computer that joined one: nothing; `results`, what was found in them, without
    pixels; or `upload`, the whole photos as well, with all that their files say, such as the place."""
    share_into: Annotated[str, Field(max_length=200)] = ""
    """The server's library they go to, by name; empty if you can add photos to one only."""

    @field_validator("path", "redact_to")
    @classmethod
    def _as_typed(cls, value: str) -> str:
        """Refuse what TOML made of a Windows path in double quotes, such as a new line of `\\n` in `C:\\new`."""
        if value[1:2] == ":" and any(letter < " " for letter in value):
            raise PydanticCustomError("not_as_typed", "not as typed")
        return value

    @field_validator("redact_to")
    @classmethod
    def _elsewhere(cls, value: str, info: ValidationInfo) -> str:
        path = info.data.get("path")
        # A relative path would depend on the program's working directory.
        if value and not os.path.isabs(os.path.expanduser(value)):  # noqa: PTH111, PTH117  # as in root_of
            raise PydanticCustomError("not_absolute", "not absolute")
        if value and path and Path(root_of(value)).is_relative_to(root_of(path)):
            raise PydanticCustomError("inside_itself", "inside itself")
        return value

    @property
    def root(self) -> str:
        """Return the absolute path, as in `FileSeen.folder`, `SourceFailed.folder` and all paths below it."""
        return root_of(self.path)


class SourceSettings(Section):
    settle_ms: Annotated[int, Field(ge=50, le=60_000)] = 400
    """A file is taken when its size and time have not changed for this long (milliseconds)."""
    rescan_minutes: Annotated[int, Field(ge=1, le=10_080)] = 60
    """Watched folders are looked through again this often, in case the system missed a change."""
    polling: bool = False
    """Ask all folders at intervals instead of waiting for the system's word; those on network drives are asked anyway."""
    queue: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    """Changes that may wait; beyond that the folder is rescanned instead."""


class EngineSettings(Section):
    workers: Annotated[int, Field(ge=0, le=32)] = 0
    """Engine processes; 0 chooses by the number of cores."""
    device: Annotated[str, Field(pattern=_DEVICES, examples=["CPU", "GPU", "NPU", "GPU.1", "CUDA", "AUTO"])] = "CPU"
    """What computes; `AUTO` takes what is faster than the processor. Whatever fails its self-test is not used."""
    precision: Precision = Precision.AUTO
    """Arithmetic; `auto` takes what the processor does best."""
    max_memory_mb: Annotated[int, Field(ge=0, le=1_048_576)] = 0
    """What all engine processes may take together; 0 chooses by the memory there is. Beyond, the engine is started anew."""
    max_cores: Annotated[int, Field(ge=0, le=1_024)] = 0
    """Processor cores the engine may use; 0 means all."""
    on_battery: OnBattery = OnBattery.GENTLE
    """On battery: `normal` as ever, `gentle` one core at low priority and a pause below 20 %, `pause` until there is mains power."""
    time_limit_s: Annotated[int, Field(ge=2, le=600)] = 60
    """A file that takes longer is given up."""
    idle_s: Annotated[int, Field(ge=1, le=86_400)] = 60
    """The engine ends when it had nothing to do for this long, so that its memory goes back."""
    max_megapixels: Annotated[int, Field(ge=1, le=1_000)] = 200
    """Larger images are refused."""
    max_megabytes: Annotated[int, Field(ge=1, le=4_096)] = 500
    """Larger files are refused."""
    require_sandbox: bool = False
    """Open photos only where the system keeps the engine's process from all other files and from the network."""


class DetectionSettings(Section):
    detector: FaceDetector = FaceDetector.THOROUGH
    """What finds faces: `fast` takes a quarter of the time, and misses more faces that are turned far or small."""
    min_score: Annotated[float, Field(ge=0.1, le=0.99)] = 0.5
    """What the detector must be sure of at least."""
    min_face: Annotated[int, Field(ge=8, le=1_000)] = 20
    """Smaller faces (pixels of the original) are left out."""


class RecognitionSettings(Section):
    enabled: bool = False
    """Keep an embedding of every face, to recognise people. Switching it off deletes all embeddings."""
    certain: Annotated[float, Field(gt=0, lt=2)] = 0.90
    """Distance up to which a face is assigned to a person automatically."""
    probable: Annotated[float, Field(gt=0, lt=2)] = 1.05
    """Distance up to which a person is suggested for a face."""
    unnamed_days: Annotated[int, Field(ge=1, le=36_500)] = 90
    """How long embeddings of unnamed faces are kept."""
    person_days: Annotated[int, Field(ge=1, le=36_500)] = 1_095
    """Time without a confirmed face after which the user is asked whether to keep a person."""


class ConsentSettings(Section):
    required: ConsentRequired = ConsentRequired.AUTO
    """Recognise only people who agreed to it: `auto` means on a team's server. Others keep their names, and no embeddings."""
    second_person: bool = True
    """On a team's server, doubtful copies for publishing are approved by a member who neither planned nor edited them."""


class LibrarySettings(Section):
    key_home: KeyHome = KeyHome.KEYRING
    """Where the library's key is kept: the system's keyring, or an owner-only file for machines without one."""
    grace_days: Annotated[int, Field(ge=0, le=3_650)] = 30
    """Faces of deleted files are kept this long."""
    thumbnails_mb: Annotated[int, Field(ge=50, le=100_000)] = 2_000
    """Disk space for thumbnails; the least recently shown ones make room for new ones."""
    backups: Annotated[int, Field(ge=0, le=365)] = 7
    """Daily backups to keep; 0 makes none."""


class PopupSettings(Section):
    enabled: bool = True
    """Show the popup when new photos were scanned."""
    seconds: Annotated[int, Field(ge=2, le=3_600)] = 12
    """It hides after this long, unless pointed at."""
    corner: Corner = Corner.BOTTOM_RIGHT
    """Where it appears."""
    burst: Annotated[int, Field(ge=2, le=1_000)] = 4
    """Combine the waiting photos into one card when there are at least this many."""
    keep_warm_s: Annotated[int, Field(ge=0, le=86_400)] = 600
    """The hidden popup's process is kept this long after its last use."""
    quiet_from: TimeOfDay = ""
    """No popup from this time of day on, until `quiet_until`; empty is never."""
    quiet_until: TimeOfDay = ""
    """The end of `quiet_from`; on the next day if it is earlier."""
    quiet_fullscreen: bool = True
    """No popup while a window fills the screen."""
    quiet_presenting: bool = True
    """No popup during a presentation or a call, as far as the system tells."""


class TraySettings(Section):
    enabled: bool = True
    """Show the tray icon."""


class ApiSettings(Section):
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Port on this machine only; 0 takes a free one."""


class Settings(Section):
    """All settings. Sections are compared to find what a reload changed."""

    general: GeneralSettings = GeneralSettings()
    folders: tuple[Folder, ...] = ()
    sources: SourceSettings = SourceSettings()
    engine: EngineSettings = EngineSettings()
    detection: DetectionSettings = DetectionSettings()
    recognition: RecognitionSettings = RecognitionSettings()
    consent: ConsentSettings = ConsentSettings()
    library: LibrarySettings = LibrarySettings()
    popup: PopupSettings = PopupSettings()
    capture: CaptureSettings = CaptureSettings()
    watch_screen: WatchSettings = WatchSettings()
    tray: TraySettings = TraySettings()
    api: ApiSettings = ApiSettings()
    memory: MemorySettings = MemorySettings()
    server: ServerSettings = ServerSettings()
    worker: WorkerSettings = WorkerSettings()
    uploads: UploadSettings = UploadSettings()
    oidc: OidcSettings = OidcSettings()
    incidents: IncidentSettings = IncidentSettings()
    backup: BackupSettings = BackupSettings()
    alerts: AlertSettings = AlertSettings()
    updates: UpdateSettings = UpdateSettings()
    logs: LogSettings = LogSettings()


def folder_of(path: str, folders: Sequence[Folder]) -> Folder | None:
    """Return the innermost watched folder of a file. If a folder is listed twice, the last entry counts."""
    wanted = comparable(path)  # the rules of a folder hold, however its name is typed
    above = {root: folder for folder in folders if wanted.startswith(comparable(root := folder.root).rstrip(os.sep) + os.sep)}
    return above[max(above, key=len)] if above else None


def changed_sections(old: Settings, new: Settings) -> frozenset[str]:
    """Return the names of the sections that differ."""
    return frozenset(name for name in Settings.model_fields if getattr(old, name) != getattr(new, name))
