"""`ai-popup models`: lists, fetches, adds and verifies models."""

import json
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.domain.errors import AgentError
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, say, tell
from agent.interfaces.cli.params import There
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.features.models.model_store import FetchProgress, ModelInfo, ModelStore


def _store(session: CommandSession) -> "ModelStore":
    from agent.features.models.model_store import ModelStore

    session.paths.create()
    return ModelStore(session.paths.data / "models")


def _names(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    return [info.name for info in _store(context.find_root().obj).list() if info.name.startswith(begun)]


@click.group(cls=CommandGroup, help=TEXTS("cli.help.models"))
def models() -> None: ...


@models.command(name="list", help=TEXTS("cli.help.models_list"))
@json_option("json_each")
@click.pass_obj
def list_models(session: CommandSession, as_json: bool) -> None:
    for info in _store(session).list():
        if as_json:
            say(json.dumps(_facts(info)))
        else:
            _show(session, info)


@models.command(help=TEXTS("cli.help.models_fetch"))
@click.argument("names", nargs=-1, shell_complete=_names)
@json_option("json_each")
@click.pass_obj
def fetch(session: CommandSession, names: tuple[str, ...], as_json: bool) -> None:
    """Fetch models; without names, the detector, and the embedder too while recognition is on."""
    store = _store(session)
    for name in names or _needed(session, store):
        fetch_shown(session, store, name)
        if as_json:
            say(json.dumps(_facts(store.info(name))))
    _tell_agent(session)


def fetch_missing(session: CommandSession, *, embeddings: bool) -> None:
    """Fetch models that a scan needs and that are missing. Raises ModelError, StoreError."""
    store = _store(session)
    for name in _needed(session, store, embeddings=embeddings):
        if store.info(name).state.value != "present":
            fetch_shown(session, store, name)


def _needed(session: CommandSession, store: "ModelStore", *, embeddings: bool = False) -> tuple[str, ...]:
    needed = session.program.recipe(session.settings, embeddings).models
    return tuple(info.name for info in store.list() if info.recipe in needed)


def fetch_shown(session: CommandSession, store: "ModelStore", name: str) -> Path:
    """Fetch a model, with progress on standard error. Raises ModelError, StoreError."""
    from agent.infrastructure.core.files import store_error

    told: set[str] = set()

    def progress(now: "FetchProgress") -> None:
        if now.source not in told:
            told.add(now.source)
            note(session.texts("cli.models.fetching", name=now.name, source=now.source))

    try:
        path = store.fetch(name, progress)
    except OSError as error:
        raise store_error(error) from error
    note(session.texts("cli.models.ready", name=name))
    return path


@models.command(help=TEXTS("cli.help.models_add"))
@click.argument("file", type=There(dir_okay=False, path_type=Path))
@json_option()
@click.pass_obj
def add(session: CommandSession, file: Path, as_json: bool) -> None:
    from agent.infrastructure.core.files import store_error

    try:
        info = _store(session).add(file)
    except OSError as error:
        raise store_error(error) from error
    tell(_facts(info), session.texts("cli.models.ready", name=info.name), as_json=as_json)
    _tell_agent(session)


def _tell_agent(session: CommandSession) -> None:
    """Notify a running agent, which may have waited for the model."""
    with suppress(AgentError), closing(session.client()) as agent:
        agent.post("/api/rescan")


@models.command(help=TEXTS("cli.help.models_verify"))
@json_option("json_each")
@click.pass_obj
def verify(session: CommandSession, as_json: bool) -> int:
    infos = _store(session).verify()
    for info in infos:
        tell(_facts(info), f"{info.name}: {session.texts(f'cli.models.{info.state.value}')}", as_json=as_json)
    return 1 if any(info.state.value == "damaged" for info in infos) else 0


def _facts(info: "ModelInfo") -> dict[str, object]:
    facts = {"name": info.name, "role": info.role, "state": info.state.value, "licence": info.licence}
    return {**facts, "bytes": info.bytes, "sha256": info.sha256}


def _show(session: CommandSession, info: "ModelInfo") -> None:
    texts = session.texts
    say(f"{info.name}  ({texts(f'cli.models.{info.role}')})  {texts(f'cli.models.{info.state.value}')}")
    say(f"  {texts('cli.models.licence', licence=info.licence, size=f'{info.bytes / 1e6:.1f} MB')}")
    say(f"  {texts(f'models.{info.name}.terms')}")
    say(f"  SHA-256 {info.sha256}")
