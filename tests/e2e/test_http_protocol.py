#!/usr/bin/env python3
"""HTTP/1.1 itself: keep-alive, pipelining, malformed and oversized requests, slow clients, load."""
import email.utils
import socket
import subprocess
import sys
import unittest

import harness
import reports

HEAD = "Host: h\r\nClient-ID: 3381af92-2b9e-11e3-b191-71861300734c\r\nX-Project-Id: p\r\n"


class HttpProtocol(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server("--oslo_reports.format=json")
        cls.server.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def connect(self):
        host, port = self.server.http.rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), timeout=60)
        self.addCleanup(connection.close)
        return connection

    def exchange(self, request, end=True):
        """Everything that comes back until the server closes."""
        connection = self.connect()
        connection.sendall(request.encode("latin-1") if isinstance(request, str) else request)
        if end:
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    def test_a_connection_serves_many_requests(self):
        with self.server.client() as ask:
            ask("GET", "/v2/ping")
            used = ask.connection.sock
            for _ in range(50):
                self.assertEqual(200, ask("GET", "/v2/queues")[0])
            self.assertIs(used, ask.connection.sock)

    def test_a_connection_that_has_been_served_waits_for_the_next_request(self):
        """Each is idle then, whatever it did before: no time limit of a transfer runs."""
        asked = [self.server.client() for _ in range(50)]
        for _ in range(20):
            for ask in asked:
                self.assertEqual(200, ask("GET", "/v2/queues")[0])
        report = reports.ask(self.server, read=reports.jsons)
        doing = [row["doing"] for row in report["sections"]["Connections"]]
        self.assertEqual(["waiting for a request"] * len(asked), doing[-len(asked):])
        for ask in asked:
            ask.close()

    def test_pipelined_requests_are_answered_in_order(self):
        count = 30
        requests = "".join(f"PUT /v2/queues/pipe{n} HTTP/1.1\r\n{HEAD}\r\nGET /v2/ping HTTP/1.1\r\n{HEAD}\r\n"
                           for n in range(count))
        answers = self.exchange(requests)
        places = [answers.index(f"Location: /v2/queues/pipe{n}\r\n") for n in range(count)]
        self.assertEqual(sorted(places), places)
        self.assertEqual(count, answers.count("HTTP/1.1 201 "))
        self.assertEqual(count, answers.count("HTTP/1.1 204 "))

    def test_close_is_honoured(self):
        answer = self.exchange(f"GET /v2/ping HTTP/1.1\r\n{HEAD}Connection: close\r\n\r\n", end=False)
        self.assertTrue(answer.startswith("HTTP/1.1 204 "), answer)
        self.assertIn("Connection: close", answer)

    def test_http_1_0_is_served(self):
        answer = self.exchange(f"GET /v2/queues HTTP/1.0\r\n{HEAD}\r\n", end=False)
        self.assertIn("200 OK", answer)

    def test_malformed_requests_are_refused_and_closed(self):
        for wrong in ("nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /v2/ping HTTP/1.1\r\nbad header\r\n\r\n",
                      "POST /v2/queues/q/messages HTTP/1.1\r\nContent-Length: many\r\n\r\n",
                      "POST /v2/queues/q/messages HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                      "POST /v2/queues/q/messages HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                      "POST /v2/queues/q/messages HTTP/1.1\r\nContent-Length: 1\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                      "GET /v2/queues/a\0b HTTP/1.1\r\n\r\n",
                      "POST /v2/queues/q/messages HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                      b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64)):
            self.assertTrue(self.exchange(wrong, end=False).startswith("HTTP/1.1 400 "), wrong)
        answer = self.exchange("GET /v2/queues?a=%zz HTTP/1.1\r\n" + HEAD + "\r\n")
        self.assertTrue(answer.startswith("HTTP/1.1 400 "), answer)
        with self.server.client() as ask:
            self.assertEqual(204, ask("GET", "/v2/ping")[0])

    def test_where_a_request_ends_and_whose_it_is_must_be_beyond_doubt(self):
        """Each is refused, the connection closed, and what follows is not taken for another request."""
        smuggled = "0\r\n\r\nPUT /v2/queues/smuggled HTTP/1.1\r\n" + HEAD + "\r\n"
        host, who = HEAD.split("\r\n", 1)
        for version, head in (("1.1", HEAD + "Transfer-Encoding: gzip\r\n"),
                              ("1.1", HEAD + "Transfer-Encoding: gzip, chunked\r\n"),
                              ("1.1", HEAD + "Transfer-Encoding: chunked, gzip\r\n"),
                              ("1.1", HEAD + "Transfer-Encoding: xchunked\r\n"),
                              ("1.1", HEAD + "Transfer-Encoding: identity\r\n"),
                              ("1.1", HEAD + "Transfer-Encoding: \r\n"),
                              ("1.1", HEAD + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
                              ("1.1", HEAD + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
                              ("1.1", HEAD + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
                              ("1.1", HEAD + "Content-Length: 5\r\nContent-Length: 5\r\n"),
                              ("1.1", HEAD + "Content-Length: 5, 5\r\n"),
                              ("1.1", HEAD + "Content-Length: +5\r\n"),
                              ("1.0", HEAD + "Transfer-Encoding: chunked\r\n"),
                              ("1.1", who), ("1.1", host + "\r\n" + HEAD),
                              ("1.1", HEAD + "Client-ID: 3381af92-2b9e-11e3-b191-71861300734d\r\n"),
                              ("1.1", HEAD + "x-project-id: q\r\n")):
            answer = self.exchange(f"POST /v2/queues/q/messages HTTP/{version}\r\n{head}\r\n{smuggled}", end=False)
            self.assertTrue(answer.startswith("HTTP/1.1 400 "), (head, answer))
            self.assertEqual(1, answer.count("HTTP/1.1 "), (head, answer))
            self.assertIn("Connection: close", answer)
        with self.server.client("p") as ask:
            self.assertNotIn("smuggled", [each["name"] for each in ask("GET", "/v2/queues")[1]["queues"]])

    def test_answers_say_when_and_which_they_are(self):
        with self.server.client() as ask:
            first, second = ask("GET", "/v2/queues")[2], ask("GET", "/v2/ping")[2]
        self.assertIsNotNone(email.utils.parsedate(first["Date"]))
        self.assertRegex(first["x-openstack-request-id"], "^req-[0-9a-f]{32}$")
        self.assertNotEqual(first["x-openstack-request-id"], second["x-openstack-request-id"])

    def test_signs_of_life_need_no_names(self):
        for path in ("/v2/ping", "/healthz"):
            answer = self.exchange(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", end=False)
            self.assertTrue(answer.startswith("HTTP/1.1 204 "), answer)

    def test_oversized_requests_are_refused(self):
        answer = self.exchange(f"GET /v2/ping HTTP/1.1\r\n{HEAD}X-Long: {'x' * 20000}\r\n\r\n", end=False)
        self.assertTrue(answer.startswith("HTTP/1.1 431 "), answer[:100])
        size = 3 << 20
        head = f"POST /v2/queues/q/messages HTTP/1.1\r\n{HEAD}Content-Length: {size}\r\n\r\n"
        answer = self.exchange(head.encode() + bytes(size), end=False)
        self.assertTrue(answer.startswith("HTTP/1.1 413 "), answer[:100])
        self.assertIn('"description"', answer)

    def test_a_body_is_asked_for_with_100_continue(self):
        connection = self.connect()
        body = b'{"messages": [{"body": 1}]}'
        connection.sendall(f"POST /v2/queues/q/messages HTTP/1.1\r\n{HEAD}Expect: 100-continue\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n".encode())
        self.assertTrue(connection.recv(1024).startswith(b"HTTP/1.1 100 "))
        connection.sendall(body)
        self.assertTrue(connection.recv(1024).startswith(b"HTTP/1.1 201 "))

    def test_chunked_bodies_and_single_bytes(self):
        body = '{"messages": [{"body": 1}]}'
        request = (f"POST /v2/queues/q/messages HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n"
                   f"{len(body):x}\r\n{body}\r\n0\r\n\r\n")
        connection = self.connect()
        for letter in request:
            connection.sendall(letter.encode())
        self.assertTrue(connection.recv(1024).startswith(b"HTTP/1.1 201 "))

    def test_clients_that_leave_in_the_middle_do_no_harm(self):
        for part in (b"", b"G", b"POST /v2/queues/q/messages HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"):
            connection = self.connect()
            connection.sendall(part)
            connection.close()
        with self.server.client() as ask:
            self.assertEqual(204, ask("GET", "/v2/ping")[0])

    def test_wrk_sees_no_error(self):
        for script, path in (("post.lua", "/v2/queues/load/messages"), ("mixed.lua", "/v2/queues/mixed")):
            load = subprocess.run(["wrk", "-t1", "-c20", "-d3s", "--timeout", "30s", "-s", harness.HERE / script,
                                   f"http://{self.server.http}{path}"], capture_output=True, text=True, check=True)
            print(load.stdout)
            self.assertRegex(load.stdout, r"failed: 0\b")
            self.assertRegex(load.stdout, r"answered: [1-9]")
            self.assertNotIn("Socket errors", load.stdout)


class Limits(unittest.TestCase):
    def test_clients_beyond_the_limit_are_turned_away(self):
        with harness.Server("--server.max_connections=3") as server:
            clients = [server.client() for _ in range(3)]
            for ask in clients:
                self.assertEqual(200, ask("GET", "/v2/queues")[0])
            with server.client() as late:
                status, _, headers = late("GET", "/v2/queues")
                self.assertEqual((503, "1", "close"), (status, headers["Retry-After"], headers["Connection"]))
            self.assertEqual(204, server.ping(), "whether the server lives can be asked all the same")
            for ask in clients:
                self.assertEqual(200, ask("GET", "/v2/queues")[0])
                ask.close()

    def test_beyond_the_places_for_health_there_is_nothing(self):
        with harness.Server("--server.max_connections=1") as server:
            clients = [server.client() for _ in range(1 + 8)]
            for ask in clients:
                self.assertEqual(204, ask("GET", "/v2/ping")[0])
            with self.assertRaises(OSError):
                server.ping()
            for ask in clients:
                ask.close()

    def test_idle_connections_are_closed_when_asked_for(self):
        with harness.Server("--http.idle_seconds=1") as server:
            with server.client() as ask:
                self.assertEqual(204, ask("GET", "/v2/ping")[0])
                self.assertEqual(b"", ask.connection.sock.recv(1))


class Settings(unittest.TestCase):
    def test_limits_are_those_of_the_configuration(self):
        with harness.Server("--transport.max_messages_post_size=2000", "--transport.client_id_uuid_safe=off",
                            "--transport.max_messages_per_page=3", "--transport.message_delete_with_claim_id=on",
                            "--http.bind=localhost") as server, server.client(client_id="a-plain-name") as ask:
            messages = "/v2/queues/q/messages"
            status, made, _ = ask("POST", messages, {"messages": [{"body": 1}]})
            self.assertEqual(201, status)
            self.assertEqual(403, ask("DELETE", made["resources"][0])[0])
            claimed = ask("POST", "/v2/queues/q/claims")[1]["messages"][0]["href"]
            self.assertEqual(204, ask("DELETE", claimed)[0])
            self.assertEqual(400, ask("POST", messages, {"messages": [{"body": "x" * 2000}]})[0])
            self.assertEqual(400, ask("GET", messages + "?limit=4")[0])
            self.assertEqual(413, ask("POST", messages, {"messages": [{"body": "x" * 5000}]})[0])
        with harness.Server("--transport.client_id_uuid_safe=off", "--transport.min_length_client_id=3",
                            "--transport.max_length_client_id=5", "--transport.default_message_delay=60") as server:
            for name, status in ("ab", 400), ("abc", 201), ("abcde", 201), ("abcdef", 400):
                with server.client(client_id=name) as ask:
                    self.assertEqual(status, ask("POST", "/v2/queues/q/messages", {"messages": [{"body": 1}]})[0], name)
            with server.client(client_id="abc") as ask:
                self.assertEqual(204, ask("POST", "/v2/queues/q/claims")[0], "they are delayed")
                self.assertEqual(60, ask("GET", "/v2/queues/q")[1]["_default_message_delay"])
        for value, status in ("strict", 400), ("on", 400):
            with harness.Server(f"--transport.client_id_uuid_safe={value}") as server, server.client(client_id="a-plain-name") as ask:
                self.assertEqual(status, ask("PUT", "/v2/queues/q")[0])
        self.assertEqual(64, harness.run("--transport.client_id_uuid_safe=perhaps").returncode)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
