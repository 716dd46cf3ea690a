#!/usr/bin/env python3
"""queue-server: idle clients of both protocols, and io threads that are blocked in a request."""
import contextlib
import socket
import sys
import unittest

import agreement

sys.path.insert(0, str(agreement.HERE.parent / "e2e"))
import harness  # noqa: E402  (needs the path above)
import reports  # noqa: E402

IDLE_CLIENTS = 4
LEAST_FRAMES = 60
WEBSOCKET_REQUEST = ("GET / HTTP/1.1\r\nHost: agreement\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
HTTP_REQUEST = ("GET /v2/ping HTTP/1.1\r\nHost: agreement\r\nX-Project-Id: agreement\r\n"
                "Client-ID: 30387f00-39a0-11f1-9dcb-0800200c9a66\r\n\r\n")


def connect(address, request, answered=True):
    host, _, port = address.rpartition(":")
    client = socket.create_connection((host, int(port)), timeout=60)
    client.sendall(request.encode())
    if answered:
        client.recv(65536)
    return client


def block_request(how):
    return f"POST /debug/block?seconds=120&how={how} HTTP/1.1\r\nHost: agreement\r\nContent-Length: 0\r\n\r\n"


class QueueServer(unittest.TestCase):
    def blocked_threads(self, server, number):
        """As many io threads as that are in the endpoint that blocks them."""
        report = reports.ask(server, read=reports.jsons)
        inside = [thread for thread in report["threads"]
                  if any("debug::block" in (frame["function"] or "") for frame in thread["frames"])]
        return len(inside) >= number

    def test_frame_by_frame(self):
        # Five io threads: each blocked request takes one that may have others waiting for its turn.
        with harness.Server("--debug.endpoints=on", "--server.threads=5", "--oslo_reports.format=json") as server, \
                contextlib.ExitStack() as clients:
            for _ in range(IDLE_CLIENTS):
                clients.enter_context(connect(server.http, HTTP_REQUEST))
                clients.enter_context(connect(server.websocket, WEBSOCKET_REQUEST))
            for number, how in enumerate(("mutex", "sleep", "mutex"), 1):
                clients.enter_context(connect(server.http, block_request(how), answered=False))
                reports.wait_for(lambda at_least=number: self.blocked_threads(server, at_least),
                                 f"request {number} did not block a thread")
            report, stacks = agreement.report_and_stacks(server.process, server.stderr)
            server.kill()
        compared, wrong = agreement.compare(report, stacks)
        self.assertGreater(compared, LEAST_FRAMES)
        self.assertFalse(wrong, "\n" + "\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
