"""Secrets in templates: where they may stand, and how they get into what is sent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncue.core.errors import EvaluationError, InvalidInput
from oncue.core.expression import (
    compile_expression,
    compile_template,
    everywhere,
    names_at,
    put_in,
)
from oncue.core.json_text import Json

ROOTS = ("event", "vars")
SECRETS = {"KEY": "k-1234", "USER": "ada", "PORT": "8080"}


def render(document: Json, **event: Json) -> tuple[Json, Json]:
    """Return what is written down of a document, and what is sent."""
    template = compile_template(document, roots=ROOTS, conceals=everywhere)
    rendered, spots = template.render_concealed({"event": event, "vars": {}})
    return rendered, put_in(rendered, spots, SECRETS)[0]


@pytest.mark.parametrize(
    ("document", "sent"),
    [
        ("{{ secrets.KEY }}", "k-1234"),
        ("Bearer {{ secrets.KEY }}", "Bearer k-1234"),
        ("{{ secrets.USER }}:{{ secrets.KEY }}@{{ event.host }}", "ada:k-1234@h"),
        ("{{ event.host }}{{ secrets.KEY }}{{ event.host }}", "hk-1234h"),
        ("{{ 'Bearer ' + secrets.KEY }}", "Bearer k-1234"),
        ("{{ secrets['KEY'] }}", "k-1234"),
        (
            "Basic {{ base64.encode(bytes(secrets.USER + ':' + secrets.KEY)) }}",
            "Basic YWRhOmstMTIzNA==",
        ),
        # Alone it keeps its type, beside others it is text.
        ("{{ int(secrets.PORT) }}", 8080),
        ("{{ int(secrets.PORT) }}!", "8080!"),
        ({"a": [{"b": "x{{ secrets.KEY }}"}, "{{ event.host }}"]}, {"a": [{"b": "xk-1234"}, "h"]}),
    ],
)
def test_a_secret_is_put_in_when_something_is_sent(document: Json, sent: Json) -> None:
    rendered, found = render(document, host="h")

    assert found == sent
    assert "k-1234" not in str(rendered)


def test_what_is_written_down_shows_the_expression() -> None:
    rendered, _ = render("{{ event.host }}/{{ secrets.KEY + '!' }}", host="h")

    assert rendered == "h/{{ secrets.KEY + '!' }}"


@given(st.text(), st.text())
def test_no_value_is_taken_for_a_secret(before: str, after: str) -> None:
    value = f"{before}{{{{ secrets.KEY }}}}{after}"
    rendered, sent = render("{{ event.v }}{{ secrets.USER }}{{ event.v }}", v=value)

    assert rendered == f"{value}{{{{ secrets.USER }}}}{value}"
    assert sent == f"{value}ada{value}"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{{ secrets.KEY + event.host }}", "expected nothing but secrets here, got event"),
        ("{{ event.live ? secrets.KEY : secrets.USER }}", "expected nothing but secrets here"),
        ("{{ secrets[event.name] }}", "expected nothing but secrets here"),
        ("{{ secrets }}", "expected secrets and a name, which is text, got secrets"),
        ("{{ secrets.KEY.part }}", "got secrets.KEY.part"),
        ("{{ secrets.map(name, name) }}", "expected secrets and a name"),
    ],
)
def test_an_expression_reads_secrets_alone_and_by_name(document: str, told: str) -> None:
    with pytest.raises(InvalidInput, match="expected") as caught:
        compile_template(document, roots=ROOTS, conceals=everywhere)

    message = caught.value.problems[0].message
    assert told in message
    assert "^" in message


def test_secrets_stand_nowhere_else() -> None:
    document = {"url": "{{ secrets.KEY }}", "body": "{{ secrets.KEY }}"}
    with pytest.raises(InvalidInput) as caught:
        compile_template(document, roots=ROOTS, conceals=lambda place: place == "url")
    with pytest.raises(InvalidInput) as condition:
        compile_expression("secrets.KEY == 'x'", roots=ROOTS, path="where")

    (body,), (where,) = caught.value.problems, condition.value.problems
    assert (body.path, where.path) == ("body", "where")
    assert "only in with, headers, auth and url" in body.message
    assert "only in with, headers, auth and url" in where.message


def test_the_names_are_known_before_there_are_values() -> None:
    document = {"a": "{{ secrets.B + secrets.A }}", "c": ["{{ secrets.A }}"]}
    template = compile_template(document, roots=ROOTS, path="with", conceals=everywhere)
    rendered, spots = template.render_concealed({})

    assert template.secrets == {"B": "with.a", "A": "with.c[0]"}
    assert names_at(rendered, spots) == {"A", "B"}


def test_an_expression_over_secrets_may_fail() -> None:
    template = compile_template("{{ int(secrets.KEY) }}", roots=(), conceals=everywhere)
    rendered, spots = template.render_concealed({})
    with pytest.raises(EvaluationError):
        put_in(rendered, spots, SECRETS)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.text(max_size=5), st.just("p{{ secrets.KEY }}s")),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
    )
)
def test_every_place_of_any_document_is_found(document: Any) -> None:
    rendered, sent = render({"d": document} if isinstance(document, dict) else [document])

    def filled(value: Any) -> Any:
        match value:
            case str():
                return value.replace("{{ secrets.KEY }}", "k-1234")
            case list():
                return [filled(inner) for inner in value]
            case dict():
                return {name: filled(inner) for name, inner in value.items()}
            case _:
                return value

    assert sent == filled(rendered)
