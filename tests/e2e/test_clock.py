#!/usr/bin/env python3
"""The machine's clock is set while messages are there: none is lost, none comes back, claims stay as long as they were to."""
import datetime
import email.utils
import os
import struct
import sys
import time
import unittest

import harness
import reports

MESSAGES = "/v2/queues/q/messages"
YEAR = 365 * 86400


@unittest.skipIf(os.environ.get("GMR_SANITIZE"), "sanitizers want to be loaded first")
class Clock(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(harness.directory())
        self.ahead = self.folder / "ahead"
        self.set(0)

    def set(self, seconds):
        with open(self.ahead, "r+b" if self.ahead.exists() else "wb") as file:
            file.write(struct.pack("q", seconds))

    def server(self):
        environment = {**os.environ, "LD_PRELOAD": os.environ["SET_CLOCK"], "CLOCK_AHEAD": str(self.ahead)}
        return harness.Server("--oslo_reports.format=json", *reports.PATIENT, directory=self.folder, env=environment)

    def shown(self, ask):
        """What the server takes for the time, in seconds since 1970."""
        return email.utils.parsedate_to_datetime(ask("GET", "/v2/ping")[2]["Date"]).timestamp()

    def test_set_forward_and_back(self):
        with self.server() as server, server.client() as ask:
            self.assertEqual(201, ask("POST", MESSAGES, {"messages": [{"ttl": 3600, "body": 1}, {"ttl": 3600, "body": 2}]})[0])
            status, _, headers = ask("POST", "/v2/queues/q/claims?limit=1", {"ttl": 3600, "grace": 60})
            self.assertEqual(201, status)
            for ahead in (2 * YEAR, -2 * YEAR, 0):
                self.set(ahead)
                self.assertAlmostEqual(time.time() + ahead, self.shown(ask), delta=3000)
                swept = self.sweeps(server)
                reports.wait_for(lambda: self.sweeps(server) > swept + 1, server.stderr)
                counted = ask("GET", "/v2/queues/q/stats")[1]["messages"]
                self.assertEqual((2, 1), (counted["total"], counted["claimed"]), ahead)
                self.assertLess(counted["oldest"]["age"], 3000)
                created = datetime.datetime.fromisoformat(counted["oldest"]["created"]).timestamp()
                self.assertAlmostEqual(time.time() + ahead, created, delta=3000)
                self.assertEqual(204, ask("PATCH", headers["Location"], {"ttl": 3600, "grace": 60})[0])

    def sweeps(self, server):
        """How often it has looked after its storage: it commits each time."""
        return reports.ask(server, read=reports.jsons)["sections"]["Storage"]["looks at the file"]

    def test_set_while_the_server_is_not_there(self):
        with self.server() as server, server.client() as ask:
            self.assertEqual(201, ask("POST", MESSAGES, {"messages": [{"ttl": 3600, "body": 1}]})[0])
        for ahead in (2 * YEAR, -2 * YEAR):
            self.set(ahead)
            with self.server() as server, server.client() as ask:
                counted = ask("GET", "/v2/queues/q/stats")[1]["messages"]
                self.assertEqual(1, counted["total"], ahead)
                self.assertLess(counted["oldest"]["age"], 3000)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
