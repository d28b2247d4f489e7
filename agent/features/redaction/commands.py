"""`ai-popup redact` and `ai-popup restore`: makes covered copies and restores them."""

import os
from typing import TYPE_CHECKING, Any

import click

from agent.domain.errors import AgentLost, AgentNotAnswering, RecognitionOff
from agent.domain.redaction import Shape, Style
from agent.features.redaction.passphrases import check_passphrase
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.cli.command import Command, json_option
from agent.interfaces.cli.confirm import confirm, yes_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import ProgressBar, note, say, tell
from agent.interfaces.cli.params import Paths, There
from agent.interfaces.cli.secret_input import ask
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.features.redaction.schemas import PlannedOut, RedactedOut, RedactLine, RedactRequest
    from agent.interfaces.web.client import Client

# Styles that can be partly undone.
WEAK = (Style.MOSAIC, Style.BLUR)


@click.command(cls=Command, help=TEXTS("cli.help.redact"))
@click.argument("paths", nargs=-1, required=True, cls=Paths, type=There(), metavar="IN...")
@click.option("-o", "--out", type=click.Path(), help=TEXTS("cli.help.redact_out"))
@click.option("--in-place", is_flag=True, help=TEXTS("cli.help.redact_in_place"))
@click.option("--style", type=click.Choice([each.value for each in Style]), default=Style.SOLID.value, help=TEXTS("cli.help.redact_style"))
@click.option(
    "--shape", type=click.Choice([each.value for each in Shape]), default=Shape.ELLIPSE.value, help=TEXTS("cli.help.redact_shape")
)
@click.option("--keep", multiple=True, metavar="NAME", help=TEXTS("cli.help.redact_keep"))
@click.option("--keep-consented", is_flag=True, help=TEXTS("cli.help.redact_keep_consented"))
@click.option("--only", multiple=True, metavar="NAME", help=TEXTS("cli.help.redact_only"))
@click.option("--strip-metadata", "strip", is_flag=True, help=TEXTS("cli.help.redact_strip"))
@click.option("--overwrite", is_flag=True, help=TEXTS("cli.help.redact_overwrite"))
@click.option("--report", is_flag=True, help=TEXTS("cli.help.redact_report"))
@click.option("--restorable", is_flag=True, help=TEXTS("cli.help.redact_restorable"))
@click.option("--keep-original", is_flag=True, help=TEXTS("cli.help.redact_keep_original"))
@click.option("--passphrase", "locked", is_flag=True, help=TEXTS("cli.help.passphrase"))
@click.option("--review", is_flag=True, help=TEXTS("cli.help.redact_review"))
@click.option("--dry-run", is_flag=True, help=TEXTS("cli.help.redact_dry_run"))
@yes_option
@click.option("--json", "as_json", is_flag=True, help=TEXTS("cli.help.json"))
@click.pass_obj
def redact(
    session: CommandSession,
    /,
    paths: tuple[str, ...],
    out: str | None,
    in_place: bool,
    keep: tuple[str, ...],
    keep_consented: bool,
    only: tuple[str, ...],
    restorable: bool,
    keep_original: bool,
    locked: bool,
    review: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **how: Any,
) -> int:
    from agent.features.redaction.schemas import RedactLine, RedactRequest
    from agent.interfaces.cli.in_process_app import absolute, backend

    texts = session.texts
    keepings = [name for name, wanted in (("original", keep_original), ("regions", restorable)) if wanted]
    _check_place(texts, paths, out, in_place)
    _check_choice(texts, keep, only, keep_consented=keep_consented)
    names_people = bool(keep or only or keep_consented)
    if len(keepings) > 1:
        raise click.UsageError(texts("cli.redact.one_way_back"))
    if locked and not keepings:
        raise click.UsageError(texts("cli.redact.nothing_to_lock"))
    request = RedactRequest(
        paths=absolute(paths),
        out=None if out is None else _absolute(out),
        in_place=in_place,
        keep=keep,
        keep_consented=keep_consented,
        only=only or None,
        keeping=(*keepings, "nothing")[0],
        passphrase=_passphrase(session, twice=True) if locked and not dry_run else None,
        dry_run=dry_run,
        **how,
    )
    if names_people and not session.settings.recognition.enabled:
        raise RecognitionOff(covering="people")  # before a model is fetched for it
    if in_place and not keep_original and not dry_run:
        confirm(texts, texts("cli.redact.sure"), yes=yes)
    if request.style in WEAK:
        say(texts("cli.redact.weak"), err=True)
    if in_place and not dry_run:
        say(texts("cli.redact.in_place_kept" if keep_original else "cli.redact.in_place"), err=True)
    report = Report(session, as_json)
    with backend(session, embeddings=names_people) as able, report.progress.showing():
        able.on_silence = lambda: report.progress.say(session.silence, err=True)
        report.read(able.lines("/api/redact", RedactLine, request), request)
        if review and not dry_run:
            _review(session, able, report.batch)
    return report.end()


