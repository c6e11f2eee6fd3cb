"""A language model server that fails as it is told: a process of its own, standard library only.

    python model_server.py

It prints its port. ``PUT /script`` with a JSON list of steps tells what to do with each request to
come; the last step is repeated. ``GET /asked`` answers with the bodies of the requests so far. An
honest step answers with a text that the request's grammar allows: its first alternatives.
"""

import json
import re
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ASKED: list[dict[str, Any]] = []
SCRIPT: list[dict[str, Any]] = [{"do": "answer"}]
LOCK = threading.Lock()


def first_path(grammar: str) -> str:
    """The text of the first alternative of every rule in the root."""
    rules = dict(line.split(" ::= ", 1) for line in grammar.splitlines() if " ::= " in line)

    def literal(name: str) -> str:
        found = re.match(r'"((?:[^"\\]|\\.)*)"', rules[name])
        assert found is not None
        return re.sub(r"\\(.)", r"\1", found[1])

    return "".join(literal(name.rstrip("?*+")) for name in rules["root"].split())


def completion(text: str, finish: str = "stop") -> dict[str, Any]:
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text},
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        SCRIPT[:] = json.loads(self.read())
        ASKED.clear()
        self.answer(b"{}")

    def do_GET(self) -> None:
        self.answer(json.dumps(ASKED).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.read())
        with LOCK:
            ASKED.append(asked)
            step = SCRIPT.pop(0) if len(SCRIPT) > 1 else SCRIPT[0]
        text = step.get("text")
        if text is None:
            text = first_path(asked["grammar"]) if "grammar" in asked else "yes"
        whole = json.dumps(completion(text)).encode()
        time.sleep(step.get("after", 0.0))
        match step["do"]:
            case "answer":
                self.answer(whole)
            case "status":
                self.answer(step.get("body", "{}").encode(), step["status"], step.get("headers"))
            case "drip":
                self.begin(len(whole))
                for byte in whole:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.2)
            case "truncated":
                self.answer(whole[: len(whole) // 2])
            case "schema":
                self.answer(b'{"choices": "none"}')
            case "html":
                self.answer(b"<html><body>It works!</body></html>", kind="text/html")
            case "huge":
                self.begin(None)
                part = b"x" * 65_536
                for _ in range(1_000):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            case "long":
                self.answer(json.dumps(completion("so much " * 5_000)).encode())
            case "no text":
                self.answer(json.dumps(completion("")).encode())
            case "no body":
                self.answer(b"")
            case "bytes":
                self.answer(whole.replace(b"assistant", b"\xff\xfe\xc3("))
            case "length":
                self.answer(json.dumps(completion(text, "length")).encode())
            case "cut":
                self.begin(len(whole))
                self.wfile.write(whole[: len(whole) // 2])
                self.close_connection = True
            case "cut chunk":
                self.begin(None)
                half = whole[: len(whole) // 2]
                self.wfile.write(b"%x\r\n%b\r\n" % (len(half), half))
                self.close_connection = True
            case "reset":
                # Closing with no time to linger sends a reset.
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
            case other:
                raise ValueError(other)

    def read(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def begin(
        self,
        length: int | None,
        status: int = 200,
        headers: dict[str, str] | None = None,
        kind: str = "application/json",
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def answer(
        self,
        body: bytes,
        status: int = 200,
        headers: dict[str, str] | None = None,
        kind: str = "application/json",
    ) -> None:
        self.begin(len(body), status, headers, kind)
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that go away are part of the tests


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
