"""The engine in this process, once, for all golden tests."""

import time

import pytest

from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.service import Engine


@pytest.fixture(scope="session")
def engine(engine_config: EngineConfig) -> Engine:
    return Engine(engine_config, time.perf_counter)