def _check_place(texts: Texts, paths: tuple[str, ...], out: str | None, in_place: bool) -> None:
    """Check the target. Raises click.UsageError."""
    if in_place and out is not None:
        raise click.UsageError(texts("cli.redact.two_places"))
    if not in_place and out is None:
        raise click.UsageError(texts("cli.redact.where"))
    if out is not None and _names_one_file(out) and (len(paths) > 1 or os.path.isdir(paths[0])):  # noqa: PTH112 - paths are strings throughout
        raise click.UsageError(texts("cli.redact.one_file_for_many", out=out))


def _check_choice(texts: Texts, keep: tuple[str, ...], only: tuple[str, ...], *, keep_consented: bool) -> None:
    """Check the people. Raises click.UsageError."""
    if not all(name.strip() for name in (*keep, *only)):
        raise click.UsageError(texts("cli.redact.nobody"))
    if (keep or only) and keep_consented:
        raise click.UsageError(texts("cli.redact.consented_or_names"))
    if keep and only:
        raise click.UsageError(texts("cli.redact.keep_or_only"))


@click.command(cls=Command, help=TEXTS("cli.help.restore"))
@click.argument("path", type=click.Path(), metavar="FILE")
@click.option("-o", "--out", type=click.Path(), help=TEXTS("cli.help.restore_out"))
@click.option("--passphrase", "locked", is_flag=True, help=TEXTS("cli.help.restore_passphrase"))
@json_option()
@click.pass_obj
def restore(session: CommandSession, path: str, out: str | None, locked: bool, as_json: bool) -> None:
    from agent.features.redaction.schemas import Restored, RestoreRequest
    from agent.interfaces.cli.in_process_app import backend

    request = RestoreRequest(
        path=_absolute(path),
        out=None if out is None else _absolute(out),
        passphrase=_passphrase(session, twice=False) if locked else None,
    )
    with backend(session) as able:
        restored = able.post_long("/api/restore", Restored, request)
    tell({"path": restored.path}, restored.path, as_json=as_json)


