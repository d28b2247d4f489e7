"""A person's own data as a page to read: one file without scripts, which loads nothing, in the language of who asks."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any, Final

from agent.infrastructure.core.i18n import Texts

_DAY: Final = len("2026-12-01")
_STYLE: Final = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:45rem;margin:0 auto;padding:1rem}"
    "table{width:100%;border-collapse:collapse}th,td{padding:.4rem .8rem .4rem 0;border-top:1px solid #8886;"
    "text-align:start;vertical-align:top;overflow-wrap:anywhere}h2{margin-top:2rem;font-size:1.1rem}"
)
# What is shown of the person, in the catalogue's words.
_DETAILS: Final = {
    "birth_date": "people_page.birth_date",
    "notes": "people_page.notes",
    "basis": "ui.people.basis.title",
    "basis_at": "people_page.basis_at",
    "watch_at": "people_page.watch_at",
    "named_at": "people_page.named_at",
    "confirmed_at": "people_page.confirmed_at",
    "retention_days": "own_data.retention_days",
    "hidden": "people_page.hide",
    "never": "people_page.never",
}


def own_page(lines: Iterator[bytes], texts: Texts) -> Iterator[bytes]:
    """Yield the page of the JSON lines that `agent.features.people.export.held` yields, as they come."""
    person = json.loads(next(lines))
    title = escape(texts("own_data.title", name=person["name"]))
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>'
    yield _bytes(f'<!doctype html><html lang="{texts.language}"><head>{head}<style>{_STYLE}</style></head><body><h1>{title}</h1>')
    yield _bytes(f"<p>{escape(texts('own_data.text'))}</p>{_table(_details(person, texts))}")
    said = [_consent(each, texts) for each in person["consents"]]
    yield _bytes(f"<h2>{escape(texts('team_page.my_consent.agreed'))}</h2>{_table(said or [(texts('own_data.nothing'),)])}")
    columns = tuple(texts(f"own_data.{name}") for name in ("face", "named", "position", "print"))
    yield _bytes(f"<h2>{escape(texts('own_data.faces'))}</h2><table><thead>{_row(columns, 'th')}</thead><tbody>")
    for number, line in enumerate(lines, 1):
        yield _bytes(_row((str(number), *_face(json.loads(line), texts))))
    yield b"</tbody></table></body></html>\n"


def _details(person: dict[str, Any], texts: Texts) -> list[tuple[str, ...]]:
    return [(texts(label), _said(name, person[name], texts)) for name, label in _DETAILS.items() if person[name] not in (None, "")]


def _said(name: str, value: str | int | bool, texts: Texts) -> str:
    if isinstance(value, bool):
        return texts("own_data.yes" if value else "own_data.no")
    if name == "basis":
        return texts(f"ui.people.basis.{value}")
    return value[:_DAY] if name.endswith("_at") and isinstance(value, str) else str(value)


def _consent(said: dict[str, Any], texts: Texts) -> tuple[str, ...]:
    what = "withdrawn" if said["state"] == "withdrawn" else "given" if said["valid_until"] is None else "given_until"
    words = texts(f"team_page.consent.{what}", when=said["given_on"], until=said["valid_until"] or "")
    basis = said["basis"] and texts(f"ui.people.basis.{said['basis']}")
    more = [each for each in (basis, said["guardian"], said["document"]) if each]
    return (texts(f"team_page.consent.{said['purpose']}"), texts("ui.list_separator").join([words, *more]))


def _face(face: dict[str, Any], texts: Texts) -> tuple[str, ...]:
    x, y, width, height = (round(each) for each in face["box"])
    kept = texts("own_data.no" if face["face_print"] is None else "own_data.yes")
    return (texts(f"own_data.by.{face['certainty']}"), f"{x}, {y}, {width} × {height}", kept)


def _table(rows: list[tuple[str, ...]]) -> str:
    return f"<table><tbody>{''.join(map(_row, rows))}</tbody></table>"


def _row(cells: tuple[str, ...], kind: str = "td") -> str:
    return f"<tr>{''.join(f'<{kind}>{escape(each)}</{kind}>' for each in cells)}</tr>"


def _bytes(text: str) -> bytes:
    return text.encode()
