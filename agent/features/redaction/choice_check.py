"""Checks that the people named in a redaction can be recognised."""

import asyncio
from dataclasses import replace

from agent.domain.consent import Purpose
from agent.domain.errors import PersonUnknown, RecognitionOff
from agent.domain.redaction import PeopleChoice
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.service_context import Environment


class ChoiceCheck:
    def __init__(self, library: RedactionQueries, environment: Environment) -> None:
        self._library = library
        self._environment = environment

    async def __call__(self, choice: PeopleChoice) -> PeopleChoice:
        """Return the choice as it applies now: without people who no longer agree to publishing, if that was its condition.

        Raise the error that prevents the chosen people from being recognised: RecognitionOff, PersonUnknown.
        """
        if choice.names_people and not self._environment.settings.value.recognition.enabled:
            raise RecognitionOff(covering="people")  # switched off since the request
        if choice.only and not choice.only <= (await asyncio.to_thread(self._library.person_names)).keys():
            raise PersonUnknown  # a person who was to be covered would be left visible
        if not choice.consented:
            return choice
        agreed = await asyncio.to_thread(self._library.consenting, Purpose.PUBLISH, now=self._environment.clock())
        return replace(choice, keep=choice.keep & agreed)
