"""Whatever is asked of a running team server, as whatever caller: no answer is a failure of the program, and each is as described.

Without options a few requests for each route, with one seed. `--cases N` sends up to N for each route that the caller may ask, with a new
seed; `--seed N` repeats a run.
"""

import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api_callers import KINDS, Callers
from tests.support.api_fuzzer import Fuzzer, operations
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.timeout(0),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
EXAMPLES, SEED = 3, 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, models_folder: Path, samples_folder: Path) -> Iterator[RealServer]:
    """With three photos, of which two people are named."""
    made = RealServer(tmp_path_factory.mktemp("server"), models_folder, {"AI_POPUP__ENGINE__WORKERS": "1"})
    made.file.set("recognition.enabled", "true")
    for name in ("obama.jpg", "obama2.jpg", "biden.jpg"):
        shutil.copyfile(samples_folder / name, made.watched / name)
    try:
        made.serve()
        made.settled(3)
        yield made
    finally:
        made.quit()


@pytest.fixture(scope="module")
def callers(server: RealServer) -> Callers:
    made = Callers(server)
    made.settle_in()
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_asked_is_answered_as_described(
    kind: str, server: RealServer, callers: Callers, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    cases, given = pytestconfig.getoption("cases"), pytestconfig.getoption("seed")
    seed = given if given is not None else SEED if cases is None else random.SystemRandom().randrange(10**6)
    with server.visitor() as visitor:
        visitor.headers.update(callers.make("viewer").headers)
        description = visitor.get("/openapi.json").json()
    fuzzer = Fuzzer(server, f"127.0.1.{1 + KINDS.index(kind)}", lambda: callers.make(kind), seed)
    for operation in operations(description):
        fuzzer.ask(operation, cases or EXAMPLES)
    with capsys.disabled():
        print(f"\n{kind}: seed {seed}, answers by status {dict(sorted(fuzzer.report.statuses.items()))}")
    assert not fuzzer.report.wrong, "\n".join(f"{where}: {what}\n  {shown}" for (where, what), shown in fuzzer.report.wrong.items())
    assert server.alive
