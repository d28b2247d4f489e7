"""Makes the pages `docs/operate/asvs*.md` of `docs/operate/asvs.toml`; with `--check` it only says whether they are current.

Each requirement of levels 1 and 2 is answered exactly once, and what is named as evidence exists.
"""

import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
DATA: Final = ROOT / "docs" / "operate" / "asvs.toml"
STATES: Final = ("met", "partly", "open", "none")
_HEAD: Final = {
    "en": """# ASVS, level 2

[简体中文](asvs.zh-CN.md) · [Run a server](index.md) · [Threat model](threat-model.md)

How the team server compares with the [OWASP Application Security Verification Standard](https://owasp.org/www-project-application-security-verification-standard/) 5.0.0, levels 1 and 2.
The project made this itself; no outsider has assessed it. The texts of the requirements are in the standard; here are their numbers, and what shows the answer. Made by `scripts/asvs.py`.
""",  # noqa: E501
    "zh": """# ASVS 第二级

[English](asvs.md) · [运行服务器](index.zh-CN.md) · [威胁模型](threat-model.zh-CN.md)

团队服务器对照 [OWASP 应用安全验证标准](https://owasp.org/www-project-application-security-verification-standard/) 5.0.0 第一、二级的情况。\
由项目自行评估，没有外部人员参与。要求的原文见标准；这里列出编号和依据。由 `scripts/asvs.py` 生成。
""",
}
_WORDS: Final = {
    "en": {"met": "met", "partly": "partly", "open": "**not met**", "none": "not applicable"},
    "zh": {"met": "满足", "partly": "部分满足", "open": "**未满足**", "none": "不适用"},
}
_COLUMNS: Final = {"en": ("requirements", "state", "how", "shown by"), "zh": ("要求", "状态", "做法", "依据")}
_COUNTED: Final = {"en": "of {total} requirements", "zh": "（共 {total} 项要求）"}


def expanded(ranges: Sequence[str]) -> Iterator[str]:
    """`6.2.1-3` is 6.2.1, 6.2.2 and 6.2.3."""
    for each in ranges:
        section, _, numbers = each.rpartition(".")
        first, _, last = numbers.partition("-")
        yield from (f"{section}.{number}" for number in range(int(first), int(last or first) + 1))


def problems(data: dict[str, object]) -> list[str]:
    """What is answered twice or not at all, and evidence that doesn't exist."""
    chapters, entries = data["chapter"], data["entry"]
    assert isinstance(chapters, list) and isinstance(entries, list)
    wanted = {number for chapter in chapters for number in expanded(chapter["ids"])}
    answered = Counter(number for entry in entries for number in expanded(entry["ids"]))
    found = [f"{number} is not answered" for number in sorted(wanted - answered.keys())]
    found += [f"{number} is answered {count} times" for number, count in answered.items() if count > 1]
    found += [f"{number} is no requirement of levels 1 and 2" for number in sorted(answered.keys() - wanted)]
    for entry in entries:
        where = ", ".join(entry["ids"])
        found += [f"{where}: {path} does not exist" for path in entry["evidence"] if not (ROOT / path).exists()]
        if entry["state"] not in STATES or (entry["state"] == "met" and not entry["evidence"]):
            found.append(f"{where}: the state is unknown, or has no evidence")
    return found


def page(data: dict[str, object], language: str) -> str:
    chapters, entries, words = data["chapter"], data["entry"], _WORDS[language]
    assert isinstance(chapters, list) and isinstance(entries, list)
    counts = Counter[str]()
    for entry in entries:
        counts[entry["state"]] += len(list(expanded(entry["ids"])))
    total = sum(counts.values())
    said = ", " if language == "en" else "，"
    summary = said.join(f"{words[state]} {counts[state]}" for state in STATES)
    tail = _COUNTED[language].format(total=total)
    lines = [_HEAD[language], f"{summary} {tail}." if language == "en" else f"{summary}{tail}。"]
    for number, chapter in enumerate(chapters, 1):
        lines += ["", f"## V{number} {chapter[language]}", "", f"| {' | '.join(_COLUMNS[language])} |", "|---|---|---|---|"]
        for entry in entries:
            if mine := [each for each in entry["ids"] if each.split(".")[0] == str(number)]:
                shown = "、".join if language == "zh" else ", ".join
                evidence = shown(f"`{path}`" for path in entry["evidence"])
                lines.append(f"| {shown(mine)} | {words[entry['state']]} | {entry[language]} | {evidence} |")
    return re.sub(r" +\n", "\n", "\n".join(lines)) + "\n"


def main() -> int:
    """Return the exit code."""
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    if found := problems(data):
        print("\n".join(found), file=sys.stderr)
        return 1
    pages = {DATA.with_name(f"asvs{suffix}.md"): page(data, language) for language, suffix in (("en", ""), ("zh", ".zh-CN"))}
    stale = [path for path, text in pages.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        print("\n".join(f"stale: {path.name}; run scripts/asvs.py" for path in stale) or "up to date")
        return 1 if stale else 0
    for path in stale:
        path.write_text(pages[path], encoding="utf-8")
    print(f"{len(stale)} pages written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
