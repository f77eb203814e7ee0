"""What every execution begins with, whoever starts it."""

from oncue.core.callbacks import Callbacks
from oncue.core.event import Event
from oncue.core.json_text import Json
from oncue.core.workflow.state import Start
from oncue.engine.definitions import Definitions
from oncue.ports import Clock


class Starts:
    """Makes the start of an execution."""

    def __init__(self, definitions: Definitions, clock: Clock, callbacks: Callbacks) -> None:
        self._definitions = definitions
        self._clock = clock
        self._callbacks = callbacks

    async def start(
        self,
        account: str,
        execution_id: str,
        workflow: tuple[str, int],
        event: Event,
        match: Json,
        input_: Json,
    ) -> Start:
        """Return the start of an execution of a `workflow`, given by id and version."""
        plan = await self._definitions.plan(account, *workflow)
        now = self._clock.now_ms()
        callback_url = self._callbacks.url(account, execution_id) if plan.awaits_callbacks else None
        return Start(
            execution_id=execution_id,
            root_id=execution_id,
            created_at_ms=now,
            event=event.view(),
            match=match,
            input=input_,
            expires_at_ms=now + plan.timeout_ms,
            callback_url=callback_url,
        )
