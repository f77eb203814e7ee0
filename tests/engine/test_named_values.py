"""What executions have of variables and secrets: values of their start, and of each call."""

import asyncio
from pathlib import Path
from typing import Any

from oncue.core.workflow.records import AttemptStarted, decode_records, encode_records
from tests.installation import ACCOUNT, Installed, installed
from tests.make import make_call, make_document


async def _set(world: Installed, name: str, value: Any) -> None:
    await world.engine.variables.put(ACCOUNT, name, {"value": value})


async def _texts(folder: Path, document: Any, between: Any = None) -> list[str]:
    async with installed(folder) as world:
        await _set(world, "region", "eu")
        await world.engine.definitions.create_workflow(ACCOUNT, document)
        await world.send()
        await world.engine.settled()
        if between:
            await between(world)
        await world.settle_after(3_600_000)
        return [text for text, _ in world.actions.calls]


def test_an_execution_has_the_variables_of_its_start(tmp_path: Path) -> None:
    call = {"with": {"text": "{{ vars.region }} {{ vars.own }}"}}
    document = make_document(
        vars={"own": "mine"},
        steps=[
            make_call("a", **call),
            {"id": "wait", "type": "delay", "for": "1h"},
            make_call("b", **call),
        ],
    )

    async def change(world: Installed) -> None:
        await _set(world, "region", "us")
        await _set(world, "own", "shadowed")
        await world.send(id="e-2")

    texts = asyncio.run(_texts(tmp_path, document, change))

    assert sorted(texts) == ["eu mine", "eu mine", "us mine", "us mine"]


def test_any_name_may_be_read(tmp_path: Path) -> None:
    text = "{{ vars[event.data.name] }}"
    document = make_document(steps=[make_call("a", **{"with": {"text": text}})])

    async def main() -> list[str]:
        async with installed(tmp_path) as world:
            await _set(world, "region", "eu")
            await world.engine.definitions.create_workflow(ACCOUNT, document)
            await world.send(data={"name": "region"})
            await world.engine.settled()
            return [text for text, _ in world.actions.calls]

    assert asyncio.run(main()) == ["eu"]


def test_a_start_outlives_a_restart_with_its_variables(tmp_path: Path) -> None:
    document = make_document(
        steps=[
            {"id": "wait", "type": "delay", "for": "1h"},
            make_call("b", **{"with": {"text": "{{ vars.region }}"}}),
        ]
    )

    async def main() -> list[str]:
        async with installed(tmp_path) as world:
            await _set(world, "region", "eu")
            await world.engine.definitions.create_workflow(ACCOUNT, document)
            await world.send()
            await world.engine.settled()
            await _set(world, "region", "us")
            clock = world.clock
        async with installed(tmp_path, clock=clock) as world:
            await world.settle_after(3_600_000)
            return [text for text, _ in world.actions.calls]

    assert asyncio.run(main()) == ["eu"]


def test_keys_tell_a_secret_from_a_text_that_spells_it(tmp_path: Path) -> None:
    def document(name: str, text: str) -> Any:
        step = make_call("a", **{"with": {"text": text}}, cache={"ttl": "1h"})
        return make_document(name=name, steps=[step])

    async def main() -> list[str]:
        async with installed(tmp_path) as world:
            definitions = world.engine.definitions
            await definitions.create_workflow(ACCOUNT, document("one", "{{ secrets.KEY }}"))
            await definitions.create_workflow(ACCOUNT, document("two", "{{ event.data.said }}"))
            await world.send(data={"said": "{{ secrets.KEY }}"})
            await world.engine.settled()
            # Neither takes the answer that the other has in the cache.
            return [text for text, _ in world.actions.calls]

    assert asyncio.run(main()) == ["{{ secrets.KEY }}"] * 2


def test_what_was_written_without_secrets_is_read_as_before() -> None:
    old = b'[{"kind":"attempt_started","path":"a","action":"note","attempt":1,"idempotency_key":"k","input":{"text":"x"}}]'
    (record,) = decode_records(old)

    assert record == AttemptStarted("a", "note", 1, "k", {"text": "x"})
    assert encode_records([record]) == old
