"""Converts the alerts of screen watching to texts and API shapes."""

from collections.abc import Mapping

from agent.core.i18n import Texts
from agent.screen.watch import Watching
from agent.screen.watch_schemas import WatchOut, WatchSaid
from agent.web.schemas import Problem


def shown(watching: Watching, names: Mapping[int, str], texts: Texts) -> WatchOut:
    now = watching.shown.value
    return WatchOut(
        state=now.state.value,
        until=now.until,
        problem=Problem.maybe(now.problem, texts),
        said=tuple(
            WatchSaid(
                number=said.number,
                at=said.at,
                kind=said.kind.value,
                text=said.text(texts, names),
                person_id=said.person_id if said.person_id in names else None,
            )
            for said in watching.said
        ),
    )
