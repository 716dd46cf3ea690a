"""Clients that behave badly: raw sockets, WebSocket frames by hand, many idle connections."""
import contextlib
import resource
import select
import socket
import struct
import time

HEAD = "Host: h\r\nClient-ID: 3381af92-2b9e-11e3-b191-71861300734c\r\nX-Project-Id: p\r\n"
UPGRADE = ("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n")
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


def connect(address, seconds=60):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=seconds)


def shake_hands(address, more=""):
    """A WebSocket connection and what the server answered."""
    connection = connect(address)
    connection.sendall(UPGRADE.format(more=more).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        some = connection.recv(1)
        if not some:
            break
        answer += some
    return connection, answer.decode()


def frame(kind, payload=b"", end=True, masked=True, reserved=0, length=None):
    """A frame; `length` is what it says of itself, whatever its payload is."""
    length = len(payload) if length is None else length
    head = bytes([(0x80 if end else 0) | (reserved << 4) | kind])
    mask = 0x80 if masked else 0
    if length < 126:
        head += bytes([mask | length])
    elif length < 1 << 16:
        head += bytes([mask | 126]) + struct.pack("!H", length)
    else:
        head += bytes([mask | 127]) + struct.pack("!Q", length)
    return head + (b"\0\0\0\0" if masked else b"") + payload  # a mask that changes nothing


def read_to_end(connection):
    """What comes until the server closes, or resets; fails with a timeout when it does neither."""
    content = b""
    with contextlib.suppress(ConnectionError):
        while some := connection.recv(65536):
            content += some
    return content


def close_code(content):
    """Of the last frame, when it is a close."""
    place = content.rfind(bytes([0x80 | CLOSE]))
    return struct.unpack("!H", content[place + 2:place + 4])[0] if place >= 0 and len(content) >= place + 4 else None


def drip(connections, byte, pause, until):
    """Sends a byte to each now and then until all are closed; returns those that were not by then."""
    left = list(connections)
    while left and time.monotonic() < until:
        for connection in list(left):
            with contextlib.suppress(BlockingIOError):
                try:
                    connection.send(byte)
                except OSError:
                    left.remove(connection)
                    continue
            if select.select([connection], [], [], 0)[0]:
                try:
                    over = not connection.recv(65536)
                except OSError:
                    over = True
                if over:
                    left.remove(connection)
        time.sleep(pause)
    return left


def raise_limit():
    """As many descriptors as may be had; returns how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
