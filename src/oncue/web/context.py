"""What every resource of the API stands on."""

from dataclasses import dataclass, field

from oncue.engine.engine import Engine, World
from oncue.web.auth import Gate
from oncue.web.once import Once


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may bring."""

    event_bytes: int = 256 << 10
    batch_events: int = 100
    document_bytes: int = 1 << 20


@dataclass(frozen=True, slots=True)
class Context:
    """The engine, what it stands on, and who may come in."""

    engine: Engine
    world: World
    limits: Limits
    gate: Gate = field(init=False)
    once: Once = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "gate", Gate(self.world.accounts))
        once = Once(self.world.answers, self.world.clock, self.world.connected.vault)
        object.__setattr__(self, "once", once)
