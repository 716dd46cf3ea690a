#!/usr/bin/env python3
"""The socket of a live queue-server, asked by curl and by the gmr command, and that nobody is harmed by being asked."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import harness
import reports

GMR = os.environ["GMR_COMMAND"]
NOBODY = 65534
SECONDS = 120  # for a command on a busy machine


def gmr(*arguments, **how):
    return subprocess.run([GMR, *map(str, arguments)], capture_output=True, text=True, timeout=SECONDS, check=False, **how)


def curl(path, target, *options, starter=()):
    """Status and body; status 0 where there is no answer."""
    done = subprocess.run([*starter, "curl", "--silent", "--unix-socket", str(path), "--write-out", "\n%{http_code}", *options,
                           f"http://localhost{target}"], capture_output=True, text=True, timeout=SECONDS, check=False)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


class Served(unittest.TestCase):
    """With a folder for sockets that goes away."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gmr-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = self.folder / "report.sock"

    def server(self, *options, path=None, **how):
        return harness.Server(f"--oslo_reports.socket={path or self.path}", *reports.PATIENT, *options, **how)

    def await_socket(self, path=None):
        path = path or self.path
        reports.wait_for(lambda: self.connects(path), f"nobody listens at {path}")

    @staticmethod
    def connects(path):
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(path)) == 0


class Asked(Served):
    def test_every_endpoint_answers_while_every_io_thread_is_blocked(self):
        with self.server("--server.threads=2", "--debug.endpoints=on") as server:
            self.await_socket()
            blocked = [server.client() for _ in range(2)]
            for ask in blocked:
                ask.connection.request("POST", "/debug/block?seconds=60&how=mutex", headers=ask.headers)
            reports.wait_for(lambda: self.blocked_threads() == 2, server.stderr)
            status, text = curl(self.path, "/report")
            self.assertEqual(200, status)
            self.assertRegex(text, r"Cause:   socket, pid \d+, user \w+")
            self.assertIn("waits for mutex", " ".join(text.split()))
            status, text = curl(self.path, "/metrics")
            self.assertEqual(200, status)
            self.assertRegex(text, r'gmr_threads\{state="sleeping"\} \d+')
            self.assertRegex(text, r'gmr_green_threads\{kind="coroutine",state="suspended"\} [1-9]')
            self.assertRegex(text, r'gmr_event_loop_pending_operations\{loop="0x[0-9a-f]+"\} [1-9]')
            self.assertRegex(text, r'gmr_reports_total\{cause="socket",outcome="made"\} [1-9]')
            self.assertEqual("", server.stderr(), "reports go to who asks")
            for ask in blocked:
                ask.close()
            server.kill()

    def blocked_threads(self):
        _, text = curl(self.path, "/report?format=json&sections=threads")
        return sum(any("block" in (frame["function"] or "") for frame in thread["frames"])
                   for thread in json.loads(text)["threads"])

    def test_a_report_has_what_is_asked_for(self):
        with self.server():
            self.await_socket()
            status, text = curl(self.path, "/report?format=json&sections=configuration,package&order=oldest")
            self.assertEqual(200, status)
            report = json.loads(text)
            self.assertEqual({"configuration", "package"}, report.keys() & {
                "package", "process", "modules", "threads", "thread_groups", "green_threads", "operations",
                "configuration", "sections"})
            self.assertEqual((400, "list: 'all' is not acceptable: one of groups, each, tree is needed\n"),
                             curl(self.path, "/report?list=all"))
            self.assertEqual(404, curl(self.path, "/debug")[0])
            self.assertEqual(405, curl(self.path, "/report", "--request", "POST")[0])

    def test_the_file_is_there_as_long_as_the_server(self):
        with self.server() as server:
            self.await_socket()
            self.assertEqual(0o600, self.path.stat().st_mode & 0o7777)
            server.kill()
        self.assertFalse(self.connects(self.path))
        with self.server() as server:  # replaces the stale one
            self.await_socket()
            with self.server() as second:
                reports.wait_for(lambda: "another process answers there" in second.stderr(), second.stderr)
                self.assertEqual(str(server.process.pid), self.process_of(self.path))
            self.assertTrue(self.connects(self.path))
        self.assertFalse(self.path.exists())

    @staticmethod
    def process_of(path):
        _, text = curl(path, "/report?format=json&sections=process")
        return str(json.loads(text)["process"]["pid"])

    def test_a_thousand_clients_that_say_half_of_it_hold_nobody_up(self):
        with self.server() as server:
            self.await_socket()
            clients = []
            try:
                for number in range(1000):
                    client = socket.socket(socket.AF_UNIX)
                    clients.append(client)
                    client.connect(str(self.path))
                    if number % 2:
                        client.sendall(b"GET /rep")
                self.assertEqual(204, server.ping())
                reports.wait_for(lambda: curl(self.path, "/metrics")[0] == 200, "no answer")
            finally:
                for client in clients:
                    client.close()

    @unittest.skipUnless(os.geteuid() == 0, "only root can be another user")
    def test_another_user_is_refused(self):
        self.folder.chmod(0o755)
        with self.server():
            self.await_socket()
            self.path.chmod(0o666)  # as if the file's mode had not kept them out
            other = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
            self.assertEqual((403, "only root may ask\n"), curl(self.path, "/report", starter=other))
            self.assertEqual(403, curl(self.path, "/metrics", starter=other)[0])

    @unittest.skipUnless(os.geteuid() == 0, "only root can be another user")
    def test_root_and_the_same_user_may_ask_a_server_of_another_user(self):
        self.folder.chmod(0o777)
        with self.server(user=NOBODY, group=NOBODY, extra_groups=[]):
            self.await_socket()
            self.assertEqual(200, curl(self.path, "/metrics")[0])
            other = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
            self.assertEqual(200, curl(self.path, "/metrics", starter=other)[0])


