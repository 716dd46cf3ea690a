#!/usr/bin/env python3
"""The log: a line of JSON for each event and request, to a file or standard output, opened again on SIGHUP."""
import asyncio
import contextlib
import json
import os
import signal
import socket
import sqlite3
import sys
import unittest

import websockets

import harness
import reports


def lines(path):
    """Whole lines; each must be one JSON object."""
    content = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in content.splitlines(keepends=True) if line.endswith("\n")]


def events(path):
    return [line["event"] for line in lines(path)]


class Log(unittest.TestCase):
    def setUp(self):
        self.file = self.enterContext(harness.directory()) / "queue-server.log"

    def server(self, *options, **how):
        return harness.Server(f"--log.file={self.file}", *options, **how)

    def requests(self, count):
        """The requests in the log once there are so many."""
        def found():
            seen = [line for line in lines(self.file) if line["event"] == "request"]
            return seen if len(seen) >= count else None
        return reports.wait_for(found, lambda: f"{count} requests in the log: {lines(self.file)}")

    def test_there_is_none_unless_asked_for(self):
        with harness.Server() as server:
            self.assertEqual(204, server.ping())
            self.assertEqual(0, server.stop())
            self.assertEqual(2, len((server.directory / "stdout").read_text().splitlines()))

    def test_the_last_lines_are_in_reports(self):
        with self.server("--oslo_reports.format=json") as server, server.client("p") as ask:
            self.assertEqual(404, ask("GET", "/v2/nothing?token=hunter2")[0])
            self.requests(1)
            logged = [json.loads(line["text"]) for line in reports.ask(server, read=reports.jsons)["log"]]
            self.assertIn("serves", [line["event"] for line in logged])
            self.assertEqual(404, logged[-1]["status"])
            self.assertEqual(lines(self.file), logged)

    def test_events_are_in_reports_where_there_is_no_log(self):
        with harness.Server() as server:
            report = reports.ask(server)
            self.assertRegex(report[report.index("==== Log"):], r'"event":"serves"')

    def test_a_request_over_http(self):
        with self.server() as server, server.client("p") as ask:
            _, _, headers = ask("POST", "/v2/queues/q/messages?claim_id=secret", {"messages": [{"body": 1}]})
            self.assertEqual(404, ask("GET", "/v2/nothing")[0])
            first, second = self.requests(2)
            self.assertEqual(("http", "p", 201, "POST /v2/queues/q/messages?..."),
                             (first["protocol"], first["project"], first["status"], first["request"]))
            self.assertEqual(headers["x-openstack-request-id"], first["request_id"])
            self.assertEqual(ask.headers["Client-ID"], first["client"])
            self.assertTrue(first["peer"].startswith("127.0.0.1:"), first)
            self.assertRegex(first["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertGreater(first["bytes_in"], 100)
            self.assertGreater(first["bytes_out"], 100)
            self.assertGreater(first["took_us"], 0)
            self.assertEqual((404, "GET /v2/nothing"), (second["status"], second["request"]))
            self.assertNotIn("secret", self.file.read_text())

    def test_a_request_over_websocket(self):
        with self.server() as server:
            asyncio.run(self.list_queues(server))
            refused, line = self.requests(2)
            self.assertEqual((403, "handshake"), (refused["status"], refused["request"]))
            self.assertEqual(("websocket", "p", 200, "queue_list"),
                             (line["protocol"], line["project"], line["status"], line["request"]))

    async def list_queues(self, server):
        with self.assertRaises(websockets.InvalidHandshake):
            await websockets.connect(f"ws://{server.websocket}", origin="http://elsewhere")
        async with websockets.connect(f"ws://{server.websocket}", ping_interval=None) as connection:
            await connection.send(json.dumps({
                "action": "queue_list", "body": {},
                "headers": {"Client-ID": "3381af92-2b9e-11e3-b191-71861300734c", "X-Project-ID": "p"}}))
            self.assertEqual(200, json.loads(await connection.recv())["headers"]["status"])

    def test_requests_may_be_left_out(self):
        with self.server("--log.access=off") as server:
            self.assertEqual(204, server.ping())
            self.assertEqual(0, server.stop())
        self.assertEqual(["serves", "stopping", "stopped"], events(self.file))

    def test_injected_text_stays_in_its_line(self):
        with self.server() as server, server.client("p\u00e4\u001b[2J") as ask:
            host, port = server.http.rsplit(":", 1)
            ask.headers["Client-ID"] = "{\"event\": \"forged\"}"
            ask("GET", "/v2/queues/%0a%7b%22event%22%3a%22forged%22%7d")
            with socket.create_connection((host, int(port)), timeout=60) as raw:
                raw.sendall(b"GET /\xff\x80<script> HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                while raw.recv(65536):
                    pass
            self.assertEqual(0, server.stop())
        self.assertNotIn("forged", events(self.file))
        self.assertNotIn(b"\x1b", self.file.read_bytes())
        self.assertGreaterEqual(events(self.file).count("request"), 2)

    def test_the_file_is_opened_again(self):
        with self.server() as server:
            self.assertEqual(204, server.ping())
            self.requests(1)
            self.file.rename(self.file.with_suffix(".1"))
            server.process.send_signal(signal.SIGHUP)
            reports.wait_for(lambda: "log opened" in events(self.file), lambda: "a new file")
            self.assertEqual(204, server.ping())
            self.requests(1)
            self.assertEqual(0, self.file.stat().st_mode & 0o007, "it is for the owner and his group")

    def test_all_workers_share_the_file_and_open_it_again(self):
        with self.server("--server.workers=2") as server:
            for _ in range(20):
                self.assertEqual(204, server.ping())
            self.requests(20)
            self.file.rename(self.file.with_suffix(".1"))
            server.process.send_signal(signal.SIGHUP)
            reports.wait_for(lambda: events(self.file).count("log opened") == 3, lambda: events(self.file))
            os.kill(harness.workers(server.process.pid)[0], signal.SIGKILL)
            ended = reports.wait_for(lambda: [line for line in lines(self.file) if line["event"] == "worker ended"],
                                     lambda: events(self.file))
            self.assertEqual(9, ended[0]["signal"])

    def test_standard_output(self):
        with harness.Server("--log.file=-") as server:
            self.assertEqual(204, server.ping())
            self.assertEqual(0, server.stop())
            said = (server.directory / "stdout").read_text().splitlines()
            self.assertEqual(2, len([line for line in said if " listening on " in line and not line.startswith("{")]))
            self.assertEqual(["request", "serves", "stopped", "stopping"],
                             sorted(json.loads(line)["event"] for line in said if line.startswith("{")))

    def test_a_fault_of_the_storage(self):
        with self.server() as server, server.client() as ask:
            with contextlib.closing(sqlite3.connect(server.storage, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                self.assertEqual(503, ask("PUT", "/v2/queues/q")[0])
                other.execute("ROLLBACK")
            found = reports.wait_for(lambda: [line for line in lines(self.file) if line["event"] == "storage"],
                                     lambda: events(self.file))
            self.assertEqual(("warning", "writing fails: database is locked"), (found[0]["level"], found[0]["text"]))

    def test_nobody_waits_for_whoever_reads_it(self):
        """Its reader stops reading: requests are answered, and the server stops all the same."""
        out, into = os.pipe()
        self.addCleanup(os.close, out)
        server = harness.Server(f"--log.file=/proc/self/fd/{into}", "--server.shutdown_seconds=5", pass_fds=(into,))
        with server, server.client() as ask:
            os.close(into)
            for _ in range(2000):
                status = ask("GET", "/v2/ping")[0]
                self.assertEqual(204, status)
            self.assertEqual(0, server.stop())

    def test_a_file_that_can_not_be_opened_is_said_at_start(self):
        result = harness.run("--http.port=0", "--websocket.port=0", f"--storage.path={self.file}.db",
                             "--log.file=/nowhere/queue-server.log")
        self.assertEqual(69, result.returncode, result.stderr)
        self.assertEqual(1, len(result.stderr.splitlines()), result.stderr)
        self.assertIn("/nowhere/queue-server.log", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
