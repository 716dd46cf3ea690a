#!/usr/bin/env python3
"""Starting, refusing to start, stopping, dying: command lines, configuration, shutdown, durability."""
import asyncio
import contextlib
import json
import os
import signal
import socket
import sqlite3
import sys
import threading
import time
import unittest
import uuid

import websockets

import harness
import reports


class StartUp(unittest.TestCase):
    def refused(self, code, *arguments, says=""):
        result = harness.run(*arguments)
        self.assertEqual(code, result.returncode, result.stderr)
        self.assertEqual(1, len(result.stderr.splitlines()), result.stderr)
        self.assertIn(says, result.stderr)
        self.assertEqual("", result.stdout)

    def test_help_and_version(self):
        result = harness.run("--help")
        self.assertEqual(0, result.returncode)
        for option in ("--config-file", "--http.port", "--websocket.bind", "--storage.path", "--oslo_reports.log_dir"):
            self.assertIn(option, result.stdout)
        result = harness.run("--version")
        self.assertEqual(0, result.returncode)
        self.assertRegex(result.stdout, r"^queue-server \d+\.\d+\.\d+\n$")

    def test_wrong_command_lines(self):
        self.refused(64, "--nonsense", says="nonsense")
        self.refused(64, "positional", says="positional")
        self.refused(64, "--http.port=many", says="http.port")
        self.refused(64, "--http.port=65536", says="65536")
        self.refused(64, "--http.bind=example", says="example")
        self.refused(64, "--server.threads=0", says="server.threads")
        self.refused(64, "--storage.path=/nowhere/queues.db", says="/nowhere")

    def test_wrong_configuration_names_file_and_line(self):
        with harness.directory() as folder:
            file = folder / "queue.conf"
            for line, says in (("[http]\nport = many", ":2: "), ("[http]\n\nprot = 1", ":3: "), ("[http\n", ":1: "),
                               ("[server]\nworkers = 0", ":2: "), ("[storage]\npath = /nowhere/q.db", ":2: "),
                               ("[storage]\nuri = mongodb://user:hidden@h/d", ":2: "),
                               ("[oslo_reports]\nstall_seconds = 0.01", ":2: ")):
                file.write_text(line + "\n")
                result = harness.run("--config-file", str(file))
                self.assertEqual(78, result.returncode, result.stderr)
                self.assertIn(f"{file}{says}", result.stderr)
                self.assertNotIn("hidden", result.stderr)
                self.assertEqual(1, len(result.stderr.splitlines()), result.stderr)
        self.refused(66, "--config-file", "/nowhere/queue.conf", says="/nowhere/queue.conf")
        self.refused(64, "--server.workers=257", says="workers")
        self.refused(64, "--oslo_reports.format=xml", says="html")
        self.refused(64, "--oslo_reports.on_fatal=on", says="on_fatal")
        self.refused(64, "--oslo_reports.list=all", says="list")

    def test_an_address_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken, harness.directory() as folder:
            port = taken.getsockname()[1]
            for option in ("http", "websocket"):
                other = "websocket" if option == "http" else "http"
                self.refused(69, f"--{option}.port={port}", f"--{other}.port=0", f"--storage.path={folder}/q.db",
                             says=f"127.0.0.1:{port}")
            self.refused(69, "--http.bind=192.0.2.1", f"--storage.path={folder}/q.db", says="192.0.2.1")

    def test_a_storage_that_is_no_database(self):
        with harness.directory() as folder:
            (folder / "q.db").write_text("not a database" * 100)
            self.refused(69, "--http.port=0", "--websocket.port=0", f"--storage.path={folder}/q.db", says="q.db")

    def test_the_configuration_file_that_is_shipped(self):
        shipped = harness.HERE.parents[1] / "config/queue-server.conf"
        with harness.Server("--config-file", str(shipped)) as server, server.client() as ask:
            self.assertEqual(204, ask("GET", "/v2/ping")[0])

    def test_threads_have_names(self):
        with harness.Server("--server.threads=3") as server:
            tasks = harness.pathlib.Path(f"/proc/{server.process.pid}/task")
            expected = {"io-0", "io-1", "io-2", "storage-0", "storage-1"}
            # A thread names itself once it runs, which may be after the server listens.
            reports.wait_for(
                lambda: expected <= {(task / "comm").read_text().strip() for task in tasks.iterdir()},
                "threads without their names")