class Command(Served):
    def asked(self, *arguments, code=0, **how):
        done = gmr("report", *arguments, **how)
        self.assertEqual(code, done.returncode, done.stderr + done.stdout[-500:])
        return done

    def test_by_socket(self):
        with self.server() as server:
            self.await_socket()
            text = self.asked(server.process.pid).stdout
            self.assertIn("End of Guru Meditation", text)
            self.assertIn("Cause:   socket", text)
            report = json.loads(self.asked(server.process.pid, "--format", "json", "--sections=threads").stdout)
            self.assertNotIn("configuration", report)
            self.assertIn("Cause:   socket", self.asked("--socket", self.path).stdout)
            done = self.asked(server.process.pid, "--list", "all", code=64)
            self.assertEqual("gmr: list: 'all' is not acceptable: one of groups, each, tree is needed\n", done.stderr)
            self.asked("--socket", self.path, os.getpid(), code=69)  # another process answers there
            self.assertEqual("", server.stderr())

    def test_by_name_where_one_process_has_it(self):
        environment = {**os.environ, "RUNTIME_DIRECTORY": str(self.folder)}
        name = "--oslo_reports.socket=auto"
        with harness.Server(name, env=environment) as first:
            reports.wait_for(lambda: list(self.folder.glob("*.sock")), first.stderr)
            socket_file = next(self.folder.glob("*.sock"))
            self.assertRegex(socket_file.name, rf"^queue-server-{first.process.pid}-\d+\.sock$")
            with harness.Server(name, env=environment) as second:
                reports.wait_for(lambda: len(list(self.folder.glob("*.sock"))) == 2, second.stderr)
                done = self.asked("queue-server", code=64, env=environment)
                self.assertIn(str(first.process.pid), done.stderr)
                self.assertIn(str(second.process.pid), done.stderr)
                for each in first, second:
                    done = self.asked(each.process.pid, "--format=json", "--sections=process")
                    self.assertEqual(each.process.pid, json.loads(done.stdout)["process"]["pid"])
        self.asked("no-such-service", code=69)

    def test_by_signal_from_standard_error(self):
        with harness.Server() as server:
            done = reports.wait_for(lambda: self.told(server.process), server.stderr)
            self.assertIn("Cause:   signal SIGUSR2", done.stdout)
            self.assertTrue(done.stdout.endswith("=\n"))
            done = self.asked(server.process.pid, "--format", "json")
            self.assertIn("asked by signal", done.stderr)

    def test_by_signal_from_standard_error_in_every_form(self):
        ends = {"json": "}\n", "html": "</html>\n", "oslo": "\n"}
        for form, end in ends.items():
            with self.subTest(form), harness.Server(f"--oslo_reports.format={form}") as server:
                done = reports.wait_for(lambda: self.told(server.process), server.stderr)
                self.assertIn("signal SIGUSR2", done.stdout)
                self.assertTrue(done.stdout.endswith(end), done.stdout[-200:])

    @staticmethod
    def told(process):
        done = gmr("report", process.pid)
        return done if done.returncode == 0 else None

    def test_by_signal_from_the_directory_of_reports(self):
        with harness.Server(f"--oslo_reports.log_dir={self.folder}", "--oslo_reports.format=json") as server:
            for _ in range(2):
                done = self.asked(server.process.pid)
                self.assertEqual("signal SIGUSR2", json.loads(done.stdout)["cause"])

    def test_by_another_signal(self):
        with harness.Server("--oslo_reports.signal=HUP") as server:
            self.assertIn("Cause:   signal SIGHUP", self.asked(server.process.pid).stdout)

    def test_by_signal_where_it_can_not_be_read(self):
        pipe = harness.Pipe()
        with harness.Server(pipe=pipe) as server:
            done = self.asked(server.process.pid)
            self.assertEqual("", done.stdout)
            self.assertIn(f"standard error of process {server.process.pid}, pipe:[", done.stderr)
            reports.wait_for(lambda: reports.texts(server.stderr()), server.stderr)

    def test_a_service_without_signal_and_socket_says_so(self):
        with harness.Server("--oslo_reports.signal=none") as server:
            self.assertIn("not when it is sent a signal", self.asked(server.process.pid, code=69).stderr)

    def test_who_does_not_know_it_is_not_sent_a_signal(self):
        ready = "import signal, sys, time; {} print('ready', flush=True); time.sleep(600)"
        programs = {
            "sleep": ["sleep", "600"],
            "python": [sys.executable, "-c", ready.format("")],
            "a handler of its own": [sys.executable, "-c", ready.format(
                "signal.signal(signal.SIGUSR2, lambda *_: sys.exit('was sent a signal'));")],
        }
        for name, command in programs.items():
            with self.subTest(name), subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
                try:
                    if command[0] != "sleep":
                        program.stdout.readline()
                    done = self.asked(program.pid, code=69)
                    self.assertIn("does not say that it makes reports", done.stderr)
                    time.sleep(0.2)
                    self.assertIsNone(program.poll())
                finally:
                    program.kill()

    @unittest.skipUnless(os.geteuid() == 0, "only root can be another user")
    def test_another_user_may_not_ask(self):
        with self.server() as server:
            self.await_socket()
            self.asked(server.process.pid, code=77, user=NOBODY, group=NOBODY, extra_groups=[])

    @unittest.skipUnless((pathlib.Path(GMR).parent.parent / "lib/preload/libgmr_preload.so").exists(),
                         "there is no preload library in this build")
    def test_run(self):
        """A program that knows nothing of gmr reports."""
        with open(self.folder / "stderr", "a+") as stderr, subprocess.Popen([GMR, "run", "--", "sleep", "600"], stderr=stderr) as program:
            try:
                done = reports.wait_for(lambda: self.told(program), lambda: (self.folder / "stderr").read_text())
                self.assertRegex(done.stdout, r"name: +sleep\n")
            finally:
                program.kill()
        self.assertEqual(64, gmr("run", "sleep", "600").returncode)
        self.assertEqual(69, gmr("run", "--", self.folder / "nothing").returncode)
        self.assertEqual(66, gmr("run", "--options", self.folder / "nothing", "--", "true").returncode)

    def test_wrong_command_lines(self):
        for arguments in [], ["1", "2"], ["--no-such-option", "1"], ["--socket=/x", "name"]:
            with self.subTest(arguments):
                self.asked(*arguments, code=64)
        self.asked(2**22 + 1, code=69)
        self.asked("--socket", self.folder / "nobody.sock", code=69)
        self.assertEqual(64, gmr().returncode)
        self.assertEqual(64, gmr("no-such-command").returncode)

    def test_help_has_examples(self):
        self.assertRegex(gmr("--help").stdout, r"(?m)^  report ")
        for command in re.findall(r"^  (\w+) ", gmr("--help").stdout, re.M):
            done = gmr(command, "--help")
            self.assertEqual(0, done.returncode)
            self.assertRegex(done.stdout, rf"Examples:\n  gmr {command}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
