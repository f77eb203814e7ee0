"""The secrets of hooks under many keys: encrypted anew, and what a lost key leaves."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from oncue.core.encryption_keys import EncryptionKey
from oncue.core.errors import Conflict, Overloaded
from oncue.core.hook.request import HookRequest
from oncue.core.integration import Reach
from oncue.engine.connected import Connected, Operators
from oncue.engine.hook_book import HookBook
from oncue.engine.hook_receiver import HookReceiver
from oncue.engine.hook_secrets import HookSecrets
from oncue.engine.rotation import Locked, Rotation
from oncue.store.vault import AesVault
from tests.installation import ACCOUNT, Installed, installed

OLD, FRESH = (EncryptionKey.of(bytes([n]) * 32) for n in (1, 2))
GITHUB = {"name": "repo", "scheme": "github", "secret": "a-secret-of-github"}


def connected(world: Installed, *keys: EncryptionKey) -> Connected:
    async def refuse(*_: object) -> Any:
        raise AssertionError("nobody is asked")

    return Connected(
        world.parts.connected.store,
        AesVault(keys),
        {},
        Operators(lambda *_: {}, lambda *_: {}),
        Reach(refuse, refuse, refuse, world.clock.now_ms),
        world.clock,
    )


def book(world: Installed, *keys: EncryptionKey) -> HookBook:
    parts = world.parts
    secrets = HookSecrets(connected(world, *keys), parts.fresh_secret)
    return HookBook(parts.hooks, secrets, parts.clock, parts.fresh_id, "http://oncue.example")


def use(folder: Path, act: Callable[[Installed], Awaitable[None]]) -> None:
    async def main() -> None:
        async with installed(folder) as world:
            await act(world)

    asyncio.run(main())


def rotation(world: Installed, hooks: HookBook, *keys: EncryptionKey) -> Rotation:
    return Rotation(world.parts.accounts, connected(world, *keys), world.parts.secrets, hooks)


def test_a_rotation_seals_hooks_anew_and_what_is_saved_later_stays_so(tmp_path: Path) -> None:
    async def act(world: Installed) -> None:
        await book(world, OLD).create(ACCOUNT, GITHUB)
        both = book(world, FRESH, OLD)
        before = await both.find(ACCOUNT, "repo")
        done = await rotation(world, both, FRESH, OLD).rotate()
        assert (done.total, done.rotated, done.locked) == (1, 1, ())
        row = await both.find(ACCOUNT, "repo")
        assert row.version == before.version
        assert row.sealed != before.sealed
        await both.change(ACCOUNT, row, {"type": "repo.pushed"})
        alone = book(world, FRESH)
        kept = await alone.find(ACCOUNT, "repo")
        assert alone.secrets.of(ACCOUNT, kept) == (GITHUB["secret"],)

    use(tmp_path, act)


def test_what_no_key_opens_is_named_and_can_be_given_anew(tmp_path: Path) -> None:
    async def act(world: Installed) -> None:
        await book(world, OLD).create(ACCOUNT, GITHUB)
        alone = book(world, FRESH)
        row = await alone.find(ACCOUNT, "repo")
        done = await rotation(world, alone, FRESH).rotate()
        assert done.locked == (Locked(ACCOUNT, "hook", "repo"),)
        assert "cannot be opened" in str(await alone.trouble(ACCOUNT, row))
        receiver = HookReceiver(alone, world.parts.accounts, world.engine.ingest, world.clock)
        with pytest.raises(Overloaded):
            await receiver.receive(ACCOUNT, row, HookRequest("", {}, {}, b"{}"))
        with pytest.raises(Conflict, match="give its secrets anew"):
            await alone.change(ACCOUNT, row, {"type": "repo.pushed"})
        await alone.change(ACCOUNT, row, {"secret": "another-secret"})
        row = await alone.find(ACCOUNT, "repo")
        assert alone.secrets.of(ACCOUNT, row) == ("another-secret",)

    use(tmp_path, act)


def test_a_ciphertext_opens_in_its_own_hook_only(tmp_path: Path) -> None:
    async def act(world: Installed) -> None:
        hooks = world.engine.hooks
        first = (await hooks.create(ACCOUNT, GITHUB)).hook
        other = (await hooks.create(ACCOUNT, {**GITHUB, "name": "other"})).hook
        vault = world.parts.connected.vault
        with pytest.raises(Exception, match="encrypted for another account or name"):
            vault.open(ACCOUNT, f"hook/{other.id}", first.sealed)

    use(tmp_path, act)
