"""Videos and animations are redacted again with covers that were edited by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.domain.errors import ImageChanged, VideoNotEditable
from agent.domain.face import Box
from agent.domain.redaction import Cover, Look, Reason, Shape, Style
from agent.features.redaction import api_mapping
from agent.features.redaction.batches import RedactionOrder
from agent.features.redaction.copy_records import ItemState, RedactionItem
from agent.features.redaction.options import Mark
from agent.infrastructure.core.i18n import Texts
from tests.in_process.test_redact_clips import FakeClips, clips, films, in_folder, known, read, safe, told, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.in_process_agent import World

__all__ = ["clips", "films", "known", "safe"]  # fixtures


async def edited(world: World, item: RedactionItem, marks: Sequence[Mark]) -> RedactionItem:
    await world.app.redaction.copies.edit(item.id, marks)

    def now() -> RedactionItem:
        found = world.real.redaction(item.id)
        assert found is not None
        return found

    await world.until(lambda: now().state is not ItemState.PLANNED)
    return now()


@pytest.mark.parametrize("kind", ["clips", "films"])
async def test_what_moves_is_made_anew_as_somebody_says_and_not_looked_through_again(
    world: World, request: pytest.FixtureRequest, safe: Path, kind: str
) -> None:
    fake: FakeClips = request.getfixturevalue(kind)
    name = "b.mp4" if kind == "clips" else "a.gif"
    world.file(name, b"clip")
    area = Mark(Cover(Box(10, 20, 30, 40), Look(Style.MOSAIC, Shape.BOX), 0.0, Reason.HAND))
    async with world.running():
        made, _ = await told(world, safe, report=True)
        facts = made[name].facts
        assert facts is not None and api_mapping.item(made[name], Texts()).editable
        looks, joins = len(fake.looks), len(fake.joins)
        fake.draws.clear()
        item = await edited(world, made[name], (replace(facts.marks[0], covered=False), area))
        assert item.error is None and item.state is ItemState.DONE and len(fake.looks) == looks and len(fake.joins) == joins + 1
        assert {(each.way.at(task.part.start), each.look, each.whole) for task in fake.draws for each in task.ways} == {
            (area.cover.box, area.cover.look, True)
        }
        assert item.facts is not None and (item.facts.found, item.facts.covered, item.facts.faces_covered) == (1, 1, 0)
        report = json.loads((safe / f"{name}.redaction.json").read_text(encoding="utf-8"))
        assert (report["covered_ways"], report["visible"], [each["reason"] for each in report["covered"]]) == (0, 1, ["hand"])
        fake.draws.clear()
        item = await edited(world, item, facts.marks)
    assert [each.way.at(task.part.start + 50) is not None for task in fake.draws for each in task.ways] == [True] * 2
    assert item.facts is not None and item.facts.marks == facts.marks and in_folder(safe) == {name, f"{name}.redaction.json"}


async def test_what_is_not_what_it_was_is_not_made_anew(world: World, clips: FakeClips, safe: Path) -> None:
    path = world.file("b.mp4", b"clip").path
    async with world.running():
        made, _ = await told(world, safe)
        facts = made["b.mp4"].facts
        assert facts is not None
        write(path, b"another clip")
        item = await edited(world, made["b.mp4"], facts.marks)
    assert isinstance(item.error, ImageChanged) and read(safe / "b.mp4") == b"covered clip"


async def test_covers_are_not_edited_where_pages_have_several_sizes(world: World, films: FakeClips, safe: Path) -> None:
    world.file("a.gif", b"uneven")
    async with world.running():
        made, _ = await told(world, safe)
        with pytest.raises(VideoNotEditable):
            await world.app.redaction.copies.edit(made["a.gif"].id, ())
    shown = api_mapping.item(made["a.gif"], Texts())
    assert (shown.clip, shown.editable, shown.found, shown.covered) == (True, False, 1, 1)


@pytest.mark.parametrize("content", [b"M", b"X"])
async def test_marks_say_where_somebody_shows_and_can_be_covered_throughout(
    known: World, clips: FakeClips, safe: Path, content: bytes
) -> None:
    path = known.file("b.mp4", content).path
    asked = RedactionOrder((path,), str(safe / "c.mp4"), keep=("Mei",))
    [item] = [each async for each in known.app.redaction.copies.redact(asked) if isinstance(each, RedactionItem)]
    assert item.facts is not None
    [mark] = item.facts.marks
    detail = api_mapping.detail(item, None, Texts())
    assert (mark.covered and not mark.visible) == (content == b"X") and detail.moments is not None
    assert api_mapping.mark(detail.marks[0]) == mark
    before = [each for task in clips.draws for each in task.ways]
    clips.draws.clear()
    item = await edited(known, item, (replace(mark, covered=True, visible=()),))
    after = [each for task in clips.draws for each in task.ways]
    assert {way.way.at(moment) is not None for way in after for moment in (0, 199)} and all(each.whole for each in after)
    assert item.facts is not None and item.facts.covered == 1 and (content == b"X" or before != after)
    assert mark.way is not None and all(any(each.way.at(at) for each in after) for at in range(mark.way.knots[0].moment, 200))
