"""Connections under many keys: rotation, crashes in it, tokens, and which one is taken."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from oncue.actions import ACTIONS
from oncue.actions.integrations import INTEGRATIONS
from oncue.actions.library import ActionLibrary
from oncue.core.action import HttpAnswer, HttpRequest, Send, Ways
from oncue.core.encryption_keys import EncryptionKey
from oncue.core.errors import (
    ActionError,
    Conflict,
    OutcomeUnknown,
    PermanentError,
    RetryableError,
)
from oncue.core.integration import Reach
from oncue.core.json_text import Json, encode_json
from oncue.engine.access_tokens import AccessTokens
from oncue.engine.connected import Connected, Operators
from oncue.engine.connection_book import ConnectionBook
from oncue.engine.kept_secrets import KeptSecrets
from oncue.engine.rotation import Locked, Rotation
from oncue.ports import Account, Connection
from oncue.store.sql.connections import SqlConnections
from oncue.store.sql.database import SqlDatabase
from oncue.store.sql.named_values import SqlSecrets
from oncue.store.vault import AesVault
from oncue.testing.clock import VirtualClock
from oncue.testing.trial import fresh_stores
from tests.installation import ACCOUNT, CrashError, Installed, installed
from tests.turning import a_turn

OLD, FRESH, LOST = (EncryptionKey.of(bytes([n]) * 32) for n in (1, 2, 3))
OTHER = "acc_other"
OPERATORS = {"api_key": "lin_of_the_operator", "base_url": "https://linear.example"}


class DyingStore(SqlConnections):
    """Dies before or after the nth ciphertext that it replaces."""

    def __init__(self, database: SqlDatabase, at: int, *, after: bool) -> None:
        super().__init__(database)
        self._left = at
        self._after = after

    async def reseal(self, account: str, connection_id: str, before: bytes, after: bytes) -> bool:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise CrashError
        is_done = await super().reseal(account, connection_id, before, after)
        if self._left == 0:
            raise CrashError
        return is_done


class Room:
    """A catalog, opened anew by whoever comes with keys."""

    def __init__(self, world: Installed, database: SqlDatabase) -> None:
        self.world = world
        self.database = database

    def connected(
        self,
        *keys: EncryptionKey,
        store: SqlConnections | None = None,
        send: Send | None = None,
    ) -> Connected:
        async def refuse(*_: object) -> Any:
            raise AssertionError("nobody is asked")

        return Connected(
            store or SqlConnections(self.database),
            AesVault(keys),
            {one.name: one for one in INTEGRATIONS},
            Operators(lambda *_: OPERATORS, lambda *_: OPERATORS),
            Reach(send or refuse, refuse, refuse, self.world.clock.now_ms),
            self.world.clock,
        )

    def book(self, *keys: EncryptionKey, store: SqlConnections | None = None) -> ConnectionBook:
        parts = self.world.parts
        connected = self.connected(*keys, store=store)
        return ConnectionBook(connected, self.world.engine.definitions, parts.clock, parts.fresh_id)

    def rotation(self, *keys: EncryptionKey, store: SqlConnections | None = None) -> Rotation:
        connected = self.connected(*keys, store=store)
        secrets = KeptSecrets(SqlSecrets(self.database), connected.vault)
        accounts = self.world.parts.accounts
        return Rotation(accounts, connected, secrets, self.world.engine.hooks)

    async def fill(self, *keys: EncryptionKey) -> None:
        """Keep two connections of the one account, and one of another."""
        await self.world.parts.accounts.add(Account(OTHER, "other", 1))
        for account, name in ((ACCOUNT, "a"), (ACCOUNT, "b"), (OTHER, "a")):
            await make(self.book(*keys), account, name)

    async def rows(self) -> list[tuple[str, Connection]]:
        store = SqlConnections(self.database)
        return [(of, row) for of in (ACCOUNT, OTHER) for row in await store.all(of)]


async def make(book: ConnectionBook, account: str, name: str, **changes: Any) -> Connection:
    values = {"api_key": f"lin_api_{account}_{name}"}
    document = {"name": name, "integration": "linear", "values": values, **changes}
    return await book.create(account, document)


@contextlib.asynccontextmanager
async def room(folder: Path) -> AsyncIterator[Room]:
    async with installed(folder) as world:
        database = SqlDatabase.on_sqlite(folder / "catalog.db")
        try:
            yield Room(world, database)
        finally:
            await database.close()


def test_a_rotation_seals_everything_anew_and_then_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with room(tmp_path) as here:
            await here.fill(OLD)
            first = await here.rotation(FRESH, OLD).rotate()
            second = await here.rotation(FRESH, OLD).rotate()
            assert (first.total, first.rotated, first.locked) == (3, 3, ())
            assert (second.total, second.rotated, second.locked) == (3, 0, ())
            # The old key is not needed any more, and the version is the same.
            for account, row in await here.rows():
                assert here.connected(FRESH).secrets(account, row) == {
                    "api_key": f"lin_api_{account}_{row.name}"
                }
                assert row.version == 1

    asyncio.run(main())


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_rotation_that_dies_is_ended_by_the_next(tmp_path: Path, at: int, after: bool) -> None:  # noqa: FBT001 pytest gives it
    async def main() -> None:
        async with room(tmp_path) as here:
            await here.fill(OLD)
            store = DyingStore(here.database, at, after=after)
            with pytest.raises(CrashError):
                await here.rotation(FRESH, OLD, store=store).rotate()
            for account, row in await here.rows():
                assert here.connected(FRESH, OLD).secrets(account, row)
            rest = await here.rotation(FRESH, OLD).rotate()
            assert rest.rotated == 3 - at + (0 if after else 1)
            for account, row in await here.rows():
                assert here.connected(FRESH).secrets(account, row)

    asyncio.run(main())


def test_what_no_key_opens_is_named_and_hinders_nothing_else(tmp_path: Path) -> None:
    async def main() -> None:
        async with room(tmp_path) as here:
            await here.fill(OLD)
            await make(here.book(LOST), ACCOUNT, "lost")
            done = await here.rotation(FRESH, OLD).rotate()
            assert (done.total, done.rotated) == (4, 3)
            assert done.locked == (Locked(ACCOUNT, "connection", "lost"),)
            book, connected = here.book(FRESH), here.connected(FRESH)
            lost = await book.find(ACCOUNT, "lost")
            assert book.trouble(ACCOUNT, lost)[0] is True
            with pytest.raises(PermanentError, match=f"'lost' cannot be opened.*{LOST.id.hex()}"):
                await connected.credentials(ACCOUNT, "linear", "lost")
            tested = await book.test(ACCOUNT, lost)
            assert not tested.ok
            with pytest.raises(Conflict, match="give all its secrets anew"):
                await book.change(ACCOUNT, lost, {"default": True})
            given = await book.change(ACCOUNT, lost, {"values": {"api_key": "lin_api_given"}})
            assert connected.secrets(ACCOUNT, given) == {"api_key": "lin_api_given"}

    asyncio.run(main())


def test_a_ciphertext_of_another_account_or_name_opens_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with room(tmp_path) as here:
            await here.fill(OLD)
            store = SqlConnections(here.database)
            (b, a), (foreign,) = await store.all(ACCOUNT), await store.all(OTHER)
            for stolen in (foreign.sealed, b.sealed):
                (_, now) = await store.all(ACCOUNT)
                assert await store.reseal(ACCOUNT, a.id, now.sealed, stolen)
                with pytest.raises(PermanentError, match="another account or name"):
                    await here.connected(OLD).credentials(ACCOUNT, "linear", "a")

    asyncio.run(main())


def test_a_change_between_look_and_rotation_is_not_undone(tmp_path: Path) -> None:
    async def main() -> None:
        async with room(tmp_path) as here:
            await here.fill(OLD)
            store = SqlConnections(here.database)
            book = here.book(OLD)
            a = await book.find(ACCOUNT, "a")
            await book.change(ACCOUNT, a, {"values": {"api_key": "lin_api_changed"}})
            assert not await store.reseal(ACCOUNT, a.id, a.sealed, b"stale")
            now = await book.find(ACCOUNT, "a")
            assert here.connected(OLD).secrets(ACCOUNT, now) == {"api_key": "lin_api_changed"}

    asyncio.run(main())


def test_a_change_that_comes_too_late_takes_no_default(tmp_path: Path) -> None:
    async def main() -> None:
        async with room(tmp_path) as here:
            book, store = here.book(OLD), SqlConnections(here.database)
            await make(book, ACCOUNT, "a", default=True)
            stale = await make(book, ACCOUNT, "b")
            await book.change(ACCOUNT, stale, {"values": {"api_key": "lin_api_changed"}})
            late = book.next(ACCOUNT, stale, {"default": True})
            with pytest.raises(Conflict, match="changed meanwhile"):
                await store.change(ACCOUNT, late)
            assert {row.name: row.is_default for row in await store.all(ACCOUNT)} == {
                "a": True,
                "b": False,
            }

    asyncio.run(main())


def test_the_named_then_the_default_then_the_only_then_the_operators(tmp_path: Path) -> None:
    async def main() -> None:
        async with room(tmp_path) as here:
            connected = here.connected(OLD)

            async def key(name: str | None = None) -> str:
                connected.forget(ACCOUNT)
                return (await connected.credentials(ACCOUNT, "linear", name))["api_key"]

            book = here.book(OLD)
            assert await key() == "lin_of_the_operator"
            a = await make(book, ACCOUNT, "a")
            assert await key() == f"lin_api_{ACCOUNT}_a"
            # Where the vendor is comes from the operator; who we are does not.
            given = await connected.credentials(ACCOUNT, "linear", None)
            assert given["base_url"] == "https://linear.example"
            await make(book, ACCOUNT, "b")
            with pytest.raises(PermanentError, match=r"several connections for linear: .* a, b"):
                await key()
            assert await key("b") == f"lin_api_{ACCOUNT}_b"
            await book.change(ACCOUNT, await book.find(ACCOUNT, "a"), {"default": True})
            assert await key() == f"lin_api_{ACCOUNT}_a"
            with pytest.raises(PermanentError, match="no connection 'c'"):
                await key("c")
            used = (await book.find(ACCOUNT, a.id)).last_used_at_ms
            assert used == here.world.clock.now_ms()

    asyncio.run(main())


def test_what_has_a_store_of_its_own_takes_a_connection_only_where_it_is_meant(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with room(tmp_path) as here:
            url = {"url": "postgresql://u:password@db.example/shop"}
            document: dict[str, Json] = {"name": "shop", "integration": "database", "values": url}
            book, connected = here.book(OLD), here.connected(OLD)
            await book.create(ACCOUNT, document)
            assert not await connected.has(ACCOUNT, "database", None)
            assert await connected.credentials(ACCOUNT, "database", "shop") == url

    asyncio.run(main())


FORM = {
    "client_id": "id",
    "client_secret": "planted-client-secret",
    "refresh_token": "planted-refresh-token",
    "token_url": "https://vendor.example/token",
}


class TokenVendor:
    """Gives tokens by number."""

    def __init__(self, *answers: HttpAnswer | ActionError) -> None:
        self.answers = list(answers)
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpAnswer:
        self.requests.append(request)
        # Whoever asks meanwhile has its turn before the answer comes.
        await a_turn()
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, ActionError):
                raise answer
            return answer
        return said(200, {"access_token": f"t{len(self.requests)}", "expires_in": 3_600})


def said(status: int, body: Mapping[str, Any], **headers: str) -> HttpAnswer:
    return HttpAnswer(status, headers, encode_json(dict(body)))


def test_a_token_that_the_vendor_refuses_is_fetched_anew(tmp_path: Path) -> None:
    class Calendar(TokenVendor):
        """Takes no token but the second."""

        async def send(self, request: HttpRequest) -> HttpAnswer:
            if request.url == FORM["token_url"]:
                return await super().send(request)
            has_second = request.headers["Authorization"] == "Bearer t2"
            return said(200, {"id": "m1"}) if has_second else said(401, {"error": {"errors": []}})

    async def main() -> Any:
        vendor, clock = Calendar(), VirtualClock()
        async with room(tmp_path) as here, fresh_stores() as stores:
            connected = here.connected(OLD, send=vendor.send)
            await here.book(OLD).create(
                ACCOUNT, {"name": "cal", "integration": "google_calendar", "values": FORM}
            )
            ways = Ways(vendor.send, vendor.send, vendor.send)  # type: ignore[arg-type] # only the first is asked
            library = ActionLibrary(ACTIONS, connected, ways, clock, stores)
            meeting: Json = {"title": "x", "start": "2026-11-23T09:00:00Z", "duration": "1h"}
            ask = partial(library.perform, ACCOUNT, "schedule_meeting", meeting, "k")
            with pytest.raises(RetryableError, match="another access token"):
                await ask(is_repeat=False)
            return await ask(is_repeat=False)

    assert asyncio.run(main())["id"] == "m1"


def test_an_account_has_two_hundred_connections_at_most(tmp_path: Path) -> None:
    async def main() -> None:
        async with room(tmp_path) as here:
            book = here.book(OLD)
            for number in range(200):
                await make(book, ACCOUNT, f"n{number}")
            with pytest.raises(Conflict, match="at most 200 connections in an account"):
                await make(book, ACCOUNT, "more")
            await book.delete(ACCOUNT, await book.find(ACCOUNT, "n7"), even_if_used=False)
            await make(book, ACCOUNT, "more")

    asyncio.run(main())


def test_a_token_is_fetched_once_and_again_before_it_expires() -> None:
    async def main() -> None:
        vendor, clock = TokenVendor(), VirtualClock()
        tokens = AccessTokens(vendor.send, clock)
        assert await asyncio.gather(*(tokens.token("k", FORM) for _ in range(20))) == ["t1"] * 20
        clock.advance(3_539_000)
        assert await tokens.token("k", FORM) == "t1"
        clock.advance(2_000)
        assert await tokens.token("k", FORM) == "t2"
        assert await tokens.token("other", FORM) == "t3"
        body = vendor.requests[0].body
        assert body is not None
        assert b"grant_type=refresh_token" in body
        assert b"refresh_token=planted-refresh-token" in body

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (said(400, {"error": "invalid_grant"}), PermanentError, "answered 400 (invalid_grant)"),
        (said(400, {"error": "planted-refresh-token"}), PermanentError, "answered 400"),
        (said(401, {"error_description": "planted"}), PermanentError, "answered 401"),
        (said(200, {}), PermanentError, "answered 200"),
        (said(429, {}, **{"retry-after": "7"}), RetryableError, "answered 429"),
        (said(503, {}), RetryableError, "answered 503"),
        # The action was not called: it is known that nothing happened.
        (OutcomeUnknown("no answer"), RetryableError, "no answer"),
    ],
)
def test_a_token_that_is_not_given_is_told_without_secrets(
    answer: HttpAnswer | ActionError, kind: type[ActionError], words: str
) -> None:
    async def main() -> None:
        tokens = AccessTokens(TokenVendor(answer).send, VirtualClock())
        with pytest.raises(kind) as refused:
            await tokens.token("k", FORM)
        assert words in str(refused.value)
        assert "planted" not in str(refused.value)
        # The next attempt asks anew.
        assert await tokens.token("k", FORM) == "t2"

    asyncio.run(main())
