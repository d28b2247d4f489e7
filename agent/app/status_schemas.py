"""The API schemas of the Status page."""

from datetime import datetime
from typing import Literal

from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import Problem


class EngineProcessOut(Schema):
    pid: int
    memory_mb: float
    device: str
    precision: str


class EngineReport(Schema):
    state: Literal["resting", "ready", "working", "paused", "failed"]
    """resting: no process runs, the next photo starts one; ready: one runs and waits"""
    processes: tuple[EngineProcessOut, ...]
    restarts: int
    """processes that had to be replaced since the program started"""
    device_note: str | None
    """why the device differs from the settings"""


class ModelReport(Schema):
    name: str
    """its display name"""
    role: str
    state: Literal["present", "missing", "damaged"]
    licence: str
    terms: str
    sha256: str


class MemoryReport(Schema):
    agent_mb: float
    engine_mb: float
    limit_mb: float
    """the limit for all engine processes together"""


class CpuReport(Schema):
    agent_pct: float
    """of all cores, 0 to 100; the same for `engine_pct`"""
    engine_pct: float
    limit: int
    """cores that the engine may use; 0 means all"""


class HistoryPoint(Schema):
    at: datetime
    agent_mb: float
    engine_mb: float
    cpu_pct: float
    """agent and engine, of all cores"""
    images: int
    """photos analysed since the previous point"""


class DiskReport(Schema):
    """Bytes."""

    free: int
    library: int
    thumbnails: int
    backups: int


class StageMeans(Schema):
    """Mean milliseconds of the last 200 photos."""

    decode: float
    detect: float
    align: float
    embed: float


class PowerReport(Schema):
    battery: bool
    """the computer runs on its battery"""
    percent: float | None


class HealthReport(Schema):
    engine: EngineReport
    models: tuple[ModelReport, ...]
    memory: MemoryReport
    cpu: CpuReport
    history: tuple[HistoryPoint, ...]
    disk: DiskReport
    stages: StageMeans | None
    """null before the first photo"""
    last_backup: datetime | None
    power: PowerReport
    filing: Problem | None
    """the number of people with stored face embeddings requires a filing by law"""


class LibraryRestoreOffer(Schema):
    """The newest intact backup of a damaged library."""

    name: str
    at: datetime
    photos: int
    """in the backup"""
    newer_photos: int | None
    """scanned since, which a restore loses; null if the damaged part hides it, as `newer_edits` then"""
    newer_edits: int | None
    """changes to people since"""


class LibraryRestoreRequest(Schema):
    name: str


class LibraryRestoreOut(Schema):
    offer: LibraryRestoreOffer | None
    """null if the library is intact, or no backup is"""
    problem: Problem | None
    """why there is no offer, or why the last restore failed"""
    restored: datetime | None
    """the time of the backup that the last restore brought back; null if there was none since the program started"""
    number: int
    """of restores since the program started"""


class FindingOut(Schema):
    """The result of one of the doctor's checks."""

    name: str
    title: str
    state: Literal["ok", "absent", "warning", "failed"]
    text: str
    """the finding, or cause and remedy"""
    code: str | None
