"""A foreign client: Authlib, as a plugin's owner would use it, against a running Consentry.

It discovers the server (RFC 8414), sends a person through sign-in and consent in a browser that has no
JavaScript, redeems, refreshes, introspects, revokes, and sees that what was revoked is gone.
Prints one line of JSON, never a secret or a token; exits 0 only when every step held.
Its twin in another language is tests/foreign/node/flow.mjs.
"""

import os
import sys
import time
from urllib.parse import parse_qs, urlsplit

import authlib
import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

from browser import TIMEOUT_SECONDS, walk
from report import Broken, Report

ATTEMPTS_MAX = 20


class Flow(Report):
    """The client, step by step."""

    def discover(self, issuer):
        self.step = "discovery"
        url = get_well_known_url(issuer, external=True)
        session = requests.Session()
        session.trust_env = False
        answer = session.get(url, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        metadata = AuthorizationServerMetadata(answer.json())
        metadata.validate()
        self.hold("metadata_names_the_issuer", metadata.get("issuer") == issuer)
        self.hold("metadata_promises_iss", metadata.get("authorization_response_iss_parameter_supported") is True)
        self.hold("metadata_promises_s256", "S256" in metadata.get("code_challenge_methods_supported", []))
        return metadata

    def run(self):
        issuer = os.environ["ISSUER"]
        redirect_uri = os.environ["REDIRECT_URI"]
        method = os.environ.get("TOKEN_AUTH_METHOD", "client_secret_post")
        if method not in ("client_secret_post", "client_secret_basic"):
            raise Broken(f"TOKEN_AUTH_METHOD is {method}")
        if urlsplit(issuer).scheme == "http":
            # The library speaks plain http only when told to; a server on loopback has nothing else.
            os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

        server = self.discover(issuer)
        self.hold("metadata_knows_the_method", method in server.get("token_endpoint_auth_methods_supported", []))

        self.step = "authorization"
        client = OAuth2Session(
            os.environ["CLIENT_ID"],
            os.environ["CLIENT_SECRET"],
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            scope=os.environ.get("SCOPE") or None,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )
        client.trust_env = False
        verifier = generate_token(64)
        url, state = client.create_authorization_url(server["authorization_endpoint"], code_verifier=verifier)
        callback, sign_ins, consents = walk(url, redirect_uri, os.environ["EMAIL"], os.environ["PASSWORD"])
        # This library's client does not look at the issuer (RFC 9207), so the script does.
        self.hold("callback_names_the_issuer", parse_qs(urlsplit(callback).query).get("iss") == [issuer])

        self.step = "forged state"
        try:
            client.fetch_token(
                server["token_endpoint"], authorization_response=callback, state="forged", code_verifier=verifier
            )
            self.hold("a_foreign_state_is_seen", False)
        except AuthlibBaseError as refusal:
            self.hold("a_foreign_state_is_seen", refusal.error == "mismatching_state")

        self.step = "redemption"
        first = client.fetch_token(
            server["token_endpoint"], authorization_response=callback, state=state, code_verifier=verifier
        )
        self.hold("tokens_are_issued", first.get("access_token") and first.get("refresh_token"))
        self.hold("token_type_is_bearer", first["token_type"].lower() == "bearer")
        first_refresh_token = first["refresh_token"]

        self.step = "refresh"
        second = client.refresh_token(server["token_endpoint"], refresh_token=first_refresh_token)
        access_token = second["access_token"]
        refresh_token = second.get("refresh_token") or first_refresh_token

        def is_active():
            answer = client.introspect_token(server["introspection_endpoint"], token=access_token)
            answer.raise_for_status()
            return answer.json()["active"] is True

        if server.get("introspection_endpoint"):
            self.step = "introspection"
            self.hold("the_access_token_is_active", is_active())

        self.step = "revocation"
        answer = client.revoke_token(
            server["revocation_endpoint"], token=refresh_token, token_type_hint="refresh_token"
        )
        self.hold("revocation_answers_200", answer.status_code == 200)
        try:
            client.refresh_token(server["token_endpoint"], refresh_token=refresh_token)
            self.hold("refreshing_again_is_invalid_grant", False)
        except AuthlibBaseError as refusal:
            self.hold("refreshing_again_is_invalid_grant", refusal.error == "invalid_grant")
        if server.get("introspection_endpoint"):
            self.hold("the_access_token_is_inactive", comes_true(lambda: not is_active()))
        return {
            "method": method,
            "signIns": sign_ins,
            "consents": consents,
            "rotated": refresh_token != first_refresh_token,
            "scope": second.get("scope") or first.get("scope"),
        }


def comes_true(question):
    """Revocation may take a second to reach another node; what is asked must come true within two."""
    for _ in range(ATTEMPTS_MAX):
        if question():
            return True
        time.sleep(0.1)
    return False


def main():
    flow = Flow(f"Authlib {authlib.__version__}")
    try:
        facts = flow.run()
    except KeyError as missing:
        return flow.failed({"message": f"{missing} is not set, or not in the answer"})
    except AuthlibBaseError as refusal:
        return flow.failed({"message": str(refusal), "error": refusal.error, "description": refusal.description})
    except (Broken, requests.RequestException, ValueError) as reason:
        return flow.failed({"message": str(reason)})
    return flow.succeeded(facts)


if __name__ == "__main__":
    sys.exit(main())
