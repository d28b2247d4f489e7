"""Writes docs/reference/ (commands, settings, errors, access) from code and catalogues; `--check` fails if a page is out of date."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from agent.infrastructure.core.i18n import Texts  # noqa: E402
from agent.infrastructure.core.paths import HOME_VARIABLE  # noqa: E402
from agent.interfaces.web.error_reference import PAGES, HelpPart, HelpReference  # noqa: E402
from scripts.access_reference import access  # noqa: E402

FOLDER = ROOT / "docs" / "reference"
ENDINGS = {"en": ".md", "zh-CN": ".zh-CN.md"}
LOCALES = {"en": "en_GB.UTF-8", "zh-CN": "zh_CN.UTF-8"}
MADE = {
    "en": "<!-- Made by scripts/docs_reference.py: change the code or assets/locales, then run it again. -->",
    "zh-CN": "<!-- 由 scripts/docs_reference.py 生成：请修改代码或 assets/locales，然后重新运行。 -->",
}


def markdown(page: HelpReference) -> str:
    """Return a page as it is stored in the docs."""
    lines = [f"# {page.title}"]
    for text in page.intro:
        lines += ["", text]
    for part in page.parts:
        lines += ["", f"## {part.title}"]
        for text in part.text:
            lines += ["", text]
        if part.rows:
            lines += ["", *_table(page, part)]
    return "\n".join(lines) + "\n"


def _table(page: HelpReference, part: HelpPart) -> list[str]:
    lines = [f"| {' | '.join(page.columns)} |", f"|{' --- |' * len(page.columns)}"]
    for row in part.rows:
        told = f"**{row.title}**<br>{row.help}".replace("|", "\\|")
        lines.append(f"| `{row.key}` | {row.default} | {row.allowed} | {told} |")
    return lines


def pages() -> dict[str, str]:
    """Return file name -> content."""
    made: dict[str, str] = {}
    for language, ending in ENDINGS.items():
        told = {name: markdown(page(Texts(language))) for name, page in PAGES.items()}
        told["commands"] = _commands(language)
        told["access"] = access(language)
        made |= {f"{name}{ending}": f"{MADE[language]}\n\n{text}" for name, text in told.items()}
    return made


def _commands(language: str) -> str:
    """Return the command reference. The command line reads its language from the system once, at its start."""
    words = [sys.executable, "-m", "scripts.cli_reference"]
    env = {**os.environ, "LC_ALL": LOCALES[language], HOME_VARIABLE: os.devnull}  # no settings that choose another language
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, encoding="utf-8", timeout=60, check=True)
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a page is out of date")
    check = parser.parse_args().check
    stale = [name for name, text in pages().items() if not (FOLDER / name).is_file() or (FOLDER / name).read_text(encoding="utf-8") != text]
    if check:
        print("\n".join(f"docs/reference/{name} is out of date: run scripts/docs_reference.py" for name in stale) or "up to date")
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(stale)} pages written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
