"""`ai-popup help`: the pages of the documentation, as text, also where no browser is and the server is down."""

import re
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

import click

from agent.infrastructure.core.i18n import FALLBACK
from agent.infrastructure.core.resources import resource
from agent.interfaces.cli.command import Command, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import tell
from agent.interfaces.cli.session import CommandSession

_TITLE = re.compile(r"^# (.*?)(?: *\{#[\w-]+\})?$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]*)\)")


@click.command(cls=Command, name="help", help=TEXTS("cli.help.help"))
@click.argument("page", required=False, shell_complete=lambda *asked: [each for each in _pages(FALLBACK) if each.startswith(asked[-1])])
@json_option("json_each")
@click.pass_obj
def help_page(session: CommandSession, page: str | None, as_json: bool) -> None:
    texts = session.texts
    found = _pages(texts.language)
    if not found:
        raise click.ClickException(texts("cli.help_page.none"))
    if page is None:
        for each, file in found.items():
            title = _title(file)
            tell({"page": each, "title": title}, f"{each:<26} {title}", as_json=as_json)
        return
    # Older alerts name a path.
    name = PurePosixPath(page).name.removesuffix(".md").removesuffix(".zh-CN").replace("_", "-").lower()
    if name not in found:
        near = next(iter(get_close_matches(name, found, 1)), "")
        raise click.BadParameter(texts("cli.help_page.near" if near else "cli.help_page.unknown", near=near), param_hint="PAGE")
    text = _shown(found[name])
    tell({"page": name, "text": text}, *text.split("\n"), as_json=as_json)


def _pages(language: str) -> dict[str, Path]:
    """The pages by name."""
    return {file.stem: file for file in sorted((resource("help") / language).glob("*.md"))}


def _title(file: Path) -> str:
    found = _TITLE.search(file.read_text("utf-8"))
    return found[1] if found else file.stem


def _shown(file: Path) -> str:
    """Return a page for a terminal: links to other pages are the commands that print them."""
    pages = _pages(FALLBACK)

    def link(found: re.Match[str]) -> str:
        text, to = found.groups()
        if found[0].startswith("!"):
            return ""
        if re.match("https?:", to):
            return f"{text} ({to})" if text != to else to
        name = PurePosixPath(to.partition("#")[0]).name.removesuffix(".md").removesuffix(".zh-CN")
        if name not in pages or to.startswith("#"):
            return text
        if found.string[: found.start()].rstrip(" ")[-1:].isalnum() and text == _title(file.with_name(f"{name}.md")):
            text = f"“{text}”"  # in a sentence, which without the link's look would run on
        return f"{text} (`ai-popup help {name}`)"

    text = re.sub(r"\A<!--.*?-->\s*", "", file.read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"^\[(?:简体中文|English)\]\([^)]*\)(?: · |\n+)", "", text, count=1, flags=re.MULTILINE)
    return _LINK.sub(link, re.sub(r"^(#+ .*?) *\{#[\w-]+\}$", r"\1", text, flags=re.MULTILINE)).strip()
