"""What a command does with the library: through the running agent, or in this process if there is none."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol, TypeVar

from agent.cli.library_check import tell_damage
from agent.cli.session import Session
from agent.core.threads import loop_threads
from agent.domain.errors import NotRunning, reason_of
from agent.library.scan_schemas import ScanLine, Scanned, ScanRequest
from agent.main.app import App
from agent.models.commands import fetch_missing
from agent.people.edit_schemas import Edit, VerifyRequest
from agent.people.schemas import Edited, FaceSearchOut, Forgotten, Step, Verified
from agent.redaction.schemas import RedactLine, RedactRequest, Restored, RestoreRequest
from agent.screen.schemas import CaptureOut, CaptureRequest
from agent.web.client import Client

T = TypeVar("T")


class Hands(Protocol):
    """Implementations: `Client`, and `AppHere`."""

    def edit(self, edit: Edit) -> Edited: ...

    def take_back(self) -> Step: ...

    def do_again(self) -> Step: ...

    def forget(self, person_id: int) -> Forgotten: ...

    def verify(self, request: VerifyRequest) -> Verified: ...

    def search_face(self, path: str) -> FaceSearchOut: ...

    def scan(self, request: ScanRequest) -> Iterator[ScanLine]: ...

    def capture(self, request: CaptureRequest) -> CaptureOut: ...

    def redact(self, request: RedactRequest) -> Iterator[RedactLine]: ...

    def restore(self, request: RestoreRequest) -> Restored: ...


@contextmanager
def hands(session: Session, *, embeddings: bool = False) -> Iterator[Hands]:
    """With `embeddings` the model for them is fetched if it is not there."""

    try:
        client: Client | None = session.client()
    except NotRunning:
        client = None
    if client is not None:
        try:
            yield client
            tell_damage(session)  # found by the agent, which goes on with what can be read
        finally:
            client.close()
        return
    from agent.core import logs
    from agent.main.wiring import build

    with session.alone():
        fetch_missing(session, embeddings=embeddings)
        logs.configure(session.settings.logs, session.paths.logs, echo=sys.stderr if session.verbose else None)
        try:
            with session.database(checked=True) as database, asyncio.Runner() as runner, loop_threads(runner.get_loop()):

                async def make() -> App:
                    return build(session.settings, session.paths, database=database, renamed=session.file.rename_kept)

                with AppHere(runner.run(make()), runner, session).running() as here:
                    yield here
        finally:
            logs.stop()


class AppHere:
    """The agent's parts in this process, watching nothing."""

    def __init__(self, app: App, runner: asyncio.Runner, session: Session) -> None:
        self._app = app
        self._runner = runner
        self._session = session
        self._work: asyncio.Task[None] | None = None

    @contextmanager
    def running(self) -> Iterator["AppHere"]:
        async def start() -> None:
            self._work = asyncio.create_task(self._app.run(watch=False))
            # An edit that comes sooner meets the matcher that the preparation ends. Why the work ended, `_do` says.
            prepared = asyncio.create_task(self._app.prepared.wait())
            await asyncio.wait([prepared, self._work], return_when=asyncio.FIRST_COMPLETED)
            prepared.cancel()

        async def stop() -> None:
            if self._work is not None:
                self._work.cancel()
                await asyncio.gather(self._work, return_exceptions=True)

        self._runner.run(start())
        try:
            yield self
        finally:
            self._runner.run(stop())

    def edit(self, edit: Edit) -> Edited:
        from agent.people.edit_schemas import wish

        step = self._do(lambda: self._app.people.edit(wish(edit)))
        return Edited(undo=step.token, count=step.count, person_id=step.person_id)

    def take_back(self) -> Step:
        return Step.of(self._do(lambda: self._app.people.take_back()))

    def do_again(self) -> Step:
        return Step.of(self._do(lambda: self._app.people.do_again()))

    def forget(self, person_id: int) -> Forgotten:
        return Forgotten.from_record(self._do(lambda: self._app.people.forget(person_id)))

    def verify(self, request: VerifyRequest) -> Verified:
        from dataclasses import asdict

        return Verified(**asdict(self._do(lambda: self._app.verify(*request.paths))))

    def search_face(self, path: str) -> FaceSearchOut:
        return FaceSearchOut.of(self._do(lambda: self._app.face_search.search(path)))

    def capture(self, request: CaptureRequest) -> CaptureOut:
        from agent.screen import present_capture

        async def pick() -> present_capture.Taken:
            raise NotRunning  # the window for it is the agent's

        return self._do(lambda: present_capture.capture(self._app.screen.capturing, request, pick))

    def scan(self, request: ScanRequest) -> Iterator[ScanLine]:
        from agent.library.scan import rules
        from agent.sources.folder.folder_scan import walk_images

        files = list(walk_images(request.paths, rules(request.exclude)))
        yield ScanLine(total=len(files))
        scanned = self._app.scan(files, embeddings=request.embeddings)

        async def following() -> ScanLine | None:
            async for each in scanned:
                return ScanLine(image=Scanned.of(each, self._session.texts))
            return None

        while (line := self._do(following)) is not None:
            yield line

    def redact(self, request: RedactRequest) -> Iterator[RedactLine]:
        from agent.redaction import present_redact

        made = present_redact.lines(self._app.redaction.copies, request, self._session.texts)

        async def following() -> RedactLine | None:
            return await anext(made, None)

        try:
            while (line := self._do(following)) is not None:
                yield line
        finally:
            with suppress(RuntimeError):  # a second Ctrl-C came before the first one's end: that goes on until the parts are ended
                self._runner.run(made.aclose())

    def restore(self, request: RestoreRequest) -> Restored:
        from agent.domain.path_text import printable

        return Restored(
            path=printable(self._do(lambda: self._app.redaction.restoring.restore(request.path, request.out, request.passphrase)))
        )

    def _do(self, work: Callable[[], Awaitable[T]]) -> T:
        """Raises what the work raises, or what ended the agent's parts meanwhile."""

        async def beside() -> T:
            assert self._work is not None
            task = asyncio.ensure_future(work())
            try:
                await asyncio.wait([task, self._work], return_when=asyncio.FIRST_COMPLETED)
            finally:  # also when the user presses Ctrl-C
                unfinished = not task.done()
                if unfinished:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            if unfinished and (error := self._work.exception()):
                raise reason_of(error)
            return await task

        return self._runner.run(beside())


def absolute(paths: Sequence[str]) -> tuple[str, ...]:
    """As the agent must be told, whose folder is another."""
    from pathlib import Path

    return tuple(str(Path(path).absolute()) for path in paths)
