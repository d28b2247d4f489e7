"""The redaction room: requests, copies for watched folders, the worker that makes them, and restoring."""

from agent.features.library.activity import WorkState
from agent.features.people.identification import Identification
from agent.features.redaction.batches import RedactionRequests
from agent.features.redaction.choice_check import ChoiceCheck
from agent.features.redaction.folder_copies import FolderCopies
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.features.redaction.redact_file import FileRedactor
from agent.features.redaction.redaction_worker import RedactionWorker
from agent.features.redaction.restore import RedactionTools, Restorer
from agent.features.redaction.video.video_copies import VideoCopies
from agent.features.redaction.video.video_redactor import VideoRedactor
from agent.inference.engine.analyser import AnalysisEngine
from agent.infrastructure.core.service_context import Environment


class RedactionService:
    def __init__(
        self,
        library: RedactionQueries,
        engine: AnalysisEngine,
        tools: RedactionTools,
        redactors: tuple[VideoRedactor | None, VideoRedactor | None],
        identification: Identification,
        work: WorkState,
        environment: Environment,
    ) -> None:
        """`redactors` are those of videos and of animations; without one, its kind can't be redacted."""
        check = ChoiceCheck(library, environment)
        self.clips = VideoCopies(*redactors, tools.copies, check, identification)
        self.covering = FileRedactor(library, engine.analyser, tools, self.clips, check, identification, environment)
        self.work = RedactionWorker(library, self.covering, engine, work, environment, tools.claims)
        self.copies = RedactionRequests(library, self.work, tools.copies, engine, environment)
        self.folders = FolderCopies(library, tools.copies, self.copies, environment)
        self.folders.planned.subscribe(self.work.wake)
        self.restoring = Restorer(tools.renderer, tools.copies, tools.keeper)
