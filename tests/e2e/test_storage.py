#!/usr/bin/env python3
"""The file that messages are in: what is left after a stop, and what is seen of its faults."""
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import unittest

import harness
import reports

ONE = {"messages": [{"body": 1}]}
MESSAGES = "/v2/queues/q/messages"
JSON = ("--oslo_reports.format=json", *reports.PATIENT)


class Files(unittest.TestCase):
    def test_the_storage_is_private_and_one_file_after_a_stop(self):
        with harness.directory() as folder:
            with harness.Server(directory=folder) as server, server.client() as ask:
                self.assertEqual(201, ask("PUT", "/v2/queues/q")[0])
                for file in folder.glob("queues.db*"):
                    self.assertEqual(0o600, file.stat().st_mode & 0o777, file)
                reports.ask(server)
                self.assertEqual(0, server.stop())
            self.assertEqual(["queues.db"], [file.name for file in folder.glob("queues.db*")])

    def test_a_damaged_storage_is_refused(self):
        with harness.directory() as folder:
            with harness.Server(directory=folder) as server, server.client() as ask:
                for number in range(50):
                    self.assertEqual(201, ask("POST", f"/v2/queues/q{number}/messages",
                                              {"messages": [{"body": "x" * 1000}]})[0])
            file = folder / "queues.db"
            content = bytearray(file.read_bytes())
            content[8192:12288] = bytes(4096)
            file.write_bytes(content)
            result = harness.run("--http.port=0", "--websocket.port=0", f"--storage.path={file}")
            self.assertEqual(69, result.returncode, result.stderr)
            self.assertIn("damaged", result.stderr)