class Stopping(unittest.TestCase):
    def test_both_signals_end_it_well(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with harness.Server() as server:
                server.process.send_signal(number)
                server.ended = True
                self.assertEqual(0, server.process.wait(harness.STOP_SECONDS), server.stderr())

    def test_idle_clients_are_closed(self):
        with harness.Server("--server.shutdown_seconds=30") as server:
            idle = [server.client() for _ in range(5)]
            for ask in idle:
                self.assertEqual(204, ask("GET", "/v2/ping")[0])
            code, since = asyncio.run(self.stop_with_sockets(server))
            self.assertEqual(1001, code)
            self.assertEqual(0, server.process.wait(harness.STOP_SECONDS))
            self.assertLess(time.monotonic() - since, 25, "nothing was in flight")
            for ask in idle:
                self.assertEqual(b"", ask.connection.sock.recv(1))
                ask.close()

    async def stop_with_sockets(self, server):
        connection = await websockets.connect(f"ws://{server.websocket}", ping_interval=None)
        since = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.ended = True
        await asyncio.wait_for(connection.wait_closed(), 60)
        return connection.close_code, since

    def test_requests_in_flight_are_answered(self):
        """Clients post without pause; what was answered is stored, and nobody is cut off half way."""
        with harness.directory() as folder:
            with harness.Server(directory=folder) as server:
                answered, wrong = [], []
                posting = threading.Event()
                threads = [threading.Thread(target=self.post, args=(server, answered, wrong, posting))
                           for _ in range(8)]
                for thread in threads:
                    thread.start()
                posting.wait(60)
                while len(answered) < 50:
                    time.sleep(0.01)
                self.assertEqual(0, server.stop(), server.stderr())
                for thread in threads:
                    thread.join()
            self.assertEqual([], wrong)
            with harness.Server(directory=folder) as server, server.client("stop") as ask:
                total = ask("GET", "/v2/queues/q/stats")[1]["messages"]["total"]
                self.assertEqual(len(answered), total)

    def post(self, server, answered, wrong, posting):
        with contextlib.closing(server.client("stop")) as ask:
            self.post_with(ask, answered, wrong, posting)

    def post_with(self, ask, answered, wrong, posting):
        while True:
            try:
                status, _, headers = ask("POST", "/v2/queues/q/messages", {"messages": [{"ttl": 3600, "body": 1}]})
            except (ConnectionError, harness.http.client.CannotSendRequest):
                break  # closed between two requests, before an answer began
            except Exception as problem:  # half an answer
                wrong.append(repr(problem))
                break
            if status == 201:
                answered.append(1)
                posting.set()
            else:
                wrong.append(status)
            if headers.get("Connection") == "close":
                break

    def test_messages_in_flight_are_answered(self):
        """As above over WebSocket: what is not answered is not stored."""
        with harness.directory() as folder:
            with harness.Server(directory=folder) as server:
                answered = asyncio.run(self.post_over_sockets(server))
                self.assertEqual(0, server.process.wait(harness.STOP_SECONDS), server.stderr())
            with harness.Server(directory=folder) as server, server.client("stop") as ask:
                self.assertEqual(answered, ask("GET", "/v2/queues/q/stats")[1]["messages"]["total"])

    async def post_over_sockets(self, server):
        """Stops the server while 8 clients post; returns how many posts were answered."""
        answered = [0] * 8
        request = json.dumps({"action": "message_post", "headers": {"Client-ID": str(uuid.uuid4()), "X-Project-ID": "stop"},
                              "body": {"queue_name": "q", "messages": [{"ttl": 3600, "body": 1}]}})

        async def post(number):
            async with websockets.connect(f"ws://{server.websocket}", ping_interval=None) as connection:
                with contextlib.suppress(websockets.exceptions.ConnectionClosed):
                    while True:
                        await connection.send(request)
                        self.assertEqual(201, json.loads(await connection.recv())["headers"]["status"])
                        answered[number] += 1
                self.assertEqual(1001, connection.close_code)

        async def stop():
            while sum(answered) < 50:
                await asyncio.sleep(0.01)
            server.process.send_signal(signal.SIGTERM)
            server.ended = True

        await asyncio.gather(stop(), *(post(number) for number in range(len(answered))))
        return sum(answered)

    def test_clients_that_never_say_a_word_do_not_hold_it(self):
        with harness.Server("--server.shutdown_seconds=50") as server:
            places = [address.rsplit(":", 1) for address in (server.http, server.websocket)]
            silent = [socket.create_connection((host, int(port)), timeout=60) for host, port in places for _ in range(3)]
            # Those that come later are accepted later: these are inside.
            self.assertEqual(204, server.ping())
            asyncio.run(self.shake_hands(server))
            since = time.monotonic()
            self.assertEqual(0, server.stop(), server.stderr())
            self.assertLess(time.monotonic() - since, 25, "nothing was in flight")
            for connection in silent:
                connection.close()

    async def shake_hands(self, server):
        async with websockets.connect(f"ws://{server.websocket}", ping_interval=None):
            pass

    def test_the_last_request_is_answered(self):
        with harness.Server("--debug.endpoints=on", "--oslo_reports.format=json") as server, server.client() as ask:
            ask.connection.request("POST", "/debug/block?seconds=10&how=sleep", headers=ask.headers)
            reports.wait_for(lambda: reports.blocked_threads(server), server.stderr)
            server.process.send_signal(signal.SIGTERM)
            server.ended = True
            self.assertEqual(204, ask.connection.getresponse().status)
            self.assertEqual(0, server.process.wait(harness.STOP_SECONDS), server.stderr())

    def test_threads_that_do_not_come_back_are_left(self):
        with harness.Server("--debug.endpoints=on", "--server.threads=2", "--server.shutdown_seconds=1",
                            "--oslo_reports.format=json") as server:
            blocked = [server.client() for _ in range(2)]
            for ask in blocked:
                ask.connection.request("POST", "/debug/block?seconds=60&how=mutex", headers=ask.headers)
            reports.wait_for(lambda: len(reports.blocked_threads(server)) == 2, server.stderr)
            self.assertEqual(70, server.stop())
            for ask in blocked:
                ask.close()
            self.assertIn("does not come back", server.stderr())


class Signals(unittest.TestCase):
    STRAY = (signal.SIGHUP, signal.SIGUSR1, signal.SIGQUIT, signal.SIGALRM, signal.SIGXFSZ, signal.SIGVTALRM,
             signal.SIGPROF, signal.SIGIO, signal.SIGPIPE)

    def test_stray_signals_do_not_end_it(self):
        with harness.Server() as server:
            for number in self.STRAY:
                server.process.send_signal(number)
                self.assertEqual(204, server.ping(), number)

    def test_they_end_neither_workers_nor_their_parent(self):
        with harness.Server("--server.workers=2") as server:
            family = harness.family(server.process.pid)
            self.assertGreaterEqual(len(family), 3)
            for number in self.STRAY:
                for process in family:
                    os.kill(process, number)
            self.assertEqual(204, server.ping())
            self.assertEqual(family, harness.family(server.process.pid))

    def test_one_of_them_may_be_the_reports(self):
        for name in ("HUP", "USR1"):
            with harness.Server(f"--oslo_reports.signal={name}") as server:
                server.process.send_signal(getattr(signal, "SIG" + name))
                reports.wait_for(lambda: reports.texts(server.stderr()), server.stderr)
                self.assertEqual(204, server.ping())

    def test_a_file_that_may_not_grow_is_a_fault_and_no_end(self):
        limited = ("prlimit", f"--fsize={1 << 20}")
        with harness.Server("--oslo_reports.format=json", *reports.PATIENT, starter=limited) as server, server.client() as ask:
            big, status = {"messages": [{"body": "x" * 200000}]}, 201
            for _ in range(100):
                status = ask("POST", "/v2/queues/q/messages", big)[0]
                if status != 201:
                    break
            self.assertEqual(503, status)
            stop = threading.Event()

            def post_on():  # a small message may fit, and then all is well again
                while not stop.is_set():
                    ask("POST", "/v2/queues/q/messages", big)

            posting = threading.Thread(target=post_on)
            posting.start()
            try:  # what is removed in between may be small enough to be written
                states = []
                while len(states) < 20 and not any(state.startswith("FAULT: ") for state in states):
                    states.append(reports.ask(server, read=reports.jsons)["sections"]["Storage"]["state"])
            finally:
                stop.set()
                posting.join()
            self.assertTrue(states[-1].startswith("FAULT: "), states)


class Fairness(unittest.TestCase):
    def test_a_long_queue_is_deleted_at_once_and_its_rows_later(self):
        with harness.Server() as server, server.client("big") as big, server.client("small") as small:
            many = {"messages": [{"body": 0}] * 15000}
            for _ in range(2):
                self.assertEqual(201, big("POST", "/v2/queues/q/messages", many)[0])
            self.assertEqual(204, big("DELETE", "/v2/queues/q")[0])
            self.assertEqual(0, big("GET", "/v2/queues/q/stats")[1]["messages"]["total"])
            self.assertEqual(201, small("POST", "/v2/queues/q/messages", {"messages": [{"body": 1}]})[0])
            with contextlib.closing(sqlite3.connect(server.storage)) as other:
                reports.wait_for(lambda: other.execute("SELECT count(*) FROM messages").fetchone()[0] == 1,
                                 "rows of a deleted queue are left")


class Durability(unittest.TestCase):
    def test_what_was_acknowledged_survives_kill_9(self):
        with harness.directory() as folder:
            acknowledged = []
            for _ in range(3):
                with harness.Server(directory=folder) as server:
                    threads = [threading.Thread(target=self.post_until_dead, args=(server, acknowledged))
                               for _ in range(4)]
                    enough = len(acknowledged) + 100
                    for thread in threads:
                        thread.start()
                    while len(acknowledged) < enough:
                        time.sleep(0.005)
                    server.kill()
                    for thread in threads:
                        thread.join()
            self.assertGreaterEqual(len(acknowledged), 300)
            with harness.Server(directory=folder) as server, server.client("kill") as ask:
                for first in range(0, len(acknowledged), 20):
                    wanted = acknowledged[first:first + 20]
                    status, answer, _ = ask("GET", "/v2/queues/q/messages?ids=" + ",".join(i for i, _ in wanted))
                    self.assertEqual(200, status)
                    self.assertEqual(wanted, [(message["id"], message["body"]) for message in answer["messages"]])

    def post_until_dead(self, server, acknowledged):
        with contextlib.closing(server.client("kill")) as ask:
            self.post_with(ask, acknowledged)

    def post_with(self, ask, acknowledged):
        while True:
            body = uuid.uuid4().hex
            try:
                status, answer, _ = ask("POST", "/v2/queues/q/messages", {"messages": [{"ttl": 3600, "body": body}]})
            except (OSError, harness.http.client.HTTPException, json.JSONDecodeError):
                return
            if status != 201:
                return
            acknowledged.append((answer["resources"][0].rsplit("/", 1)[1], body))


class DebugEndpoints(unittest.TestCase):
    def test_they_are_off_unless_asked_for(self):
        with harness.Server() as server, server.client() as ask:
            self.assertEqual(404, ask("POST", "/debug/block?seconds=1&how=sleep")[0])

    def test_each_way_blocks_one_io_thread_for_its_time(self):
        with harness.Server("--debug.endpoints=on", "--server.threads=2") as server, server.client() as ask:
            for how in ("sleep", "spin", "mutex"):
                since = time.monotonic()
                self.assertEqual(204, ask("POST", f"/debug/block?seconds=0.3&how={how}")[0])
                self.assertGreaterEqual(time.monotonic() - since, 0.3)
            for wrong in ("", "?seconds=1", "?how=sleep", "?seconds=0&how=sleep", "?seconds=301&how=spin",
                          "?seconds=x&how=spin", "?seconds=nan&how=spin", "?seconds=1&how=wait"):
                self.assertEqual(400, ask("POST", "/debug/block" + wrong)[0], wrong)
            self.assertEqual(405, ask("GET", "/debug/block?seconds=1&how=sleep")[0])
            self.assertEqual(404, ask("POST", "/debug/nothing")[0])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
