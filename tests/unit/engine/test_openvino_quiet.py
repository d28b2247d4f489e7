"""The engine's OpenVINO can't send usage statistics."""

import subprocess
import sys


def test_the_client_for_usage_statistics_is_not_loaded() -> None:
    code = "import sys, agent.engine.runtime; sys.exit(sys.modules.get('openvino_telemetry') is not None)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
