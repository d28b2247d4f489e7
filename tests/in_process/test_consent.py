"""A class of 40: imported by a list, some refuse publishing, one withdraws recognition, and a folder is published."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.edits import Basis
from agent.domain.errors import ApprovalAwaited, PublishingEnded
from agent.domain.face import Box
from agent.domain.redaction import Cover, Reason
from agent.features.redaction.batches import RedactionOrder
from agent.features.redaction.copy_records import ItemState, RedactionItem
from agent.features.redaction.options import Mark
from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.secret_stores import FileSecretStore
from tests.support.in_process_agent import FakeAnalyser, World
from tests.unit.interfaces.cli.conftest import analyser, cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.interfaces.cli.conftest import CommandLine, Said

__all__ = ["analyser", "cli"]  # fixtures

CLASS = [f"Child {number:02}" for number in range(40)]
REFUSE = CLASS[:3]
WITHDRAWS = CLASS[20]
HEADER = "name,birth_date,purposes,guardian,valid_until,photo"


def letter(name: str) -> str:
    """The first letter of a person's photos, which the fake engine takes for their face."""
    return chr(ord("0") + CLASS.index(name))


def row(name: str) -> str:
    publish = "-publish" if name in REFUSE else "publish"
    return f'{name},2016-03-0{1 + CLASS.index(name) % 9},"recognise, {publish}",Parent of {name},2030-07-31,{CLASS.index(name):02}.jpg'


@pytest.fixture
def portraits(cli: CommandLine, analyser: FakeAnalyser, tmp_path: Path) -> Path:
    cli.paths.settings.write_text('[library]\nkey_home = "file"\n[recognition]\nenabled = true\n[consent]\nrequired = "always"\n')
    folder = tmp_path / "portraits"
    folder.mkdir()
    for name in CLASS:
        (folder / f"{CLASS.index(name):02}.jpg").write_text(f"{letter(name)} portrait")
    return folder


def class_list(folder: Path, rows: list[str], header: str = HEADER) -> str:
    file = folder.parent / "class.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(file)


def take(cli: CommandLine, portraits: Path, *more: str) -> Said:
    return cli("people", "import-list", class_list(portraits, [row(name) for name in CLASS]), "--photos", str(portraits), *more)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def recognised(cli: CommandLine) -> dict[str, int]:
    """Faces by person, confirmed or not."""
    return {each["name"]: each["faces"] for each in lines(cli("people", "list", "--json").out)}


def prints(cli: CommandLine) -> int:
    with closing(open_library(cli.paths.library, FileSecretStore(cli.paths.keys))) as database, database.read() as tx:
        return int(tx.exec_driver_sql("SELECT COUNT(*) FROM embedding").scalar() or 0)


