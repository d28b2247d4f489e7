"""A library with a damaged page: the status page offers the newest intact backup, and the program continues with it."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

from agent.app.library_home import backup_store
from agent.domain.errors import AgentError
from agent.infrastructure.store.open_library import BACKUPS_FOLDER, DATABASE_FILE

if TYPE_CHECKING:
    from tests.browser.ui.conftest import Visitor
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.timeout(300)]
# The steps are the same in Chinese.
IN_ENGLISH = pytest.mark.parametrize("language", ["en"])
Photo = Callable[[int], Image.Image]


def damage(database: Path, page: int) -> None:
    """So that SQLCipher finds the page forged."""
    with database.open("r+b") as file:
        file.seek(page * 4096 + 100)
        file.write(os.urandom(50))


def damage_elsewhere(program: "RealProgram") -> None:
    """A page that no row of a photo is on, so that it is known what a restore loses."""
    database = program.paths.library / DATABASE_FILE
    whole = database.read_bytes()
    for page in reversed(range(len(whole) // 4096)):
        damage(database, page)
        with suppress(AgentError), program.library() as library:
            offer = backup_store(program.file.load(), program.paths).offer(library.database)
            if offer.newer == (2, 0) and library.counts().images == 6 and not library.database.sound():
                return
        database.write_bytes(whole)
    pytest.fail("every page holds photos")


@IN_ENGLISH
def test_a_damaged_library_is_replaced_by_its_newest_backup_from_the_status_page(
    make_program: Callable[[Mapping[str, str]], "RealProgram"], visit: Callable[["RealProgram"], "Visitor"], photo: Photo, language: str
) -> None:
    program = make_program({})
    program.file.set("library.backups", "0")
    program.start()
    for number in range(4):
        photo(number).save(program.watched / f"{number}.jpg")
    program.settled(4)
    assert program.run("backup", "create").returncode == 0
    for number in range(4, 6):
        photo(number).save(program.watched / f"{number}.jpg")
    program.settled(6)
    program.quit()
    damage_elsewhere(program)
    program.start()
    program.until(lambda status: status.problem is not None and status.problem.code == "store.damaged")

    visitor = visit(program)
    visitor.sign_in()
    visitor.go("", language)
    visitor.named("link", "status.restore.ask").click()  # of the line about the damage, on every other page
    visitor.says(visitor.t("status.restore.photos", count=2))
    visitor.says(visitor.t("status.restore.lost"))
    visitor.right()

    # The backup is damaged after it was offered: nothing is closed, and the page says why.
    [backup] = (program.paths.library / BACKUPS_FOLDER).iterdir()
    whole = (backup / DATABASE_FILE).read_bytes()
    damage(backup / DATABASE_FILE, 20)
    restore(visitor)
    visitor.says("backup.damaged")
    visitor.right()
    (backup / DATABASE_FILE).write_bytes(whole)

    assert program.process is not None
    before = program.process.pid
    restore(visitor)
    visitor.says(visitor.t("status.restore.running"))
    expect(visitor.page.get_by_text(visitor.t("status.restore.kept"), exact=False)).to_be_visible()
    expect(visitor.page.get_by_role("region", name=visitor.t("status.restore.title"))).to_have_count(0)
    visitor.right()
    assert program.settled(6).problem is None, "the photos since are scanned again"
    assert (program.alive, program.process.pid) == (True, before)
    assert len(list(program.paths.library.glob("damaged-*/library.db"))) == 1
    program.quit()
    with program.library() as library:
        assert library.database.sound()


def restore(visitor: "Visitor") -> None:
    visitor.button("status.restore.ask").click()
    dialog = visitor.page.get_by_role("alertdialog")
    dialog.get_by_role("button", name=visitor.t("status.restore.action"), exact=True).click()
