"""`ai-popup capture`: captures the screen with faces covered before it is saved or copied."""

import time
from contextlib import suppress

import click

from agent.domain.errors import NotRunning
from agent.domain.redaction import Shape, Style
from agent.interfaces.cli.command import Command
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, say
from agent.interfaces.cli.session import CommandSession


class _Region(click.ParamType[str]):
    name = "X,Y,W,H"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from agent.domain.screen import ScreenRegion

        with suppress(ValueError):
            return str(ScreenRegion.parse(value))
        self.fail(TEXTS("cli.capture.region"), param, ctx)


@click.command(cls=Command, help=TEXTS("cli.help.capture"))
@click.option("--region", type=_Region(), help=TEXTS("cli.help.capture_region"))
@click.option("--window", is_flag=True, help=TEXTS("cli.help.capture_window"))
@click.option("--screen", type=click.IntRange(1, 99), metavar="N", help=TEXTS("cli.help.capture_screen"))
@click.option("--all", "everything", is_flag=True, help=TEXTS("cli.help.capture_all"))
@click.option("--delay", type=click.FloatRange(0, 60), default=0.0, metavar="SECONDS", help=TEXTS("cli.help.capture_delay"))
@click.option("-o", "--output", type=click.Path(dir_okay=False), help=TEXTS("cli.help.capture_output"))
@click.option("--copy", "copied", is_flag=True, help=TEXTS("cli.help.capture_copy"))
@click.option("--keep", multiple=True, metavar="NAME", help=TEXTS("cli.help.capture_keep"))
@click.option("--style", type=click.Choice([each.value for each in Style]), default=Style.SOLID.value, help=TEXTS("cli.help.capture_style"))
@click.option(
    "--shape", type=click.Choice([each.value for each in Shape]), default=Shape.ELLIPSE.value, help=TEXTS("cli.help.capture_shape")
)
@click.option("--json", "as_json", is_flag=True, help=TEXTS("cli.help.json_one"))
@click.pass_obj
def capture(
    session: CommandSession,
    region: str | None,
    window: bool,
    screen: int | None,
    everything: bool,
    delay: float,
    output: str | None,
    copied: bool,
    keep: tuple[str, ...],
    style: str,
    shape: str,
    as_json: bool,
) -> int:
    from agent.desktop.capture.capture import format_of
    from agent.desktop.capture.schemas import CaptureOut, CaptureRequest
    from agent.interfaces.cli.in_process_app import absolute, backend

    texts = session.texts
    ways = {"region": region is not None, "window": window, "screen": screen is not None, "all": everything}
    chosen = [what for what, wanted in ways.items() if wanted]
    if len(chosen) > 1:
        raise click.UsageError(texts("cli.capture.one_way"))
    if output is not None:
        format_of(output)  # before the user selects a region in vain
    request = CaptureRequest.model_validate(
        {
            "what": next(iter(chosen), "region"),
            "region": region,
            "screen": screen or 1,
            "keep": keep,
            "style": style,
            "shape": shape,
            "output": output and absolute([output])[0],
            "save": not copied,
            "copy_it": copied,
        }
    )
    if style in (Style.MOSAIC, Style.BLUR):
        say(texts("cli.capture.weak", style=style), err=True)
    with backend(session, embeddings=False) as able:
        if copied and able.in_process:
            # The clipboard's content comes from its owner process, and a command has ended by then.
            raise NotRunning
        time.sleep(delay)
        made = able.post_long("/api/captures", CaptureOut, request)
    if as_json:
        say(made.model_dump_json(exclude={"id", "open"}))
        return 0
    covered = sum(face.covered for face in made.faces)
    if made.path is not None:
        say(made.path)
    if not made.faces:
        say(texts("cli.capture.no_face"), err=True)
    else:
        note(texts("cli.capture.covered", count=covered))
        if visible := [face for face in made.faces if not face.covered]:
            names = texts("ui.list_separator").join(face.person or "?" for face in visible)
            say(texts("cli.capture.visible", names=names), err=True)
    if made.copied:
        note(texts("cli.capture.copied"))
    return 0
