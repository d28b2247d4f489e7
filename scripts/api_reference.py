"""The reference of the HTTP API, from its OpenAPI description."""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

DESCRIPTION = Path(__file__).parent.parent / "ui" / "src" / "api" / "openapi.json"
TITLES = {
    "en": ("HTTP API", "request", "takes", "gives", "What is sent", "field", "type", "meaning"),
    "zh-CN": ("HTTP API", "请求", "参数", "返回", "数据结构", "字段", "类型", "含义"),
}
INTRO = {
    "en": (
        "What the popup, the pages and the command line speak to the agent, on this computer only. It may change with every version;",
        "scripts do better with `--json` on the command line. Every request but `GET /health` needs the token, as `Authorization: Bearer`;",
        "it lies in an owner-only file of the runtime folder. What is refused comes as `Problem` with a [code](errors.md).",
    ),
    "zh-CN": (
        "弹窗、网页和命令行就是通过它与助手通信的，只限本机。它可能随每个版本变化；脚本更适合使用命令行的 `--json`。",
        "除 `GET /health` 之外，每个请求都要带上令牌（`Authorization: Bearer`），它放在运行时文件夹里只有本人可读的文件中。",
        "被拒绝的请求返回 `Problem`，其中有[错误码](errors.md)。说明文字只有英文。",
    ),
}


def page(language: str) -> str:
    """Return all routes and schemas as Markdown."""
    told = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    words = TITLES[language]
    lines = [f"# {words[0]}", "", *INTRO[language]]
    for area, paths in groupby(sorted(told["paths"]), key=_area):
        lines += ["", f"## `{area}`", "", f"| {words[1]} | {words[2]} | {words[3]} | {words[7]} |", "| --- | --- | --- | --- |"]
        for path in paths:
            lines += [_route(path, method, route) for method, route in sorted(told["paths"][path].items())]
    lines += ["", f"## {words[4]}"]
    for name, schema in sorted(told["components"]["schemas"].items()):
        lines += ["", f"### `{name}`", "", *_schema(schema, words)]
    return "\n".join(lines) + "\n"


def _area(path: str) -> str:
    return "/".join(path.split("/")[:3])


def _route(path: str, method: str, route: Mapping[str, Any]) -> str:
    takes = [f"`{one['name']}`" for one in route.get("parameters", ()) if one["in"] != "header"]
    takes += [_type(kind.get("schema", {})) for kind in route.get("requestBody", {}).get("content", {}).values()]
    gives = [
        _content(kind, content)
        for code, answer in route["responses"].items()
        if code < "3"
        for kind, content in answer.get("content", {}).items()
    ]
    return f"| `{method.upper()} {path}` | {', '.join(takes)} | {', '.join(gives)} | {_line(route.get('description', ''))} |"


def _content(kind: str, content: Mapping[str, Any]) -> str:
    return _type(content["schema"]) if kind == "application/json" and content.get("schema") else f"`{kind}`"


def _schema(schema: Mapping[str, Any], words: tuple[str, ...]) -> Iterator[str]:
    if "properties" not in schema:
        yield _type(schema)
        return
    if schema.get("description"):
        yield from (_line(schema["description"]), "")
    yield from (f"| {words[5]} | {words[6]} | {words[7]} |", "| --- | --- | --- |")
    for name, field in schema["properties"].items():
        yield f"| `{name}` | {_type(field)} | {_line(field.get('description', ''))} |"


def _type(schema: Mapping[str, Any]) -> str:
    """Return the type in a few words, with links to the schemas on this page."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[`{name}`](#{name.lower()})"
    if "enum" in schema:
        return " · ".join(f"`{json.dumps(one)}`" for one in schema["enum"])
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if inner := schema.get("anyOf") or schema.get("oneOf"):
        return " · ".join(_type(one) for one in inner)
    if schema.get("type") == "array":
        items = schema.get("items") or {}
        return f"{_type(items)} […]" if items else "[…]"
    return f"`{schema.get('type', 'any')}`"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
