"""Routes of the Status page: files with errors, health, and components."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from fastapi import FastAPI, Query
from fastapi.responses import Response

from agent.app.app import App
from agent.app.health import DiskFacts, Finding, Health, ModelFacts, examine, to_file
from agent.app.library_restore import LibraryRestore
from agent.app.status_schemas import (
    CpuReport,
    DiskReport,
    EngineProcessOut,
    EngineReport,
    FindingOut,
    HealthReport,
    HistoryPoint,
    LibraryRestoreOffer,
    LibraryRestoreOut,
    LibraryRestoreRequest,
    MemoryReport,
    ModelReport,
    PowerReport,
    StageMeans,
)
from agent.domain.errors import (
    AgentError,
    EngineError,
    FilingDue,
    ImageMissing,
    KeyHomeError,
    ModelError,
    NotFound,
    StoreDamaged,
    StoreError,
)
from agent.features.library.actions import NOT_ANALYSED
from agent.features.library.records import LocationPage
from agent.features.library.schemas import PlaceProblem, PlaceProblems
from agent.features.library.watched_folders import resolve_root
from agent.inference.engine.monitor import MB, EngineProcess, Sample
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schemas import Id, Problem
from agent.interfaces.web.ui_port import UiPort
from agent.interfaces.web.version_cache import VersionedCache

if TYPE_CHECKING:
    from agent.app.metric_families.processes import Processes

Limit: TypeAlias = Annotated[int, Query(ge=1, le=200)]
Offset: TypeAlias = Annotated[int, Query(ge=0, lt=2**31)]


EngineState: TypeAlias = Literal["resting", "ready", "working", "paused", "failed"]


def status_routes(api: FastAPI, app: App, desk: UiPort, texts: Callable[[], Texts]) -> None:
    """Add the routes of files that could not be analysed to `api`."""
    _list_routes(api, app, texts)
    _problem_routes(api, app, desk)


def _list_routes(api: FastAPI, app: App, texts: Callable[[], Texts]) -> None:
    library = app.library

    def page(read: Callable[..., LocationPage], limit: int, offset: int, folder: str | None) -> PlaceProblems:
        found = read(limit=limit, offset=offset, folder=resolve_root(folder, app.settings.folders) if folder else None)
        return PlaceProblems(items=tuple(PlaceProblem.of(place, texts()) for place in found.items), total=found.total)

    @api.get("/api/problems", openapi_extra=needs(Scope.SYSTEM_READ))
    async def problems(limit: Limit = 100, offset: Offset = 0, folder: str | None = None) -> PlaceProblems:
        """Files that could not be analysed, newest first; `folder` is a watched folder, including its subfolders."""
        return await asyncio.to_thread(page, library.problems, limit, offset, folder)

    @api.get("/api/online-only", openapi_extra=needs(Scope.SYSTEM_READ))
    async def online_only(limit: Limit = 100, offset: Offset = 0, folder: str | None = None) -> PlaceProblems:
        """Files stored only in a cloud, not analysed until requested."""
        return await asyncio.to_thread(page, library.deferred, limit, offset, folder)

    @api.get("/api/problems/{place_id}", openapi_extra=needs(Scope.SYSTEM_READ))
    async def problem(place_id: Id) -> PlaceProblem:
        place = await asyncio.to_thread(library.place_by_id, place_id)
        if place is None or place.job not in NOT_ANALYSED:
            raise NotFound
        return PlaceProblem.of(place, texts())


def _problem_routes(api: FastAPI, app: App, desk: UiPort) -> None:
    @api.post("/api/problems/retry", status_code=204, openapi_extra=needs(Scope.WORKERS_MANAGE))
    async def retry() -> None:
        await app.problems.retry()

    @api.post("/api/problems/clear", status_code=204, openapi_extra=needs(Scope.WORKERS_MANAGE))
    async def clear() -> None:
        await app.problems.clear()

    @api.post("/api/online-only/look", status_code=204, openapi_extra=needs(Scope.WORKERS_MANAGE))
    async def look_at_online_only() -> None:
        await app.problems.fetch()

    @api.post("/api/problems/{place_id}/retry", status_code=204, openapi_extra=needs(Scope.WORKERS_MANAGE))
    async def retry_one(place_id: Id) -> None:
        if not (await app.problems.retry([place_id]) or await app.problems.fetch(place_id)):
            raise NotFound

    @api.post("/api/problems/{place_id}/clear", status_code=204, openapi_extra=needs(Scope.WORKERS_MANAGE))
    async def clear_one(place_id: Id) -> None:
        if not await app.problems.clear(place_id):
            raise NotFound

    @api.post("/api/problems/{place_id}/show", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def show(place_id: Id) -> None:
        """Show the file in its folder."""
        try:
            path = await app.actions.file_of_problem(place_id)
        except ImageMissing:
            await app.problems.retry([place_id])  # an unwatched folder has no events that would remove the file from the list
            raise
        await desk.show_file(path)


def health_routes(api: FastAPI, app: App, health: Health, version: str, texts: Callable[[], Texts]) -> None:
    """Add the routes of the program's health to `api`."""
    measured: dict[str, Processes] = {}  # from the first request on
    duties: VersionedCache[FilingDue | None] = VersionedCache(app.library.version, 1)  # slow in a large library, and opened again and again

    @api.get("/api/health-report", openapi_extra=needs(Scope.SYSTEM_READ))
    async def health_report() -> HealthReport:
        app.monitor.looked()
        models, disk, backup = await asyncio.to_thread(lambda: (health.models(), health.disk(), health.last_backup()))
        filing = None
        with suppress(StoreDamaged):  # the rest of the report is shown all the same
            filing = await asyncio.to_thread(duties.get, "filing", lambda: to_file(app.library))
        return _report(app, models, disk, backup, filing, texts())

    @api.post("/api/doctor", openapi_extra=needs(Scope.SYSTEM_READ))
    async def doctor() -> tuple[FindingOut, ...]:
        found = await asyncio.to_thread(examine, health.checks)
        return tuple(_finding(finding, texts()) for finding in found)

    @api.get(
        "/api/support-bundle",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}}},
        openapi_extra=needs(Scope.SYSTEM_READ),
    )
    async def support_bundle() -> Response:
        bundle = await asyncio.to_thread(lambda: health.bundle(examine(health.checks)))
        name = {"content-disposition": 'attachment; filename="ai-popup-support.zip"'}
        return Response(bundle, media_type="application/zip", headers=name)

    @api.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}}, openapi_extra=needs(Scope.METRICS_READ))
    async def prometheus() -> Response:
        from agent.app.metric_families.processes import Processes
        from agent.app.metrics import CONTENT_TYPE, metrics  # 1 MB that most agents never need

        family = measured.setdefault("agent", Processes("agent"))
        counts = await asyncio.to_thread(app.library.counts)
        figures = await asyncio.to_thread(metrics, version, counts, app.monitor, app.tally, app.screen.taken, family)
        return Response(figures, headers={"content-type": CONTENT_TYPE})


