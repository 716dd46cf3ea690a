#!/usr/bin/env python3
"""What asks a live queue-server for reports: the signal and the touched file, one by one and in storms."""
import os
import pathlib
import re
import shlex
import signal
import sys
import threading
import time
import unittest

import harness
import reports

ROOT = pathlib.Path(__file__).resolve().parents[2]
YEAR_2001 = 1_000_000_000 * 10**9  # ns


def point(link, target):
    """In one step: there is no moment without the link."""
    made = link.with_name("made")
    made.symlink_to(target)
    made.rename(link)


def is_harmless(process, number):
    """Whether the signal is ignored or caught."""
    with open(f"/proc/{process.pid}/status") as status:
        sets = [int(line.split()[1], 16) for line in status if line.startswith(("SigIgn:", "SigCgt:"))]
    return any(each >> (number - 1) & 1 for each in sets)


class EarlyAsker(harness.Server):
    """Asks again and again as soon as that is harmless, long before the server serves."""

    def listening(self, protocol):
        if protocol == "http":
            reports.wait_for(lambda: is_harmless(self.process, signal.SIGUSR2), self.stderr)
            for _ in range(100):
                self.process.send_signal(signal.SIGUSR2)
        return super().listening(protocol)


class AtAnyMoment(unittest.TestCase):
    def test_a_signal_while_it_starts_is_answered(self):
        for _ in range(5):
            with EarlyAsker() as server:
                reports.wait_for(lambda: reports.texts(server.stderr()), server.stderr)

    def test_a_storm_of_signals_while_it_stops_does_not_end_it(self):
        for _ in range(5):
            with harness.Server() as server:
                stopped = threading.Event()
                storm = threading.Thread(target=self.send_until, args=(server.process, stopped))
                storm.start()
                try:
                    self.assertEqual(0, server.stop())
                finally:
                    stopped.set()
                    storm.join()

    def test_started_as_by_its_unit_file_it_is_never_ended_by_a_signal(self):
        unit = (ROOT / "config/queue-server.service").read_text()
        shell, option, script = shlex.split(re.search(r"^ExecStart=(.*)", unit, re.M).group(1))
        before, server = re.fullmatch(r"(.*)exec (\S+) .*", script).groups()
        self.assertEqual("/usr/local/bin/queue-server", server)
        for _ in range(5):
            with EarlyAsker(starter=(shell, option, before + 'exec "$0" "$@"')) as server:
                reports.ask(server)

    @staticmethod
    def send_until(process, stopped):
        while not stopped.is_set():
            process.send_signal(signal.SIGUSR2)  # does nothing once it has been waited for


class TouchedFile(unittest.TestCase):
    """Each step must make the report that it should, and no other."""

    def setUp(self):
        self.server = harness.Server.with_trigger_file()
        self.file = self.server.trigger_file
        self.count = 0
        self.enterContext(self.server)

    def made(self):
        return reports.texts(self.server.stderr())

    def is_touched(self):
        self.count += 1
        report = reports.wait_for(lambda: self.made()[self.count - 1:], self.server.stderr)
        self.assertEqual(1, len(report), "more reports than touches")
        self.assertRegex(report[0], rf"\nCause: +file {self.file} touched\n")
        self.assertRegex(report[0], rf"\nReport: +{self.count}\n")

    def is_said(self, what):
        """Once, however often it is looked at meanwhile."""
        reports.wait_for(lambda: what in self.server.stderr(), self.server.stderr)
        time.sleep(0.5)  # five looks more
        self.assertEqual(1, self.server.stderr().count(what), self.server.stderr())

    def test_whatever_happens_to_it_the_trigger_works_on(self):
        self.is_said(f"gmr: the trigger file {self.file} does not exist")
        self.file.touch()
        self.is_touched()
        os.utime(self.file, ns=(YEAR_2001, YEAR_2001))
        self.is_touched()
        os.utime(self.file, ns=(YEAR_2001, YEAR_2001 + 1))
        self.is_touched()

        other = self.file.with_name("other")
        other.touch()
        os.utime(other, ns=(YEAR_2001, YEAR_2001 + 1))
        other.rename(self.file)
        self.is_touched()

        self.file.unlink()
        self.is_said(f"gmr: the trigger file {self.file} is gone")
        self.file.touch()
        self.is_touched()

        target = self.file.with_name("target")
        target.touch()
        self.file.unlink()
        self.file.symlink_to(target)
        self.is_touched()
        os.utime(target, ns=(YEAR_2001, YEAR_2001))
        self.is_touched()

        target.chmod(0)
        os.utime(target, ns=(YEAR_2001, YEAR_2001 + 1))
        self.is_touched()
        self.assertEqual(204, self.server.ping())

    def test_a_file_that_can_not_be_looked_at_for_a_while(self):
        folder, aside = self.file.parent, self.file.parent.with_name("aside")
        folder.rename(aside)
        folder.symlink_to(aside)
        self.file.touch()
        self.is_touched()
        point(folder, folder)  # a loop, which even root can't follow
        self.is_said(f"gmr: the trigger file {self.file} can't be watched: Too many levels of symbolic links")
        point(folder, aside)
        self.is_said(f"gmr: the trigger file {self.file} can be watched again")
        self.file.touch()
        self.is_touched()

    def test_the_signal_makes_no_report_and_does_no_harm(self):
        for _ in range(100):
            self.server.process.send_signal(signal.SIGUSR2)
        self.assertEqual(204, self.server.ping())
        self.file.touch()
        self.is_touched()

    def test_a_storm_of_touches(self):
        for _ in range(1000):
            self.file.touch()
        reports.wait_for(self.made, self.server.stderr)
        reports.wait_for(lambda: reports.settled(self.server), self.server.stderr)
        self.assertEqual(204, self.server.ping())

    def test_a_time_in_the_file_system_that_was_there_at_the_start_is_no_touch(self):
        with harness.Server.with_trigger_file() as server:
            server.trigger_file.touch()
            reports.wait_for(lambda: reports.texts(server.stderr()), server.stderr)
            self.assertEqual(0, server.stop())
            before = len(reports.texts(server.stderr()))
            server.start()
            time.sleep(0.5)  # five looks
            self.assertEqual(before, len(reports.texts(server.stderr())))


