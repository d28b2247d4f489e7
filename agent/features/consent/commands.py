"""`ai-popup consent` and `ai-popup people import-list`."""

from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.domain.consent import Purpose
from agent.domain.edits import Basis
from agent.domain.errors import NotRunning
from agent.domain.names import ids_of
from agent.features.people.find_commands import person_of
from agent.interfaces.cli.command import Command, CommandGroup, json_option
from agent.interfaces.cli.confirm import confirm, yes_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, print_results, tell
from agent.interfaces.cli.params import There
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.features.consent.schemas import ConsentOut

_PURPOSES = click.Choice([each.value for each in Purpose])
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(cls=CommandGroup, help=TEXTS("cli.help.consent"))
def consent() -> None: ...


@consent.command(name="list", help=TEXTS("cli.help.consent_list"))
@click.argument("name", required=False)
@click.option("--ending-within", type=click.IntRange(0, 3_650), metavar="DAYS", help=TEXTS("cli.help.consent_ending"))
@json_option("json_each")
@click.pass_obj
def list_consents(session: CommandSession, name: str | None, ending_within: int | None, as_json: bool) -> None:
    from agent.features.consent.schemas import EndingConsents, PersonConsentsOut
    from agent.interfaces.cli.in_process_app import backend

    if (name is None) == (ending_within is None):
        raise click.UsageError(session.texts("cli.consent.name_or_days"))
    if name is None:
        with backend(session) as able:
            ending = able.call("GET", f"/api/consents?ending_within_days={ending_within}", EndingConsents)
        none = session.texts("cli.consent.none_ending")
        print_results(ending.items, lambda each: f"{each.person}  {_line(session, each)}", none, as_json=as_json)
        return
    person_id = _id(session, name)
    with backend(session) as able:
        found = able.call("GET", f"/api/people/{person_id}/consents", PersonConsentsOut)
    for entry in found.entries:
        tell(entry.model_dump(mode="json"), _line(session, entry), as_json=as_json)
    if not as_json:
        note(session.texts("cli.consent.recognised" if found.recognised else "cli.consent.not_recognised", name=name))


@consent.command(help=TEXTS("cli.help.consent_missing"))
@json_option("json_each")
@click.pass_obj
def missing(session: CommandSession, as_json: bool) -> None:
    from agent.features.consent.schemas import MissingConsent, MissingConsents
    from agent.interfaces.cli.in_process_app import backend

    with backend(session) as able:
        found = able.call("GET", "/api/consents/missing", MissingConsents)

    def line(each: MissingConsent) -> str:
        return session.texts("cli.consent.missing", name=each.person, day=f"{each.since.astimezone():%Y-%m-%d}", faces=each.faces)

    print_results(found.items, line, session.texts("cli.consent.none_missing"), as_json=as_json)


@consent.command(help=TEXTS("cli.help.consent_give"))
@click.argument("name")
@click.argument("purposes", nargs=-1, required=True, type=_PURPOSES, metavar="PURPOSE...")
@click.option("--basis", type=click.Choice([each.value for each in Basis]), help=TEXTS("cli.help.consent_basis"))
@click.option("--guardian", default="", metavar="NAME", help=TEXTS("cli.help.consent_guardian"))
@click.option("--on", "given_on", type=_DAY, metavar="DATE", help=TEXTS("cli.help.consent_on"))
@click.option("--until", type=_DAY, metavar="DATE", help=TEXTS("cli.help.consent_until"))
@click.option("--document", default="", metavar="TEXT", help=TEXTS("cli.help.consent_document"))
@json_option()
@click.pass_obj
def give(
    session: CommandSession,
    /,
    name: str,
    purposes: tuple[str, ...],
    basis: str | None,
    guardian: str,
    given_on: date | None,
    until: date | None,
    document: str,
    as_json: bool,
) -> None:
    from agent.features.consent.schemas import ConsentGiven, PersonConsentsOut
    from agent.interfaces.cli.in_process_app import backend

    given = ConsentGiven.model_validate(
        {
            "purposes": purposes,
            "basis": basis or ("guardian" if guardian else "own_consent"),
            "guardian": guardian,
            "given_on": given_on,
            "valid_until": until,
            "document": document,
        }
    )
    person_id = _id(session, name)
    with backend(session) as able:
        found = able.call("PUT", f"/api/people/{person_id}/consents", PersonConsentsOut, given)
    told = session.texts("cli.consent.entered", name=name, purposes=_words(session, found.agreed))
    tell(found.model_dump(mode="json"), told, as_json=as_json)


