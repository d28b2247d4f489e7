"""Sets everything up beside this checkout, then starts the program: `python3 scripts/run.py [arguments]`; the default is `run`.

The team server (`serve`, `worker`) is set up without any package that only the desktop needs.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Prepare, then hand over to the virtual environment's Python. Returns the program's exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python meets first
        print("AI Popup needs Python 3.11 or newer; this one is older. / AI 弹窗助手需要 Python 3.11 或更新的版本。", file=sys.stderr)
        return 2
    sys.path.insert(0, str(ROOT))
    from scripts.setup.console import Console
    from scripts.setup.prepare import RUNTIME, SERVER, prepare
    from scripts.setup.processes import hand_over

    words = sys.argv[1:] or ["run"]
    console = Console(ROOT / "build" / "setup.log")
    with console.failures_shown():
        venv = prepare(ROOT, console, locks=[SERVER if words[0] in ("serve", "worker") else RUNTIME])
        if words[:1] == ["demo"]:
            return hand_over([str(venv.python), "-P", str(ROOT / "scripts" / "demo.py"), *words[1:]])
        if words[0] == "serve" and "--demo" in words:
            rest = [word for word in words[1:] if word != "--demo"]
            return hand_over([str(venv.python), "-P", str(ROOT / "scripts" / "serve_demo.py"), *rest])
        # -P: a folder named `agent` in the current directory must not shadow the program.
        return hand_over([str(venv.python), "-P", "-m", "agent", *words])
    return 1


if __name__ == "__main__":
    sys.exit(main())