class Timing(unittest.TestCase):
    def test_a_touch_is_answered_within_the_interval_and_the_time_of_the_report(self):
        interval, slack = 3, 2
        with harness.Server.with_trigger_file("--oslo_reports.format=json", interval=interval) as server:
            since = time.monotonic()
            server.trigger_file.touch()
            report = reports.wait_for(lambda: reports.jsons(server.stderr()), server.stderr)[0]
            took = time.monotonic() - since
            self.assertLess(took, interval + report["cost"]["total_seconds"] + slack)


class Signals(unittest.TestCase):
    def test_a_storm_is_answered_by_few_whole_reports(self):
        count = 1000
        with harness.Server("--oslo_reports.format=json") as server:
            reports.ask(server, read=reports.jsons)
            descriptors = reports.open_descriptors(server.process.pid)
            since = time.monotonic()
            for number in range(count):
                server.process.send_signal(signal.SIGUSR2)
                if number % 100 == 0:
                    self.assertEqual(204, server.ping())
            took = time.monotonic() - since
            reports.ask(server, read=reports.jsons)
            reports.wait_for(lambda: reports.settled(server), server.stderr)
            self.assertEqual(204, server.ping())
            self.assertLessEqual(reports.open_descriptors(server.process.pid), descriptors + 1)

            made = reports.jsons(server.stderr())
            self.assertEqual(list(range(1, len(made) + 1)), [report["number"] for report in made])
            # After each report a pause of at least 50 ms; three more: before, after, and one on its way.
            self.assertLessEqual(len(made), took / 0.05 + 4)
            # Signals that meet while one is pending are one for the kernel.
            stands_for = sum(report["cost"]["requests"] for report in made)
            self.assertGreaterEqual(stands_for, len(made))
            self.assertLessEqual(stands_for, count + 2)

    @unittest.skipIf(os.environ.get("GMR_SANITIZE"), "sanitizers keep freed memory")
    def test_memory_does_not_grow_from_report_to_report(self):
        with harness.Server() as server:
            for _ in range(30):
                reports.ask(server)
            before = reports.resident_kilobytes(server.process.pid)
            for _ in range(100):
                reports.ask(server)
            grown = reports.resident_kilobytes(server.process.pid) - before
            self.assertLess(grown, 2048, "kB more after 100 reports")


class FatalErrors(unittest.TestCase):
    def test_an_error_that_ends_the_server_is_reported_twice_and_ends_it(self):
        """At once without names, then as ever."""
        with harness.Server("--oslo_reports.on_fatal=full", "--oslo_reports.fatal_seconds=60") as server:
            server.process.send_signal(signal.SIGABRT)
            server.ended = True
            self.assertEqual(-signal.SIGABRT, server.process.wait(harness.STOP_SECONDS + 60), server.stderr())
            raw, whole = reports.texts(server.stderr())
            for report in raw, whole:
                self.assertIn(f"Cause:   fatal error: SIGABRT sent by process {os.getpid()} in thread ", report)
            self.assertIn("(raw)", raw)
            self.assertIn("* fatal_error: SIGABRT sent by process ", whole)
            self.assertIn("==== Storage", whole)

    def test_without_the_option_it_just_ends(self):
        with harness.Server() as server:
            server.process.send_signal(signal.SIGABRT)
            server.ended = True
            self.assertEqual(-signal.SIGABRT, server.process.wait(harness.STOP_SECONDS))
            self.assertEqual([], reports.texts(server.stderr()))


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
