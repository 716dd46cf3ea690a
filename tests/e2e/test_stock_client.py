#!/usr/bin/env python3
"""Every call of OpenStack's own client, python-zaqarclient, over its v2 API."""
import http.server
import json
import queue
import sys
import threading
import time
import unittest
import uuid
import warnings

import harness

try:
    from zaqarclient.queues import client as zaqar
    from zaqarclient.transport import errors
except ImportError:
    zaqar = None


class Subscriber:
    """A web server that keeps what it is told, and answers with the given codes, the last of them for ever."""

    def __init__(self, *answers):
        told = self.told = queue.Queue()
        left = list(answers) or [200]

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told.put(json.loads(body))
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def next(self):
        return self.told.get(timeout=60)

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@unittest.skipIf(zaqar is None, "python3-zaqarclient is not installed")
class StockClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore", ResourceWarning)  # the client leaves its connections open
        cls.server = harness.Server()
        cls.server.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def setUp(self):
        self.project = uuid.uuid4().hex
        self.client = self.connect()

    def connect(self):
        options = {"backend": "noauth", "options": {"os_project_id": self.project}}
        return zaqar.Client(f"http://{self.server.http}", version=2, conf={"auth_opts": options})

    def subscriber(self, *answers):
        made = Subscriber(*answers)
        self.addCleanup(made.close)
        return made

    def filled(self, *bodies, name="orders"):
        made = self.client.queue(name, force_create=True)
        made.post([{"ttl": 300, "body": body} for body in bodies])
        return made

    def test_the_server_itself(self):
        self.assertTrue(self.client.ping())
        self.assertTrue(self.client.health()["storage_reachable"])
        self.assertIn("rel/queues", self.client.homedoc()["resources"])

    def test_queues(self):
        orders = self.client.queue("orders", force_create=True)
        self.client.queue("invoices", force_create=True)
        found, count = self.client.queues(detailed=True, with_count=True)
        self.assertEqual((["invoices", "orders"], 2), ([each.name for each in found], count))
        self.assertEqual(0, orders.stats["messages"]["total"])
        orders.delete()
        self.assertEqual(["invoices"], [each.name for each in self.client.queues()[0]])

    def test_metadata(self):
        orders = self.client.queue("orders", force_create=True)
        self.assertEqual(3600, orders.metadata()["_default_message_ttl"])
        changed = orders.metadata(new_meta={"owner": "me", "_default_message_ttl": 600})
        self.assertEqual(("me", 600), (changed["owner"], changed["_default_message_ttl"]))
        changed = orders.metadata(new_meta={"owner": "you"}, force_reload=True)
        self.assertEqual(("you", 3600), (changed["owner"], changed["_default_message_ttl"]))
        self.assertEqual("you", self.connect().queue("orders").metadata(force_reload=True)["owner"])
        self.assertNotIn("owner", orders.metadata(new_meta={}, force_reload=True))
        with self.assertRaises(errors.MalformedRequest):
            orders.metadata(new_meta={"_default_message_ttl": 1}, force_reload=True)
        with self.assertRaises(errors.ResourceNotFound):
            self.client.queue("absent").metadata(new_meta={"owner": "me"})

    def test_messages(self):
        orders = self.filled(1, {"two": 2}, [3])
        posted = orders.post({"ttl": 300, "body": "four"})["resources"]
        ids = [href.rsplit("/", 1)[1] for href in posted]
        self.assertEqual("four", orders.message(ids[0]).body)
        self.assertEqual([1, {"two": 2}, [3], "four"], [each.body for each in orders.messages(echo=True, limit=2)
                                                        .stream()])
        self.assertEqual(["four"], [each.body for each in orders.messages(*ids)])
        orders.message(ids[0]).delete()
        with self.assertRaises(errors.ResourceNotFound):
            orders.message(ids[0])
        self.assertEqual([1, {"two": 2}], [each.body for each in orders.pop(2)])
        last = [each.id for each in orders.messages(echo=True)]
        orders.delete_messages(*last)
        self.assertEqual(0, orders.stats["messages"]["total"])

    def test_claims(self):
        orders = self.filled(1, 2, 3)
        claim = orders.claim(ttl=300, grace=60, limit=2)
        held = list(claim)
        self.assertEqual([1, 2], [each.body for each in held])
        claim.update(ttl=600, grace=60)
        self.assertEqual(600, claim.ttl)
        self.assertGreaterEqual(claim.age, 0)
        with self.assertRaises(errors.ForbiddenError):
            self.client.queue("orders").message(held[0].href.split("/")[-1].split("?")[0]).__class__(
                orders, ttl=1, age=1, body=1, href=held[0].href.split("?")[0]).delete()
        held[0].delete()
        claim.delete()
        self.assertEqual([2, 3], [each.body for each in orders.messages(echo=True)])
        self.assertEqual([2, 3], [each.body for each in orders.claim(ttl=300, grace=60)])

    def test_purge(self):
        orders = self.filled(1, 2)
        told = self.subscriber()
        self.client.subscription("orders", subscriber=told.url, ttl=600)
        orders.purge(resource_types=["messages"])
        self.assertEqual(0, orders.stats["messages"]["total"])
        self.assertEqual(1, len(list(self.client.subscriptions("orders"))))
        orders.post([{"ttl": 300, "body": 3}])
        orders.purge()
        self.assertEqual(0, orders.stats["messages"]["total"])
        self.assertEqual([], list(self.client.subscriptions("orders")))
        with self.assertRaises(errors.MalformedRequest):
            orders.purge(resource_types=["claims"])

    def test_signed_urls(self):
        orders = self.filled("shared")
        signed = orders.signed_url(paths=["messages"], methods=["GET"], ttl_seconds=600)
        headers = {"Client-ID": str(uuid.uuid4()), "X-Project-Id": signed["project"], "URL-Signature": signed["signature"],
                   "URL-Expires": signed["expires"], "URL-Methods": ",".join(signed["methods"]),
                   "URL-Paths": ",".join(signed["paths"])}
        messages = "/v2/queues/orders/messages"
        with self.server.client() as ask:
            status, answer, _ = ask("GET", messages, headers=headers)
            self.assertEqual((200, ["shared"]), (status, [each["body"] for each in answer["messages"]]))
            one = f"{messages}/{answer['messages'][0]['id']}"
            self.assertEqual(200, ask("GET", one, headers=headers)[0])
            self.assertEqual(403, ask("DELETE", one, headers=headers)[0])
            self.assertEqual(403, ask("GET", "/v2/queues/orders", headers=headers)[0])
            self.assertEqual(403, ask("GET", "/v2/queues/others/messages", headers=headers)[0])
            for changed, code in ({"URL-Methods": "GET,DELETE"}, 403), ({"URL-Expires": "2999-01-01T00:00:00"}, 403), \
                    ({"X-Project-Id": "another"}, 403), ({"URL-Signature": "0" * 64}, 403), ({"URL-Paths": ""}, 400):
                self.assertEqual(code, ask("GET", messages, headers={**headers, **changed})[0], changed)
        with self.assertRaises(errors.MalformedRequest):
            orders.signed_url(paths=["everything"])

    def test_subscriptions(self):
        told, other = self.subscriber(), self.subscriber()
        made = self.client.subscription("orders", subscriber=told.url, ttl=600)
        self.assertEqual((told.url, 600, True), (made.subscriber, made.ttl, made.confirmed))
        self.filled({"n": 1})
        message = told.next()
        self.assertEqual(("Notification", "orders", {"n": 1}),
                         (message["Message_Type"], message["queue_name"], message["body"]))
        with self.assertRaises(errors.ConflictError):
            self.client.subscription("orders", subscriber=told.url, ttl=600)
        made.update({"subscriber": other.url, "ttl": 1000})
        self.filled({"n": 2})
        self.assertEqual({"n": 2}, other.next()["body"])
        listed = list(self.client.subscriptions("orders"))
        self.assertEqual([(other.url, 1000)], [(each.subscriber, each.ttl) for each in listed])
        made.delete()
        self.assertEqual([], list(self.client.subscriptions("orders")))
        self.assertTrue(told.told.empty(), "nobody is told any more")

    def test_a_subscriber_that_fails_is_told_again(self):
        told = self.subscriber(500, 503, 200)
        self.client.subscription("orders", subscriber=told.url, ttl=600,
                                 options={"_retry_policy": {"retries_with_no_delay": 5}})
        self.filled("again")
        self.assertEqual(["again"] * 3, [told.next()["body"] for _ in range(3)])

    def test_only_allowed_hosts_are_subscribed(self):
        for wrong in ("http://192.0.2.1/x", "https://127.0.0.1/x", "http://user:secret@127.0.0.1/x", "mailto:a@example",
                      "file:///etc/passwd", "http://127.0.0.1.example/x", "http://169.254.169.254/latest", "nonsense"):
            with self.assertRaises(errors.MalformedRequest, msg=wrong):
                self.client.subscription("orders", subscriber=wrong, ttl=600)

    def test_what_is_not_served_is_said_so_that_the_client_sees_it(self):
        for path, method in (("/v2/pools", "GET"), ("/v2/flavors/gold", "PUT"), ("/v2/topics", "GET")):
            with self.server.client() as ask:
                self.assertEqual(404, ask(method, path)[0])


