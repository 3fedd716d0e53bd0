#!/usr/bin/env python3
"""An integration of Neuro Relay in Python 3.9 or later, with the standard library only.

Run it with `python3 examples/jukebox.py [URL] [TOKEN]`. It reconnects forever. Because it requests acks, commands of watchers that were
sent while it was disconnected arrive when it is back.
"""
import base64
import json
import os
import socket
import ssl
import struct
import sys
import time
from urllib.parse import urlsplit

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8765"
TOKEN = sys.argv[2] if len(sys.argv) > 2 else "super-secret-token"

ACTIONS = [
    {
        "name": "play_song",
        "description": "Play a song on the jukebox.",
        "schema": {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]},
    },
    {"name": "stop_music", "description": "Stop the music."},
]


class WebSocket:
    """A WebSocket that sends and receives text. Replace it with a library if you use one already."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        port = address.port or (443 if address.scheme == "wss" else 80)
        self._socket = socket.create_connection((address.hostname, port), timeout=10)
        if address.scheme == "wss":
            self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=address.hostname)
        self._socket.settimeout(None)
        self._bytes = self._socket.makefile("rb")
        path = (address.path or "/") + ("?" + address.query if address.query else "")
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        status = self._bytes.readline().decode()
        while self._bytes.readline().strip():
            pass
        if " 101 " not in status:
            raise ConnectionError(f"no WebSocket: {status.strip()}")

    def send(self, message: dict) -> None:
        self._send(0x1, json.dumps(message).encode())

    def _send(self, opcode: int, payload: bytes) -> None:
        length = len(payload)
        if length < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
        elif length < 65_536:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, length)
        mask = os.urandom(4)
        self._socket.sendall(head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)))

    def receive(self) -> dict:
        """The next message. Raises a ConnectionError when the connection ends."""
        message = b""
        while True:
            first, second = self._read(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", self._read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self._read(8))
            payload, opcode = self._read(length), first & 0x0F
            if opcode == 0x8:
                code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                raise ConnectionError(f"closed {code} {payload[2:].decode(errors='replace')}".strip())
            if opcode == 0x9:
                self._send(0xA, payload)
            elif opcode in (0x0, 0x1):
                message += payload
                if first & 0x80:
                    return json.loads(message)

    def _read(self, length: int) -> bytes:
        payload = self._bytes.read(length)
        if len(payload) < length:
            raise ConnectionError("the connection was lost")
        return payload

    def close(self) -> None:
        self._socket.close()


def act(name: str, data: dict) -> str:
    """Executes an action. The text is for Neuro. An exception is a failure."""
    if name == "play_song":
        return f"{data['title']} is playing."
    return "The music has stopped."


def handle(relay: WebSocket, message: dict) -> None:
    if message.get("event") == "registered":
        print(f"registered as {message['name']}", flush=True)
        relay.send({"event": "register_actions", "actions": ACTIONS})
        relay.send({"command": "context", "data": {"message": "The jukebox is on.", "silent": True}})
        names = [action["name"] for action in ACTIONS]
        relay.send({"command": "actions/force", "data": {"query": "What should the jukebox do?", "action_names": names}})
    elif message.get("event") == "action":
        payload = message["payload"]
        print(f"action {payload['name']} {payload.get('data', '')}".strip(), flush=True)
        try:
            result = {"success": True, "message": act(payload["name"], json.loads(payload.get("data") or "{}"))}
        except Exception as error:
            result = {"success": False, "message": f"{type(error).__name__}: {error}"}
        relay.send({"event": "action_result", "payload": {"id": payload["id"], **result}})
    elif "cmd" in message:
        print(f"command from {message['from_watcher']}: {json.dumps(message['cmd'])}", flush=True)
    elif "error" in message:
        print(f"the relay refused something: {message['error']}", flush=True)
    if "id" in message:
        relay.send({"ack": message["id"]})


def run() -> None:
    relay = WebSocket(URL)
    try:
        relay.send({"type": "integration", "name": "jukebox", "auth_token": TOKEN, "ack": True})
        while True:
            handle(relay, relay.receive())
    finally:
        relay.close()


while True:
    try:
        run()
    except (OSError, ValueError) as error:
        # The token is wrong (4401), or another program has the name (4409): trying again would not help.
        if str(error).startswith(("closed 4400", "closed 4401", "closed 4403", "closed 4409")):
            sys.exit(str(error))
        print(f"{error}; trying again", flush=True)
    time.sleep(1)