class Report:
    """Prints a line per copy on standard output; progress, doubts and failures on standard error."""

    def __init__(self, session: CommandSession, as_json: bool) -> None:
        self._session = session
        self._json = as_json
        self._copies = self._covered = self._passed = self._doubtful = self._failed = 0
        self.progress = ProgressBar()  # in percent, to estimate the time left
        self._percents: dict[int, int] = {}  # of running videos, by id
        self._begun = self._stopped = self._nothing = self._dry = False
        self.batch: str | None = None  # known once one of its items has ended

    def read(self, lines: "Iterable[RedactLine]", request: "RedactRequest") -> None:
        """Take all lines. If the agent ends or falls silent meanwhile, say what becomes of the copies that it planned."""
        try:
            for line in lines:
                self.take(line)
        except AgentLost as error:
            if self._begun and not request.dry_run:
                self._left("silent" if isinstance(error, AgentNotAnswering) else "locked" if request.passphrase else "goes_on")
            raise

    def take(self, line: "RedactLine") -> None:
        if line.total is not None:
            self._nothing = line.total == 0
            self._begun = line.total > 0
            self.progress.begin(line.total, steps=100)
        if line.under_way is not None:
            self._move(line.under_way.id, line.under_way.percent)
        if line.planned is not None:
            self._planned(line.planned)
        if line.item is not None:
            self._item(line.item)
            self._move(line.item.id, 100)
        if line.stopped is not None:
            self._stopped = True
            self.progress.say(f"{self._session.sentences(line.stopped.cause, line.stopped.remedy)} [{line.stopped.code}]", err=True)

    def _move(self, item_id: int, percent: int) -> None:
        """Never go back: a second attempt starts with what the first one finished."""
        before = self._percents.get(item_id, 0)
        self._percents[item_id] = now = max(before, percent)
        self.progress.move(now - before, self._copies + self._failed)

    def _planned(self, plan: "PlannedOut") -> None:
        """Print a planned copy of a dry run."""
        self._dry = True
        self._copies += 1
        self._passed += plan.passed
        if self._json:
            self.progress.say(plan.model_dump_json())
        else:
            line = f"{plan.source} → {plan.target}"
            self.progress.say(self._session.texts("cli.redact.would_stay", line=line) if plan.passed else line)

    def _item(self, item: "RedactedOut") -> None:
        texts = self._session.texts
        self.batch = item.batch
        if self._json:
            self.progress.say(item.model_dump_json())
        if item.error is not None:
            self._failed += 1
            problem = item.error
            self.progress.say(f"{item.source}: {self._session.sentences(problem.cause, problem.remedy)} [{problem.code}]", err=True)
            return
        self._copies += 1
        self._covered += item.covered
        self._passed += item.passed
        self._doubtful += bool(item.doubts)
        if not self._json:
            self.progress.say(f"{item.source} → {item.target}: {self._said(item)}")
        if item.doubts:
            doubts = texts("ui.list_separator").join(texts(f"cli.redact.doubt.{doubt.value}") for doubt in item.doubts)
            self.progress.say(texts("cli.redact.look", path=item.target, doubts=doubts), err=True)

    def _said(self, item: "RedactedOut") -> str:
        texts = self._session.texts
        visible = item.found - item.covered
        said = texts("cli.redact.covered", faces=texts("count.faces", count=item.covered))
        if visible > 0:
            said = texts("cli.redact.and_visible", said=said, faces=texts("count.faces", count=visible))
        return texts("cli.redact.passed", said=said) if item.passed else said

    def _left(self, how: str) -> None:
        self.progress.say(self._session.texts(f"cli.redact.left.{how}"), err=True)

    def end(self) -> int:
        texts = self._session.texts
        if self._nothing:
            say(texts("cli.redact.nothing"), err=True)
            return 1
        if self._dry:
            note(texts("cli.redact.would", count=self._copies - self._passed))
            return 1 if self._stopped else 0
        if not self._json:
            say(texts.counted("cli.redact.done", copies=self._copies, faces=self._covered), err=True)
        if self._passed:
            say(texts("cli.redact.made_before", count=self._passed), err=True)
        if self._doubtful:
            say(texts("cli.redact.doubtful", count=self._doubtful), err=True)
        if self._failed:
            say(texts("cli.redact.failed", count=self._failed), err=True)
        return 1 if self._failed or self._stopped else 0


def _review(session: CommandSession, able: "Client", batch: str | None) -> None:
    """Show the copies in the browser, doubtful ones first."""
    if able.in_process:
        say(session.texts("cli.redact.review_later"), err=True)
    elif batch is not None:
        url = able.session_url(at=f"covers/{batch}")
        if not session.program.browse(url):
            say(session.texts("cli.open.once"), err=True)
            say(url, err=True)


def _passphrase(session: CommandSession, *, twice: bool) -> str:
    """Read it hidden, or from standard input.

    Raises PassphraseWeak for a new one, before anything else happens.
    """
    passphrase = ask(session.texts, session.texts("cli.redact.passphrase"), twice=twice)
    if twice:
        check_passphrase(passphrase)
    return passphrase


def _names_one_file(out: str) -> bool:
    """Return whether the existing or future target is a file: its name has a picture's or a video's extension."""
    from agent.domain.image import COPY_FORMATS
    from agent.domain.video import CLIP_FORMATS

    if os.path.isdir(out) or out.endswith(("/", os.sep)):  # noqa: PTH112 - paths are strings throughout
        return False
    ending = os.path.splitext(out)[1].removeprefix(".").lower()  # noqa: PTH122 - paths are strings throughout
    return ending in COPY_FORMATS or ending in CLIP_FORMATS or os.path.isfile(out)  # noqa: PTH113 - paths are strings throughout


def _absolute(path: str) -> str:
    """Return an absolute path, because the agent has another working directory; a final separator marks a folder."""
    from agent.interfaces.cli.in_process_app import absolute

    return absolute((path,))[0] + (path[-1] if path.endswith(("/", "\\")) else "")
