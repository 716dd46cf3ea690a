#!/usr/bin/env python3
"""Event loops that stall, and those that only seem to: stall.py --program FILE --schema FILE NAME

Each function below without an underscore is one test.
"""
import argparse
import datetime
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import jsonschema

SOURCE = pathlib.Path(__file__).with_name("stall.cpp")
LONGEST = 100
STALL_SECONDS = 1
QUIET_SECONDS = 20
SLOW_MACHINE = 20  # seconds that all may take longer on it


def _line(kind):
    lines = SOURCE.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"// {kind} blocks here"))


class _Run:
    """A program that stalls in one way. It is ended with this object."""

    def __init__(self, arguments, kind):
        self.schema = json.loads(pathlib.Path(arguments.schema).read_text())
        self.errors = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen([arguments.program, kind], stdout=subprocess.PIPE, stderr=self.errors)
        self.begun = float(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.errors.close()

    def lines(self):
        return pathlib.Path(self.errors.name).read_text(errors="replace").split("\n")[:-1]

    def reports(self):
        found = [json.loads(line) for line in self.lines() if line.startswith("{")]
        for report in found:
            jsonschema.validate(report, self.schema)
        return found

    def wait_for(self, what):
        """What the function returns once it is true."""
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            assert self.process.poll() is None, self.lines()
            found = what()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError("\n".join(self.lines())[-3000:] or "nothing was said")

    def says(self, text):
        return self.wait_for(lambda: next((line for line in self.lines() if line.startswith("gmr: ") and text in line), None))

    def report(self, stalls=0):
        """The first one with so many findings of that kind at least."""
        def count(report):
            return [each["kind"] for each in report["findings"]].count("stall")
        return self.wait_for(lambda: next((each for each in self.reports() if count(each) >= stalls), None))


def _after(run, report):
    """Seconds from the beginning of the stall to the finished report."""
    begun = datetime.datetime.fromisoformat(report["time"].replace("Z", "+00:00")).timestamp()
    return begun + report["cost"]["total_seconds"] - run.begun


def _named(arguments, kind, function, place=None, loop="of thread ", stalls=1):
    """A stall is told in time, the one that blocks first. Returns the report and the finding."""
    with _Run(arguments, kind) as run:
        report = run.report(stalls)
        after = _after(run, report)
    assert f"stall: event loop {loop}" in report["cause"] and " has run nothing for " in report["cause"], report["cause"]
    finding = report["findings"][0]
    assert finding["kind"] == "stall", report["findings"]
    where = f"stall.cpp:{_line(place)}" if place else "stall.cpp:"
    assert function in finding["text"] and where in finding["text"], finding["text"]
    culprit = next(each for each in report["threads"] if each["id"] == finding["threads"][0])
    assert finding["stacks"][0] == culprit["id"], finding
    names = [(frame["function"] or "").split("::")[-1] for frame in culprit["frames"]]
    assert function in names, names
    loops = [each for each in report["runtime"]["event_loops"] if each["stalled_seconds"] is not None]
    stalled = next((each for each in loops if str(culprit["id"]) in each["threads"].split()), None)
    assert stalled, report["runtime"]
    assert stalled["worst_delay_seconds"] >= stalled["delay_seconds"] >= STALL_SECONDS / 2, stalled
    print(finding["text"], f"(after {after:.2f} s)")
    assert after < STALL_SECONDS + 1 + SLOW_MACHINE, after
    return report, finding, culprit


def mutex(arguments):
    _, finding, culprit = _named(arguments, "mutex", "wait_for_lock", "mutex")
    assert culprit["name"] == "worker" and "(worker)" in finding["text"], finding["text"]
    assert "waits for mutex 0x" in finding["text"] and "(holder) in " in finding["text"], finding["text"]
    assert "hold_the_lock" in finding["text"] and f"stall.cpp:{_line('holder')}" in finding["text"], finding["text"]


def sleep(arguments):
    _, finding, _ = _named(arguments, "sleep", "sleep_long", "sleep")
    assert "waits for sleep" in finding["text"], finding["text"]


def spin(arguments):
    _named(arguments, "spin", "spin_for_ever")


def connect(arguments):
    _, finding, _ = _named(arguments, "connect", "connect_to", "connect")
    assert "waits for connect" in finding["text"] and "127.0.0.1:" in finding["text"], finding["text"]


def compute(arguments):
    _named(arguments, "compute", "compute_digest")


def deadlock(arguments):
    report, finding, _ = _named(arguments, "deadlock", "lock_both", "deadlock", stalls=2)
    assert "waits for mutex 0x" in finding["text"] and "held by thread" in finding["text"], finding["text"]
    kinds = [each["kind"] for each in report["findings"]]
    assert kinds.count("stall") == 2 and "deadlock" in kinds, kinds
    assert {name for name in ("worker-a", "worker-b") if name in finding["text"]} == {"worker-a", "worker-b"}, finding["text"]


def fibers(arguments):
    report, finding, culprit = _named(arguments, "fibers", "sleep_long", "sleep")
    assert culprit["runs"] in finding["green_threads"], finding
    assert len(finding["threads"]) == 2, (finding, report["runtime"])


def watched(arguments):
    report, _, _ = _named(arguments, "watched", "sleep_long", "sleep", loop="orders")
    assert report["runtime"]["event_loops"][0]["name"] == "orders", report["runtime"]


def goes_on(arguments):
    """A second line says when it went on, and the delay stays."""
    with _Run(arguments, "while") as run:
        run.report()
        line = run.says(" goes on after ")
        assert "event loop of thread " in line and "(worker)" in line, line
        run.process.send_signal(signal.SIGUSR2)
        report = run.wait_for(lambda: next((each for each in run.reports() if "SIGUSR2" in each["cause"]), None))
        assert not [each for each in report["findings"] if each["kind"] == "stall"], report["findings"]
        loop = report["runtime"]["event_loops"][0]
        assert loop["stalled_seconds"] is None and loop["worst_delay_seconds"] >= 2, loop


def _quiet(arguments, kind, meanwhile):
    with _Run(arguments, kind) as run:
        meanwhile(run)
        stalls = [line for line in run.lines() if "stall" in line and not line.startswith("gmr: this process or its machine")]
        assert not stalls, "\n".join(stalls)[:3000]
        run.process.send_signal(signal.SIGUSR2)
        return run, run.report()


def busy(arguments):
    """All of a processor is used, and handlers wait for seconds: no stall."""
    _, report = _quiet(arguments, "busy", lambda run: time.sleep(QUIET_SECONDS))
    loops = report["runtime"]["event_loops"]
    assert len(loops) == 2 and all(each["worst_delay_seconds"] < 10 and each["queued"] > 100 for each in loops), loops


def left(arguments):
    """A loop that nobody runs."""
    _quiet(arguments, "left", lambda run: time.sleep(4 * STALL_SECONDS))


def stopped(arguments):
    """A process that stood still says so; that was no stall."""
    def standstills(run):  # a machine under load has others
        return [float(each) for each in re.findall(r"stood still for ([0-9.]+) s", "\n".join(run.lines()))]

    def stop(run):
        time.sleep(1)
        run.process.send_signal(signal.SIGSTOP)
        time.sleep(3 * STALL_SECONDS)
        run.process.send_signal(signal.SIGCONT)
        run.wait_for(lambda: any(each > 2 for each in standstills(run)))
        time.sleep(2 * STALL_SECONDS)
    _, report = _quiet(arguments, "idle", stop)
    assert report["runtime"]["standstills"] >= 1, report["runtime"]
    assert report["runtime"]["last_standstill_seconds"] >= STALL_SECONDS, report["runtime"]


def marks(arguments):
    """Each is told once."""
    with _Run(arguments, "marks") as run:
        def all_causes():
            return ", ".join(each["cause"] for each in run.reports())
        run.wait_for(lambda: all_causes().count("mark passed: ") >= 3)
        time.sleep(3)
        causes = all_causes()
    assert causes.count("mark passed: ") == 3, causes
    for option in ("MiB, memory_mark_bytes = 209715200", "open descriptors, descriptors_mark = 60",
                   "green threads, green_threads_mark = 100"):
        assert option in causes, causes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--schema", required=True)
    parser.add_argument("name")
    arguments = parser.parse_args()
    globals()[arguments.name](arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
