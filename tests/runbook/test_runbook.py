#!/usr/bin/env python3
"""The cases of docs/runbook.md: each program gets stuck by itself, is asked for two reports, and `gmr explain` has to say who is to
blame. In the healthy ones it has to blame nobody."""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PAUSE = 2.0      # between two reports of one process
WITHIN = 120.0   # on a machine that is busy with other things


class Service:
    """One of the programs, which writes its reports to a file."""

    def __init__(self, program, folder, enter=None):
        self.errors = folder / "stderr"
        self.folder = folder
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen([program, "--oslo_reports.format=json"], stdout=subprocess.PIPE, stderr=errors,
                                            preexec_fn=enter)
        self.reports = 0

    def wait_until_stuck(self):
        line = self.process.stdout.readline().decode()
        assert line.strip() == "stuck", f"it said {line!r}: {self.errors.read_text(errors='replace')[:2000]}"

    def ask(self):
        """Returns the file of one more report."""
        before = self.errors.stat().st_size
        self.process.send_signal(signal.SIGUSR2)
        end = time.monotonic() + WITHIN
        while time.monotonic() < end:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}"
            written = self.errors.read_bytes()[before:]
            if written.endswith(b"}\n"):
                self.reports += 1
                made = self.folder / f"report-{self.reports}.json"
                made.write_bytes(written)
                return made
            time.sleep(0.01)
        raise AssertionError("there was no report")


@contextlib.contextmanager
def running(program, enter=None):
    with tempfile.TemporaryDirectory(prefix="gmr-runbook-") as folder:
        service = Service(program, pathlib.Path(folder), enter)
        try:
            service.wait_until_stuck()
            yield service
        finally:
            service.process.kill()
            service.process.wait()


def explain(gmr, reports, *options):
    done = subprocess.run([gmr, "explain", *options, *reports], capture_output=True, text=True, timeout=WITHIN)
    assert done.returncode == 0, f"gmr explain ended with {done.returncode}: {done.stderr}"
    return done.stdout


# Of each case: the kind of the first suspect, its function, and what else has to be so.
def holds_its_lock(suspect, _):
    assert suspect["lock"]["address"].startswith("0x") and suspect["lock"]["holder"] in suspect["threads"], suspect


def waits_for_peer(suspect, _):
    assert re.search(r"127\.0\.0\.1:\d+", suspect["peer"] or ""), suspect


def is_named_by_green_thread(suspect, _):
    assert suspect["green_thread"] is not None, suspect


def waits_for_lock(suspect, _):
    assert suspect["thread"] and suspect["lock"]["kind"] == "condition", suspect


def has_all_threads(suspect, _):
    assert len(suspect["threads"]) == 4 and suspect["thread"] in suspect["threads"], suspect


def counts_descriptors(suspect, _):
    assert suspect["descriptors"]["growth"] >= 5, suspect


def burns_cpu(suspect, explained):
    assert suspect["thread"] == explained["cpu"][0]["thread"], explained


def is_named_by_thread(suspect, _):
    assert suspect["thread"] and suspect["frame"], suspect


CASES = {
    "deadlock": ("deadlock", "transfer", holds_its_lock),
    "blocked_loop": ("blocked_loop", "ask_for_price", waits_for_peer),
    "lock_across_suspension": ("lock_across_suspension", "cache::refresh", is_named_by_green_thread),
    "leaked_coroutines": ("growing_group", "await_answer", is_named_by_green_thread),
    "slow_peer": ("slow_peer", "send_answer", waits_for_peer),
    "lost_wakeup": ("lost_wakeup", "worker::take_job", waits_for_lock),
    "exhausted_pool": ("exhausted_pool", "render_page", has_all_threads),
    "descriptor_leak": ("descriptor_leak", None, counts_descriptors),
    "cpu_spin": ("spinning_thread", "count_fields", burns_cpu),
    "throttled": ("throttled", None, is_named_by_thread),
}


def suspects_of_the_service(explained):
    """Without what the machine of the test may have too little of."""
    return [each for each in explained["suspects"] if each["kind"] not in ("throttled", "memory_near_limit")]


def check_suspect(name, explained):
    kind, function, check = CASES[name]
    suspects = explained["suspects"] if name == "throttled" else suspects_of_the_service(explained)
    assert suspects, "nobody is suspected"
    suspect = suspects[0]
    assert suspect["kind"] == kind, suspect
    assert suspect["since_seconds"] is None or suspect["since_seconds"] > 0, suspect
    if function:
        assert function in suspect["frame"]["function"], suspect
        assert suspect["frame"]["file"].endswith(f"{name}.cpp") and suspect["frame"]["line"] > 0, suspect
    check(suspect, explained)


