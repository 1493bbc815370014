"""A mail server for tests: it keeps letters, and fails in the phase and the way that it is told.

Prints one line of JSON for each event: {"port": …} when it listens, {"done": true} for each order, {"letter": …} for
each letter that it took. Orders come as lines of JSON: {"phase": "RCPT", "act": "451 4.7.1 Later", "times": 1}, where an
act is a reply, "hang", "cut" or "drip" (one byte a second), and "times" how often, for ever where it is absent; {} takes
the order back, and null changes nothing. Ends with its standard input.
"""

import argparse
import asyncio
import base64
import email
import email.header
import email.policy
import email.utils
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

faults = {}


def say(event):
    print(json.dumps(event), flush=True)


def act_of(phase):
    """What is to go wrong in this phase, if anything is left to."""
    fault = faults.get(phase)
    if fault is None or fault.get("times") == 0:
        return None
    if "times" in fault:
        fault["times"] -= 1
    return fault["act"]


class Server(SMTP):
    async def fails(self, phase):
        act = act_of(phase)
        if act is None:
            return False
        if act == "hang":
            await asyncio.sleep(3600)
        elif act == "cut":
            self.transport.abort()
        elif act == "drip":
            for byte in b"250-a long welcome from a server that has all the time in the world\r\n" * 100:
                self._writer.write(bytes([byte]))
                await self._writer.drain()
                await asyncio.sleep(1)
        else:
            await self.push(act)
        return True

    async def _handle_client(self):
        if await self.fails("GREETING"):
            self.transport.close()
        else:
            await super()._handle_client()

    async def smtp_EHLO(self, argument):
        if not await self.fails("EHLO"):
            await super().smtp_EHLO(argument)

    async def smtp_STARTTLS(self, argument):
        if not await self.fails("STARTTLS"):
            await super().smtp_STARTTLS(argument)

    async def smtp_AUTH(self, argument):
        if not await self.fails("AUTH"):
            await super().smtp_AUTH(argument)

    async def smtp_NOOP(self, argument):
        if not await self.fails("NOOP"):
            await super().smtp_NOOP(argument)

    async def smtp_MAIL(self, argument):
        if not await self.fails("MAIL"):
            await super().smtp_MAIL(argument)

    async def smtp_RCPT(self, argument):
        if not await self.fails("RCPT"):
            await super().smtp_RCPT(argument)

    async def smtp_DATA(self, argument):
        if not await self.fails("DATA"):
            await super().smtp_DATA(argument)


class Letters:
    async def handle_DATA(self, server, session, envelope):
        act = act_of("LETTER")
        if act is None or act in ("hang", "cut"):
            say({"letter": letter(server, session, envelope)})
        if act == "hang":
            await asyncio.sleep(3600)
        if act == "cut":
            server.transport.abort()
        return act or "250 2.0.0 Taken"


def addresses(raw, name):
    """The display names and addresses of a header. The newer policy puts spaces between the words of a long name."""
    header = email.message_from_bytes(raw)[name]
    decoded = lambda text: str(email.header.make_header(email.header.decode_header(text)))
    return [[decoded(display), address] for display, address in email.utils.getaddresses([header])]


def letter(server, session, envelope):
    """A letter as a mail program reads it, and as it came."""
    message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
    parts = [part for part in message.walk() if not part.is_multipart()]
    body = {part.get_content_type(): part.get_content().replace("\r\n", "\n") for part in parts}
    return {
        "from": envelope.mail_from,
        "recipients": envelope.rcpt_tos,
        "protected": server.transport.get_extra_info("ssl_object") is not None,
        "user": session.auth_data,
        "hello": session.host_name,
        "peer": session.peer[1],
        "headers": [[name, str(value)] for name, value in message.items()],
        "to": addresses(envelope.original_content, "To"),
        "sender": addresses(envelope.original_content, "From"),
        "subject": message["Subject"],
        "message_id": message["Message-ID"],
        "text": body["text/plain"],
        "html": body["text/html"],
        "raw": base64.b64encode(envelope.original_content).decode(),
    }


def authenticate(server, session, envelope, mechanism, data):
    known = (data.login, data.password) == (b"orgdesk", b"p@ss word")
    return AuthResult(success=known, handled=False, auth_data=data.login.decode() if known else None)


async def orders():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        if order is not None:
            faults.clear()
        if order:
            faults[order["phase"]] = order
        say({"done": True})


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--protection", choices=["none", "starttls", "implicit"], default="none")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--authenticate", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    context = None
    if arguments.protection != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(arguments.certificate, arguments.key)
    options = {"hostname": "mail.example.com"}
    if arguments.protection == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if arguments.authenticate:
        options |= {"authenticator": authenticate, "auth_required": True}
        options |= {"auth_require_tls": arguments.protection == "starttls"}
    server = await asyncio.get_running_loop().create_server(
        lambda: Server(Letters(), **options),
        host="127.0.0.1",
        port=arguments.port,
        ssl=context if arguments.protection == "implicit" else None,
    )
    say({"port": server.sockets[0].getsockname()[1]})
    await orders()


asyncio.run(main())
