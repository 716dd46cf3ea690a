#!/usr/bin/env python3
"""Several processes on one port: who serves, who is started again, who reports, who stops."""
import collections
import contextlib
import os
import pathlib
import signal
import sys
import threading
import unittest

import harness
import reports


class Workers(unittest.TestCase):
    def test_claims_are_exclusive_among_processes(self):
        with harness.Server("--server.workers=2") as server, server.client() as ask:
            self.assertEqual(2, len(harness.workers(server.process.pid)))
            count = 60
            for first in range(0, count, 20):
                self.assertEqual(201, ask("POST", "/v2/queues/q/messages",
                                          {"messages": [{"ttl": 3600, "body": first + n} for n in range(20)]})[0])
            taken, lock = collections.Counter(), threading.Lock()

            def claim():
                with contextlib.closing(server.client()) as own:
                    while True:
                        status, answer, _ = own("POST", "/v2/queues/q/claims?limit=3")
                        if status == 204:
                            return
                        self.assertEqual(201, status, answer)
                        with lock:
                            taken.update(message["body"] for message in answer["messages"])

            threads = [threading.Thread(target=claim) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual({n: 1 for n in range(count)}, dict(taken))

    def test_one_touch_makes_a_report_of_each_and_of_their_parent(self):
        server = harness.Server.with_trigger_file("--server.workers=2", "--oslo_reports.format=json")
        with server:
            parent = server.process.pid
            workers = harness.workers(parent)
            server.trigger_file.touch()
            made = reports.wait_for(lambda: len(reports.jsons(server.stderr())) == 3 and reports.jsons(server.stderr()),
                                    server.stderr)
            by_pid = {report["process"]["pid"]: report for report in made}
            self.assertEqual({parent, *workers}, set(by_pid))
            for worker in workers:
                self.assertEqual(parent, by_pid[worker]["process"]["parent"]["pid"])
                self.assertIn("Connections", by_pid[worker]["sections"])
            rows = by_pid[parent]["sections"]["Workers"]
            self.assertEqual([(worker, "serves") for worker in workers],
                             sorted((row["process"], row["state"]) for row in rows))

    def test_what_dies_is_started_again(self):
        with harness.Server("--server.workers=2") as server:
            before = harness.workers(server.process.pid)
            os.kill(before[0], signal.SIGKILL)
            after = reports.wait_for(lambda: self.replaced(server.process.pid, before), server.stderr)
            self.assertEqual(2, len(after))
            for _ in range(10):
                self.assertEqual(204, server.ping())
            self.assertIn("signal 9", reports.ask(server))

    def replaced(self, parent, before):
        now = harness.workers(parent)
        return now if len(now) == 2 and now != before else None

    def test_a_stop_ends_all_and_a_killed_parent_too(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            with harness.Server("--server.workers=3") as server, server.client() as ask:
                self.assertEqual(201, ask("PUT", "/v2/queues/q")[0])
                workers = harness.workers(server.process.pid)
                self.assertEqual(3, len(workers))
                server.process.send_signal(number)
                server.ended = True
                self.assertEqual(0 if number == signal.SIGTERM else -9, server.process.wait(harness.STOP_SECONDS))
                reports.wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in workers),
                                 f"workers outlive signal {number}")

    def test_a_start_that_can_not_be_is_said_once(self):
        result = harness.run("--server.workers=2", "--http.bind=192.0.2.1", "--storage.path=/tmp/never.db")
        self.assertEqual(69, result.returncode, result.stderr)
        self.assertEqual(1, len(result.stderr.splitlines()), result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
