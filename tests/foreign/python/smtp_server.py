"""A real mail server (aiosmtpd), which keeps each message as a file of JSON, read by Python's own parser.

FOLDER is where messages go; TLS is `implicit`, `starttls` or `none`, CERTIFICATE and KEY are its own; with LOGIN
(`name:password`) nobody sends without. It behaves as the file `behaviour` in FOLDER says: `451` or `550` as an answer
to each recipient, `550 5.7.1` for reasons of its own, `hang` to say nothing after the message. Prints one line of JSON with its port, and runs until it is
ended.
"""

import asyncio
import json
import os
import ssl
import sys
from email import policy
from email.parser import BytesParser
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

FOLDER = Path(os.environ["FOLDER"])
LOGIN = os.environ.get("LOGIN")


def behaviour():
    try:
        return (FOLDER / "behaviour").read_text()
    except FileNotFoundError:
        return ""


def part(message, kind):
    found = message.get_body(preferencelist=(kind,))
    return found.get_content() if found is not None else None


class Keeper:
    """Keeps what comes."""

    def __init__(self):
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if behaviour() == "451":
            return "451 4.7.1 Come back later"
        if behaviour() == "550":
            return "550 5.1.1 Nobody here has that address"
        if behaviour() == "550 5.7.1":
            return "550 5.7.1 Your server is on a list"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if behaviour() == "hang":
            await asyncio.sleep(3600)
        message = BytesParser(policy=policy.default).parsebytes(envelope.content)
        defects = [str(defect) for each in message.walk() for defect in each.defects]
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None,
            "greeting": session.host_name,
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "header_names": [name for name, _ in message.items()],
            "defects": defects,
            "text": part(message, "plain"),
            "html": part(message, "html"),
        }
        self.count += 1
        whole = FOLDER / f"{self.count:04}.part"
        whole.write_text(json.dumps(kept))
        whole.rename(FOLDER / f"{self.count:04}.json")
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    given = f"{data.login.decode()}:{data.password.decode()}"
    # Not handled: the library is to say 535 itself, and would say nothing otherwise.
    return AuthResult(success=given == LOGIN, handled=False)


async def main():
    tls = None
    if os.environ["TLS"] != "none":
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(os.environ["CERTIFICATE"], os.environ["KEY"])
    settings = {}
    if LOGIN:
        settings |= {"auth_required": True, "authenticator": authenticate}
        # From the first byte it is safe, which this library does not know.
        settings |= {"auth_require_tls": os.environ["TLS"] == "starttls"}
    if os.environ["TLS"] == "starttls":
        settings |= {"tls_context": tls, "require_starttls": True}
    keeper = Keeper()
    outer = tls if os.environ["TLS"] == "implicit" else None
    loop = asyncio.get_running_loop()
    port = int(os.environ.get("PORT", "0"))
    server = await loop.create_server(lambda: SMTP(keeper, loop=loop, **settings), "127.0.0.1", port, ssl=outer)
    print(json.dumps({"ok": True, "port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
