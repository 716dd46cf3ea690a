#!/usr/bin/env python3
"""Who is told of messages: WebSocket clients that subscribe themselves, and webhooks that must not hold each other up."""
import asyncio
import contextlib
import http.server
import json
import os
import queue
import socket
import sys
import threading
import unittest
import uuid

import msgpack
import websockets

import attack_tools as attack
import harness
import reports
from test_websocket_api import Caller

SECONDS = 60


def subscriptions(server, project, name="q"):
    with server.client(project) as ask:
        return ask("GET", f"/v2/queues/{name}/subscriptions")[1]["subscriptions"]


def post(server, project, *bodies, name="q"):
    with server.client(project) as ask:
        status, answer, _ = ask("POST", f"/v2/queues/{name}/messages", {"messages": [{"body": body} for body in bodies]})
        assert status == 201, (status, answer)
        return [href.rsplit("/", 1)[1] for href in answer["resources"]]


class Sockets(unittest.IsolatedAsyncioTestCase):
    async def caller(self, server, project, packed=False):
        connection = await websockets.connect(f"ws://{server.websocket}/v2", ping_interval=None, max_size=None)
        self.addAsyncCleanup(connection.close)
        return Caller(connection, project, packed)

    async def told(self, call):
        received = await asyncio.wait_for(call.connection.recv(), SECONDS)
        self.assertEqual(call.packed, isinstance(received, bytes))
        return msgpack.unpackb(received) if call.packed else json.loads(received)

    async def test_a_client_is_told_what_is_posted_in_order_and_as_it_subscribed(self):
        with harness.Server() as server:
            project = uuid.uuid4().hex
            listeners = [await self.caller(server, project, packed) for packed in (False, True)]
            for call in listeners:
                status, made = await call("subscription_create", queue_name="q", ttl=600)
                self.assertEqual(201, status, made)
                self.assertEqual(409, (await call("subscription_create", queue_name="q", ttl=600))[0])
            listed = subscriptions(server, project)
            self.assertEqual([True, True], [each["confirmed"] for each in listed])
            ids = post(server, project, {"z": 1, "a": 2}, *range(500))
            post(server, project, "another", name="other")
            post(server, "another", "another")
            ids += post(server, project, "last")
            for call in listeners:
                notices = [await self.told(call) for _ in ids]
                self.assertEqual([{"z": 1, "a": 2}, *range(500), "last"], [notice["body"] for notice in notices])
                self.assertEqual(["z", "a"], list(notices[0]["body"]))
                self.assertEqual(ids, [notice["id"] for notice in notices])
                self.assertEqual({("Notification", "q")}, {(each["Message_Type"], each["queue_name"]) for each in notices})
                self.assertEqual(204, (await call("ping_node"))[0], "answers go on")
            with server.client(project) as ask:
                for each in listed:  # what stands for a client is nobody else's to name
                    self.assertEqual(400, ask("POST", "/v2/queues/q/subscriptions", {"subscriber": each["subscriber"]})[0])

    async def test_answers_and_notifications_do_not_mix(self):
        with harness.Server() as server:
            call = await self.caller(server, "mixed")
            self.assertEqual(201, (await call("subscription_create", queue_name="q", ttl=600))[0])
            for number in range(200):
                await call.connection.send(json.dumps({
                    "action": "message_post", "headers": call.headers,
                    "body": {"queue_name": "q", "messages": [{"body": number}]}}))
            received = [json.loads(await asyncio.wait_for(call.connection.recv(), SECONDS)) for _ in range(400)]
            self.assertEqual(list(range(200)), [each["body"] for each in received if "Message_Type" in each])
            self.assertEqual([201] * 200, [each["headers"]["status"] for each in received if "request" in each])

    async def test_it_is_forgotten_when_the_client_goes(self):
        with harness.Server() as server:
            call = await self.caller(server, "short")
            self.assertEqual(201, (await call("subscription_create", queue_name="q", ttl=600))[0])
            self.assertEqual(1, len(subscriptions(server, "short")))
            await call.connection.close()
            await asyncio.to_thread(reports.wait_for, lambda: not subscriptions(server, "short"), "it is still there")
            post(server, "short", 1)

    async def test_it_is_forgotten_when_the_server_goes(self):
        for workers in (1, 2):
            for end in ("stop", "kill"):
                with self.subTest(workers=workers, end=end), harness.directory() as folder:
                    options = (f"--server.workers={workers}",)
                    with harness.Server(*options, directory=folder) as server:
                        call = await self.caller(server, "gone")
                        self.assertEqual(201, (await call("subscription_create", queue_name="q", ttl=600))[0])
                        family = harness.family(server.process.pid)
                        await asyncio.to_thread(getattr(server, end))
                        await asyncio.to_thread(reports.wait_for, lambda: not any(map(harness.exists, family)), family)
                    with harness.Server(*options, directory=folder) as server:
                        self.assertEqual([], subscriptions(server, "gone"))

    async def test_workers_tell_the_clients_of_each_other(self):
        with harness.Server("--server.workers=3") as server:
            listeners = [await self.caller(server, "many", packed=number % 2 == 1) for number in range(9)]
            for call in listeners:
                self.assertEqual(201, (await call("subscription_create", queue_name="q", ttl=600))[0])
            self.assertEqual(9, len(subscriptions(server, "many")))
            for number in range(30):  # each on a connection of its own, and so by any worker
                post(server, "many", number)
            ids = post(server, "many", *(["x" * 200] * 1000))
            for call in listeners:
                notices = [await self.told(call) for _ in range(1030)]
                self.assertEqual(list(range(30)), sorted(each["body"] for each in notices if each["body"] != "x" * 200))
                self.assertEqual(ids, [each["id"] for each in notices if each["body"] == "x" * 200])

    def test_a_client_that_does_not_read_is_cut_off(self):
        with harness.Server("--server.transfer_seconds=2") as server:
            connection, _ = attack.shake_hands(server.websocket)
            with contextlib.closing(connection):
                request = {"action": "subscription_create", "body": {"queue_name": "q", "ttl": 600},
                           "headers": {"Client-ID": str(uuid.uuid4()), "X-Project-ID": "deaf"}}
                connection.sendall(attack.frame(attack.TEXT, json.dumps(request).encode()))
                reports.wait_for(lambda: subscriptions(server, "deaf"), "no subscription")
                before = reports.resident_kilobytes(server.process.pid)
                for _ in range(200):
                    post(server, "deaf", "x" * 200_000)
                reports.wait_for(lambda: not subscriptions(server, "deaf"), "it is still listened for")
                if os.environ["GMR_SANITIZE"]:
                    print("not measured: how much memory that takes; a sanitizer keeps what is freed")
                else:
                    self.assertLess(reports.resident_kilobytes(server.process.pid) - before, 96 << 10)


