"""Somebody without the key: raw ZMTP on the kernel's ports, and a real client beside it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import struct
import time
import uuid
from pathlib import Path

GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
TYPES = {"shell": b"DEALER", "control": b"DEALER", "stdin": b"DEALER", "hb": b"REQ", "iopub": b"SUB"}


def property_(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + struct.pack(">I", len(value)) + value


def command(name: bytes, body: bytes) -> bytes:
    inner = bytes([len(name)]) + name + body
    if len(inner) < 256:
        return bytes([4, len(inner)]) + inner
    return b"\x06" + struct.pack(">Q", len(inner)) + inner


def frame(flags: int, body: bytes) -> bytes:
    if len(body) < 256:
        return bytes([flags, len(body)]) + body
    return bytes([flags | 2]) + struct.pack(">Q", len(body)) + body


class Stranger:
    """A connection to one port; `shake` brings it through the handshake."""

    def __init__(self, kernel, channel: str, receive_buffer: int | None = None) -> None:
        self.channel = channel
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(10)
        self.socket.connect((kernel.client.ip, getattr(kernel.client, f"{channel}_port")))

    def shake(self, identity: bytes = b"") -> Stranger:
        ready = property_(b"Socket-Type", TYPES[self.channel]) + property_(b"Identity", identity)
        self.send(GREETING + command(b"READY", ready))
        self.read(64)
        return self

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def try_send(self, data: bytes) -> None:
        """The kernel may hang up before all of it is sent."""
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise ConnectionError("closed")
            data += part
        return data

    def is_closed(self, seconds: float = 10) -> bool:
        """Whether the kernel hangs up, whatever it says before."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.socket.settimeout(max(0.05, deadline - time.monotonic()))
            try:
                if not self.socket.recv(65536):
                    return True
            except TimeoutError:
                return False
            except OSError:
                return True
        return False

    def close(self) -> None:
        self.socket.close()


def resident_mb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024
    raise AssertionError(f"no process {pid}")


def peak_mb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    raise AssertionError(f"no process {pid}")


def signed(kernel, kind: str, content: dict, **header) -> tuple[str, list[bytes]]:
    """The frames of a request with the kernel's key, and its id."""
    message_id = uuid.uuid4().hex
    parts = [
        json.dumps({"msg_id": message_id, "session": "s", "username": "u", "date": "2026-01-01T00:00:00Z",
                    "msg_type": kind, "version": "5.3", **header}).encode(),
        b"{}", b"{}", json.dumps(content).encode(),
    ]
    mac = hmac.new(kernel.client.session.key, digestmod=hashlib.sha256)
    for part in parts:
        mac.update(part)
    return message_id, [b"<IDS|MSG>", mac.hexdigest().encode(), *parts]


def as_bytes(frames: list[bytes]) -> bytes:
    return b"".join(frame(1 if place + 1 < len(frames) else 0, body) for place, body in enumerate(frames))