def test_a_class_is_imported_published_and_one_withdraws(cli: CommandLine, portraits: Path, tmp_path: Path) -> None:
    said = take(cli, portraits, "--dry-run", "--json")
    assert said.code == 0 and len(lines(said.out)) == 40 and cli("people", "list").out == ""
    assert lines(said.out)[0] == {"line": 2, "name": CLASS[0], "purposes": ["recognise", "-publish"], "photos": 1}

    said = take(cli, portraits, "--json")
    assert lines(said.out) == [{"people": 40, "new": 40, "consents": 80, "faces": 40, "refused": 0}] and said.code == 0, said.err
    again = take(cli, portraits, "--json")
    assert lines(again.out) == [{"people": 40, "new": 0, "consents": 0, "faces": 0, "refused": 0}]
    assert recognised(cli) == dict.fromkeys(CLASS, 1)

    trip = tmp_path / "trip"
    trip.mkdir()
    for name in CLASS:
        (trip / f"{name}.jpg").write_text(f"{letter(name)} on the trip")
    (trip / "stranger.jpg").write_text("~ on the trip")
    assert cli("scan", str(trip)).code == 0
    assert recognised(cli) == dict.fromkeys(CLASS, 2)

    def visible(out: str, *options: str) -> set[str]:
        """Who is not covered, by the fake copies."""
        assert cli("redact", str(trip), "-o", str(tmp_path / out), "--keep-consented", *options).code == 0
        copies = {each.stem: each.read_text() for each in (tmp_path / out).iterdir()}
        assert len(copies) == 41 and all("strip=True" in copy for copy in copies.values())
        return {name for name, copy in copies.items() if copy.startswith("0 covered")}

    assert visible("first") == set(CLASS) - set(REFUSE)

    before = prints(cli)
    receipt = lines(cli("consent", "withdraw", WITHDRAWS, "recognise", "--yes", "--json").out)[0]
    assert (receipt["embeddings"], receipt["chips"]) == (2, 2) and prints(cli) == before - 2
    found = recognised(cli)
    assert found.pop(WITHDRAWS) == 1, "the portrait, which was confirmed"
    assert found == {name: 2 for name in CLASS if name != WITHDRAWS}
    (trip / "another.jpg").write_text(f"{letter(WITHDRAWS)} once more")
    assert cli("scan", str(trip)).code == 0
    assert recognised(cli)[WITHDRAWS] == 1, "nothing of them is recognised any more"
    (trip / "another.jpg").unlink()
    assert visible("second") == set(CLASS) - {*REFUSE, WITHDRAWS}

    cli("consent", "withdraw", CLASS[30], "publish")
    assert visible("third") == set(CLASS) - {*REFUSE, WITHDRAWS, CLASS[30]}
    assert visible("first", "--overwrite") == visible("third"), "copies from before are not taken for the same"
    [last, *_] = lines(cli("consent", "list", WITHDRAWS, "--json").out)
    assert (last["purpose"], last["state"]) == ("recognise", "withdrawn")
    actions = [each["action"] for each in lines(cli("record", "list", "--json", "--limit", "9").out)]
    assert actions.count("publishing") >= 2 and "consent_withdrawn" in actions
    assert cli("record", "verify").code == 0


