#!/usr/bin/env python3
"""The HTTP API as its clients see it."""
import json
import sys
import unittest
import uuid

import harness


class HttpApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server()
        cls.server.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def setUp(self):
        self.ask = self.server.client(project=uuid.uuid4().hex)
        self.addCleanup(self.ask.close)

    def post(self, queue, *bodies, **fields):
        status, answer, headers = self.ask("POST", f"/v2/queues/{queue}/messages",
                                           {"messages": [{"ttl": 300, "body": body, **fields} for body in bodies]})
        self.assertEqual(201, status, answer)
        return [href.rsplit("/", 1)[1] for href in answer["resources"]], headers

    def test_versions_home_and_ping_answer(self):
        status, answer, _ = self.ask("GET", "/", headers={})
        self.assertEqual((300, "2"), (status, answer["versions"][0]["id"]))
        status, answer, headers = self.ask("GET", "/v2/")
        self.assertEqual(200, status)
        self.assertIn("rel/queues", answer["resources"])
        self.assertEqual("application/json-home", headers["Content-Type"])
        self.assertEqual(204, self.ask("GET", "/v2/ping")[0])
        self.assertEqual(204, self.ask("HEAD", "/v2/ping")[0])

    def test_a_queue_from_creation_to_deletion(self):
        status, _, headers = self.ask("PUT", "/v2/queues/orders", {"owner": "me"})
        self.assertEqual((201, "/v2/queues/orders"), (status, headers["Location"]))
        self.assertEqual(204, self.ask("PUT", "/v2/queues/orders")[0])
        status, answer, _ = self.ask("GET", "/v2/queues/orders")
        self.assertEqual((200, "me", 3600), (status, answer["owner"], answer["_default_message_ttl"]))
        status, answer, _ = self.ask("GET", "/v2/queues?detailed=true&with_count=true")
        self.assertEqual(1, answer["count"])
        self.assertEqual(("orders", "/v2/queues/orders"), (answer["queues"][0]["name"], answer["queues"][0]["href"]))
        self.assertEqual("me", answer["queues"][0]["metadata"]["owner"])
        self.assertEqual(204, self.ask("DELETE", "/v2/queues/orders")[0])
        self.assertEqual([], self.ask("GET", "/v2/queues")[1]["queues"])

    def test_queues_are_listed_page_by_page(self):
        for number in range(5):
            self.ask("PUT", f"/v2/queues/q{number}")
        seen, target = [], "/v2/queues?limit=2"
        while True:
            _, answer, _ = self.ask("GET", target)
            if not answer["queues"]:
                self.assertEqual([], answer["links"])
                break
            seen += [queue["name"] for queue in answer["queues"]]
            target = answer["links"][0]["href"]
        self.assertEqual([f"q{number}" for number in range(5)], seen)

    def test_queues_are_found_by_name_and_metadata(self):
        for number in range(60):
            colour = "red" if number % 3 == 0 else "blue"
            self.assertEqual(201, self.ask("PUT", f"/v2/queues/q{number:02}", {"colour": colour, "size": number % 2,
                                                                              "old": number < 6})[0])

        def found(query):
            names, target = [], "/v2/queues?limit=7&" + query
            while target:
                _, answer, _ = self.ask("GET", target)
                self.assertLessEqual(len(answer["queues"]), 7)
                names += [int(each["name"][1:]) for each in answer["queues"]]
                target = answer["links"][0]["href"] if answer["links"] else None
            return names

        self.assertEqual(list(range(0, 60, 3)), found("colour=red"))
        self.assertEqual(list(range(0, 60, 6)), found("colour=red&size=0&detailed=true"))
        self.assertEqual([3], found("old=true&colour=red&size=1"))
        self.assertEqual([30, 33, 36, 39], found("colour=red&name=q3"))
        self.assertEqual([], found("colour=green"))
        self.assertEqual([], found("shape=round"))
        self.assertEqual(60, len(found("_default_message_ttl=3600")), "as it is shown")
        self.assertEqual(60, self.ask("GET", "/v2/queues?colour=red&with_count=true")[1]["count"], "of all, as in Zaqar")

    def test_messages_are_posted_listed_fetched_and_deleted(self):
        ids, headers = self.post("orders", {"n": 1}, [2, None], "drei ü")
        self.assertEqual("/v2/queues/orders/messages?ids=" + ",".join(ids), headers["Location"])
        self.assertEqual([], self.ask("GET", "/v2/queues/orders/messages")[1]["messages"], "own messages are hidden")
        status, answer, _ = self.ask("GET", "/v2/queues/orders/messages?echo=True&limit=2")
        self.assertEqual([{"n": 1}, [2, None]], [message["body"] for message in answer["messages"]])
        _, rest, _ = self.ask("GET", answer["links"][0]["href"])
        self.assertEqual(["drei ü"], [message["body"] for message in rest["messages"]])
        status, one, _ = self.ask("GET", f"/v2/queues/orders/messages/{ids[0]}")
        self.assertEqual((200, {"n": 1}, 300), (status, one["body"], one["ttl"]))
        for query in (f"ids={ids[0]},{ids[2]}", f"ids={ids[0]}&ids={ids[2]}"):
            _, several, _ = self.ask("GET", f"/v2/queues/orders/messages?{query}")
            self.assertEqual([ids[0], ids[2]], [message["id"] for message in several["messages"]])
        self.assertEqual(204, self.ask("DELETE", f"/v2/queues/orders/messages/{ids[0]}")[0])
        self.assertEqual(404, self.ask("GET", f"/v2/queues/orders/messages/{ids[0]}")[0])
        self.assertEqual(204, self.ask("DELETE", f"/v2/queues/orders/messages?ids={ids[1]},{ids[2]}")[0])
        self.assertEqual(404, self.ask("GET", f"/v2/queues/orders/messages?ids={ids[1]}")[0])

    def test_pop_takes_the_oldest(self):
        self.post("orders", *range(5))
        status, answer, _ = self.ask("DELETE", "/v2/queues/orders/messages?pop=2")
        self.assertEqual((200, [0, 1]), (status, [message["body"] for message in answer["messages"]]))
        self.assertEqual(3, self.ask("GET", "/v2/queues/orders/stats")[1]["messages"]["total"])

    def test_a_claim_hides_its_messages_until_it_is_let_go(self):
        self.post("orders", *range(3))
        status, answer, headers = self.ask("POST", "/v2/queues/orders/claims?limit=2", {"ttl": 300, "grace": 60})
        self.assertEqual((201, [0, 1]), (status, [message["body"] for message in answer["messages"]]))
        claim = headers["Location"]
        claim_id = claim.rsplit("/", 1)[1]
        href = answer["messages"][0]["href"]
        self.assertTrue(href.endswith("?claim_id=" + claim_id), href)
        free = self.ask("GET", "/v2/queues/orders/messages?echo=true")[1]["messages"]
        self.assertEqual([2], [message["body"] for message in free])
        self.assertEqual({"claimed": 2, "free": 1, "total": 3},
                         {key: value for key, value in self.ask("GET", "/v2/queues/orders/stats")[1]["messages"].items()
                          if isinstance(value, int)})
        self.assertEqual(403, self.ask("DELETE", href.split("?")[0])[0])
        self.assertEqual(400, self.ask("DELETE", href.split("?")[0] + "?claim_id=" + uuid.uuid4().hex)[0])
        self.assertEqual(204, self.ask("DELETE", href)[0])
        status, answer, _ = self.ask("GET", claim)
        self.assertEqual((200, 300, [1]), (status, answer["ttl"], [one["body"] for one in answer["messages"]]))
        self.assertEqual(204, self.ask("PATCH", claim, {"ttl": 600, "grace": 60})[0])
        self.assertEqual(600, self.ask("GET", claim)[1]["ttl"])
        self.assertEqual(204, self.ask("DELETE", claim)[0])
        self.assertEqual(404, self.ask("GET", claim)[0])
        self.assertEqual(404, self.ask("PATCH", claim, {"ttl": 600})[0])
        free = self.ask("GET", "/v2/queues/orders/messages?echo=true")[1]["messages"]
        self.assertEqual([1, 2], [message["body"] for message in free])

    def test_a_claim_on_nothing_is_empty(self):
        status, answer, headers = self.ask("POST", "/v2/queues/orders/claims")
        self.assertEqual((204, None), (status, answer))
        self.assertNotIn("Location", headers)

    def test_a_delayed_message_is_not_offered(self):
        self.post("orders", "later", delay=900)
        self.assertEqual([], self.ask("GET", "/v2/queues/orders/messages?echo=true")[1]["messages"])
        shown = self.ask("GET", "/v2/queues/orders/messages?echo=true&include_delayed=true")[1]["messages"]
        self.assertEqual(["later"], [message["body"] for message in shown])
        self.assertEqual(204, self.ask("POST", "/v2/queues/orders/claims")[0])

    def test_projects_do_not_see_each_other(self):
        ids, _ = self.post("orders", "secret")
        with self.server.client(project="another") as other:
            self.assertEqual(404, other("GET", f"/v2/queues/orders/messages/{ids[0]}")[0])
            self.assertEqual([], other("GET", "/v2/queues/orders/messages")[1]["messages"])
            self.assertEqual([], other("DELETE", "/v2/queues/orders/messages?pop=1")[1]["messages"])
            other("DELETE", f"/v2/queues/orders/messages/{ids[0]}")
            other("DELETE", "/v2/queues/orders")
        self.assertEqual(200, self.ask("GET", f"/v2/queues/orders/messages/{ids[0]}")[0])

    def refused(self, expected, *request, **more):
        status, answer, headers = self.ask(*request, **more)
        self.assertEqual(expected, status, answer)
        self.assertEqual({"title", "description"}, set(answer))
        return headers

    def test_headers_are_required(self):
        full = self.ask.headers
        for missing in full:
            self.refused(400, "GET", "/v2/queues", headers={k: v for k, v in full.items() if k != missing})
        self.refused(400, "GET", "/v2/queues", headers={**full, "Client-ID": "me"})
        self.refused(400, "GET", "/v2/queues", headers={**full, "X-Project-Id": "p" * 257})
        self.refused(406, "GET", "/v2/queues", headers={**full, "Accept": "text/html"})
        self.refused(400, "POST", "/v2/queues/q/messages", "a=b",
                     headers={**full, "Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(200, self.ask("GET", "/v2/queues", headers={**full, "Client-ID": uuid.uuid4().hex})[0])

    def test_limits_are_kept(self):
        messages = "/v2/queues/q/messages"
        for wrong in ({}, {"messages": []}, {"messages": {}}, {"messages": [1]}, {"messages": [{"ttl": 300}]},
                      {"messages": [{"ttl": 59, "body": 1}]}, {"messages": [{"ttl": 1209601, "body": 1}]},
                      {"messages": [{"ttl": "300", "body": 1}]}, {"messages": [{"ttl": 300.5, "body": 1}]},
                      {"messages": [{"delay": 901, "body": 1}]}, {"messages": [{"body": 2**63}]},
                      {"messages": [{"body": 10**30}]}, {"messages": [{"body": "x" * 262144}]}):
            self.refused(400, "POST", messages, wrong)
        for wrong in ("", "{", "[]", "nonsense", '{"messages":[{"body":"\xff"}]}'.encode("latin-1"), "[" * 100000):
            self.refused(400, "POST", messages, wrong)
        for wrong in ("limit=0", "limit=21", "limit=many", "echo=perhaps", "ids=",
                      "ids=" + ",".join("a" * 21)):
            self.refused(400, "GET", f"{messages}?{wrong}")
        for wrong in ("", "?pop=0", "?pop=21", "?pop=1&ids=a"):
            self.refused(400, "DELETE", messages + wrong)
        for wrong in ({"ttl": 59}, {"ttl": 43201}, {"grace": 59}, {"grace": True}, []):
            self.refused(400, "POST", "/v2/queues/q/claims", wrong)
        self.refused(400, "PUT", "/v2/queues/" + "q" * 65)
        self.refused(400, "PUT", "/v2/queues/what%20is%20this")
        self.refused(400, "PUT", "/v2/queues/q", [])
        self.refused(400, "PUT", "/v2/queues/q", {"text": "x" * 65536})
        self.assertEqual([], self.ask("GET", "/v2/queues")[1]["queues"], "what was refused has left nothing")

    def test_what_a_queue_says_about_its_messages_holds(self):
        self.ask("PUT", "/v2/queues/q", {"_default_message_ttl": 60, "_max_messages_post_size": 100})
        self.assertEqual(201, self.ask("POST", "/v2/queues/q/messages", {"messages": [{"body": 1}]})[0])
        self.assertEqual(60, self.ask("GET", "/v2/queues/q/messages?echo=1")[1]["messages"][0]["ttl"])
        self.refused(400, "POST", "/v2/queues/q/messages", {"messages": [{"body": "x" * 100}]})
        for wrong in ({"_default_message_ttl": 5}, {"_default_message_delay": 901}, {"_max_claim_count": 0},
                      {"_dead_letter_queue": "a b"}, {"_dead_letter_queue": 5}, {"_enable_encrypt_messages": True},
                      {"_dead_letter_queue_messages_ttl": 1}, {"_retry_policy": 5}, {"_retry_policy": {"surprise": 1}}):
            self.refused(400, "PUT", "/v2/queues/other", wrong)

    def test_metadata_is_changed_by_a_patch(self):
        patch = {**self.ask.headers, "Content-Type": "application/openstack-messaging-v2.0-json-patch"}
        change = lambda *steps: self.ask("PATCH", "/v2/queues/q", json.dumps(steps), patch)
        self.assertEqual(404, change({"op": "add", "path": "/metadata/a", "value": 1})[0])
        self.ask("PUT", "/v2/queues/q", {"a": 1})
        status, answer, _ = change({"op": "replace", "path": "/metadata/a", "value": [2]},
                                   {"op": "add", "path": "/metadata/b~1c", "value": None},
                                   {"op": "remove", "path": "/metadata/_default_message_ttl"})
        self.assertEqual((200, [2], None, 3600), (status, answer["a"], answer["b/c"], answer["_default_message_ttl"]))
        self.assertEqual(409, change({"op": "remove", "path": "/metadata/x"})[0])
        self.assertEqual(409, change({"op": "replace", "path": "/metadata/x", "value": 1})[0])
        for wrong in ({}, {"op": "move", "path": "/metadata/a"}, {"op": "add", "path": "/a", "value": 1}, 5,
                      {"op": "add", "path": "/metadata/a/b", "value": 1}, {"op": "add", "path": "metadata", "value": 1},
                      {"op": "add", "path": "/metadata/a"}):
            self.assertEqual(400, change(wrong)[0], wrong)
        self.assertEqual([2], self.ask("GET", "/v2/queues/q")[1]["a"], "all or nothing")

    def test_messages_claimed_too_often_are_put_aside(self):
        self.ask("PUT", "/v2/queues/q", {"_max_claim_count": 1, "_dead_letter_queue": "dead"})
        self.post("q", "hopeless")
        claim = self.ask("POST", "/v2/queues/q/claims")[2]["Location"]
        self.assertEqual(204, self.ask("DELETE", claim)[0])
        self.assertEqual(204, self.ask("POST", "/v2/queues/q/claims")[0])
        self.assertEqual(["hopeless"], [each["body"] for each in self.ask("GET", "/v2/queues/dead/messages?echo=1")[1]["messages"]])

    def test_what_is_not_there_says_so(self):
        self.refused(404, "GET", "/v2/nothing")
        self.refused(404, "GET", "/v3")
        self.refused(404, "GET", "/debug/block")
        self.assertEqual("GET", self.refused(405, "POST", "/v2/queues", {})["Allow"])
        self.assertEqual(405, self.ask("HEAD", "/v2/queues/q")[0])
        for path in ("/v2/topics", "/v2/topics/t", "/v2/pools", "/v2/flavors/f"):
            self.refused(404, "GET", path)
        self.refused(415, "PATCH", "/v2/queues/q", [])
        self.assertEqual(200, self.ask("GET", "/v2/queues/absent")[0])
        self.assertEqual(0, self.ask("GET", "/v2/queues/absent/stats")[1]["messages"]["total"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
