"""The screen is watched only while it is wished, allowed and undisturbed; who comes is said once, and named only by consent."""

from datetime import timedelta

import pytest

from agent.desktop.capture.face_alerts import SightingKind
from agent.desktop.capture.watch import LOCK_S, REST_S, RETRY_S
from agent.domain.errors import ScreenUnavailable, WatchUnavailable
from agent.domain.face import Box
from agent.domain.identity_matching import Certainty, Identity
from agent.domain.scene import Scene, Window
from agent.domain.screen import WatchState
from agent.inference.engine.load_limiter import Power
from agent.infrastructure.core.i18n import Texts
from tests.support.in_process_agent import NOW
from tests.support.watched_screen import Stage, face

MEI, LIN = 1, 2
SCREEN = Box(0, 0, 1920, 1080)


def window(name: str, title: str = "", area: Box = SCREEN, *, own: bool = False) -> Window:
    return Window((name,), area, title, own)


async def test_off_nothing_is_taken_and_the_engine_goes() -> None:
    stage = Stage(enabled=False)
    assert await stage.look() is WatchState.OFF and stage.due is None and stage.watcher.tasks == [] and stage.watcher.away == 0
    stage.wish(enabled=True)
    await stage.sees(face(10))
    stage.wish(enabled=False)
    assert await stage.look() is WatchState.OFF and stage.due is None
    assert stage.watcher.away == stage.desktop.rests == 1 and len(stage.watcher.tasks) == 2


async def test_a_face_is_said_once_and_is_looked_for_without_prints() -> None:
    stage = Stage()
    assert [said.kind for said in await stage.sees(face(10))] == [SightingKind.NEW_FACE]
    assert await stage.sees(face(20)) == [] and stage.watching.state is WatchState.ON
    assert {task.recipe.embedder for task in stage.watcher.tasks} == {None} and stage.asked_who == 0
    assert len(stage.supplied) == 1 and [task.anew for task in stage.watcher.tasks] == [True, False, False, False]


async def test_the_faces_of_a_group_are_said_at_once() -> None:
    stage = Stage()
    [said] = await stage.sees(face(10), face(500), face(900))
    assert (said.kind, said.count) == (SightingKind.NEW_FACE, 3)
    assert said.text(Texts("en"), {}) == "3 new faces appeared on the screen."
    assert await stage.sees(face(10), face(500), face(900)) == []


async def test_only_who_agreed_is_named_and_without_anybody_no_prints_are_made() -> None:
    stage = Stage()
    stage.recognise({}, {b"mei": MEI, b"lin": LIN})
    assert [(said.kind, said.person_id) for said in await stage.sees(face(10, b"mei"))] == [(SightingKind.NEW_FACE, None)]
    assert stage.watcher.tasks[-1].recipe.embedder is None and stage.asked_who == 0
    stage.library.agreed = {MEI: "Mei"}
    stage.watching.people_changed()
    told = await stage.sees(face(10, b"mei"), face(900, b"lin"))
    assert sorted((said.kind, said.person_id or 0) for said in told) == [(SightingKind.NEW_FACE, 0), (SightingKind.PERSON, MEI)]
    assert stage.watcher.tasks[-1].recipe.embedder is not None


async def test_who_withdraws_while_it_is_read_who_agreed_is_recognised_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    stage.recognise({MEI: "Mei"}, {b"mei": MEI})
    read = stage.library.people_watched

    def withdrawn_meanwhile() -> dict[int, str]:
        known, stage.library.agreed = read(), {}
        monkeypatch.setattr(stage.library, "people_watched", read)
        stage.watching.people_changed()
        return known

    monkeypatch.setattr(stage.library, "people_watched", withdrawn_meanwhile)
    assert [said.kind for said in await stage.sees(face(10, b"mei"))] == [SightingKind.NEW_FACE]
    assert {task.recipe.embedder for task in stage.watcher.tasks} == {None} and stage.asked_who == 0


async def test_who_is_only_probably_somebody_is_nobody() -> None:
    stage = Stage()
    stage.recognise({MEI: "Mei"}, {})
    stage.people[b"mei"] = Identity(MEI, Certainty.PROBABLE, 1.0, 1, 1)
    assert [said.kind for said in await stage.sees(face(10, b"mei"))] == [SightingKind.NEW_FACE]


async def test_each_kind_can_be_switched_off() -> None:
    stage = Stage(new_faces=False, sharing=False, sharing_signs=["*shared*"])
    stage.desktop.scene = Scene((window("x", "The screen is shared"),))
    assert await stage.sees(face(10)) == []
    stage = Stage(people=False)
    stage.recognise({MEI: "Mei"}, {b"mei": MEI})
    assert [said.kind for said in await stage.sees(face(10, b"mei"))] == [SightingKind.NEW_FACE]
    assert stage.watcher.tasks[-1].recipe.embedder is None


