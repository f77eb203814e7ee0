"""Optional values. `or`, `orValue`, `optMap` and `optFlatMap` are macros."""

from oncue.core.expression import lists
from oncue.core.expression.function import Function
from oncue.core.expression.library.rows import free, function, method, sized
from oncue.core.expression.optionals import content_of, of_non_zero
from oncue.core.expression.values import ABSENT, OptionalValue

ROWS: tuple[Function, ...] = (
    function(
        "optional.of",
        "An optional that holds the value.",
        "optional.of(1).value() == 1",
        free("any -> optional", OptionalValue),
    ),
    function(
        "optional.none",
        "An optional that holds nothing.",
        "!optional.none().hasValue()",
        free("-> optional", lambda: ABSENT),
    ),
    function(
        "optional.ofNonZeroValue",
        "An optional of the value, or of nothing where it is empty, zero, false or null.",
        "optional.ofNonZeroValue('').orValue('none') == 'none'",
        free("any -> optional", of_non_zero),
    ),
    method(
        "hasValue",
        "Whether the optional holds something.",
        "optional.of(null).hasValue()",
        free("optional -> bool", lambda optional: optional.is_present),
    ),
    method(
        "value",
        "What the optional holds; an error if nothing.",
        "{'a': 1}.?a.value() == 1",
        free("optional -> any", content_of),
    ),
    function(
        "optional.unwrap",
        "What the optionals of a list hold, those that hold nothing left out.",
        "optional.unwrap([optional.of(1), optional.none()]) == [1]",
        sized("list -> list", lists.present),
    ),
    method(
        "unwrapOpt",
        "The same as optional.unwrap.",
        "[optional.none(), optional.of(1)].unwrapOpt() == [1]",
        sized("list -> list", lists.present),
    ),
)
