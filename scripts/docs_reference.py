"""Writes docs/reference/ (errors, settings; two languages) from the code and the catalogues; `--check` fails if a page is out of date."""

import argparse
import json
import re
import sys
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from agent.app.setting_fields import SettingField, setting_fields  # noqa: E402
from agent.domain.errors import leaves  # noqa: E402
from agent.i18n import Texts  # noqa: E402
from agent.settings import Settings  # noqa: E402

FOLDER = ROOT / "docs" / "reference"
ENDINGS = {"en": ".md", "zh-CN": ".zh-CN.md"}

WORDS = {
    "en": {
        "made": "<!-- Made by scripts/docs_reference.py: change the code or assets/locales, then run it again. -->",
        "errors": "Errors",
        "errors_intro": "Every error has a code that never changes. It stands in logs, in `--json` output and in the API; "
        "people see what happened and what to do. ‹Words› in brackets are filled in.",
        "settings": "Settings",
        "settings_intro": "All settings live in one file, `settings.toml`; `ai-popup config path` says where. "
        "Edit it with any editor, or by `ai-popup config set KEY VALUE`. Changes take effect at once. "
        "A file with a mistake is not taken over: the settings in force stay, and the program says what is wrong; "
        "`ai-popup config validate` checks the whole.\n\n"
        "What counts, from weakest to strongest: the defaults below; the profile that `AI_POPUP_PROFILE` names (`prod`, `staging`, "
        "`dev`); the file; variables such as `AI_POPUP__POPUP__SECONDS=20` (section and key in capitals, two underscores between).\n\n"
        "`AI_POPUP_HOME` puts settings, library and logs below one folder: a second, separate library.",
        "columns": "| Setting | Default | Allowed | What it does |",
        "required": "must be given",
        "any": "any",
        "range": "{low} to {high}",
        "inside": "above {low}, below {high}",
        "choice": "`{choice}` ({title})",
        "example": "such as {values}",
    },
    "zh-CN": {
        "made": "<!-- 由 scripts/docs_reference.py 生成：请修改代码或 assets/locales，然后重新运行。 -->",
        "errors": "错误代码",
        "errors_intro": "每个错误都有一个固定不变的代码，出现在日志、`--json` 输出和 API 中；"
        "界面上显示原因和处理办法。‹括号›中的内容会被替换。",
        "settings": "设置",
        "settings_intro": "所有设置都在一个文件 `settings.toml` 中；`ai-popup config path` 显示它的位置。可以用任何编辑器修改，也可以用 "
        "`ai-popup config set 键 值`。修改立即生效。有错误的文件不会被采用：原有设置继续有效，程序会说明哪里有问题；"
        "`ai-popup config validate` 检查整个文件。\n\n"
        "优先级由低到高：下面的默认值；`AI_POPUP_PROFILE` 指定的配置档（`prod`、`staging`、`dev`）；设置文件；环境变量，例如 "
        "`AI_POPUP__POPUP__SECONDS=20`（小节和键大写，之间用两个下划线）。\n\n"
        "`AI_POPUP_HOME` 把设置、图库和日志都放到一个文件夹下：即另一个独立的图库。",
        "columns": "| 设置 | 默认值 | 可用值 | 作用 |",
        "required": "必填",
        "any": "任意",
        "range": "{low} 到 {high}",
        "inside": "大于 {low}，小于 {high}",
        "choice": "`{choice}`（{title}）",
        "example": "例如 {values}",
    },
}


def errors_page(language: str) -> str:
    """The page of all error codes."""
    texts, words = Texts(language), WORDS[language]
    lines = [words["made"], "", f"# {words['errors']}", "", words["errors_intro"]]
    for code in sorted(leaves()):
        cause, remedy = (re.sub(r"\{(\w+)\}", r"‹\1›", texts(f"errors.{code}.{part}")) for part in ("cause", "remedy"))
        lines += ["", f"## `{code}`", "", cause, "", remedy]
    return "\n".join(lines) + "\n"


def settings_page(language: str) -> str:
    """The page of all settings."""
    texts, words = Texts(language), WORDS[language]
    lines = [words["made"], "", f"# {words['settings']}", "", words["settings_intro"]]
    for section in Settings.model_fields:
        lines += ["", f"## {texts(f'settings.{section}.title')}", "", words["columns"], "| --- | --- | --- | --- |"]
        for field in setting_fields().values():
            if field.key.replace("[]", "").split(".")[0] == section:
                name = f"settings.{field.key.replace('[]', '')}"
                told = f"**{texts(f'{name}.title')}**<br>{texts(f'{name}.help')}".replace("|", "\\|")
                lines.append(f"| `{field.key}` | {_default(field, words)} | {_allowed(field, words, texts)} | {told} |")
    return "\n".join(lines) + "\n"


def _default(field: SettingField, words: dict[str, str]) -> str:
    if field.default is None:
        return words["required"]
    value = field.default.value if isinstance(field.default, Enum) else field.default
    return f"`{json.dumps(list(value) if isinstance(value, tuple) else value)}`"


def _allowed(field: SettingField, words: dict[str, str], texts: Texts) -> str:
    if field.choices:
        titles = {choice: texts(f"settings.{field.key.replace('[]', '')}.choice_{choice}") for choice in field.choices}
        return ", ".join(
            f"`{choice}`" if choice == title else words["choice"].format(choice=choice, title=title) for choice, title in titles.items()
        )
    if field.kind == "bool":
        return "`true`, `false`"
    if field.minimum is not None and field.maximum is not None:
        span = words["inside" if field.open_interval else "range"].format(low=f"{field.minimum:,}", high=f"{field.maximum:,}")
        return f"{span} {texts(f'settings.unit.{field.unit}')}" if field.unit else span
    if field.examples:
        return words["example"].format(values=", ".join(f"`{example}`" for example in field.examples))
    return words["any"]


def pages() -> dict[str, str]:
    """File name -> content."""
    made: dict[str, str] = {}
    for language, ending in ENDINGS.items():
        made[f"errors{ending}"] = errors_page(language)
        made[f"settings{ending}"] = settings_page(language)
    return made


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
