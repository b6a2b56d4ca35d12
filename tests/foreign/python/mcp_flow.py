"""A foreign client: the OAuth client of the official MCP Python SDK, against a small MCP server that a running
Consentry protects (tests/foreign/node/mcp_server.mjs).

The SDK does everything: a refused call, the resource's metadata (RFC 9728), the server's (RFC 8414), a client ID
metadata document or registration (RFC 7591), PKCE, the resource indicator (RFC 8707), tokens, the tool call, refresh;
then 20 workers refresh one token at once. MODE is `document`, `registration` or `by_hand`.
Its twin in another language is tests/foreign/node/mcp.mjs.
"""

import copy
import logging
import os
import sys
import time
from importlib.metadata import version
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2
import requests
from mcp import Client
from mcp.client.auth import OAuthClientProvider, OAuthFlowError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata

from browser import walk
from report import Broken, Report

WORKERS = 20
TITLE = "buy milk"
TIMEOUT_SECONDS = 30


class Memory:
    """What the SDK asks its user to keep."""

    def __init__(self):
        self.tokens = None
        self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Person:
    """Whoever sits before the browser: walks to the callback, and may be lied to about where it came from."""

    def __init__(self):
        self.redirect_uri = os.environ["REDIRECT_URI"]
        self.asked = []
        self.walks = []
        self.lie = None

    async def sent(self, authorization_url):
        self.asked.append({name: values[-1] for name, values in parse_qs(urlsplit(authorization_url).query).items()})
        email, password = os.environ["EMAIL"], os.environ["PASSWORD"]
        self.walks.append(await anyio.to_thread.run_sync(walk, authorization_url, self.redirect_uri, email, password))

    async def returned(self):
        callback, _, _ = self.walks[-1]
        answer = {name: values[-1] for name, values in parse_qs(urlsplit(callback).query).items()}
        return AuthorizationCodeResult(code=answer["code"], state=answer.get("state"), iss=self.lie or answer.get("iss"))


async def nobody(*_):
    raise Broken("a worker asked for a person")


def given(redirect_uri):
    """The client as an owner was given it."""
    secret = os.environ.get("CLIENT_SECRET")
    return OAuthClientInformationFull(
        client_id=os.environ["CLIENT_ID"],
        client_secret=secret,
        token_endpoint_auth_method="client_secret_post" if secret else "none",
        redirect_uris=[redirect_uri],
        issuer=os.environ["ISSUER"],
    )


def provider(person):
    """The SDK's client, as its documentation sets it up."""
    metadata = {"client_name": "A foreign MCP client", "redirect_uris": [person.redirect_uri]}
    # Unset, the client registers without naming a method, as many do.
    method = os.environ.get("TOKEN_AUTH_METHOD")
    if method:
        metadata["token_endpoint_auth_method"] = method
    memory = Memory()
    if os.environ["MODE"] == "by_hand":
        memory.client = given(person.redirect_uri)
    return OAuthClientProvider(
        server_url=os.environ["RESOURCE"],
        client_metadata=OAuthClientMetadata.model_validate(metadata),
        storage=memory,
        redirect_handler=person.sent,
        callback_handler=person.returned,
        client_metadata_url=os.environ["CLIENT_ID"] if os.environ["MODE"] == "document" else None,
    )


def worker(connection):
    """Another process of the same user: it knows what the first one knew, and nobody sits before it."""
    known = connection.context
    other = OAuthClientProvider(
        server_url=known.server_url,
        client_metadata=known.client_metadata.model_copy(),
        storage=copy.copy(known.storage),
        redirect_handler=nobody,
        callback_handler=nobody,
        client_metadata_url=known.client_metadata_url,
    )
    other.context.protected_resource_metadata = known.protected_resource_metadata
    other.context.oauth_metadata = known.oauth_metadata
    other.context.auth_server_url = known.auth_server_url
    expire(other)
    return other


def expire(connection):
    """The SDK refreshes when it believes the token to have expired, so it is made to believe it."""
    connection.context.token_expiry_time = time.time() - 1


async def add_todo(connection):
    # Proxies of the environment have no business between programs on one machine.
    async with httpx2.AsyncClient(auth=connection, timeout=TIMEOUT_SECONDS, trust_env=False) as http:
        async with Client(streamable_http_client(os.environ["RESOURCE"], http_client=http)) as client:
            answer = await client.call_tool("add_todo", {"title": TITLE})
    return f"error: {answer.content}" if answer.is_error else answer.content[0].text


