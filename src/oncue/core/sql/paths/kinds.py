"""What paths are taken for: the kinds, and which of them each function of DuckDB takes."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a path is taken for; each is a function, of a document and a path or of a value."""

    NUMBER = "oncue_number"
    WHOLE = "oncue_whole"
    """A whole number of 64 bits, what it is beyond that cut off; exact, where a number is a double."""
    TEXT = "oncue_text"
    TRUTH = "oncue_truth"
    TIME = "oncue_time"
    PLAIN = "oncue_plain"
    """Its text, to be joined or cast."""
    CAST_WHOLE = "oncue_cast_whole"
    """What can be cast to a whole number, as are the next four to others."""
    CAST_DECIMAL = "oncue_cast_decimal"
    CAST_DOUBLE = "oncue_cast_double"
    CAST_TRUTH = "oncue_cast_truth"
    CAST_TIME = "oncue_cast_time"
    LIST = "oncue_list"
    NUMBERS = "oncue_numbers"
    """A list of numbers."""
    SIZED = "oncue_sized"
    """A text, or one that is as long as a list is."""
    JSON = "oncue_json"
    """The document as it stands there."""
    VALUE = "oncue_value"
    """Whatever it is."""


_DOUBLE: Final = "TRY_CAST({text} AS DOUBLE)"
_CUT_OFF: Final = (
    "coalesce(TRY_CAST(regexp_extract({text}, '^-?\\d+$') AS BIGINT),"
    " TRY_CAST(trunc(TRY_CAST({text} AS DOUBLE)) AS BIGINT))"
)
_INSTANT: Final = "TRY_CAST({text} AS TIMESTAMPTZ)"
# A whole number is one again where it is told.
_JSON_VALUE: Final = """CASE
    WHEN variant_typeof(CAST(v AS VARIANT)) = 'DOUBLE' AND abs(CAST(v AS DOUBLE)) < 9007199254740992
        AND CAST(v AS DOUBLE) = trunc(CAST(v AS DOUBLE)) THEN CAST(CAST(CAST(v AS DOUBLE) AS BIGINT) AS JSON)
    ELSE CAST(v AS JSON) END"""


def _comparable(json: str) -> str:
    """
    Return a JSON value as a VARIANT.

    Doubles and whole numbers compare as numbers only if all are of one type, so a whole number that a
    double is equal to becomes one, by its text: that takes a third of the time of asking for its type.
    """
    as_double = rf"regexp_replace({json}, '^(-?(?:\d{{1,15}}|[1-8]\d{{15}}))$', '\1.0')"
    return f"CAST(CAST({as_double} AS JSON) AS VARIANT)"


def _elements(json: str) -> str:
    return f"list_transform(CAST({json} AS JSON[]), lambda each: {_comparable('each')})"


def _at(types: str, form: str) -> str:
    """Return what is made of the text of a path, where it has one of some types."""
    return f"(d, p) AS CASE WHEN json_type(d, p) IN ({types}) THEN {form.replace('{text}', 'd ->> p')} END"


def _of(types: str, form: str) -> str:
    """Return what is made of the text of a value, where it has one of some types."""
    typed = f"regexp_matches(variant_typeof(CAST(v AS VARIANT)), '^({types})')"
    return f"(v) AS CASE WHEN {typed} THEN {form.replace('{text}', 'CAST(v AS VARCHAR)')} END"


def _cast(form: str) -> tuple[str, str]:
    """Return what is made of the text of a path and of a value, whatever its type."""
    given, of_value = form.format(text="(d ->> p)"), form.format(text=f"(({_JSON_VALUE}) ->> '$')")
    return f"(d, p) AS {given}", f"(v) AS {of_value}"


_NUMBERS: Final = "'UBIGINT', 'BIGINT', 'HUGEINT', 'DOUBLE'"
_NUMBER_VALUES: Final = "U?INT|DOUBLE|FLOAT|DECIMAL"
MACROS: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.NUMBER: (_at(_NUMBERS, _DOUBLE), _of(_NUMBER_VALUES, _DOUBLE)),
    Kind.WHOLE: (_at(_NUMBERS, _CUT_OFF), _of(_NUMBER_VALUES, _CUT_OFF)),
    Kind.TEXT: (_at("'VARCHAR'", "{text}"), _of("VARCHAR", "{text}")),
    Kind.TRUTH: (
        _at("'BOOLEAN'", "TRY_CAST({text} AS BOOLEAN)"),
        _of("BOOL", "TRY_CAST({text} AS BOOLEAN)"),
    ),
    Kind.TIME: (_at("'VARCHAR'", _INSTANT), _of("VARCHAR|TIMESTAMP|DATE", _INSTANT)),
    Kind.PLAIN: ("(d, p) AS (d ->> p)", f"(v) AS ({_JSON_VALUE}) ->> '$'"),
    # A double is rounded to an even number, the text of one is not.
    Kind.CAST_WHOLE: _cast(
        "CASE WHEN regexp_full_match({text}, '-?\\d+') THEN TRY_CAST({text} AS HUGEINT)"
        " ELSE TRY_CAST(round_even(TRY_CAST({text} AS DOUBLE), 0) AS HUGEINT) END"
    ),
    Kind.CAST_DECIMAL: _cast("TRY_CAST({text} AS DECIMAL(38, 12))"),
    Kind.CAST_DOUBLE: _cast("TRY_CAST({text} AS DOUBLE)"),
    Kind.CAST_TRUTH: _cast("TRY_CAST({text} AS BOOLEAN)"),
    Kind.CAST_TIME: _cast("TRY_CAST({text} AS TIMESTAMPTZ)"),
    Kind.LIST: (
        _at("'ARRAY'", _elements("json_extract(d, p)")),
        _of("ARRAY", _elements("CAST(v AS JSON)")),
    ),
    Kind.NUMBERS: (
        "(d, p) AS TRY_CAST(json_extract(d, p) AS DOUBLE[])",
        "(v) AS TRY_CAST(CAST(v AS JSON) AS DOUBLE[])",
    ),
    Kind.SIZED: (
        """(d, p) AS CASE json_type(d, p) WHEN 'VARCHAR' THEN d ->> p
            WHEN 'ARRAY' THEN repeat('-', CAST(json_array_length(d, p) AS BIGINT)) END""",
        """(v) AS CASE WHEN variant_typeof(CAST(v AS VARIANT)) = 'VARCHAR' THEN CAST(v AS VARCHAR)
            WHEN variant_typeof(CAST(v AS VARIANT)) LIKE 'ARRAY%'
            THEN repeat('-', CAST(json_array_length(CAST(v AS JSON)) AS BIGINT)) END""",
    ),
    Kind.JSON: ("(d, p) AS json_extract(d, p)", f"(v) AS {_JSON_VALUE}"),
    Kind.VALUE: (
        f"(d, p) AS {_comparable('json_extract(d, p)')}",
        "(v) AS CAST(v AS VARIANT)",
    ),
}
"""What each function is, of a JSON document `d` and a path `p`, and of a value `v`."""