class Faults(unittest.TestCase):
    def test_a_locked_storage_is_seen_until_it_works_again(self):
        with harness.Server(*JSON) as server, server.client() as ask:
            body = {"messages": [{"body": 1}]}
            self.assertEqual(201, ask("POST", "/v2/queues/q/messages", body)[0])
            with contextlib.closing(sqlite3.connect(server.storage, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                status, _, headers = ask("POST", "/v2/queues/q/messages", body)
                self.assertEqual((503, "1"), (status, headers["Retry-After"]))
                for path in ("/v2/ping", "/healthz", "/v2/health"):
                    self.assertEqual(503, ask("GET", path)[0], path)
                self.assertIn("locked", json.dumps(reports.ask(server, read=reports.jsons)["sections"]["Storage"]))
                self.assertIn("storage: writing fails: database is locked", server.stderr())
                other.execute("ROLLBACK")
            reports.wait_for(lambda: server.ping() == 204, server.stderr)
            self.assertIn("storage: writing works again", server.stderr())


def mounted_file_system(test):
    """The directory of a small file system of its own, which only root can have."""
    folder = harness.pathlib.Path(tempfile.mkdtemp(prefix="queue-server-full-"))
    test.addCleanup(folder.rmdir)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", folder], capture_output=True, check=False)
    if mounted.returncode != 0:
        test.skipTest("no file system can be mounted here")
    test.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)
    return folder


class FullDisk(unittest.TestCase):
    def test_it_is_said_and_can_be_emptied_through_the_api(self):
        with harness.Server(directory=mounted_file_system(self)) as server, server.client() as ask:
            big = {"messages": [{"body": "x" * 200000}]}
            messages, status = "/v2/queues/q/messages", 201
            for _ in range(1000):
                status, _, _ = ask("POST", messages, big)
                if status != 201:
                    break
            self.assertEqual(503, status)
            self.assertEqual(503, ask("GET", "/healthz")[0])
            self.assertIn("storage: writing fails: database or disk is full", server.stderr())
            popped = 0
            while True:
                status, answer, _ = ask("DELETE", f"{messages}?pop=5")
                self.assertEqual(200, status, answer)
                if not answer["messages"]:
                    break
                popped += len(answer["messages"])
            self.assertGreater(popped, 20)
            reports.wait_for(lambda: ask("POST", messages, {"messages": [{"body": 1}]})[0] == 201, server.stderr)
            reports.wait_for(lambda: server.ping() == 204, server.stderr)


class Seen(unittest.TestCase):
    """Each fault is an answer, a state in the report, a line on standard error, and none is silent."""

    def assert_fault(self, server, ask, says):
        reports.wait_for(lambda: server.ping() == 503, server.stderr)
        self.assertEqual(503, ask("GET", "/healthz")[0])
        self.assertEqual(503, ask("POST", MESSAGES, ONE)[0])
        section = reports.ask(server, read=reports.jsons)["sections"]["Storage"]
        self.assertEqual("state", next(iter(section)), "what matters most stands first")
        self.assertTrue(section["state"].startswith("FAULT: "), section)
        self.assertIn(says, section["state"])
        self.assertIn(f"queue-server: storage: writing fails: {section['state'][len('FAULT: '):]}\n", server.stderr())
        return section

    def test_a_file_that_was_deleted_or_moved(self):
        with harness.Server(*JSON) as server, server.client() as ask:
            self.assertEqual(201, ask("POST", MESSAGES, ONE)[0])
            elsewhere = server.directory / "elsewhere.db"
            server.storage.rename(elsewhere)
            self.assert_fault(server, ask, "moved or deleted")
            elsewhere.rename(server.storage)
            reports.wait_for(lambda: server.ping() == 204, server.stderr)
            self.assertEqual(201, ask("POST", MESSAGES, ONE)[0])
            self.assertEqual(2, ask("GET", "/v2/queues/q/stats")[1]["messages"]["total"])

    def test_a_log_that_was_deleted(self):
        with harness.Server(*JSON) as server, server.client() as ask:
            self.assertEqual(201, ask("POST", MESSAGES, ONE)[0])
            server.storage.with_name("queues.db-wal").unlink()
            self.assert_fault(server, ask, "log was moved or deleted")

    def test_a_file_that_was_cut_off(self):
        with harness.Server(*JSON) as server, server.client() as ask:
            big = {"messages": [{"body": "x" * 200000}]}
            reports.wait_for(lambda: ask("POST", MESSAGES, big)[0] == 201 and
                             server.storage.stat().st_size > (2 << 20), server.stderr)
            os.truncate(server.storage, 1 << 20)
            section = self.assert_fault(server, ask, "cut off")
            self.assertIn("restarted", section["fault ends"])

    def test_a_file_that_is_made_anew_by_its_owner_is_none(self):
        with harness.Server() as server, server.client() as ask:
            big = {"messages": [{"body": "x" * 200000}]}
            for _ in range(20):
                self.assertEqual(201, ask("POST", MESSAGES, big)[0])
            self.assertEqual(204, ask("DELETE", "/v2/queues/q")[0])
            with contextlib.closing(sqlite3.connect(server.storage, isolation_level=None, timeout=60)) as other:
                reports.wait_for(lambda: other.execute("SELECT count(*) FROM messages").fetchone()[0] == 0,
                                 "rows of a deleted queue are left")
                other.execute("VACUUM")

                def is_small():
                    other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                    return server.storage.stat().st_size < 1 << 20
                reports.wait_for(is_small, "the file stays large")
            reports.wait_for(lambda: ask("POST", MESSAGES, ONE)[0] == 201, server.stderr)
            self.assertEqual(204, server.ping())

    def test_damage_that_is_met_is_not_forgotten(self):
        with harness.directory() as folder:
            with harness.Server(directory=folder) as server, server.client() as ask:
                for number in range(200):
                    self.assertEqual(201, ask("POST", f"/v2/queues/q{number}/messages",
                                              {"messages": [{"body": "x" * 5000}]})[0])
            size = server.storage.stat().st_size
            with harness.Server(*JSON, "--storage.check=off", directory=folder) as server:
                with open(server.storage, "r+b") as file:
                    file.seek(8192)
                    file.write(b"\xff" * (size - 8192))
                with server.client() as ask:
                    reports.wait_for(lambda: [ask("GET", f"/v2/queues/q{number}/messages")[0]
                                              for number in range(0, 200, 10)].count(503), server.stderr)
                    self.assertEqual(503, server.ping())
                    self.assertEqual(200, ask("GET", "/v2/")[0])
                    self.assertEqual(503, server.ping(), "what works is no cure")
                    section = reports.ask(server, read=reports.jsons)["sections"]["Storage"]
                    self.assertIn("malformed", section["state"])
                server.kill()

    def test_a_file_that_may_not_be_written_is_refused_at_start(self):
        if os.getuid() != 0:
            self.skipTest("only root can start it as somebody else")
        with harness.directory() as folder:
            folder.chmod(0o755)
            with harness.Server(directory=folder):
                pass
            (folder / "queues.db").chmod(0o444)
            result = subprocess.run([harness.BINARY, "--http.port=0", "--websocket.port=0",
                                     f"--storage.path={folder}/queues.db"], capture_output=True, text=True,
                                    timeout=harness.START_SECONDS, user=65534, group=65534, check=False)
            self.assertEqual(69, result.returncode, result.stderr)
            self.assertIn("queues.db", result.stderr)


class Sections(unittest.TestCase):
    def test_claims_subscriptions_and_the_writer(self):
        with harness.Server(*JSON) as server, server.client("p") as ask:
            for _ in range(4):
                self.assertEqual(201, ask("POST", MESSAGES, ONE)[0])
            for limit in (1, 2):
                self.assertEqual(201, ask("POST", f"/v2/queues/q/claims?limit={limit}", {"ttl": 300, "grace": 60})[0])
            self.assertEqual(201, ask("POST", "/v2/queues/other/subscriptions",
                                      {"subscriber": "http://127.0.0.1:9/x", "ttl": 600})[0])
            sections = reports.ask(server, read=reports.jsons)["sections"]
            claims = sections["Claims"]
            self.assertEqual((2, 3), (claims["live claims"], claims["messages they hold"]))
            row, = claims["queues"]
            self.assertEqual(("p/q", 2, 3), (row["queue"], row["claims"], row["messages"]))
            self.assertLessEqual(row["next ends in seconds"], 300)
            subscriptions = sections["Subscriptions"]
            self.assertEqual((1, 1), (subscriptions["subscriptions"], subscriptions["queues that have some"]))
            self.assertEqual(0, subscriptions["failed"])
            storage = sections["Storage"]
            self.assertEqual("works", storage["state"])
            self.assertTrue(storage["engine"].startswith("SQLite "), storage)
            self.assertGreater(storage["log bytes"], 0)
            self.assertEqual(0, storage["writes that wait"])
            self.assertGreaterEqual(storage["commits"], 7)

    def test_they_are_there_while_the_writer_waits_for_a_lock(self):
        with harness.Server(*JSON) as server, server.client("p") as ask:
            self.assertEqual(201, ask("POST", MESSAGES, ONE)[0])
            self.assertEqual(1, len(reports.ask(server, read=reports.jsons)["sections"]["Queues"]))
            with contextlib.closing(sqlite3.connect(server.storage, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                waiting = server.client("p")
                waiting.connection.request("POST", MESSAGES, json.dumps(ONE), waiting.headers)
                sections = reports.ask(server, read=reports.jsons)["sections"]
                for name in ("Storage", "Queues", "Claims", "Subscriptions", "Connections"):
                    self.assertNotIn("error", sections[name], name)
                other.execute("ROLLBACK")
                waiting.close()


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
