#!/usr/bin/env python3
"""The WebSocket API, through a client library that is not ours."""
import asyncio
import json
import socket
import sys
import unittest
import uuid

import msgpack
import websockets

import harness


class Caller:
    """Actions on one connection; JSON in text messages or MessagePack in binary ones."""

    def __init__(self, connection, project, packed=False):
        self.connection = connection
        self.headers = {"Client-ID": str(uuid.uuid4()), "X-Project-ID": project}
        self.packed = packed

    async def raw(self, message):
        await self.connection.send(message)
        answer = await self.connection.recv()
        return msgpack.unpackb(answer) if isinstance(answer, bytes) else json.loads(answer)

    async def __call__(self, action, **body):
        request = {"action": action, "headers": self.headers, "body": body}
        await self.connection.send(msgpack.packb(request) if self.packed else json.dumps(request))
        answer = await self.connection.recv()
        if isinstance(answer, bytes) != self.packed:
            raise AssertionError("answered in another encoding")
        answer = msgpack.unpackb(answer) if self.packed else json.loads(answer)
        if answer["request"] != {**request, "api": "v2"}:
            raise AssertionError(answer)
        return answer["headers"]["status"], answer["body"]


class WebSocketApi(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server()
        cls.server.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    async def caller(self, packed=False, project=None):
        connection = await websockets.connect(f"ws://{self.server.websocket}/v2", ping_interval=None, max_size=None)
        self.addAsyncCleanup(connection.close)
        return Caller(connection, project or uuid.uuid4().hex, packed)

    async def whole_story(self, call):
        self.assertEqual((201, "Queue orders created."), await call("queue_create", queue_name="orders",
                                                                    metadata={"owner": "me"}))
        self.assertEqual(204, (await call("queue_create", queue_name="orders"))[0])
        self.assertEqual((200, {"queues": [{"name": "orders"}]}), await call("queue_list"))
        status, metadata = await call("queue_get", queue_name="orders")
        self.assertEqual((200, "me"), (status, metadata["owner"]))

        status, posted = await call("message_post", queue_name="orders",
                                    messages=[{"ttl": 300, "body": n} for n in ({"a": [1, None]}, "zwei ü", 3)])
        self.assertEqual((201, 3), (status, len(posted["message_ids"])))
        ids = posted["message_ids"]
        self.assertEqual([], (await call("message_list", queue_name="orders"))[1]["messages"])
        status, listed = await call("message_list", queue_name="orders", echo=True, limit=2)
        self.assertEqual([{"a": [1, None]}, "zwei ü"], [message["body"] for message in listed["messages"]])
        status, one = await call("message_get", queue_name="orders", message_id=ids[1])
        self.assertEqual((200, "zwei ü"), (status, one["messages"]["body"]))
        status, two = await call("message_get_many", queue_name="orders", message_ids=ids[:2])
        self.assertEqual((200, ids[:2]), (status, [message["id"] for message in two["messages"]]))

        status, claim = await call("claim_create", queue_name="orders", ttl=300, grace=60, limit=1)
        self.assertEqual((201, [ids[0]]), (status, [message["id"] for message in claim["messages"]]))
        held = {"queue_name": "orders", "claim_id": claim["claim_id"]}
        self.assertEqual(1, (await call("queue_get_stats", queue_name="orders"))[1]["messages"]["claimed"])
        self.assertEqual(403, (await call("message_delete", queue_name="orders", message_id=ids[0]))[0])
        self.assertEqual(204, (await call("claim_update", **held, ttl=600, grace=60))[0])
        status, got = await call("claim_get", **held)
        self.assertEqual((200, 600, 1), (status, got["ttl"], len(got["messages"])))
        self.assertEqual(204, (await call("message_delete", message_id=ids[0], **held))[0])
        self.assertEqual(204, (await call("claim_delete", **held))[0])
        self.assertEqual(404, (await call("claim_get", **held))[0])

        status, popped = await call("message_delete_many", queue_name="orders", pop=1)
        self.assertEqual((200, ["zwei ü"]), (status, [message["body"] for message in popped["messages"]]))
        self.assertEqual(204, (await call("message_delete_many", queue_name="orders", message_ids=ids))[0])
        self.assertEqual(0, (await call("queue_get_stats", queue_name="orders"))[1]["messages"]["total"])
        self.assertEqual((204, {"claim_id": None}), await call("claim_create", queue_name="orders"))
        self.assertEqual(204, (await call("queue_delete", queue_name="orders"))[0])
        self.assertEqual(404, (await call("queue_get", queue_name="orders"))[0])

    async def test_subscriptions_and_what_is_about_the_server(self):
        call = await self.caller()
        told = {"queue_name": "q", "subscriber": "http://127.0.0.1:1/hook", "ttl": 600}
        status, made = await call("subscription_create", **told)
        self.assertEqual(201, status)
        self.assertEqual(409, (await call("subscription_create", **told))[0])
        one = {"queue_name": "q", "subscription_id": made["subscription_id"]}
        status, shown = await call("subscription_get", **one)
        self.assertEqual((200, told["subscriber"]), (status, shown["subscriber"]))
        self.assertEqual(1, len((await call("subscription_list", queue_name="q"))[1]["subscriptions"]))
        self.assertEqual(204, (await call("subscription_delete", **one))[0])
        self.assertEqual(404, (await call("subscription_get", **one))[0])
        self.assertEqual(400, (await call("subscription_create", queue_name="q", subscriber="http://192.0.2.1/"))[0])
        await call("message_post", queue_name="q", messages=[{"body": 1}])
        self.assertEqual(204, (await call("queue_purge", queue_name="q"))[0])
        self.assertEqual(0, (await call("queue_get_stats", queue_name="q"))[1]["messages"]["total"])
        self.assertEqual(204, (await call("ping_node"))[0])
        self.assertTrue((await call("check_node_health"))[1]["storage_reachable"])
        self.assertEqual(200, (await call("get_home_doc"))[0])
        self.assertEqual(200, (await call("authenticate"))[0])

    async def test_bodies_come_back_as_they_were_sent(self):
        call = await self.caller()
        await call.raw('{"action": "message_post", "headers": %s, "body": {"queue_name": "q", "messages": '
                       '[{"body": {"z": 1.10, "a": 1e2}}]}}' % json.dumps(call.headers))
        await call.connection.send(json.dumps({"action": "message_list", "headers": call.headers,
                                               "body": {"queue_name": "q", "echo": True}}))
        self.assertIn('"body":{"z":1.10,"a":1e2}', await call.connection.recv())
        call.packed = True
        shown = (await call("message_list", queue_name="q", echo=True))[1]["messages"][0]["body"]
        self.assertEqual([("z", 1.1), ("a", 100.0)], list(shown.items()))

    async def test_pages_of_other_sites_can_not_connect(self):
        for origin in ("http://evil.example", f"http://{self.server.websocket}", "null"):
            self.assertEqual(403, self.refused(f"Origin: {origin}\r\n"))
        with harness.Server("--websocket.origins=https://good.example, https://other.example") as server:
            self.assertEqual(101, self.refused("Origin: https://good.example\r\n", server=server))
            self.assertEqual(403, self.refused("Origin: https://good.example.evil\r\n", server=server))

    async def test_path_and_host_are_checked(self):
        self.assertEqual(404, self.refused("", path="/chat"))
        self.assertEqual(101, self.refused("", path="/v2?x=1"))
        self.assertEqual(400, self.refused("Host: another\r\n"))

    def refused(self, header, path="/v2", server=None):
        """The status of the answer to a handshake with that header."""
        host, port = (server or self.server).websocket.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall((f"GET {path} HTTP/1.1\r\nHost: h\r\n{header}Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
            return int(connection.recv(1000).split()[1])

    async def test_silent_clients_are_pinged_and_cut_off(self):
        with harness.Server("--websocket.ping_seconds=1") as server:
            async with websockets.connect(f"ws://{server.websocket}", ping_interval=None) as alive:
                with self.shaken_hands(server) as silent:
                    got = await asyncio.to_thread(lambda: b"".join(iter(lambda: silent.recv(1000), b"")))
                    self.assertTrue(got.startswith(b"\x89"), got)
                await asyncio.wait_for(await alive.ping(), 60)

    async def test_everything_in_json(self):
        await self.whole_story(await self.caller())

    async def test_everything_in_message_pack(self):
        await self.whole_story(await self.caller(packed=True))

    async def test_both_encodings_on_one_connection(self):
        call = await self.caller()
        for call.packed in (False, True, False, True):
            self.assertEqual(200, (await call("queue_list"))[0])

    async def test_both_protocols_show_the_same_data(self):
        call = await self.caller(project="shared")
        await call("message_post", queue_name="both", messages=[{"ttl": 300, "body": "from a socket"}])
        with self.server.client(project="shared") as ask:
            shown = ask("GET", "/v2/queues/both/messages")[1]["messages"]
        self.assertEqual(["from a socket"], [message["body"] for message in shown])

    async def test_what_is_wrong_is_said_and_the_connection_goes_on(self):
        call = await self.caller()
        for wrong, status in ((" ", 400), ("{", 400), ("[]", 400), ("{}", 400), ('{"action": 1}', 400), (b"\xc1", 400),
                              (b"\x81\xa6action\xa1\xff", 400), (b"\x91" * 100000, 400), ("[" * 100000, 400),
                              (json.dumps({"action": "nonsense", "headers": call.headers}), 400),
                              (json.dumps({"action": "queue_list", "headers": []}), 400),
                              (json.dumps({"action": "queue_list", "headers": {}}), 400),
                              (json.dumps({"action": "pool_list", "headers": call.headers}), 404)):
            answer = await call.raw(wrong)
            self.assertEqual(status, answer["headers"]["status"], answer)
            self.assertTrue(answer["body"]["error"])
        for action, body in (("queue_create", {}), ("queue_create", {"queue_name": 5}),
                             ("queue_create", {"queue_name": "a b"}), ("message_post", {"queue_name": "q"}),
                             ("message_post", {"queue_name": "q", "messages": [{"ttl": 1, "body": 1}]}),
                             ("message_get_many", {"queue_name": "q", "message_ids": "x"}),
                             ("message_delete_many", {"queue_name": "q"}),
                             ("claim_create", {"queue_name": "q", "ttl": 1}), ("queue_list", {"limit": 21})):
            self.assertEqual(400, (await call(action, **body))[0], action)
        self.assertEqual((200, {"queues": []}), await call("queue_list"))

    async def test_an_oversized_message_ends_the_connection(self):
        call = await self.caller()
        with self.assertRaises(websockets.exceptions.ConnectionClosed) as closed:
            await call.raw("x" * (1 << 20))
        self.assertEqual(1009, closed.exception.rcvd.code)

    async def test_pings_fragments_and_pipelined_messages(self):
        call = await self.caller()
        await asyncio.wait_for(await call.connection.ping(), 60)
        request = json.dumps({"action": "queue_list", "headers": call.headers, "body": {}})
        answer = await call.raw([request[:10], request[10:20], request[20:]])
        self.assertEqual(200, answer["headers"]["status"])
        for number in range(30):
            await call.connection.send(json.dumps({"action": "queue_create", "headers": call.headers,
                                                   "body": {"queue_name": f"q{number}"}}))
        names = [json.loads(await call.connection.recv())["request"]["body"]["queue_name"] for _ in range(30)]
        self.assertEqual([f"q{number}" for number in range(30)], names)

    async def test_many_sessions_at_once(self):
        callers = [await self.caller(packed=n % 2 == 1, project="many") for n in range(40)]
        await asyncio.gather(*(self.busy(call) for call in callers))
        total = (await callers[0]("queue_get_stats", queue_name="busy"))[1]["messages"]["total"]
        self.assertEqual(40 * 5, total)

    async def busy(self, call):
        for number in range(5):
            self.assertEqual(201, (await call("message_post", queue_name="busy",
                                              messages=[{"ttl": 300, "body": number}]))[0])

    async def test_wrong_frames_end_the_connection_with_the_right_code(self):
        mask = bytes(4)
        for frame, code in ((b"\x81\x02{}", 1002),                              # not masked
                            (b"\xf1\x82" + mask + b"{}", 1002),                 # reserved bits
                            (b"\x83\x82" + mask + b"{}", 1002),                 # reserved opcode
                            (b"\x80\x82" + mask + b"{}", 1002),                 # continues nothing
                            (b"\x89\xfe\x00\xff" + mask + bytes(255), 1002),  # a ping that is too long
                            (b"\x88\x81" + mask + b"x", 1002),                  # half a code
                            (b"\x81\x82" + mask + b"\xff\xfe", 1007),         # not UTF-8
                            (b"\x81\xff" + b"\xff" * 8 + mask, 1009)):         # 2 ** 64 - 1 bytes
            with self.shaken_hands() as connection:
                connection.sendall(frame)
                self.assertEqual(b"\x88\x02" + code.to_bytes(2, "big"), connection.recv(1000), frame[:4])
        self.assertEqual(200, (await (await self.caller())("queue_list"))[0])

    def shaken_hands(self, server=None):
        """A connection on which frames may be sent, made by hand: a library would not send wrong ones."""
        host, port = (server or self.server).websocket.rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), timeout=60)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(1000)
        self.assertTrue(answer.startswith(b"HTTP/1.1 101 "), answer)
        return connection

    async def test_what_is_not_websocket_is_turned_away(self):
        host, port = self.server.websocket.rsplit(":", 1)
        for wrong in (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b"nonsense\r\n\r\n", bytes(100)):
            with socket.create_connection((host, int(port)), timeout=60) as connection:
                connection.sendall(wrong)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(1000)
                self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer)
        self.assertEqual(200, (await (await self.caller())("queue_list"))[0])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