@consent.command(help=TEXTS("cli.help.consent_withdraw"))
@click.argument("name")
@click.argument("purpose", type=_PURPOSES, metavar="PURPOSE")
@click.option("--guardian", default="", metavar="NAME", help=TEXTS("cli.help.consent_guardian"))
@click.option("--document", default="", metavar="TEXT", help=TEXTS("cli.help.consent_document"))
@yes_option
@json_option()
@click.pass_obj
def withdraw(session: CommandSession, /, name: str, purpose: str, guardian: str, document: str, yes: bool, as_json: bool) -> None:
    from agent.features.consent.schemas import ReceiptOut, WithdrawRequest
    from agent.interfaces.cli.in_process_app import backend

    person_id, texts = _id(session, name), session.texts
    if purpose == Purpose.RECOGNISE:
        confirm(texts, texts("cli.consent.sure", name=name), yes=yes)
    with backend(session) as able:
        path = f"/api/people/{person_id}/consents/{purpose}/withdraw"
        receipt = able.post_long(path, ReceiptOut, WithdrawRequest(guardian=guardian, document=document))
    lines = [texts("cli.consent.withdrawn", name=name, purpose=_words(session, (purpose,)))]
    if purpose == Purpose.RECOGNISE:
        lines.append(
            texts("cli.consent.receipt", prints=receipt.embeddings, chips=receipt.chips, at=f"{receipt.at.astimezone():%Y-%m-%d %H:%M:%S}")
        )
        lines.append(texts("cli.consent.backups_pending" if receipt.backups_pending else "cli.consent.backups_clean"))
    tell(receipt.model_dump(mode="json"), *lines, as_json=as_json)


@click.command(cls=Command, name="import-list", help=TEXTS("cli.help.people_import_list"))
@click.argument("file", type=There(dir_okay=False, path_type=Path))
@click.option("--photos", type=There(file_okay=False, path_type=Path), metavar="FOLDER", help=TEXTS("cli.help.import_list_photos"))
@click.option("--library", default="", metavar="NAME", help=TEXTS("cli.help.import_list_library"))
@click.option("--dry-run", is_flag=True, help=TEXTS("cli.help.dry_run"))
@json_option()
@click.pass_obj
def import_list(session: CommandSession, /, file: Path, photos: Path | None, library: str, dry_run: bool, as_json: bool) -> int:
    from agent.features.consent.roster_importer import import_class

    return import_class(session, file, photos, library, dry_run=dry_run, as_json=as_json)


def _line(session: CommandSession, entry: "ConsentOut") -> str:
    texts = session.texts
    state = "valid" if entry.valid else "withdrawn_state" if entry.state == "withdrawn" else "past"
    words = [_words(session, (entry.purpose,)), texts(f"cli.consent.{state}"), entry.given_on.isoformat()]
    if entry.valid_until is not None:
        words.append(texts("cli.consent.until", date=entry.valid_until.isoformat()))
    if entry.guardian:
        words.append(texts("cli.consent.by", guardian=entry.guardian))
    return "  ".join([*words, *filter(None, [entry.document])])


def _words(session: CommandSession, purposes: tuple[str, ...]) -> str:
    return session.texts("ui.list_separator").join(session.texts(f"consent.purposes.{each}") for each in purposes)


def _id(session: CommandSession, name: str) -> int:
    """Return the person's id, from the running agent or server if there is one. Raises NoSuchName."""
    from pydantic import RootModel

    from agent.features.people.queries.people_queries import PeopleQueries
    from agent.features.people.schemas import PersonOut

    try:
        with closing(session.client()) as client:
            people = client.call("GET", "/api/people", RootModel[tuple[PersonOut, ...]]).root
            return next(iter(ids_of([name], {each.id: each.name for each in people})))
    except NotRunning:
        with session.library(PeopleQueries, checked=True) as library:
            return person_of(library, name).id
