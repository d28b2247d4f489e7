"""`ai-popup scan`: through the running agent, or in this process if there is none."""

import json

from agent.features.library.scan_schemas import ScanLine, Scanned, ScanRequest
from agent.interfaces.cli.in_process_app import backend
from agent.interfaces.cli.output import ProgressBar, note, say
from agent.interfaces.cli.session import CommandSession
from agent.interfaces.web.schemas import Problem


def list_files(session: CommandSession, request: ScanRequest, *, as_json: bool) -> int:
    """Print the files that would be scanned."""
    from agent.domain.path_text import printable, uri_of_odd
    from agent.features.library.scan import rules
    from agent.infrastructure.core.abandonable_calls import cancellable_sync
    from agent.infrastructure.sources.folder.folder_scan import walk_images

    roots = [folder.root for folder in session.settings.folders]
    files = cancellable_sync(lambda: list(walk_images(request.paths, rules(request.exclude), roots=roots)))
    for seen in files:
        say(json.dumps({"path": printable(seen.path), "uri": uri_of_odd(seen.path)}, ensure_ascii=False) if as_json else seen.path)
    if not as_json:
        note(session.texts("cli.scan.would", count=len(files)))
    return 0


def scan_paths(session: CommandSession, request: ScanRequest, *, as_json: bool) -> int:
    """Scan files. Return exit code 1 if any file failed."""
    report = _Report(session, as_json)
    with backend(session, embeddings=request.embeddings) as able:
        if not able.in_process and able.status().state == "paused":
            note(session.texts("cli.scan.paused"))
        with report.progress.showing():
            for line in able.lines("/api/scans", ScanLine, request):
                report.take(line)
    return report.end()


class _Report:
    """Prints a line per image on standard output, progress and failures on standard error."""

    def __init__(self, session: CommandSession, as_json: bool) -> None:
        self._session = session
        self._json = as_json
        self._images = self._faces = self._failed = 0
        self.progress = ProgressBar()
        self._stopped: Problem | None = None

    def take(self, line: ScanLine) -> None:
        if line.total is not None:
            self.progress.begin(line.total)
        if line.image is not None:
            self._image(line.image)
        self._stopped = line.stopped or self._stopped

    def _image(self, image: Scanned) -> None:
        if image.error is not None:
            self._failed += 1
        else:
            self._images += 1
            self._faces += len(image.faces)
        if self._json:
            self.progress.say(image.model_dump_json(exclude={"faces": {"__all__": {"embedding"}}} if not _has_embeddings(image) else None))
        elif image.error is None:
            self.progress.say(f"{image.path}: {self._session.texts('count.faces', count=len(image.faces))}")
        if image.error is not None:
            self.progress.say(f"{image.path}: {image.error.message} [{image.error.code}]", err=True)
        self.progress.move(1, self._images + self._failed)

    def end(self) -> int:
        texts = self._session.texts
        if not self._json:
            found = self._images or self._failed or self._stopped
            note(texts.counted("cli.scan.done", photos=self._images, faces=self._faces) if found else texts("cli.scan.nothing"))
        if self._failed:
            say(texts("cli.scan.failed", count=self._failed), err=True)
        if self._stopped is not None:
            say(f"{self._stopped.cause} {self._stopped.remedy} [{self._stopped.code}]", err=True)
        return 1 if self._failed or self._stopped else 0


def _has_embeddings(image: Scanned) -> bool:
    return any(face.embedding is not None for face in image.faces)
