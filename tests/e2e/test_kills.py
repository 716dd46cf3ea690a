#!/usr/bin/env python3
"""Killed again and again under load: what was acknowledged is there, and nothing is delivered to two claimants.

GMR_KILLS=200 kills so often instead of 20 times.
"""
import collections
import contextlib
import json
import os
import random
import signal
import sys
import threading
import unittest
import uuid

import harness
import reports

KILLS = int(os.environ.get("GMR_KILLS", "20"))
MESSAGES = "/v2/queues/q/messages"
BROKEN = (OSError, harness.http.client.HTTPException, json.JSONDecodeError)


class Load:
    """Clients that post, claim and delete without pause, and remember what they were told."""

    def __init__(self):
        self.lock = threading.Lock()
        self.posted = {}  # id: body
        self.claimed = collections.Counter()  # how often each id was delivered
        self.deleted = set()
        self.perhaps_deleted = set()  # asked for, and not answered
        self.wrong = []
        self.answers = 0
        self.over = threading.Event()

    def run(self, server):
        """Until the server is killed; a client whose worker was killed comes back."""
        self.over.clear()
        return [self.start(server, work) for work in [self.post] * 4 + [self.claim] * 3]

    def start(self, server, work):
        thread = threading.Thread(target=self.go_on, args=(server, work))
        thread.start()
        return thread

    def go_on(self, server, work):
        while not self.over.is_set():
            with contextlib.suppress(*BROKEN), contextlib.closing(server.client("kills")) as ask:
                while not self.over.is_set():
                    work(ask)

    def note(self, status, *good):
        with self.lock:
            self.answers += 1
            # 503: another process writes, or the one that was killed has left its lock.
            if status not in (*good, 503):
                self.wrong.append(status)
        return status in good

    def post(self, ask):
        body = uuid.uuid4().hex
        status, answer, _ = ask("POST", MESSAGES, {"messages": [{"ttl": 36000, "body": body}]})
        if self.note(status, 201):
            with self.lock:
                self.posted[answer["resources"][0].rsplit("/", 1)[1]] = body

    def claim(self, ask):
        status, answer, _ = ask("POST", "/v2/queues/q/claims?limit=3", {"ttl": 36000, "grace": 60})
        if not self.note(status, 201, 204) or status == 204:
            return
        with self.lock:
            self.claimed.update(message["id"] for message in answer["messages"])
        for message in answer["messages"][1:]:
            with self.lock:
                self.perhaps_deleted.add(message["id"])
            if self.note(ask("DELETE", message["href"])[0], 204):
                with self.lock:
                    self.deleted.add(message["id"])


class Kills(unittest.TestCase):
    def kill(self, server, workers, one):
        """All processes, or one of the workers."""
        if one:
            os.kill(random.choice(harness.workers(server.process.pid)), signal.SIGKILL)
            return
        others = harness.workers(server.process.pid) if workers > 1 else []
        server.process.kill()
        for process in others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def kill_often(self, workers, kills):
        load = Load()
        with harness.directory() as folder:
            while kills > 0:
                with harness.Server(f"--server.workers={workers}", "--storage.check=off", directory=folder) as server:
                    threads = load.run(server)
                    for one in (True, False) if workers > 1 else (False,):
                        before = load.answers
                        reports.wait_for(lambda: load.answers > before + 60, server.stderr)
                        self.kill(server, workers, one)
                        kills -= 1
                    load.over.set()
                    server.kill()
                    for thread in threads:
                        thread.join()
            self.assertEqual([], load.wrong)
            self.look(load, folder)

    def look(self, load, folder):
        self.assertGreater(len(load.posted), 50)
        self.assertGreater(len(load.deleted), 5)
        twice = {each: count for each, count in load.claimed.items() if count > 1}
        self.assertEqual({}, twice, "delivered to two claimants")
        found = {}
        with harness.Server(directory=folder) as server, server.client("kills") as ask:
            ids = list(load.posted)
            for first in range(0, len(ids), 20):
                status, answer, _ = ask("GET", f"{MESSAGES}?ids={','.join(ids[first:first + 20])}")
                self.assertIn(status, (200, 404))
                if status == 200:
                    found.update((message["id"], message["body"]) for message in answer["messages"])
        self.assertEqual(set(), set(load.posted) - set(found) - load.perhaps_deleted, "acknowledged, and lost")
        self.assertEqual(set(), set(found) & load.deleted, "deleted, and there again")
        self.assertEqual({each: load.posted[each] for each in found}, found)

    def test_one_process(self):
        self.kill_often(1, KILLS // 2)

    def test_four_workers(self):
        self.kill_often(4, KILLS // 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