def restore_routes(api: FastAPI, restore: LibraryRestore, texts: Callable[[], Texts]) -> None:
    """Add the routes that replace a damaged library by a backup."""

    def look() -> LibraryRestoreOut:
        last = restore.last
        try:
            found, problem = restore.offer(), last.problem
        except (StoreError, KeyHomeError) as error:
            found, problem = None, error
        photos, edits = (None, None) if found is None or found.newer is None else found.newer
        offer = found and LibraryRestoreOffer(
            name=found.backup.name, at=found.backup.at, photos=found.photos, newer_photos=photos, newer_edits=edits
        )
        restored = last.backup.at if last.backup else None
        return LibraryRestoreOut(offer=offer, problem=Problem.maybe(problem, texts()), restored=restored, number=last.number)

    @api.get("/api/library/restore", openapi_extra=needs(Scope.DESKTOP))
    async def offered() -> LibraryRestoreOut:
        """The backup that can replace the library, if that is damaged. Both are read completely."""
        return await asyncio.to_thread(look)

    @api.post("/api/library/restore", status_code=202, openapi_extra=needs(Scope.DESKTOP))
    async def begin(request: LibraryRestoreRequest) -> None:
        """Replace a damaged library by this backup, keep the damaged one beside it, and continue with the backup."""
        await asyncio.to_thread(restore.begin, request.name)


def _report(
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


def _finding(found: Finding, texts: Texts) -> FindingOut:
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
