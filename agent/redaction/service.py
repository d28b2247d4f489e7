"""The redaction room: requests, copies for watched folders, the worker that makes them, and restoring."""

from agent.core.environment import Environment
from agent.engine.analyser import AnalysisEngine
from agent.library.work_state import WorkState
from agent.people.identification import Identification
from agent.redaction.batches import RedactionRequests
from agent.redaction.choice_check import ChoiceCheck
from agent.redaction.folder_copies import FolderCopies
from agent.redaction.queries.redaction_queries import RedactionQueries
from agent.redaction.redact_file import FileRedactor
from agent.redaction.redaction_worker import RedactionWorker
from agent.redaction.restore import RedactionTools, Restorer
from agent.redaction.video.video_copies import VideoCopies
from agent.redaction.video.video_redactor import VideoRedactor


class RedactionService:
    def __init__(
        self,
        library: RedactionQueries,
        engine: AnalysisEngine,
        tools: RedactionTools,
        redactors: tuple[VideoRedactor | None, VideoRedactor | None],
        opinions: Identification,
        work: WorkState,
        environment: Environment,
    ) -> None:
        """`redactors` are those of videos and of animations; without one, its kind can't be redacted."""
        check = ChoiceCheck(library, environment)
        self.clips = VideoCopies(*redactors, tools.copies, check, opinions)
        self.covering = FileRedactor(library, engine.analyser, tools, self.clips, check, opinions, environment)
        self.work = RedactionWorker(library, self.covering, engine, work, environment, tools.claims)
        self.copies = RedactionRequests(library, self.work, tools.copies, engine, environment)
        self.folders = FolderCopies(library, tools.copies, self.copies, environment)
        self.folders.planned.subscribe(self.work.wake)
        self.restoring = Restorer(tools.renderer, tools.copies, tools.keeper)