class Webhook:
    """Takes what it is told."""

    def __init__(self):
        self.told = told = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Webhooks(unittest.TestCase):
    def test_one_that_does_not_answer_holds_up_nobody_else(self):
        hook = Webhook()
        self.addCleanup(hook.close)
        with socket.create_server(("127.0.0.1", 0), backlog=128) as silent, harness.Server() as server:
            with server.client("bad") as bad, server.client("good") as good:
                dead = f"http://127.0.0.1:{silent.getsockname()[1]}/"
                self.assertEqual(201, bad("POST", "/v2/queues/q/subscriptions", {"subscriber": dead, "ttl": 600})[0])
                self.assertEqual(201, good("POST", "/v2/queues/q/subscriptions", {"subscriber": hook.url, "ttl": 600})[0])
            post(server, "bad", *range(1000))
            for number in range(100):
                post(server, "good", number)
            # Each notification to the other takes 40 seconds until it is put off for the first time.
            told = [hook.told.get(timeout=30)["body"] for _ in range(100)]
            self.assertEqual(list(range(100)), sorted(told))

    def test_many_subscribers_of_many_messages(self):
        hook = Webhook()
        self.addCleanup(hook.close)
        with harness.Server() as server, server.client("bad") as bad, server.client("good") as good:
            for number in range(100):
                self.assertEqual(201, bad("POST", "/v2/queues/q/subscriptions",
                                          {"subscriber": f"http://127.0.0.1:1/{number}", "ttl": 600})[0])
            self.assertEqual(201, good("POST", "/v2/queues/q/subscriptions", {"subscriber": hook.url, "ttl": 600})[0])
            post(server, "bad", *([1] * 15000))
            post(server, "good", "told")
            self.assertEqual("told", hook.told.get(timeout=SECONDS)["body"])
            report = reports.ask(server)
            self.assertRegex(report, r"dropped\W+\d{6,}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
