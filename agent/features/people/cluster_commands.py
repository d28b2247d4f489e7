"""`ai-popup people clusters`: prints the clusters of similar unnamed faces."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from agent.domain.errors import RecognitionOff
from agent.domain.path_text import printable
from agent.interfaces.cli.command import Command, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, say
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.domain.face import Box
    from agent.features.people.queries.people_queries import PeopleQueries

PAGE = 100
_PATHS_SHOWN = 3


@click.command(cls=Command, help=TEXTS("cli.help.people_clusters"))
@json_option("json_each")
@click.pass_obj
def clusters(session: CommandSession, as_json: bool) -> None:
    from agent.features.people.queries.people_queries import PeopleQueries

    if not session.settings.recognition.enabled:
        raise RecognitionOff
    with session.library(PeopleQueries) as library:
        waiting = bool(library.ungrouped(1))
    if waiting:
        _place(session)
    found = 0
    with session.library(PeopleQueries, checked=True) as library:
        for group_id, faces in _clusters(library):
            found += 1
            if as_json:
                boxes = [{"path": path, "box": [box.x, box.y, box.w, box.h]} for path, box in faces]
                say(json.dumps({"id": group_id, "faces": boxes}, ensure_ascii=False))
                continue
            say(session.texts("cli.people.cluster", id=group_id, faces=session.texts("count.faces", count=len(faces))))
            photos = Counter(path for path, _ in faces)
            say(*(f"  {path}" for path in list(photos)[:_PATHS_SHOWN]))
            if len(photos) > _PATHS_SHOWN:
                say("  " + session.texts("cli.people.cluster_more", count=len(photos) - _PATHS_SHOWN))
    if not as_json:
        note(session.texts("cli.people.clusters", count=found) if found else session.texts("cli.people.no_clusters"))


def _place(session: CommandSession) -> None:
    """Have the agent place the faces that are in no cluster yet, without waiting for an idle moment. Raises EngineError, StoreError."""
    from agent.interfaces.cli.in_process_app import backend

    with backend(session) as able:
        able.send_long("/api/groups/refresh")


def _clusters(library: "PeopleQueries") -> "Iterator[tuple[int, list[tuple[str, Box]]]]":
    """Yield each cluster that the people page shows, the largest first: its id, and the photo and box of each face."""
    offset = 0
    while page := library.groups(limit=PAGE, offset=offset)[0]:
        offset += len(page)
        for group in page:
            faces = library.group_faces(group.id)
            paths = _paths(library, [face.image_id for face in faces])
            yield group.id, [(paths[face.image_id], face.box) for face in faces if face.image_id in paths]


def _paths(library: "PeopleQueries", images: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(images), PAGE):
        found |= {image.id: printable(image.places[0][1]) for image in library.images_by_id(images[start : start + PAGE])}
    return found