@unittest.skipIf(zaqar is None, "python3-zaqarclient is not installed")
class Confirmation(unittest.TestCase):
    def test_subscribers_confirm_before_they_are_told(self):
        told = Subscriber()
        self.addCleanup(told.close)
        with harness.Server("--notification.require_confirmation=on") as server, server.client() as ask:
            messages, body = "/v2/queues/orders/messages", {"messages": [{"ttl": 300, "body": "early"}]}
            status, made, _ = ask("POST", "/v2/queues/orders/subscriptions", {"subscriber": told.url, "ttl": 600})
            self.assertEqual(201, status)
            asked = told.next()
            self.assertEqual("SubscriptionConfirmation", asked["Message_Type"])
            self.assertEqual(201, ask("POST", messages, body)[0])
            headers = {"Client-ID": str(uuid.uuid4()), "X-Project-Id": asked["X-Project-ID"],
                       "URL-Signature": asked["URL-Signature"], "URL-Expires": asked["URL-Expires"],
                       "URL-Methods": ",".join(asked["URL-Methods"]), "URL-Paths": ",".join(asked["URL-Paths"])}
            self.assertEqual(204, ask("PUT", asked["SubscribeURL"][0], asked["SubscribeBody"], headers)[0])
            self.assertTrue(ask("GET", f"/v2/queues/orders/subscriptions/{made['subscription_id']}")[1]["confirmed"])
            body["messages"][0]["body"] = "told"
            self.assertEqual(201, ask("POST", messages, body)[0])
            self.assertEqual("told", told.next()["body"])

    def test_a_stop_does_not_wait_for_subscribers_that_fail(self):
        told = Subscriber(500)
        self.addCleanup(told.close)
        with harness.Server() as server, server.client() as ask:
            self.assertEqual(201, ask("POST", "/v2/queues/q/subscriptions", {"subscriber": told.url, "ttl": 600})[0])
            self.assertEqual(201, ask("POST", "/v2/queues/q/messages", {"messages": [{"body": 1}]})[0])
            told.next()
            since = time.monotonic()
            self.assertEqual(0, server.stop())
            self.assertLess(time.monotonic() - since, 10)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
