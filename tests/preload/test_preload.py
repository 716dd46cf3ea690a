#!/usr/bin/env python3
"""libgmr_preload.so in programs that know nothing of gmr."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import reports  # noqa: E402  (needs the path above)

LIBRARY, ECHO, FIBERS, EARLY, STUCK = (
    os.environ[name] for name in ("GMR_PRELOAD", "ECHO", "FIBERS", "EARLY", "STUCK"))


def line_of(source, text):
    return next(number for number, line in enumerate((HERE / source).read_text().splitlines(), 1) if text in line)


class Program:
    """Runs while the with block does, the library in front; its standard error is kept."""

    def __init__(self, *command, options="[oslo_reports]\nformat = json\nlist = each\n", preload=LIBRARY, **environment):
        self.command = command
        self.options = options
        self.environment = dict(os.environ, LD_PRELOAD=preload, **environment)

    def __enter__(self):
        self.stderr = tempfile.TemporaryFile("a+")  # appended to: reading moves its position
        self.file = tempfile.NamedTemporaryFile("w", suffix=".ini")
        self.file.write(self.options)
        self.file.flush()
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr,
                                        text=True, env=dict(self.environment, GMR_OPTIONS_FILE=self.file.name))
        self.pid = self.process.pid
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        for file in (self.process.stdin, self.process.stdout, self.stderr, self.file):
            file.close()

    def said(self):
        self.stderr.seek(0)
        return self.stderr.read()

    def report(self, trigger=signal.SIGUSR2):
        before = len(reports.jsons(self.said()))
        os.kill(self.pid, trigger)
        return reports.wait_for(lambda: reports.jsons(self.said())[before:], self.said)[0]

    def has_reporter(self):
        tasks = pathlib.Path(f"/proc/{self.pid}/task")
        return any((task / "comm").read_text().strip() == "gmr-reporter" for task in tasks.iterdir())


def fibers_in(report):
    """For each green thread, its frames as 'function file:line'."""
    stacks = report["green_threads"]["stacks"]
    for green_thread in report["green_threads"]["listed"]:
        yield [f"{f['function']} {os.path.basename(f['file'] or '?')}:{f['line']}"
               for f in stacks[green_thread["stack"]]]


def count_with(report, frame):
    return sum(frame in frames for frames in fibers_in(report))


class Fibers(unittest.TestCase):
    def check_echo(self, *arguments):
        with Program(ECHO, *arguments) as program:
            pid, port = map(int, program.process.stdout.readline().split())
            program.pid = pid
            with contextlib.ExitStack() as clients:
                for number in range(5):
                    client = clients.enter_context(socket.create_connection(("127.0.0.1", port)))
                    client.sendall(b"x")
                    self.assertEqual(b"x", client.recv(1))  # its fiber has begun and goes on to wait

                def all_wait():
                    report = program.report()
                    echo = count_with(report, f"echo echo.cpp:{line_of('echo.cpp', 'echo waits here')}")
                    functions = [frame["function"] for thread in report["threads"] for frame in thread["frames"]]
                    # A thread that still ends its work for a client is on a fiber's stack, not in main.
                    return report if echo == 5 and "main" in functions else None
                report = reports.wait_for(all_wait, "five fibers in echo, a thread in main's loop")
            self.assertEqual(1, count_with(report, f"serve echo.cpp:{line_of('echo.cpp', 'serve waits here')}"))
            self.assertEqual("preload_echo", report["package"]["name"])
            self.assertIsNone(report["package"]["version"])
            self.assertEqual(3, len(report["threads"]))
            for thread in report["threads"]:
                self.assertEqual("ok", thread["capture"], thread)
            self.assertEqual([], [f for f in report["findings"] if "tracing" in f["text"]])
            # Those whose clients left have ended.
            reports.wait_for(lambda: not count_with(program.report(), "session"), "fibers are listed after their end")

    def test_asio_program(self):
        self.check_echo()

    def test_asio_program_that_became_a_daemon(self):
        self.check_echo("daemon")

    def test_daemon_answers_a_signal_from_before_its_first_fiber(self):
        with Program(ECHO, "daemon", "signalled") as program:
            program.pid, _ = map(int, program.process.stdout.readline().split())
            reports.wait_for(lambda: reports.jsons(program.said()), program.said)

    def test_boost_fiber_program(self):
        with Program(FIBERS) as program:
            self.assertEqual("parked\n", program.process.stdout.readline())
            report = program.report()
            place = f"waiter fibers.cpp:{line_of('fibers.cpp', 'waiter waits here')}"
            self.assertEqual(2, count_with(report, place))
            out, _ = program.process.communicate("go\n", timeout=60)
            self.assertEqual("42\n", out)
            self.assertEqual(0, program.process.returncode)

    def test_contexts_of_the_c_library(self):
        place = f"wait_in_context contexts.cpp:{line_of('contexts.cpp', 'a context waits here')}"
        with Program(os.environ["CONTEXTS"]) as program:
            self.assertEqual("parked\n", program.process.stdout.readline())
            report = program.report()
            self.assertEqual(3, count_with(report, place))
            self.assertEqual(3, len(report["green_threads"]["listed"]))
            program.process.stdin.write("\n")
            program.process.stdin.flush()
            self.assertEqual("ended\n", program.process.stdout.readline())
            self.assertEqual([], program.report()["green_threads"]["listed"])
            program.process.communicate("\n", timeout=60)
            self.assertEqual(0, program.process.returncode)

    def test_boost_context_of_a_plug_in(self):
        place = f"wait_in_plugin plugin.cpp:{line_of('plugin.cpp', 'the plug-in waits here')}"
        with Program(os.environ["HOST"], os.environ["PLUGIN"]) as program:
            for _ in range(2):
                self.assertEqual("parked\n", program.process.stdout.readline())
                report = program.report()
                self.assertEqual(1, count_with(report, place))
                self.assertEqual([], [f for f in report["findings"] if "tracing" in f["text"]])
                program.process.stdin.write("\n")
                program.process.stdin.flush()
            self.assertEqual(0, program.process.wait(60))


class Unseen(unittest.TestCase):
    """What a report says of a Boost.Context that is out of reach."""

    def tracing_findings(self, program):
        report = program.report()
        self.assertEqual([], list(fibers_in(report)))
        return [finding["text"] for finding in report["findings"] if finding["kind"] == "tracing_inactive"]

    def check_static(self, executable, text):
        with Program(executable) as program:
            self.assertEqual("parked\n", program.process.stdout.readline())
            self.assertEqual([text], self.tracing_findings(program))
            out, _ = program.process.communicate("\n", timeout=60)
            self.assertEqual(("done\n", 0), (out, program.process.returncode))

    def test_static_boost_context(self):
        self.check_static(os.environ["STATIC"], "libgmr_preload: fiber tracing inactive: this program was started "
                          "without a shared Boost.Context; with a static one link gmr::trace to it")

    def test_static_boost_context_that_is_exported(self):
        self.check_static(os.environ["STATIC_EXPORTED"], "libgmr_preload: fiber tracing inactive: the program itself "
                          "has Boost.Context, and calls go there; link gmr::trace to it")

    def test_boost_context_with_unknown_names(self):
        with Program("/bin/sleep", "1000", preload=f"{LIBRARY} {os.environ['OTHER_NAMES']}") as program:
            reports.wait_for(program.has_reporter, "no reporter")
            self.assertEqual(["libgmr_preload: fiber tracing inactive: this program's Boost.Context has other names for "
                              "its switches than versions 1.81 to 1.92; use one of those"], self.tracing_findings(program))


class Unharmed(unittest.TestCase):
    def test_program_without_fibers(self):
        with Program("/bin/sleep", "1000") as program:
            reports.wait_for(program.has_reporter, "no reporter")
            report = program.report()
            self.assertEqual("sleep", report["package"]["name"])
            self.assertEqual(2, len(report["threads"]))
            self.assertTrue(any("started without a shared Boost.Context" in f["text"] for f in report["findings"]))
            program.report()
            self.assertIsNone(program.process.poll())

    def test_interpreter_and_its_children(self):
        code = ("import subprocess, sys; subprocess.run(['sh', '-c', 'ls / >/dev/null; (true); exit 3']).returncode == 3"
                " or sys.exit(1); print('ready', flush=True); sys.stdin.readline(); print('done')")
        with Program("/usr/bin/python3", "-c", code) as program:
            self.assertEqual("ready\n", program.process.stdout.readline())
            report = program.report()
            self.assertRegex(report["package"]["name"], "python3")
            out, _ = program.process.communicate("\n", timeout=60)
            self.assertEqual("done\n", out)
            self.assertEqual(0, program.process.returncode)
            self.assertNotIn("gmr: ", program.said())

    def test_signal_of_a_forked_child_is_not_the_parents(self):
        code = ("import os, signal, sys\nif os.fork() == 0:\n  os.kill(os.getpid(), signal.SIGUSR2); os._exit(7)\n"
                "print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)\nsys.stdin.readline()")
        with Program("/usr/bin/python3", "-c", code) as program:
            self.assertEqual("7\n", program.process.stdout.readline())
            self.assertEqual(1, program.report()["number"])

    def test_signal_that_is_handled_is_left_alone(self):
        with Program(FIBERS, preload=f"{LIBRARY} {EARLY}") as program:
            # The loader runs constructors in the opposite order.
            self.assertEqual("parked\n", program.process.stdout.readline())
            self.assertRegex(program.said(), r"^gmr: .*SIGUSR2.* is already handled\n$")
            program.process.send_signal(signal.SIGUSR2)
            self.assertEqual("early\n", program.process.stdout.readline())
            out, _ = program.process.communicate("go\n", timeout=60)
            self.assertEqual("42\n", out)

    def test_programs_own_handler_stays(self):
        with Program(FIBERS, "own-handler") as program:
            self.assertEqual("parked\n", program.process.stdout.readline())
            program.process.send_signal(signal.SIGUSR2)
            self.assertEqual("own\n", program.process.stdout.readline())

    def test_bad_options_are_one_line(self):
        with Program(FIBERS, options="[oslo_reports]\nformat = xml\n") as program:
            out, _ = program.process.communicate("go\n", timeout=60)
            self.assertEqual("parked\n42\n", out)
            self.assertRegex(program.said(), r"\Agmr: no reports in this process: .*format.*\n\Z")

    def test_file_instead_of_the_signal(self):
        with tempfile.TemporaryDirectory() as directory:
            trigger = pathlib.Path(directory) / "now"
            options = f"[oslo_reports]\nformat = json\nfile_event_handler = {trigger}\nfile_event_handler_interval = 0.05\n"
            with Program(FIBERS, options=options) as program:
                self.assertEqual("parked\n", program.process.stdout.readline())
                reports.wait_for(lambda: "does not exist" in program.said(), program.said)
                trigger.touch()
                report = reports.wait_for(lambda: reports.jsons(program.said()), program.said)[0]
                self.assertEqual(f"file {trigger} touched", report["cause"])

    def test_another_signal(self):
        with Program(FIBERS, options="[oslo_reports]\nformat = json\nsignal = RTMIN+3\n") as program:
            self.assertEqual("parked\n", program.process.stdout.readline())
            report = program.report(signal.SIGRTMIN + 3)
            self.assertEqual("signal SIGRTMIN+3", report["cause"])

    def test_a_thread_that_holds_the_loaders_lock(self):
        with Program(STUCK) as program:
            self.assertEqual("stuck\n", program.process.stdout.readline())
            report = program.report()
            functions = [frame["function"] for thread in report["threads"] for frame in thread["frames"]]
            self.assertTrue(any("stay" in function for function in functions), functions)

    def test_program_with_gmr_reports_itself(self):
        server = pathlib.Path(os.environ["GMR_BIN"]) / "queue-server"
        if not server.exists():
            self.skipTest("queue-server is not built here")
        with tempfile.TemporaryDirectory() as directory:
            with Program(str(server), "--http.port=0", "--websocket.port=0", f"--storage.path={directory}/q.db",
                         "--oslo_reports.format=json", "--oslo_reports.list=each") as program:
                for _ in range(2):
                    self.assertIn("listening", program.process.stdout.readline())
                report = program.report()
                self.assertEqual("queue-server", report["package"]["name"])
                self.assertIsNotNone(report["package"]["version"])
                self.assertTrue(any("websocket" in " ".join(frames) for frames in fibers_in(report)))
                program.process.send_signal(signal.SIGTERM)
                self.assertEqual(0, program.process.wait(60))


class Library(unittest.TestCase):
    def test_shows_boosts_functions_and_needs_no_boost(self):
        symbols = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True, check=True).stdout
        self.assertEqual({"makecontext", "setcontext", "swapcontext", "make_fcontext", "jump_fcontext", "ontop_fcontext",
                          "_ZN5boost7context6detail13make_fcontextEPvmPFvNS1_10transfer_tEE",
                          "_ZN5boost7context6detail13jump_fcontextEPvS2_",
                          "_ZN5boost7context6detail14ontop_fcontextEPvS2_PFNS1_10transfer_tES3_E"},
                         {line.split()[-1] for line in symbols.splitlines()})
        needed = subprocess.run(["readelf", "-d", LIBRARY], capture_output=True, text=True, check=True).stdout
        self.assertEqual([], re.findall(r"NEEDED.*(?:boost|stdc\+\+).*", needed))


if __name__ == "__main__":
    unittest.main()
