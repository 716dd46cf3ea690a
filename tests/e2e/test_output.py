#!/usr/bin/env python3
"""Where a live queue-server's reports go and what they look like there."""
import json
import os
import pathlib
import re
import resource
import signal
import stat
import subprocess
import sys
import unittest

import jsonschema

import harness
import reports

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = re.compile(r"queue-server_gurumeditation_\d{8}T\d{6}Z_(\d+)_(\d+)\.(txt|json)")


class LogDirectory(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(harness.directory())

    def ask(self, server, number=1):
        """Makes a report; returns the file that standard error says it is in."""
        server.process.send_signal(signal.SIGUSR2)
        said = re.compile(rf"^gmr: report {number} written to (.*)$", re.M)
        return pathlib.Path(reports.wait_for(lambda: said.search(server.stderr()), server.stderr).group(1))

    def test_each_report_is_a_new_file_for_the_owner_only(self):
        for form, extension in (("text", "txt"), ("json", "json")):
            with harness.Server(f"--oslo_reports.log_dir={self.folder}", f"--oslo_reports.format={form}",
                                umask=0) as server:
                for number in (1, 2, 3):
                    file = self.ask(server, number)
                    pid, shown, ending = NAME.fullmatch(file.name).groups()
                    self.assertEqual((server.process.pid, number, extension), (int(pid), int(shown), ending))
                    self.assertEqual((self.folder, 0o600), (file.parent, stat.S_IMODE(file.stat().st_mode)))
                    content = file.read_text()
                    report = json.loads(content) if form == "json" else reports.texts(content)[0]
                    self.assertTrue(report)
                self.assertEqual([], reports.texts(server.stderr()) + reports.jsons(server.stderr()))
                self.assertEqual(3, len(server.stderr().splitlines()), server.stderr())
        self.assertEqual(6, len(list(self.folder.iterdir())))

    def test_the_oldest_reports_make_room(self):
        """Those of an earlier process, too; nothing else in the directory is touched."""
        old = self.folder / "queue-server_gurumeditation_20200101T000000Z_1_raw.txt"
        others = {self.folder / name for name in ("queue-server.log", "orders_gurumeditation_20200101T000000Z_1_1.txt")}
        for file in (old, *others):
            file.write_text("x")
        with harness.Server(f"--oslo_reports.log_dir={self.folder}", "--oslo_reports.log_keep=2") as server:
            files = [self.ask(server, number) for number in (1, 2, 3)]
            reports.wait_for(lambda: not files[0].exists(), server.stderr)
            self.assertEqual(others | set(files[1:]), set(self.folder.iterdir()))
            self.assertEqual(204, server.ping())

    def goes_to_standard_error(self, server, reason):
        report = reports.ask(server)
        above, below = server.stderr().split(report)
        self.assertIn("gmr: the report could not be written to a file: ", above)
        self.assertIn(reason, above)
        self.assertNotIn(reason, below, "it is said once")
        self.assertEqual(204, server.ping())

    def test_a_directory_that_is_missing(self):
        with harness.Server(f"--oslo_reports.log_dir={self.folder}/missing") as server:
            self.goes_to_standard_error(server, "No such file or directory")

    def test_a_directory_that_went_and_came_back(self):
        folder = self.folder / "reports"
        folder.mkdir()
        with harness.Server(f"--oslo_reports.log_dir={folder}") as server:
            folder.rmdir()
            self.goes_to_standard_error(server, "No such file or directory")
            folder.mkdir()
            self.assertTrue(self.ask(server, 2).exists())

    def test_a_directory_in_which_nobody_may_make_files(self):
        with harness.Server("--oslo_reports.log_dir=/proc/self") as server:
            self.goes_to_standard_error(server, "/proc/self/")

    def test_no_permission(self):
        folder = self.folder / "closed"
        folder.mkdir(mode=0o555)
        # Root may write everywhere.
        ordinary = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        if ordinary and not self.may_run(ordinary):
            self.skipTest("somebody ordinary may not run the program where it stands")
        self.folder.chmod(0o755)
        with harness.Server(f"--oslo_reports.log_dir={folder}", **ordinary) as server:
            self.goes_to_standard_error(server, "Permission denied")
            self.assertEqual([], list(folder.iterdir()))

    def may_run(self, ordinary):
        try:
            return subprocess.run([harness.BINARY, "--version"], capture_output=True, check=False,
                                  **ordinary).returncode == 0
        except OSError:
            return False

    def test_a_file_system_that_is_full(self):
        """The limit on the size of files stands in for it."""
        with harness.Server(f"--oslo_reports.log_dir={self.folder}", pipe=harness.Pipe()) as server:
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
            self.goes_to_standard_error(server, "File too large")
            self.assertEqual([], list(self.folder.iterdir()), "half a report is none")
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE,
                             (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def is_pending(pid, number):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return bool(int(re.search(r"^ShdPnd:\s+(\w+)$", status, re.M)[1], 16) >> (number - 1) & 1)


class StandardError(unittest.TestCase):
    def test_nobody_reads_it(self):
        """The server serves on, a report waits for its reader, and what was asked for meanwhile is answered at once."""
        pipe = harness.Pipe()
        with harness.Server(pipe=pipe) as server:
            pipe.reading.clear()
            server.process.send_signal(signal.SIGUSR2)
            reports.wait_for(pipe.is_full, "the report never began")
            for _ in range(3):
                server.process.send_signal(signal.SIGUSR2)
                # While one is pending, another would be the same one.
                reports.wait_for(lambda: not is_pending(server.process.pid, signal.SIGUSR2), "the signal stays pending")
                self.assertEqual(204, server.ping())
            pipe.reading.set()
            second = reports.wait_for(lambda: reports.texts(server.stderr())[1:], server.stderr)[0]
            self.assertRegex(second, r"\nReport: +2 \(answers 3 requests\)\n")

    def test_it_is_closed(self):
        with harness.Server(preexec_fn=lambda: os.close(2)) as server:
            for _ in range(3):
                server.process.send_signal(signal.SIGUSR2)
                self.assertEqual(204, server.ping())


class Text(unittest.TestCase):
    def test_it_fits_into_100_columns(self):
        with harness.Server() as server, server.client() as ask:
            ask("PUT", "/v2/queues/" + "q" * 64)
            report = reports.ask(server)
            # The sanitizers' own frames have names that nothing can break.
            if not os.environ.get("GMR_SANITIZE"):
                # A line of the log may have no place to break it.
                self.assertEqual([], [line for line in report.splitlines() if len(line) > 100 and " " in line.strip()])


class Json(unittest.TestCase):
    def test_it_fits_the_schema(self):
        schema = json.loads((ROOT / "docs/report.schema.json").read_text())
        validator = jsonschema.validators.validator_for(schema)(schema)
        for how in ("groups", "each", "tree"):
            with harness.Server("--oslo_reports.format=json", f"--oslo_reports.list={how}",
                                "--debug.endpoints=on") as server, server.client() as ask, server.client() as other:
                ask("POST", "/v2/queues/orders/messages", {"messages": [{"ttl": 300, "body": 1}]})
                other.connection.request("POST", "/debug/block?seconds=1&how=spin", headers=other.headers)
                report = reports.ask(server, read=reports.jsons)
                other.connection.getresponse().read()
            self.assertEqual([], [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(report)])

    def test_it_is_one_line(self):
        with harness.Server("--oslo_reports.format=json") as server:
            reports.ask(server, read=reports.jsons)
            self.assertEqual(1, len(server.stderr().splitlines()))


class Secrets(unittest.TestCase):
    def test_none_of_them_is_in_a_report(self):
        with harness.directory() as folder:
            file = folder / "queue.conf"
            file.write_text(f"[oslo_reports]\nlog_dir = {folder}/user:hunter2@pg://a:hunter3@host/\n"
                            f"[storage]\nuri = sqlite:///{folder}/q.db?password=hunter4\n")
            for form, read in (("text", reports.texts), ("json", reports.jsons)):
                with harness.Server("--config-file", str(file), "--storage.uri", f"sqlite:///{folder}/q.db?token=hunter5",
                                    f"--oslo_reports.format={form}") as server:
                    server.process.send_signal(signal.SIGUSR2)
                    report = json.dumps(reports.wait_for(lambda: read(server.stderr()), server.stderr))
                    for secret in ("hunter3", "hunter4", "hunter5"):
                        self.assertNotIn(secret, report)
                    self.assertIn("***", report)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
