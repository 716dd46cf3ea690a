#!/usr/bin/env python3
"""A live queue-server with real clients is asked what it is doing."""
import asyncio
import collections
import contextlib
import ctypes
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import unittest
import uuid

import websockets

import harness
import reports

HEADERS = {"Client-ID": str(uuid.uuid4()), "X-Project-Id": "e2e", "Content-Type": "application/json"}
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17


def ping(server):
    connection = http.client.HTTPConnection(server.http, timeout=30)
    connection.request("GET", "/v2/ping", headers=HEADERS)
    status = connection.getresponse().status
    connection.close()
    return status


def idle_http(server, count):
    """Connections that have been served once and wait for the next request."""
    connections = []
    for _ in range(count):
        connection = http.client.HTTPConnection(server.http, timeout=30)
        connection.request("GET", "/v2/ping", headers=HEADERS)
        connection.getresponse().read()
        connections.append(connection)
    return connections


def block(server, seconds, how):
    """Asks for an io thread to be blocked; the request is on its way when this returns."""
    connection = http.client.HTTPConnection(server.http, timeout=60)
    connection.request("POST", f"/debug/block?seconds={seconds}&how={how}", headers=HEADERS)
    return connection


@contextlib.contextmanager
def idle_websockets(server, count):
    """Idle WebSocket connections of a client library that is not ours, on a loop of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def connect():
        return [await websockets.connect(f"ws://{server.websocket}", ping_interval=None) for _ in range(count)]

    sockets = asyncio.run_coroutine_threadsafe(connect(), loop).result(60)

    async def close():
        await asyncio.gather(*(one.close() for one in sockets))

    try:
        yield sockets
    finally:
        asyncio.run_coroutine_threadsafe(close(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Contents(unittest.TestCase):
    def test_all_threads_and_all_sessions(self):
        clients = 200
        with harness.Server("--oslo_reports.format=json") as server:
            http_clients = idle_http(server, clients)
            with idle_websockets(server, clients):
                report = reports.ask(server, read=reports.jsons)
                self.assertLessEqual(reports.tids(server.process.pid),
                                     {thread["id"] for thread in report["threads"]})
                self.assertEqual({"fiber", "coroutine"},
                                 {group["kind"] for group in report["green_threads"]["groups"]})
                self.sessions(report, "fiber", "websocket", clients)
                self.sessions(report, "coroutine", "http", clients)
                self.loops(report)
            for connection in http_clients:
                connection.close()

    def sessions(self, report, kind, folder, clients):
        """That many wait in the server's own source of that protocol, and its acceptor does too."""
        def count(function):
            place = re.compile(rf"{folder}::{function} .*queue-server/{folder}/\w+\.cpp:\d+$")
            return sum(group["count"] for group, frames in reports.frames_of_groups(report)
                       if group["kind"] == kind and any(place.search(frame) for frame in frames))

        self.assertEqual(clients, count("session"), report["green_threads"])
        self.assertEqual(1, count("accept_clients"), report["green_threads"])

    def loops(self, report):
        """Nothing but the sessions' reads and the acceptors' waits is under way, and somebody runs it."""
        loops = report["green_threads"]["event_loops"]
        self.assertTrue(any(loop["pending"] >= 402 and loop["threads"] for loop in loops), loops)

    def test_each_session_has_its_connection(self):
        with harness.Server("--oslo_reports.list=each", "--oslo_reports.format=json") as server:
            connections = idle_http(server, 5)
            with idle_websockets(server, 5) as sockets:
                own = {f"tcp {server.http} - " + "%s:%d" % one.sock.getsockname(): "coroutine"
                       for one in connections}
                own |= {f"tcp {server.websocket} - " + "%s:%d" % one.local_address[:2]: "fiber" for one in sockets}
                report = reports.ask(server, read=reports.jsons)
                seen = {each["waits_for"]["peer"]: each for each in report["green_threads"]["listed"]
                        if each["waits_for"] and each["waits_for"]["peer"]}
                for peer, kind in own.items():
                    self.assertIn(peer, seen)
                    self.assertEqual(kind, seen[peer]["kind"])
                    self.assertEqual("suspended", seen[peer]["state"])
                    link = os.readlink(f"/proc/{server.process.pid}/fd/{seen[peer]['waits_for']['fd']}")
                    self.assertTrue(link.startswith("socket:"), link)
                listening = {f"tcp {address} listening" for address in (server.http, server.websocket)}
                self.assertLessEqual(listening, set(seen))
            for connection in connections:
                connection.close()

    def test_each_session_has_its_connection_in_text(self):
        with harness.Server() as server:
            connections = idle_http(server, 2)
            with idle_websockets(server, 2) as sockets:
                own = ["%s:%d" % one.sock.getsockname() for one in connections]
                own += ["%s:%d" % one.local_address[:2] for one in sockets]
                report = re.sub(r"\s+", " ", reports.ask(server))
                for address in own:
                    self.assertRegex(report, rf"on descriptor \d+ \(tcp 127\.0\.0\.1:\d+ - {re.escape(address)}\)")
                self.assertRegex(report, r"Event loop 0x[0-9a-f]+: .* pending; run by thread")
            for connection in connections:
                connection.close()

    def test_the_sections_of_the_text(self):
        with harness.Server("--oslo_reports.list=each") as server:
            connection = idle_http(server, 1)[0]
            connection.request("POST", "/v2/queues/orders/messages", headers=HEADERS,
                               body='{"messages": [{"ttl": 300, "body": 1}]}')
            self.assertEqual(201, connection.getresponse().status)
            report = reports.ask(server)
            places = [report.index(title) for title in
                      ("Findings:", "Package", "Process", "Control Group", "Threads", "Green Threads", "Configuration",
                       "Queues", "Connections")]
            self.assertEqual(sorted(places), places, report)
            self.assertIn("orders", report[places[-2]:places[-1]])
            self.assertIn("127.0.0.1", report[places[-1]:])
            connection.close()