def quoted(runbook, name):
    """What the page shows of this case as lines of `gmr explain`: those that begin with 'Verdict:' or a number and a kind."""
    page = runbook.read_text().split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^(Verdict: \w+|\d\. \w+: .*)$", page, re.M)


def shape(line):
    """Without what differs from run to run: numbers and addresses, and where the sources are."""
    line = re.sub(r"0x[0-9a-f]+", "ADDRESS", line)
    line = re.sub(r"(?:\.\.)?(/[\w.+-]+)+/", "", line)
    return re.sub(r"\d+(\.\d+)?( ms| s| min)?", "N", line)


def check_page(runbook, name, text):
    said = {shape(line) for line in text.splitlines()}
    for line in quoted(runbook, name):
        assert shape(line) in said, f"the page says {line!r}, and gmr explain:\n{text}"


def check_commands(arguments, reports):
    """What the pages have of `gmr explain` and `gmr diff` can be typed as it stands there."""
    with tempfile.TemporaryDirectory(prefix="gmr-runbook-") as folder:
        for name, report in zip(("first.json", "second.json"), reports):
            shutil.copy(report, pathlib.Path(folder) / name)
        pages = (arguments.runbook, arguments.runbook.with_name("agents.md"))
        commands = {line for page in pages
                    for line in re.findall(r"\bgmr ((?:explain|diff) [-\w ]*first\.json second\.json)", page.read_text())}
        assert len(commands) >= 3, commands
        for line in commands:
            subprocess.run([arguments.gmr, *line.split()], cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=WITHIN)


def last_two(asked):
    return [str(each) for each in asked[-2:]]


def check_case(arguments, service):
    """The first report may have come before all was stuck, so that is tried until it is."""
    asked, end = [service.ask()], time.monotonic() + WITHIN
    if arguments.case == "throttled" and "throttled_seconds" not in asked[0].read_text():
        print("skipped: reports do not have the limits of control groups")
        sys.exit(77)
    while True:
        time.sleep(PAUSE)
        asked.append(service.ask())
        explained = json.loads(explain(arguments.gmr, last_two(asked), "--json"))
        try:
            check_suspect(arguments.case, explained)
            check_page(arguments.runbook, arguments.case, explain(arguments.gmr, last_two(asked)))
            return check_commands(arguments, last_two(asked))
        except AssertionError:
            if time.monotonic() > end:
                raise


def check_healthy(arguments, service):
    asked = [service.ask()]
    for _ in range(3):
        time.sleep(PAUSE)
        asked.append(service.ask())
        for reports in (last_two(asked), [str(each) for each in asked], [str(asked[-1])]):
            explained = json.loads(explain(arguments.gmr, reports, "--json"))
            assert not suspects_of_the_service(explained), explained["suspects"]
            assert explained["suspects"] or explained["verdict"] == "healthy", explained


def throttling_group():
    """A control group that may use a fifth of a processor, or nothing and why there is none."""
    groups = [line.split(":", 2) for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines()]
    first = next((path for _, names, path in groups if "cpu" in names.split(",")), None)
    top = pathlib.Path("/sys/fs/cgroup") if first is None else pathlib.Path("/sys/fs/cgroup/cpu")
    own = first if first is not None else next(path for _, names, path in groups if not names)
    group = top / own.lstrip("/") / f"gmr-runbook-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        return None, str(error)
    try:
        if first is None:
            (group / "cpu.max").write_text("20000 100000")
        else:
            (group / "cpu.cfs_quota_us").write_text("20000")
        return group, ""
    except OSError as error:
        group.rmdir()
        return None, str(error)


@contextlib.contextmanager
def throttled():
    group, why = throttling_group()
    if group is None:
        print(f"skipped: needs a control group for processor time: {why}")
        sys.exit(77)
    try:
        yield lambda: (group / "cgroup.procs").write_text(str(os.getpid()))
    finally:
        for _ in range(500):
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.01)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=pathlib.Path, required=True)
    parser.add_argument("--gmr", required=True)
    parser.add_argument("--runbook", type=pathlib.Path, required=True)
    parser.add_argument("case")
    arguments = parser.parse_args()
    program = arguments.programs / arguments.case
    with throttled() if arguments.case == "throttled" else contextlib.nullcontext() as enter, running(program, enter) as service:
        if arguments.case in CASES:
            check_case(arguments, service)
        else:
            check_healthy(arguments, service)


if __name__ == "__main__":
    main()
