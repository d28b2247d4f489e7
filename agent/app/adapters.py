"""The agent's outer dependencies."""

from collections.abc import Callable
from dataclasses import dataclass, field

from agent.desktop.capture.capture import CaptureDesktop
from agent.features.library.job_queue import JobQueue
from agent.features.library.thumbnail_store import ThumbnailFile
from agent.features.people.service import PeopleEdges
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.features.redaction.restore import RedactionTools
from agent.features.redaction.video.video_redactor import VideoRedactor
from agent.inference.engine.analyser import AnalysisEngine
from agent.inference.engine.monitor import Machine
from agent.inference.engine.screen_port import ScreenGrabber, ScreenWatcher, WatchedDesktop
from agent.infrastructure.core.leadership import Leadership, SingleProcessLeadership
from agent.infrastructure.core.memory_guard import Guarded
from agent.infrastructure.core.photo_files import open_photo
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.sources.source import Source
from agent.infrastructure.store.audit_anchor import AuditAnchor


@dataclass(frozen=True, slots=True)
class ExternalAdapters:
    """The agent's outer dependencies. The wiring creates the real ones, tests supply fakes."""

    library: RedactionQueries
    engine: AnalysisEngine
    source: Source
    people: PeopleEdges
    tools: RedactionTools
    witness: AuditAnchor
    redactors: tuple[VideoRedactor | None, VideoRedactor | None] = (None, None)  # of videos, and of animations
    thumbnails: ThumbnailFile | None = None
    machine: Machine = field(default_factory=Machine)
    screen: tuple[ScreenGrabber, CaptureDesktop] | None = None
    watch: tuple[ScreenWatcher, WatchedDesktop] | None = None
    online_only: Callable[[str], bool] = lambda _: False  # whether reading a file would fetch it from a cloud; blocks
    open_item: Callable[[str], int] = open_photo  # opens an original, see `Sources`
    check_library: Callable[[], bool] = lambda: True  # reads the whole library, see `IntegrityCheck`
    queue: Callable[[Environment], JobQueue] | None = None  # where jobs come from, if not from the library itself
    guarded: tuple[Guarded, ...] = ()  # child processes with a threshold for their memory
    leadership: Leadership = field(
        default_factory=SingleProcessLeadership
    )  # which of several processes on the library watches and maintains it
