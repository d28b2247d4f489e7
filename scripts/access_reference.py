"""The page of roles, scopes and routes, from the scopes that the routes declare in the API's description."""

import json
from pathlib import Path

from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.access import SCOPES, Role, Scope

API = Path(__file__).parent.parent / "ui" / "src" / "api" / "openapi.json"


def access(language: str) -> str:
    """Return the page as Markdown."""
    texts = Texts(language)
    roles = [texts(f"roles.{role}") for role in Role]
    lines = [f"# {texts('reference.access')}", "", texts("reference.access_intro"), "", texts("reference.access_tokens"), ""]
    lines += [f"## {texts('reference.access_roles')}", "", _row(texts("reference.column_scope"), *roles), _row(*["---"] * (len(roles) + 1))]
    for scope in Scope:
        if scope is not Scope.OPEN:
            has = [texts("reference.yes") if scope in SCOPES[role] else "" for role in Role]
            what = texts("reference.own_desktop") if scope is Scope.DESKTOP else texts(f"scopes.{scope}")
            lines.append(_row(f"`{scope}`<br>{what}", *has))
    columns = (texts("reference.column_scope"), texts("reference.column_route"))
    lines += ["", f"## {texts('reference.access_routes')}", "", _row(*columns), _row("---", "---")]
    routes = routes_by_scope()
    for scope in Scope:
        if routes[scope]:
            lines.append(
                _row(f"`{scope}`<br>{texts(f'scopes.{scope}')}", "<br>".join(f"`{method} {path}`" for method, path in routes[scope]))
            )
    return "\n".join(lines) + "\n"


def routes_by_scope() -> dict[Scope, list[tuple[str, str]]]:
    """Return method and path of every route, by its scope."""
    found: dict[Scope, list[tuple[str, str]]] = {scope: [] for scope in Scope}
    for path, methods in sorted(json.loads(API.read_text(encoding="utf-8"))["paths"].items()):
        for method, told in methods.items():
            found[Scope(told["x-scope"])].append((method.upper(), path))
    return found


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
