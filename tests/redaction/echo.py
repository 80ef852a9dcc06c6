"""An upstream that repeats the request's credentials in all it says, and how to look for them in a text."""

import json
from base64 import b64decode, b64encode
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from html import escape, unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

KEY = "MS0xNzI2MzU0OS1Tb21lU2VjcmV0/T2ZBS2V5+Pz8=-au2"
BASIC = b64encode(f"{KEY}:".encode()).decode()
Mode = Literal["records", "fields", "message", "forbidden", "revoked", "missing", "failure", "redirect"]
MODES: tuple[Mode, ...] = ("records", "fields", "message", "forbidden", "revoked", "missing", "failure", "redirect")
LATER = "2026-11-24T00:00:00Z"


def forms(key: str = KEY) -> Iterator[str]:
    """Yield the key as requests, logs, addresses and other programs write it."""
    basic = b64encode(f"{key}:".encode()).decode()
    bare = b64encode(key.encode()).decode()
    yield from (key, key.lower(), f"authorization: Basic {basic}", basic.rstrip("="), bare)
    yield from (basic.translate(str.maketrans("+/", "-_")), quote(key, safe=""), quote(basic, safe=""))
    yield from (json.dumps(key).replace("/", "\\/"), "".join(f"\\u{ord(letter):04x}" for letter in key))
    yield from (quote(quote(key, safe=""), safe=""), escape(key), "".join(f"&#{ord(letter)};" for letter in key))
    yield json.dumps({"headers": {"Authorization": f"Basic {basic}"}})


def found_in(text: str, key: str = KEY) -> bool:
    """Whether the key can be made out in the text, whatever it was written as."""
    readings = [text]
    for _ in range(3):
        last = readings[-1]
        plain = unescape(unquote(last)).replace("\\/", "/").replace('\\"', '"').replace("\\\\", "\\")
        readings.append(_unicode(plain))
    stem = b64encode(key.encode()[: len(key) // 3 * 3]).decode()
    assert b64decode(stem).decode() in key
    wanted = [key, stem, stem.translate(str.maketrans("+/", "-_"))]
    return any(form.lower() in reading.lower() for reading in readings for form in wanted)


def _unicode(text: str) -> str:
    pieces = text.split("\\u")
    return pieces[0] + "".join(
        chr(int(piece[:4], 16)) + piece[4:] if _hexadecimal(piece[:4]) else f"\\u{piece}" for piece in pieces[1:]
    )


def _hexadecimal(text: str) -> bool:
    return len(text) == 4 and all(letter in "0123456789abcdefABCDEF" for letter in text)


class Echo:
    """Answers every request in one mode, with the key in everything that it says."""

    def __init__(self) -> None:
        self.mode: Mode = "records"
        self.form = KEY
        self.served = 0

    def answer(self, path: str) -> tuple[int, str, str]:
        """Status, content type and body for this path."""
        self.served += 1
        echo = self.form
        match self.mode:
            case "records":
                return 200, "application/json", json.dumps(self._found(path))
            case "fields":
                return 422, "application/json", json.dumps({"errors": {echo: [echo, f"x {echo}"], "notes": echo}})
            case "message":
                return 400, "application/json", json.dumps({"message": f"{'Bad header. ' * 14}{echo}"})
            case "forbidden":
                return 403, "text/plain", echo
            case "revoked":
                return 401, "text/plain", f"HTTP Basic: {echo}"
            case "missing":
                return 404, "application/json", json.dumps({"message": echo})
            case "failure":
                return 500, "text/html", f"<pre>Authorization: {echo}</pre>"
            case "redirect":
                return 302, "text/plain", echo

    def _found(self, path: str) -> dict[str, Any]:
        last = path.rstrip("/").rsplit("/", 1)[-1]
        echo = self.form
        row = {
            "id": "1", "first_name": echo, "last_name": echo, "label": echo, "name": f"It is {echo}.", "notes": echo,
            "display_name": echo, "business_name": echo, "time_zone": echo, "email": echo, "role": echo, "city": echo,
            "time_zone_identifier": "Australia/Sydney", "created_at": LATER, "updated_at": echo, "title": echo,
            "starts_at": LATER, "ends_at": LATER, "content": {"sections": [{"name": echo}]}, echo: echo,
            "custom_fields": {"sections": [{"name": echo, "fields": [{"name": echo, "value": echo}]}]},
        }  # fmt: skip
        single = last.isdigit() or last in ("user", "settings", "public_settings", "next", "conflicts")
        return row if single else {last: [row], "total_entries": 1, "links": {"self": echo}}


@contextmanager
def echoing() -> Generator[tuple[Echo, str]]:
    """The upstream, and its base URL on this computer."""
    echo = Echo()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave as one

        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, kind, text = echo.answer(urlsplit(self.path).path)
            body = text.encode()
            self.send_response(status, "OK")
            self.send_header("Content-Type", kind)
            self.send_header("X-Echo", quote(echo.form))
            if status == 302:
                self.send_header("Location", f"https://{quote(KEY, safe='+=').replace('/', '')}.example/{quote(KEY)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield echo, f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
