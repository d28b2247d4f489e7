"""Programs that are made up: what they answer was written by hand."""

from collections.abc import Mapping, Sequence

from scripts.deploying.commands import Done


class Scripted:
    """Answers by the words of the command; what it was asked is in `asked`."""

    def __init__(self, answers: Mapping[str, str | Done] | None = None) -> None:
        self.answers = dict(answers or {})
        self.asked: list[str] = []
        self.environments: list[Mapping[str, str]] = []

    def run(self, command: Sequence[str], *, environment: Mapping[str, str] | None = None, user: str = "", limit_s: float = 0.0) -> Done:
        said = " ".join(command)
        self.asked.append(said)
        self.environments.append(environment or {})
        for words, answer in self.answers.items():
            if words in said:
                return answer if isinstance(answer, Done) else Done(0, answer)
        return Done(0)
