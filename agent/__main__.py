"""Starts the program: `ai-popup`, `python -m agent`, and the children that it starts itself."""

import os
import sys


def main() -> int:
    """Returns the exit code: 0 all well, 1 something failed, 2 wrong usage."""
    from agent.infrastructure.core.malloc_tuning import loading

    loading()
    # Two libraries look for more than the program uses: pydantic for plug-ins, in the metadata of all that is installed; structlog for
    # rich, which it would use on a console. Together they are a seventh of a command's time.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # as Python marks what can't be imported
    from agent.app.command_line import main

    try:
        code = main(sys.argv[1:])
    except Exception:  # as Python would end, but without the window that Windows' program without a console would wait in
        import traceback

        traceback.print_exc()
        code = 1
    from agent.infrastructure.core.process_exit import leave

    return leave(code)


if __name__ == "__main__":
    sys.exit(main())