def causes(error):
    """The errors inside a group that a task of the SDK has put around them."""
    if isinstance(error, BaseExceptionGroup):
        return [cause for inner in error.exceptions for cause in causes(inner)]
    return [error]


class Flow(Report):
    """The client, step by step."""

    async def refuses(self, connection):
        try:
            await add_todo(connection)
        except Exception as error:  # noqa: BLE001 (the SDK wraps what it raises in groups of several kinds)
            return any(isinstance(it, OAuthFlowError) and "iss mismatch" in str(it) for it in causes(error))
        return False

    async def run(self):
        mode = os.environ["MODE"]
        if mode not in ("document", "registration", "by_hand"):
            raise Broken(f"MODE is {mode}")
        person = Person()
        connection = provider(person)

        self.step = "mix-up"
        # The SDK itself must see a foreign issuer, before any code is sent anywhere (RFC 9207).
        person.lie = "https://attacker.example"
        self.hold("a_foreign_issuer_is_seen", await self.refuses(connection))
        person.lie = None

        self.step = "tool call"
        tool_answer = await add_todo(connection)
        self.hold("the_tool_answers", tool_answer == f"added: {TITLE}")
        asked = person.asked[-1]
        self.hold("asks_for_the_resource", asked.get("resource") == os.environ["RESOURCE"])
        self.hold("asks_with_s256", asked.get("code_challenge_method") == "S256")
        scope = os.environ.get("SCOPE", "todo.read todo.write")
        self.hold("asks_for_the_challenged_scope", asked.get("scope") == scope)
        client = connection.context.client_info
        if mode == "registration":
            self.hold("a_client_was_registered", not client.client_id.startswith("https://"))
        else:
            self.hold("the_client_is_the_one_it_was_told", client.client_id == os.environ["CLIENT_ID"])
        callback, sign_ins, consents = person.walks[-1]
        self.hold("callback_names_the_issuer", parse_qs(urlsplit(callback).query).get("iss") == [os.environ["ISSUER"]])

        self.step = "refresh"
        first = connection.context.current_tokens
        self.hold("tokens_are_issued", first.access_token and first.refresh_token)
        expire(connection)
        self.hold("the_tool_answers_after_a_refresh", await add_todo(connection) == tool_answer)
        second = connection.context.current_tokens
        self.hold("refresh_gives_an_access_token", second.access_token != first.access_token)

        self.step = "parallel refresh"
        workers = [worker(connection) for _ in range(WORKERS)]
        said = []

        async def work(one):
            said.append(await add_todo(one))

        async with anyio.create_task_group() as group:
            for one in workers:
                group.start_soon(work, one)
        self.hold("every_worker_is_answered", said == [tool_answer] * WORKERS)
        answers = [one.context.current_tokens for one in workers]
        self.hold("every_worker_refreshed", all(it.access_token != second.access_token for it in answers))

        self.step = "refresh after the parallel ones"
        expire(workers[-1])
        self.hold("the_last_answer_refreshes", await add_todo(workers[-1]) == tool_answer)
        self.hold("the_person_was_asked_twice", len(person.asked) == 2)
        return {
            "clientId": client.client_id,
            "mode": mode,
            "scope": second.scope,
            "signIns": sign_ins,
            "consents": consents,
            "toolAnswer": tool_answer,
            "rotated": second.refresh_token != first.refresh_token,
            "parallel": len(answers),
            "successors": len({it.refresh_token for it in answers}),
            "issChecked": True,
        }


def main():
    # The SDK logs with a traceback what it raises anyway, and one of those is wanted here.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    flow = Flow(f"mcp {version('mcp')}")
    try:
        facts = anyio.run(flow.run)
    except KeyError as missing:
        return flow.failed({"message": f"{missing} is not set, or not in the answer"})
    except (Broken, requests.RequestException, ValueError) as reason:
        return flow.failed({"message": str(reason)})
    except Exception as error:  # noqa: BLE001 (the SDK wraps what it raises in groups of several kinds)
        return flow.failed({"message": "; ".join(f"{type(it).__name__}: {it}" for it in causes(error))})
    return flow.succeeded(facts)


if __name__ == "__main__":
    sys.exit(main())