@pytest.mark.parametrize(
    ("bad", "line", "column"),
    [
        ("Mei,2016-13-01,recognise,Li Wei,,", 3, "birth_date"),
        ("Mei,2016-03-01,recognise,,,", 3, "guardian"),
        ("Mei,,teach,,,", 3, "purposes"),
        (",,recognise,,,", 3, "name"),
        ("Child 00,,recognise,,,", 3, "name"),
        ("Mei,,recognise,,2026-99-99,", 3, "valid_until"),
        ("Mei,,recognise,,,missing.jpg", 3, "photo"),
        ("Mei,,recognise,,,../class.csv", 3, "photo"),
        (f"Mei,,recognise,,,{'x' * 300}.jpg", 3, "photo"),
        ("Mei,,recognise,,,a\0.jpg", 3, "photo"),
        pytest.param("Mei,,recognise,,,loop.jpg", 3, "photo", marks=pytest.mark.skipif(os.name == "nt", reason="links need a privilege")),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_imported(cli: CommandLine, portraits: Path, bad: str, line: int, column: str) -> None:
    if "loop" in bad:
        (portraits / "loop.jpg").symlink_to("loop.jpg")
    said = cli("people", "import-list", class_list(portraits, [row(CLASS[0]), bad]), "--photos", str(portraits))
    assert said.code == 1 and f"Line {line} of the class list: “{column}”" in said.err and "[people.list_bad_row]" in said.err
    assert cli("people", "list").out == ""


def test_a_table_without_names_is_refused(cli: CommandLine, portraits: Path) -> None:
    said = cli("people", "import-list", class_list(portraits, ["Mei"], header="nickname"))
    assert said.code == 1 and "[people.list_unreadable]" in said.err


def test_a_column_that_is_not_known_is_named(cli: CommandLine, portraits: Path) -> None:
    said = cli("people", "import-list", class_list(portraits, ["Mei,recognise,00.jpg"], header="name,purpose,photo"), "--dry-run")
    assert said.code == 0 and "Columns that are not known are left out: purpose\n" in said.err


def test_a_chinese_list_as_a_spreadsheet_writes_it(cli: CommandLine, portraits: Path, tmp_path: Path) -> None:
    file = tmp_path / "名单.csv"
    file.write_bytes("姓名;用途;监护人;有效期至;照片\n李梅;识别、-公开;李伟;2030/07/31;00.jpg\n王明;内部展示;;;\n".encode("gb18030"))
    said = cli("people", "import-list", str(file), "--photos", str(portraits), "--json")
    assert lines(said.out) == [{"people": 2, "new": 2, "consents": 3, "faces": 1, "refused": 0}], said.err
    said = cli("consent", "list", "李梅")
    assert "publishing  withdrawn" in said.out and "recognition  valid" in said.out and "by 李伟" in said.out
    assert "李梅 may be recognised." in said.err
    assert "王明 is not recognised." in cli("consent", "list", "王明").err
    assert "until 2030-07-31" in cli("consent", "list", "--ending-within", "3650").out


@pytest.mark.parametrize("written", ["2016/3/1", "2016-3-1", "2016.03.01", "2016年3月1日", "20160301"])
def test_dates_are_read_as_spreadsheets_write_them(cli: CommandLine, portraits: Path, written: str) -> None:
    listed = class_list(portraits, [f"Mei,{written},recognise,Li Wei,{written.replace('2016', '2031')},"])
    assert cli("people", "import-list", listed).code == 0
    assert "until 2031-03-01" in cli("consent", "list", "Mei").out


@pytest.mark.parametrize(
    ("encoding", "name"), [("utf-16", "李梅"), ("utf-16", "Zoë Groß"), ("cp1252", "Zoë Groß"), ("cp1252", "José Müller"), ("gbk", "張祎喆")]
)
def test_a_list_is_read_in_the_encoding_of_its_spreadsheet(cli: CommandLine, tmp_path: Path, encoding: str, name: str) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(f"name\tpurposes\r\n{name}\trecognise\r\n".encode(encoding))
    said = cli("people", "import-list", str(file))
    assert said.code == 0 and cli("consent", "list", name).code == 0, said.err


def test_a_name_that_can_not_be_decoded_is_not_imported(cli: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes("姓名\n李梅\n".encode("gbk") + b"\xff\xff\n")
    said = cli("people", "import-list", str(file))
    assert said.code == 1 and "Line 3 of the class list: “name”" in said.err


def test_no_model_is_fetched_for_consents_alone(cli: CommandLine, portraits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.app.in_process.fetch_missing", lambda *_, **__: pytest.fail("it is fetched"))
    assert cli("people", "import-list", class_list(portraits, [row(CLASS[0])])).code == 0  # its photos are left out
    assert cli("consent", "give", CLASS[0], "show_inside", "--guardian", "Li Wei").code == 0
    assert cli("consent", "withdraw", CLASS[0], "recognise", "--yes").code == 0


def test_another_child_of_the_same_name_is_not_taken_for_the_first(cli: CommandLine, portraits: Path) -> None:
    both = "name,birth_date,purposes,guardian"
    assert cli("people", "import-list", class_list(portraits, ["Mei,2016-03-01,recognise,Li Wei"], header=both)).code == 0
    other = class_list(portraits, ["Mei,2017-05-09,publish,Wang Fang", "Ming,2017-05-10,publish,Wang Fang"], header=both)
    said = cli("people", "import-list", other)
    assert said.code == 1 and "[people.other_birth_date]" in said.err and "new 1" in said.out
    told = cli("consent", "list", "Mei").out
    assert "Li Wei" in told and "Wang Fang" not in told
    assert "Wang Fang" in cli("consent", "list", "Ming").out


def test_consent_is_entered_and_withdrawn_by_hand(cli: CommandLine, portraits: Path) -> None:
    take(cli, portraits)
    mei = CLASS[0]
    assert (
        "agrees to: recognition, publishing" in cli("consent", "give", mei, "publish", "--guardian", "Parent", "--until", "2031-01-01").out
    )
    assert cli("consent", "give", mei, "publish").code == 1, "a child's needs a guardian"
    said = cli("consent", "withdraw", mei, "recognise", "--yes", "--guardian", "Parent")
    assert "Deleted: face prints 1, pictures of faces 1" in said.out
    said = cli("consent", "withdraw", mei, "recognise", "--yes")
    assert said.code == 1 and "[people.no_consent]" in said.err
    assert cli("consent", "list").code == 2 and cli("consent", "list", "Nobody").code == 1
    assert cli("redact", str(portraits), "-o", "x", "--keep-consented", "--keep", mei).code == 2


async def test_who_agrees_later_is_recognised_from_then_on_and_nobody_before(world: World) -> None:
    world.make(Settings.model_validate({"recognition": {"enabled": True}, "consent": {"required": "always"}}))

    def named() -> int:
        return sum(person.faces for person in world.real.people())

    async with world.running():
        await world.index("m1")
        mei = await world.app.people.name_face(1, "Mei")
        await world.index("m2")
        assert named() == 1 and not (await world.app.consents.of(mei)).recognised, "named, and not recognised: nobody asked her"
        given = Consent(purpose=Purpose.RECOGNISE, state=ConsentState.GIVEN, basis=Basis.OWN_CONSENT, given_on=world.app.consents.today())
        assert (await world.app.consents.give(mei, [given])).restored == {mei}
        world.app.indexer.wake()
        await world.until(lambda: named() == 2)


async def test_the_setting_and_the_end_of_consents_apply_while_the_agent_runs(world: World) -> None:
    free, required = (
        Settings.model_validate({"recognition": {"enabled": True}, "consent": {"required": each}}) for each in ("never", "always")
    )
    world.make(free)
    async with world.running():
        await world.index("m1", "x2")
        mei, xu = await world.app.people.name_face(1, "Mei"), await world.app.people.name_face(2, "Xu")
        until = world.app.consents.today() + timedelta(days=3)
        given = Consent(
            purpose=Purpose.RECOGNISE,
            state=ConsentState.GIVEN,
            basis=Basis.CONTRACT,
            given_on=world.app.consents.today(),
            valid_until=until,
        )
        await world.app.consents.give(mei, [given])
        await world.app.apply(required)
        assert (await world.app.consents.of(mei)).recognised and not (await world.app.consents.of(xu)).recognised
        await world.index("m3", "x4")
        assert {person.name: person.faces for person in world.real.people()} == {"Mei": 2, "Xu": 1}
        world.slept = timedelta(days=4)
        change = await world.app.consents.follow()
        assert change.lapsed == {mei} and change.deleted == (2, 2)
        await world.index("m5")
        assert {person.name: person.faces for person in world.real.people()} == {"Mei": 1, "Xu": 1}
        assert world.replaced, "nor do the backups hold what was deleted"


async def test_who_withdraws_before_the_copy_is_made_is_covered_on_it(world: World) -> None:
    world.make(Settings.model_validate({"recognition": {"enabled": True}}))
    async with world.running():
        await world.index("m1")
        mei = await world.app.people.name_face(1, "Mei")
        given = Consent(purpose=Purpose.PUBLISH, state=ConsentState.GIVEN, basis=Basis.CONTRACT, given_on=world.app.consents.today())
        await world.app.consents.give(mei, [given])
        assert await covered(world, "before") == 0
        world.analyser.gate.clear()  # the copy is planned, and its face not found yet
        world.analyser.busy.clear()
        copy = asyncio.create_task(covered(world, "after"))
        await world.analyser.busy.wait()
        await world.app.consents.withdraw(mei, Purpose.PUBLISH)
        world.analyser.gate.set()
        assert await copy == 1


async def covered(world: World, out: str) -> int:
    """Faces covered on the copy of the photo, for publishing."""
    path = str(world.folder / "m1")
    order = RedactionOrder((path,), str(world.folder.parent / f"{out}.jpg"), keep_consented=True)
    made = [each async for each in world.app.redaction.copies.redact(order) if isinstance(each, RedactionItem)]
    assert made[0].facts is not None, made[0].error
    return made[0].facts.covered


async def test_a_copy_for_publishing_that_was_edited_waits_for_another_member(world: World) -> None:
    world.make(Settings.model_validate({"recognition": {"enabled": True}}))
    async with world.running():
        await world.index("m1")
        order = RedactionOrder((str(world.folder / "m1"),), str(world.folder.parent / "copy.jpg"), keep_consented=True)
        copies = world.app.redaction.copies
        with acting_as("mei"):
            uid = await copies.begin(order)
            await world.until(lambda: world.real.copies_to_make(1) == [])
            [made] = world.real.redaction_items(uid, limit=9).items
            assert made.facts is not None
            await copies.edit(made.id, [replace(each, covered=False) for each in made.facts.marks])
        await world.until(lambda: world.real.copies_to_make(1) == [])
        edited = world.real.redaction(made.id)
        assert edited is not None and edited.edited and edited.awaits_approval
        with acting_as("mei"), pytest.raises(ApprovalAwaited):
            await copies.accept(uid, None, None)
        with acting_as("ben"):
            assert await copies.accept(uid, None, None) == 1

        with acting_as("mei"):  # another batch shares the file
            second = await copies.begin(order)
            await world.until(lambda: world.real.copies_to_make(1) == [])
            [shared] = world.real.redaction_items(second, limit=9).items
            first = world.real.redaction(made.id)
            assert first is not None and (first.state, first.target) == (ItemState.DONE, shared.target)
            assert not world.real.withheld(first)
            await copies.edit(shared.id, made.facts.marks)
            assert world.real.withheld(first)
        await world.until(lambda: world.real.copies_to_make(1) == [])
        assert world.real.withheld(first), "its file is another now, which only the planner has seen"
        with acting_as("ben"):
            assert await copies.accept(second, None, None) == 1
        assert not world.real.withheld(first)

        one = {"recognition": {"enabled": True}, "consent": {"second_person": False}}
        await world.app.apply(Settings.model_validate(one))
        with acting_as("mei"):
            await copies.edit(made.id, made.facts.marks)
        await world.until(lambda: world.real.copies_to_make(1) == [])
        again = world.real.redaction(made.id)
        assert again is not None and again.state is ItemState.DONE, "one person may do both"


async def waiting_copy(world: World) -> tuple[int, RedactionItem]:
    """Mei, and a copy for publishing on which she is visible, planned by a member."""
    await world.index("m1")
    mei = await world.app.people.name_face(1, "Mei")
    given = Consent(purpose=Purpose.PUBLISH, state=ConsentState.GIVEN, basis=Basis.CONTRACT, given_on=world.app.consents.today())
    await world.app.consents.give(mei, [given])
    with acting_as("a" * 32):
        assert await covered(world, "copy") == 0
    [item] = world.real.redaction_items(world.real.redaction_batches(limit=1)[0].uid, limit=9).items
    assert item.awaits_approval
    return mei, item


async def until_made(world: World, item_id: int) -> RedactionItem:
    def made() -> bool:
        item = world.real.redaction(item_id)
        return item is not None and item.state is not ItemState.PLANNED

    await world.until(made)
    item = world.real.redaction(item_id)
    assert item is not None and item.error is None and item.facts is not None
    return item


async def test_a_copy_that_waits_is_made_again_without_the_person_who_withdrew(world: World) -> None:
    world.make(Settings.model_validate({"recognition": {"enabled": True}}))
    async with world.running():
        mei, item = await waiting_copy(world)
        copies = world.app.redaction.copies
        assert item.facts is not None
        await world.app.consents.withdraw(mei, Purpose.PUBLISH)
        with acting_as("b" * 32), pytest.raises(PublishingEnded):
            await copies.accept(item.batch, None, None)
        again = await until_made(world, item.id)
        assert again.facts is not None and again.facts.covered == 1
        assert again.target == item.target and again.facts.copy_sha256 != item.facts.copy_sha256
        assert [each.name for each in world.folder.parent.glob("copy*")] == ["copy.jpg"]
        if again.awaits_approval:
            with acting_as("b" * 32):
                assert await copies.accept(item.batch, None, None) == 1


async def test_of_an_edited_copy_all_faces_are_covered_once_someone_withdrew(world: World) -> None:
    world.make(Settings.model_validate({"recognition": {"enabled": True}}))
    async with world.running():
        mei, item = await waiting_copy(world)
        copies = world.app.redaction.copies
        assert item.facts is not None
        drawn = Mark(Cover(Box(1, 1, 9, 9), reason=Reason.HAND))
        with acting_as("a" * 32):
            await copies.edit(item.id, [*item.facts.marks, drawn])
        edited = await until_made(world, item.id)
        assert edited.awaits_approval, "no one approves their own edit"
        await world.app.consents.withdraw(mei, Purpose.PUBLISH)
        with acting_as("b" * 32), pytest.raises(PublishingEnded):
            await copies.accept(item.batch, [item.id], None)
        again = await until_made(world, item.id)
        assert again.facts is not None and (again.facts.covered, again.facts.marks[-1]) == (2, drawn)
        with acting_as("a" * 32), pytest.raises(ApprovalAwaited):
            await copies.accept(item.batch, None, None)
        with acting_as("b" * 32):
            assert await copies.accept(item.batch, None, None) == 1
