"""The kinds of patterns as users write them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from oncue.core.expression import Expression, compile_expression
from oncue.core.globs import check_glob

EVENT_ROOTS = ("event",)
Selector = Annotated[str, AfterValidator(check_glob)]


class EventPattern(BaseModel):
    """Matches each event of a type whose `where` holds."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["event"]
    event: Selector | Annotated[list[Selector], Field(min_length=1, max_length=100)] = Field(
        description="A type, a list of types, or a glob.", examples=["user.signup"]
    )
    where: str | None = Field(
        default=None,
        description="CEL over `event`.",
        examples=["event.data.plan == 'enterprise'"],
    )

    @property
    def selectors(self) -> tuple[str, ...]:
        """The types and globs that it watches."""
        return (self.event,) if isinstance(self.event, str) else tuple(self.event)

    def compile_where(self, path: str) -> Expression | None:
        """
        Return the compiled `where`.

        Raises:
            InvalidInput: with the place under `path`.
        """
        if self.where is None:
            return None
        return compile_expression(self.where, roots=EVENT_ROOTS, path=path)
