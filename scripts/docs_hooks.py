"""Turns the pages in docs/ into a site: MkDocs calls `on_config` before it builds (see mkdocs.yml)."""

import re
import shutil
from pathlib import Path
from typing import Any, Protocol

from scripts import api_reference

ROOT = Path(__file__).parent.parent
# Pages beside docs/, and their names on the site.
OUTSIDE = {"README": "index", "CONTRIBUTING": "contributing", "SECURITY": "security", "CHANGELOG": "changelog"}
DECISIONS = {".md": "# Decisions\n", ".zh-CN.md": "# 设计决定\n\n这些记录只有英文。\n"}
_SWITCH = re.compile(r"^\[(?:简体中文|English)\]\([^)]*\)(?: · )?", re.MULTILINE)
_PAGE = rf"({'|'.join(OUTSIDE)})\.md"


class Site(Protocol):
    docs_dir: str
    nav: Any


# With reduced motion, the short animations are replaced.
_STILL = '@media (prefers-reduced-motion: reduce) { img[src$=".webp"] { display: none } }\n'


def slug(title: str, separator: str = "-") -> str:
    """Return the id of a heading, as in the help in the program and on sites that show Markdown."""
    return re.sub(r"\s+", separator, re.sub(r"[^\w. -]", "", title.lower()).strip())


def on_config(config: Site) -> Site:
    """Build from a copy in which every page has its place."""
    folder = staged(ROOT / "build" / "docs")
    config.docs_dir = str(folder)
    config.nav = there(config.nav, folder)
    return config


def there(navigation: Any, folder: Path) -> Any:
    """Return the navigation without pages that do not exist."""
    if isinstance(navigation, list):
        return [entry for one in navigation if (entry := there(one, folder)) is not None]
    if isinstance(navigation, dict):
        return {title: there(inner, folder) for title, inner in navigation.items()}
    return navigation if (folder / navigation).is_file() else None


def staged(target: Path) -> Path:
    """Create the site's folder: docs/, the pages beside it, the API reference, a list of the decisions, and the icon."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "docs", target)
    (target / "assets").mkdir()
    shutil.copy(ROOT / "assets" / "icons" / "mark-128.png", target / "assets" / "mark.png")
    (target / "assets" / "still.css").write_text(_STILL, encoding="utf-8")
    for name, called in OUTSIDE.items():
        for page in (ROOT / f"{name}.md", ROOT / f"{name}.zh-CN.md"):
            if page.is_file():
                (target / page.name.replace(name, called)).write_text(_within(page.read_text(encoding="utf-8")), encoding="utf-8")
    decisions = sorted((target / "decisions").glob("*.md"))
    listed = [f"- [{page.read_text(encoding='utf-8').splitlines()[0].lstrip('# ')}]({page.name})\n" for page in decisions]
    for language, ending in (("en", ".md"), ("zh-CN", ".zh-CN.md")):
        (target / "reference" / f"api{ending}").write_text(api_reference.page(language), encoding="utf-8")
    for ending, title in DECISIONS.items():
        (target / "decisions" / f"index{ending}").write_text(f"{title}\n{''.join(listed)}", encoding="utf-8")
    for page in sorted(target.rglob("*.md")):  # `name.md` before `name.zh-CN.md`
        text = _placed(page.read_text(encoding="utf-8"))
        english = page.with_name(page.name.replace(".zh-CN.md", ".md"))
        page.write_text(text if english == page else named_as(text, english.read_text(encoding="utf-8")), encoding="utf-8")
    return target


def headings(text: str) -> list[tuple[int, str]]:
    """Return line number and text of each heading; comments in code blocks are not headings."""
    found, within = [], False
    for number, line in enumerate(text.splitlines()):
        within ^= line.startswith("```")
        if not within and (heading := re.match("#+ (.*)", line)):
            found.append((number, heading[1]))
    return found


def named_as(text: str, english: str) -> str:
    """Give the headings the ids of the same headings in English, so that links work in both languages. Those that have one keep it."""
    lines = text.splitlines()
    for (number, own), (_, words) in zip(headings(text), headings(english), strict=True):
        if not own.endswith("}"):
            lines[number] += f" {{#{slug(words)}}}"
    return "\n".join(lines) + "\n"


def _placed(text: str) -> str:
    """Adapt links: the site has its own choice of languages and links within each; the pages beside docs/ have a place in it."""
    own = re.sub(r"(\]\([^)\s:]*?)\.zh-CN\.md", r"\1.md", _SWITCH.sub("", text, count=1))
    return re.sub(rf"\]\(((?:\.\./)*)\.\./{_PAGE}", lambda found: f"]({found[1]}{OUTSIDE[found[2]]}.md", own)


def _within(text: str) -> str:
    """Return a page beside docs/ with its links as seen from inside. A link that has no place on the site becomes plain text."""
    text = re.sub(r"\[([^\]]*)\]\((?!docs/|https?:|#|[A-Z]+(?:\.zh-CN)?\.md)[^)]*\)", r"\1", text)
    text = text.replace("](docs/decisions)", "](decisions/index.md)").replace("](docs/", "](").replace(".zh-CN.md", ".md")
    return re.sub(rf"\]\({_PAGE}", lambda found: f"]({OUTSIDE[found[1]]}.md", text)
