"""Functions of lists: the lists and sets extensions, and totals. `sortBy` is a macro."""

from oncue.core.expression import lists
from oncue.core.expression.function import Function
from oncue.core.expression.library.rows import free, function, method, paid, sized

ROWS: tuple[Function, ...] = (
    method(
        "first",
        "An optional of the first member, or of nothing.",
        "[1, 2].first().value() == 1 && [].first().orValue('none') == 'none'",
        free("list -> optional", lists.first),
    ),
    method(
        "last",
        "An optional of the last member, or of nothing.",
        "[1, 2].last().value() == 2 && !([].last().hasValue())",
        free("list -> optional", lists.last),
    ),
    method(
        "slice",
        "The members from one place up to another.",
        "[1, 2, 3, 4].slice(1, 3) == [2, 3]",
        sized("list, int, int -> list", lists.cut),
    ),
    method(
        "flatten",
        "The members, those of lists in it one by one; one level deep, or so many.",
        "[1, [2, [3]]].flatten() == [1, 2, [3]] && [1, [2, [3]]].flatten(2) == [1, 2, 3]",
        paid("list -> list", lists.flatten),
        paid("list, int -> list", lists.flatten),
    ),
    method(
        "distinct",
        "The members, each once.",
        "[1, 2, 1, 2.0].distinct() == [1, 2]",
        paid("list -> list", lists.distinct),
    ),
    method(
        "sort",
        "The members in order; all must be numbers, or of one kind.",
        "[2, 3, 1.5].sort() == [1.5, 2, 3] && ['b', 'a'].sort() == ['a', 'b']",
        paid("list -> list", lists.sort),
    ),
    function(
        "lists.range",
        "The whole numbers from 0 on, so many.",
        "lists.range(3) == [0, 1, 2]",
        paid("int -> list", lists.count_up),
    ),
    method(
        "sum",
        "The sum of numbers or durations; 0 of an empty list.",
        "[1, 2, 3].sum() == 6 && [1, 0.5].sum() == 1.5",
        paid("list -> any", lists.total),
    ),
    method(
        "avg",
        "The average of numbers.",
        "[1, 2].avg() == 1.5",
        paid("list -> double", lists.mean),
    ),
    method(
        "min",
        "The least member; all must be numbers, or of one kind.",
        "[3, 1.5, 2].min() == 1.5",
        paid("list -> any", lists.smallest),
    ),
    method(
        "max",
        "The greatest member; all must be numbers, or of one kind.",
        "['a', 'c', 'b'].max() == 'c'",
        paid("list -> any", lists.largest),
    ),
    function(
        "sets.contains",
        "Whether each member of the second list is in the first.",
        "sets.contains([1, 2, 3], [3, 1.0])",
        paid("list, list -> bool", lists.contains_all),
    ),
    function(
        "sets.equivalent",
        "Whether both lists have the same members, however often.",
        "sets.equivalent([1, 2, 2], [2.0, 1])",
        paid("list, list -> bool", lists.are_equivalent),
    ),
    function(
        "sets.intersects",
        "Whether the lists have a member in common.",
        "sets.intersects([1, 2], [2, 3])",
        paid("list, list -> bool", lists.intersect),
    ),
)