_N, _W, _T, _B, _I, _P, _L, _V = (
    Kind.NUMBER,
    Kind.WHOLE,
    Kind.TEXT,
    Kind.TRUTH,
    Kind.TIME,
    Kind.PLAIN,
    Kind.LIST,
    Kind.VALUE,
)
_ALIKE: Final[Mapping[str, tuple[Kind, ...]]] = {
    """
    sum avg mean median quantile quantile_cont quantile_disc approx_quantile reservoir_quantile mad
    stddev stddev_pop stddev_samp variance var_pop var_samp sem skewness kurtosis kurtosis_pop product
    fsum favg sumkahan kahan_sum geomean geometric_mean corr covar_pop covar_samp regr_avgx regr_avgy
    regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy weighted_avg wavg
    percentile_cont percentile_disc abs acos acosh asin asinh atan atan2 atanh cbrt ceil ceiling cos
    cosh cot degrees exp floor ln log log10 log2 mod pow power radians sign signbit sin sinh sqrt tan
    tanh trunc even gamma lgamma fdiv fmod divide isnan isinf isfinite nextafter to_timestamp
    make_timestamp_ms
    """: (_N,),
    "round round_even": (_N, _W),
    """
    bit_and bit_or bit_xor bit_count xor factorial gcd lcm chr to_days to_hours to_minutes to_seconds
    to_milliseconds to_microseconds to_months to_weeks to_years to_quarters make_date make_time
    epoch_ms make_timestamp range generate_series format_bytes
    """: (_W,),
    """
    upper lower ucase lcase trim ltrim rtrim reverse starts_with ends_with prefix suffix contains
    regexp_matches regexp_full_match regexp_replace regexp_extract regexp_extract_all regexp_split_to_array
    replace translate instr strpos position strlen strip_accents ascii ord unicode levenshtein
    damerau_levenshtein hamming jaccard jaro_similarity jaro_winkler_similarity editdist3 split
    string_split str_split string_to_array string_split_regex str_split_regex bit_length char_length
    character_length length_grapheme strptime try_strptime url_encode url_decode from_base64 like_escape
    ilike_escape parse_filename parse_dirname parse_path nfc_normalize
    """: (_T,),
    "left right repeat left_grapheme right_grapheme lpad rpad split_part": (_T, _W, _T),
    "substring substr substring_grapheme": (_T, _W),
    "concat concat_ws string_agg group_concat listagg histogram md5 sha1 sha256": (_P,),
    "format printf": (_T, _V),
    "bool_and bool_or count_if countif": (_B,),
    """
    year month day hour minute second millisecond microsecond nanosecond quarter week weekofyear yearweek
    dayofweek dayofmonth dayofyear weekday isodow isoyear century decade era millennium dayname monthname
    last_day epoch epoch_us epoch_ns age julian extract
    """: (_I,),
    "date_trunc datetrunc date_part datepart date_diff datediff date_sub datesub": (_T, _I),
    "time_bucket timezone": (_V, _I),
    "strftime": (_I,),
    """
    unnest flatten list_contains list_has array_contains array_has list_position list_sort list_distinct
    list_unique list_min list_max list_any_value list_slice list_extract list_element list_concat list_has_any
    list_has_all list_reverse
    list_zip array_length array_to_string list_reverse_sort
    """: (_L, _V),
    """
    list_sum list_avg list_product list_median list_stddev_pop list_stddev_samp list_var_pop list_var_samp
    list_aggregate list_aggr array_aggregate array_aggr
    """: (Kind.NUMBERS, _V),
    "len length cardinality": (Kind.SIZED,),
    """
    json_extract json_extract_string json_extract_path json_extract_path_text json_array_length json_keys
    json_type json_valid json_structure json_exists json_value json_contains json_transform
    json_transform_strict from_json from_json_strict json_each json_tree json_merge_patch json_pretty
    """: (Kind.JSON, _T),
}
_FUNCTIONS: Final = {name: kinds for names, kinds in _ALIKE.items() for name in names.split()}


def kind_of_argument(function: str, place: int) -> Kind:
    """
    Return what a function takes a path for that is its argument at a place, counted from 0.

    >>> kind_of_argument("left", 1), kind_of_argument("count", 0)
    (<Kind.WHOLE: 'oncue_whole'>, <Kind.VALUE: 'oncue_value'>)
    """
    kinds = _FUNCTIONS.get(function.lower(), (Kind.VALUE,))
    return kinds[min(place, len(kinds) - 1)]