class Picture(unittest.TestCase):
    """What the options say about the groups of green threads."""

    def in_order(self, order, measure):
        """One measure of each group of a report in which not all are the same."""
        with contextlib.ExitStack() as connections:
            server = connections.enter_context(
                harness.Server("--oslo_reports.format=json", f"--oslo_reports.order={order}"))
            connections.enter_context(idle_websockets(server, 2))

            def measures():
                # One more each time: how long they wait differs by steps of the kernel's clock.
                connections.callback(idle_http(server, 1)[0].close)
                groups = reports.ask(server, read=reports.jsons)["green_threads"]["groups"]
                found = [group[measure] for group in groups if group[measure] is not None]
                return found if min(found) < max(found) else None

            return reports.wait_for(measures, server.stderr)

    def test_the_largest_first(self):
        counts = self.in_order("largest", "count")
        self.assertEqual(sorted(counts, reverse=True), counts)

    def test_the_oldest_first(self):
        waits = self.in_order("oldest", "oldest_seconds")
        self.assertEqual(sorted(waits, reverse=True), waits)

    def test_one_tree(self):
        with harness.Server("--oslo_reports.list=tree") as server:
            idle = idle_http(server, 3)
            report = reports.wait_for(lambda: self.with_three(reports.ask(server)), server.stderr)
            self.assertEqual(1, len(re.findall(r"http::session\b", report)), report)
            for connection in idle:
                connection.close()

    def with_three(self, report):
        return report if re.search(r"\b3\b.*http::session\b", report) else None


class Stuck(unittest.TestCase):
    def report_while(self, how, make=harness.Server):
        with make("--debug.endpoints=on", "--server.threads=2", "--oslo_reports.format=json") as server:
            idle = idle_http(server, 2)
            reports.wait_for(lambda: self.rest(server, idle), server.stderr)
            blocked = [block(server, 30, how) for _ in range(2)]
            reports.wait_for(lambda: len(reports.blocked_threads(server)) == 2, server.stderr)
            self.unserved(server, idle)
            for connection in blocked + idle:
                connection.close()
            server.kill()

    def rest(self, server, idle):
        """The sessions have seen that their answers were sent: they wait for the next request."""
        peers = self.peers(reports.ask(server, read=reports.jsons))
        return set(self.addresses(server, idle)) <= peers["suspended"]

    def addresses(self, server, connections):
        return [f"tcp {server.http} - " + "%s:%d" % one.sock.getsockname() for one in connections]

    def peers(self, report):
        """The peers whose sessions wait for them, by the state of the session."""
        peers = collections.defaultdict(set)
        for group, frames in reports.frames_of_groups(report):
            if group["kind"] == "coroutine" and any("http::session" in frame for frame in frames):
                peers[group["state"]] |= {each["peer"] for each in group["operations"] if each["fd"]}
        return peers

    def unserved(self, server, idle):
        """A request that nobody has looked at yet: its session is ready, the others are not."""
        idle[0].request("GET", "/v2/ping", headers=HEADERS)
        report = reports.ask(server, read=reports.jsons)
        served, other = self.addresses(server, idle)
        peers = self.peers(report)
        self.assertEqual({served}, peers["ready"], report["green_threads"])
        self.assertIn(other, peers["suspended"], report["green_threads"])
        loops = report["green_threads"]["event_loops"]
        self.assertTrue(any(loop["queued"] >= 1 for loop in loops), loops)

    def test_every_io_thread_sleeps(self):
        self.report_while("sleep")

    def test_every_io_thread_waits_for_a_mutex(self):
        self.report_while("mutex")

    def test_every_io_thread_spins(self):
        self.report_while("spin")

    def test_every_io_thread_sleeps_and_a_file_is_touched(self):
        self.report_while("sleep", harness.Server.with_trigger_file)

    def test_a_thread_is_held_by_a_tracer(self):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_ulong, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        with harness.Server("--server.threads=2", "--oslo_reports.format=json") as server:
            held = next(thread["id"] for thread in reports.ask(server, read=reports.jsons)["threads"]
                        if thread["name"].startswith("io"))
            self.assertEqual(0, libc.ptrace(PTRACE_SEIZE, held, None, None), os.strerror(ctypes.get_errno()))
            try:
                libc.ptrace(PTRACE_INTERRUPT, held, None, None)
                os.waitpid(held, 0x40000000)  # __WALL: a thread of another process
                report = reports.ask(server, read=reports.jsons)
            finally:
                libc.ptrace(PTRACE_DETACH, held, None, None)
            outcome = {thread["id"]: thread["capture"] for thread in report["threads"]}
            self.assertIn(outcome[held], ("not_signalled", "timeout"))
            self.assertLessEqual(reports.tids(server.process.pid), set(outcome))
            self.assertEqual(204, ping(server))


class Load(unittest.TestCase):
    def test_requests_in_flight_succeed_during_reports(self):
        with harness.Server() as server:
            load = subprocess.Popen(
                ["wrk", "-t1", "-c20", "-d5s", "-s", harness.HERE / "post.lua",
                 f"http://{server.http}/v2/queues/load/messages"], stdout=subprocess.PIPE, text=True)
            count = 0
            while load.poll() is None:
                reports.ask(server)
                count += 1
            output = load.communicate()[0]
            self.assertEqual(0, load.returncode, output)
            self.assertRegex(output, r"failed: 0\b")
            self.assertRegex(output, r"answered: [1-9]")
            self.assertNotIn("Socket errors", output)
            self.assertGreater(count, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
