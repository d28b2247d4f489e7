"""The reference of the command line, from click itself: `python -m scripts.cli_reference` prints it in the language of the system."""

import sys
from collections.abc import Iterator

import click

from agent.infrastructure.core.i18n import Texts
from agent.interfaces.cli.click_texts import speak

TEXTS = Texts()
speak(TEXTS)  # before the commands are created

from agent.app.commands import ai_popup  # noqa: E402
from agent.interfaces.cli.command import examples_of  # noqa: E402

TITLES = {"en": ("Commands", "what", "meaning"), "zh-CN": ("命令", "写法", "含义")}
INTRO = {
    "en": "What `ai-popup COMMAND --help` says. Exit codes: 0 all well, 1 something failed (each failure is named), 2 wrong usage. "
    "Every command takes `-q` (`--quiet`: only results and errors) and `-v` (`--verbose`: what is logged, and where an error arose).",
    "zh-CN": "即 `ai-popup COMMAND --help` 的内容，都在这里。退出码：0 表示全部成功，1 表示有失败（会逐一说明），2 表示用法有误。"
    "每个命令都可以加 `-q`（`--quiet`，只输出结果和错误）和 `-v`（`--verbose`，同时输出日志内容和错误位置）。",
}


def page() -> str:
    """Return all commands as Markdown."""
    root = click.Context(ai_popup, info_name="ai-popup")
    return "\n".join([f"# {TITLES[TEXTS.language][0]}", "", INTRO[TEXTS.language], *_command(ai_popup, root), ""])


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    depth = context.command_path.count(" ")
    if depth:
        yield from ("", f"{'#' * (depth + 1)} `{context.command_path}`")
    yield from ("", (command.help or "").strip(), "")
    yield from ("```text", f"{context.command_path} {' '.join(command.collect_usage_pieces(context))}", "```")
    told = [record for parameter in command.get_params(context) if (record := parameter.get_help_record(context)) is not None]
    own = [(words, meaning) for words, meaning in told if meaning and not any(each in words for each in ("--help", "--quiet", "--verbose"))]
    if own:
        _, what, meaning = TITLES[TEXTS.language]
        yield from ("", f"| {what} | {meaning} |", "| --- | --- |", *(f"| `{_cell(words)}` | {_cell(text)} |" for words, text in own))
    if examples := examples_of(context):
        yield from ("", "```sh", *examples, "```")
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            if not inner.hidden:
                yield from _command(inner, click.Context(inner, info_name=name, parent=context))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]  # a file or a terminal
    sys.stdout.write(page())
