"""What `ai-popup server migrate` says, in a deployment's words."""

from typing import Any

from scripts.deploying.commands import Done
from scripts.deploying.failures import Failed


def planned(plan: dict[str, Any]) -> str:
    later = f", contract steps left for later: {plan['left']}" if plan["left"] else ""
    return f"schema {plan['found'] or 'none'}, steps: {len(plan['steps'])}{later}"


def migrated(said: dict[str, Any]) -> str:
    steps = [each["revision"] for each in said["steps"]]
    return f"schema {steps[-1]}" if said["migrated"] else f"schema {said['found']}, as it was"


def fitting(done: Done, version: str) -> None:
    """Raises Failed, with the remedy, if an earlier version can't work on the database as it is now."""
    if done.code != 0:
        said = (done.errors or done.out).strip()[-500:]
        raise Failed(
            f"{version} does not work on the database as it is now ({said}). After a contract step only "
            "a restore goes back, and what was added since is lost: stop the server, and restore the backup from before that step into an "
            "empty home by `ai-popup backup restore --from PLACE --to MOMENT`, with that version. record.jsonl says when it was made"
        )
