"""Converts the state from monitor and doctor to the API's schemas."""

from dataclasses import asdict
from datetime import datetime
from pathlib import PurePath
from typing import Literal

from agent.core.i18n import Texts
from agent.domain.errors import AgentError, EngineError, ModelError
from agent.domain.path_text import printable
from agent.engine.monitor import MB, EngineProcess, Sample
from agent.library.status import Status as AppStatus
from agent.main.app import App
from agent.main.health import DiskFacts, Finding, ModelFacts
from agent.main.status_schemas import (
    CpuReport,
    DiskReport,
    EngineProcessOut,
    EngineReport,
    FindingOut,
    HealthReport,
    HistoryPoint,
    MemoryReport,
    ModelReport,
    PowerReport,
    StageMeans,
)
from agent.web.schemas import Burst, Finished, FolderState, Problem, Status

EngineState = Literal["resting", "ready", "working", "paused", "failed"]


def health_report(
    app: App, models: tuple[ModelFacts, ...], disk: DiskFacts, last_backup: datetime | None, filing: AgentError | None, texts: Texts
) -> HealthReport:
    monitor, usage, means = app.monitor, app.monitor.usage, app.tally.means()
    processes = monitor.engine.stats()
    return HealthReport(
        engine=EngineReport(
            state=_engine_state(app, processes),
            processes=tuple(
                EngineProcessOut(pid=p.pid, memory_mb=_mb(p.memory), device=p.device, precision=p.precision) for p in processes
            ),
            restarts=monitor.engine.restarts,
            device_note=_device_note(app, processes, texts),
        ),
        models=tuple(_model(model, texts) for model in models),
        memory=MemoryReport(
            agent_mb=_mb(usage.agent_memory), engine_mb=_mb(sum(process.memory for process in processes)), limit_mb=_mb(monitor.limit)
        ),
        cpu=CpuReport(agent_pct=_percent(usage.agent_cpu), engine_pct=_percent(usage.engine_cpu), limit=app.settings.engine.max_cores),
        history=tuple(_point(sample) for sample in monitor.history),
        disk=DiskReport(**asdict(disk)),
        stages=StageMeans(**asdict(means)) if means else None,
        last_backup=last_backup,
        filing=Problem.maybe(filing, texts),
        power=PowerReport(battery=monitor.power.on_battery, percent=monitor.power.percent),
    )


def status(now: AppStatus, texts: Texts, version: str) -> Status:
    """The agent's current state."""
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
        taken_back=Problem.maybe(now.taken_back, texts),
        captures=now.captures,
        captures_changed=now.captures_changed,
        watch=now.watch.value,
        watch_until=now.watch_until,
        watch_said=now.watch_said,
        watch_problem=Problem.maybe(now.watch_problem, texts),
        burst=Burst(**asdict(now.burst)) if now.burst and now.burst.total >= settings.popup.burst else None,
        folders=tuple(
            FolderState(
                path=printable(folder.path),
                name=PurePath(printable(folder.path)).name,
                problem=Problem.maybe(problems.get(folder.root), texts),
            )
            for folder in settings.folders
        ),
        problem=Problem.maybe(now.problem, texts),
        online_only=now.online_only,
        quiet_until=now.quiet_until,
        throttled=now.throttled.value if now.throttled else None,
        warning=Problem.maybe(now.warning, texts),
        device_note=now.device_note.text(texts) if now.device_note else None,
        finished=Finished(**asdict(done)) if done and done.photos + done.failed >= settings.popup.burst else None,
    )


def finding(found: Finding, texts: Texts) -> FindingOut:
    error = found.error
    return FindingOut(
        name=found.name,
        title=texts(f"cli.doctor.{found.name}"),
        state=found.state,
        text=found.text if error is None else texts("ui.sentences", cause=texts.cause(error), remedy=texts.remedy(error)),
        code=error.code if error else None,
    )


def _engine_state(app: App, processes: list[EngineProcess]) -> EngineState:
    if isinstance(app.indexer.told, EngineError | ModelError):
        return "failed"
    if app.indexer.paused or app.monitor.pace.paused:
        return "paused"
    if app.indexer.running:
        return "working"
    return "ready" if processes else "resting"


def _device_note(app: App, processes: list[EngineProcess], texts: Texts) -> str | None:
    if (note := app.monitor.engine.device_note) is not None:
        return note.text(texts)
    wanted = app.settings.engine.precision.value
    used = next((process.precision for process in processes if process.precision != wanted), None)
    if wanted == "auto" or used is None:
        return None
    return texts("status.device_note", device=app.settings.engine.device, wanted=wanted, used=used)


def _model(model: ModelFacts, texts: Texts) -> ModelReport:
    return ModelReport.model_validate(
        {**asdict(model), "name": texts(f"models.{model.name}.name"), "terms": texts(f"models.{model.name}.terms")}
    )


def _point(sample: Sample) -> HistoryPoint:
    usage = sample.usage
    return HistoryPoint(
        at=sample.at,
        agent_mb=_mb(usage.agent_memory),
        engine_mb=_mb(usage.engine_memory),
        cpu_pct=_percent(usage.agent_cpu + usage.engine_cpu),
        images=sample.images,
    )


def _mb(size: int) -> float:
    return round(size / MB, 1)


def _percent(share: float) -> float:
    return round(100 * share, 1)