async def test_a_face_while_the_screen_is_shared_is_said() -> None:
    stage = Stage(new_faces=False)
    stage.desktop.scene = Scene((window("Chromium", "meet.example IS SHARING YOUR SCREEN.", Box(0, 0, 9, 9)),))
    assert [said.kind for said in await stage.sees(face(10))] == [SightingKind.SHARED]


async def test_nothing_is_looked_at_while_a_call_is_in_front_unless_it_is_switched_on() -> None:
    stage = Stage()
    stage.desktop.front = window("zoom")
    assert await stage.look() is WatchState.CALL and stage.due == REST_S and stage.watcher.tasks == []
    stage.wish(in_calls=True)
    assert await stage.look() is WatchState.ON
    stage.wish(in_calls=False)
    stage.desktop.scene, stage.desktop.front = Scene((window("firefox"), window("zoom"))), window("firefox")
    assert await stage.look() is WatchState.ON, "it is not in front"


async def test_a_call_that_comes_in_front_is_noticed_before_anything_is_said_of_it() -> None:
    stage = Stage()
    await stage.sees(face(10))
    stage.desktop.front = window("zoom")
    assert await stage.sees(face(10), face(600)) == [] and stage.watching.state is WatchState.CALL
    stage.desktop.front = window("firefox")
    assert len(await stage.sees(face(10), face(600))) == 1


async def test_rules_by_program_and_this_programs_own_windows() -> None:
    left, right = Box(0, 0, 960, 1080), Box(960, 0, 960, 1080)
    scene = Scene((window("ai-popup", area=Box(1400, 0, 300, 400), own=True), window("Player", area=left), window("mail", area=right)))
    in_player, in_mail, in_own = face(100), face(1000), face(1450)
    for wishes, seen in (({}, 2), ({"only_in": ["play*"]}, 1), ({"not_in": ["MAIL"]}, 1), ({"only_in": ["other"]}, 0)):
        stage = Stage(None, **wishes)
        stage.desktop.scene = scene
        assert sum(said.count for said in await stage.sees(in_player, in_mail, in_own)) == seen, wishes


async def test_where_windows_can_not_be_told_only_chosen_programs_show_none() -> None:
    assert len(await Stage(not_in=["mail"]).sees(face(10))) == 1
    assert len(await Stage(only_in=["mail"]).sees(face(10))) == 0


async def test_it_rests_with_all_other_work_on_a_low_battery_and_while_locked() -> None:
    stage = Stage()
    for change, state in (
        ({"paused": True}, WatchState.PAUSED),
        ({"paused": False, "power": Power(True, 19.0)}, WatchState.BATTERY),
        ({"power": Power(True, 22.0)}, WatchState.BATTERY),  # it does not switch back and forth
        ({"power": Power(True, 26.0)}, WatchState.ON),
        ({"power": Power(True, 22.0)}, WatchState.ON),
        ({"power": Power(False, 3.0)}, WatchState.ON),
    ):
        for name, value in change.items():
            setattr(stage, name, value)
        assert await stage.look() is state
    stage.desktop.locked = True
    assert await stage.look(after=LOCK_S) is WatchState.LOCKED
    looked = len(stage.watcher.tasks)
    stage.desktop.locked = False
    await stage.look(after=LOCK_S)
    assert [task.anew for task in stage.watcher.tasks[looked:]] == [True], "what changed meanwhile is not known"


async def test_a_quiet_time_silences_it() -> None:
    stage = Stage()
    stage.quiet = True
    assert await stage.sees(face(10)) == [] and len(stage.watching.said) == 1


async def test_snoozed_it_rests_for_so_long_and_also_after_a_restart() -> None:
    stage = Stage()
    await stage.watching.snooze(10)
    assert await stage.look() is WatchState.SNOOZED
    assert stage.watching.snoozed_until == NOW + timedelta(minutes=10)
    again = Stage(stage.library)
    await again.stopped()
    assert again.watching.snoozed_until is not None and again.watcher.tasks == []
    assert await stage.look(after=600) is WatchState.ON
    await stage.watching.snooze(None, until_tomorrow=True)
    until = stage.watching.snoozed_until
    assert until is not None and until.astimezone().hour == 6
    assert until.astimezone().date() == stage.now().astimezone().date() + timedelta(days=1)
    await stage.watching.snooze(None)
    assert stage.watching.snoozed_until is None


async def test_what_stands_in_the_way_is_told_and_tried_again() -> None:
    stage = Stage()
    stage.watcher.error = ScreenUnavailable()
    assert await stage.look() is WatchState.FAILED and stage.due == RETRY_S
    assert isinstance(stage.watching.problem, ScreenUnavailable)
    stage.watcher.error = None
    await stage.look()
    assert stage.watching.problem is None and stage.watcher.tasks[-1].anew
    stage.desktop.refused = WatchUnavailable()
    looked = len(stage.watcher.tasks)
    await stage.look()
    assert isinstance(stage.watching.problem, WatchUnavailable) and len(stage.watcher.tasks) == looked


async def test_it_ends_with_its_engine_told() -> None:
    stage = Stage()
    await stage.stopped()
    assert stage.watcher.away == 1
