"""A mail server that this project did not write (aiosmtpd), and a reader of mails that it did not write either (Python's email package).

Arguments: a certificate and its key (PEM), a user and a password, or none of the four for a server in the clear that nobody logs in to.
Prints its port when it is ready, and then each mail that it takes as a line of JSON. Ends when its standard input does.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


def told(text):
    print(json.dumps(text), flush=True)


class Taker:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = [part for part in mail.walk() if not part.is_multipart()]
        told({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "secure": session.ssl is not None,
            "login": session.auth_data.login.decode() if session.authenticated else None,
            "headers": [[name, str(value)] for name, value in mail.items()],
            "addresses": [[one.display_name, one.addr_spec] for one in mail["To"].addresses],
            "type": mail.get_content_type(),
            "parts": [{"type": part.get_content_type(), "charset": part.get_content_charset(), "language": part["Content-Language"], "text": part.get_content()} for part in parts],
            "defects": [type(defect).__name__ for part in mail.walk() for defect in part.defects]
                + [f"{name}: {type(defect).__name__}" for name, value in mail.items() for defect in value.defects],
        })
        return "250 2.0.0 taken"


def knows(user, password):
    def check(server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login.decode(), data.password.decode()) == (user, password), handled=False, auth_data=data)

    return check


async def main(args):
    settings = {}
    if args:
        certificate, key, user, password = args
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        settings = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": knows(user, password)}
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Taker(), hostname="localhost", **settings), "127.0.0.1", 0)
    told({"port": server.sockets[0].getsockname()[1]})
    await asyncio.to_thread(sys.stdin.read)


asyncio.run(main(sys.argv[1:]))
