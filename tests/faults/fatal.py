#!/usr/bin/env python3
"""Errors that end a process: fatal.py --program FILE --schema FILE NAME

Each function below without an underscore is one test. In each, what is reported, and that the program ends as it does without us.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

import jsonschema

SOURCE = pathlib.Path(__file__).with_name("fatal.cpp")
LONGEST = 110
SKIPPED = 77


def _line(kind):
    lines = SOURCE.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"// {kind} fails here"))


class _Run:
    """One program that has come to its end."""

    def __init__(self, arguments, kind, on_fatal, meanwhile=None, environment=None):
        with tempfile.TemporaryFile() as errors, subprocess.Popen(
                [arguments.program, kind, on_fatal], stdout=subprocess.PIPE, stderr=errors,
                env={**os.environ, **(environment or {})}) as process:
            try:
                if meanwhile:
                    meanwhile(process)
                self.output = process.communicate(timeout=LONGEST)[0].decode()
            finally:
                process.kill()
            self.status = process.returncode
            errors.seek(0)
            self.errors = errors.read().decode(errors="replace")
        self.reports = [json.loads(line) for line in self.errors.splitlines() if line.startswith("{")]
        schema = json.loads(pathlib.Path(arguments.schema).read_text())
        for report in self.reports:
            jsonschema.validate(report, schema)

    def is_raw(self, at):
        return any("raw report" in note for note in self.reports[at]["notes"])


def _plain(function):
    return (function or "").split("::")[-1]


def _frames(report, thread):
    return next(each["frames"] for each in report["threads"] if each["id"] == thread)


def _check(arguments, kind, cause, function, place=None, status=None, meanwhile=None, is_main=True):
    """Without us, with raw reports, and with whole ones. `place`: of the marked line where it fails."""
    without = _Run(arguments, kind, "off", meanwhile)
    assert not without.reports, without.errors
    assert status is None or without.status == status, without.status
    raw = _Run(arguments, kind, "raw", meanwhile)
    full = _Run(arguments, kind, "full", meanwhile)
    for run, count in ((raw, 1), (full, 2)):
        assert run.status == without.status, (run.status, without.status, run.errors[-2000:])
        assert [run.is_raw(at) for at in range(len(run.reports))] == [True, False][:count], run.errors[-3000:]
        for report in run.reports:
            assert report["cause"].startswith("fatal error: " + cause), report["cause"]
        assert len(run.reports[0]["threads"][0]["frames"]) > 1, run.reports[0]["threads"][0]
    report = full.reports[1]
    finding = report["findings"][0]
    assert finding["kind"] == "fatal_error", report["findings"]
    assert len(finding["threads"]) == 1 and finding["stacks"], finding
    thread = finding["threads"][0]
    assert full.reports[0]["threads"][0]["id"] == thread, "the failing thread comes first"
    if function:
        where = f"fatal.cpp:{_line(place)}" if place else "fatal.cpp:"
        assert function in finding["text"] and where in finding["text"], (finding["text"], report["notes"])
        names = [_plain(frame["function"]) for frame in _frames(report, thread)]
        assert function in names and ("main" in names or not is_main), names
    print(finding["text"], f"({report['cost']['total_seconds']} s)")
    return full


def write(arguments):
    full = _check(arguments, "write", "SIGSEGV at 0x8 (nothing is mapped there) in thread ", "write_nowhere", "write", status=-11)
    top = _frames(full.reports[1], full.reports[1]["findings"][0]["threads"][0])[0]
    assert _plain(top["function"]) == "write_nowhere", top


def call(arguments):
    _check(arguments, "call", "SIGSEGV at 0x8", "call_nowhere", "call", status=-11)


def code(arguments):
    full = _check(arguments, "code", "SIGSEGV at 0x", "write_to_code", "code", status=-11)
    text = full.reports[1]["findings"][0]["text"]
    assert "not permitted" in text and "is in a mapping r-x" in text and arguments.program in text, text


def abort(arguments):
    _check(arguments, "abort", "SIGABRT in thread ", "give_up", "abort", status=-6)


def throw(arguments):
    full = _check(arguments, "throw", "std::terminate in thread ", "throw_standard", "throw", status=-6)
    text = full.reports[1]["findings"][0]["text"]
    assert "exception of type std::runtime_error: no luck with https://user:***@host/" in text, text
    assert "St13runtime_error" in full.reports[0]["cause"], full.reports[0]["cause"]
    assert not any("hunter2" in json.dumps(report) for report in full.reports)


def words(arguments):
    """The exception can't say what it is: its type is known."""
    full = _check(arguments, "words", "SIGSEGV at 0x8", "what", status=-11)
    assert "without_words" in full.reports[1]["findings"][0]["text"], full.reports[1]["findings"][0]


def number(arguments):
    full = _check(arguments, "number", "std::terminate in thread ", "throw_number", "number", status=-6)
    assert "exception of type int" in full.reports[1]["findings"][0]["text"]


def divide(arguments):
    if os.uname().machine == "x86_64":
        _check(arguments, "divide", "SIGFPE at 0x", "divide", "divide", status=-8)


def trap(arguments):
    if os.uname().machine == "x86_64":
        _check(arguments, "trap", "SIGILL at 0x", "stop_short", "trap", status=-4)


def bus(arguments):
    _check(arguments, "bus", "SIGBUS at 0x", "read_beyond_file", "bus", status=-7)


def heap(arguments):
    """The lock of the allocator is held for ever."""
    _check(arguments, "heap", "SIGABRT in thread ", "corrupt_heap", "heap", status=-6)


def in_thread(arguments):
    _check(arguments, "in_thread", "SIGSEGV at 0x8", "write_nowhere", "write", status=-11, is_main=False)


def overflow(arguments):
    for kind in ("overflow", "overflow_in_thread", "overflow_in_fiber"):
        full = _check(arguments, kind, "SIGSEGV at 0x", "use_up_stack", status=-11, is_main=False)
        for report in full.reports:
            assert ", stack overflow in thread" in report["cause"], report["cause"]
        assert ("green thread" in full.reports[1]["findings"][0]["text"]) == ("fiber" in kind)


def in_fiber(arguments):
    full = _check(arguments, "in_fiber", "SIGSEGV at 0x8", "write_nowhere", "write", status=-11, is_main=False)
    finding = full.reports[1]["findings"][0]
    assert len(finding["green_threads"]) == 1 and "which runs green thread" in finding["text"], finding
    assert full.reports[0]["threads"][0]["runs"] == finding["green_threads"][0], full.reports[0]["threads"][0]


def handler(arguments):
    _check(arguments, "handler", "SIGSEGV at 0x8", "fail_in_handler", "handler", status=-11)


def child(arguments):
    """A forked child has no reporter: the old disposition, and no report."""
    for on_fatal in ("off", "raw", "full"):
        run = _Run(arguments, "child", on_fatal)
        assert (run.status, run.reports) == (0, []), run.errors
        assert "child ended by 11\n" in run.output, run.output


def reporter(arguments):
    """The reporter's own thread fails: there is the raw report only."""
    run = _Run(arguments, "reporter", "full")
    assert run.status == -11 and [run.is_raw(at) for at in range(len(run.reports))] == [True], run.errors[-3000:]
    assert run.reports[0]["threads"][0]["name"] == "gmr-reporter", run.reports[0]["threads"][0]


def twice(arguments):
    """While the whole report is made, its maker fails, too: the first error is what the program ends with."""
    run = _Run(arguments, "twice", "full")
    assert run.status == -6 and [run.is_raw(at) for at in range(len(run.reports))] == [True], run.errors[-3000:]


def section(arguments):
    """What a service's section does in a report is the service's code."""
    run = _Run(arguments, "section", "full")
    assert run.status == -11, run.status
    assert run.is_raw(0), run.errors[-3000:]
    finding = run.reports[-1]["findings"][0]
    assert finding["kind"] == "fatal_error" and "write_nowhere" in finding["text"], finding


def at_once(arguments):
    """Four threads fail at the same time: one is reported."""
    _check(arguments, "at_once", "SIGSEGV at 0x8", "write_nowhere", "write", status=-11, is_main=False)


def sent(arguments):
    def send(process):
        assert process.stdout.readline().startswith(b"thread ")
        assert process.stdout.readline().startswith(b"ready ")
        os.kill(process.pid, signal.SIGBUS)

    for _ in range(20):  # while the library's threads are just beginning
        run = _Run(arguments, "sent", "raw", send)
        assert run.status == -7 and run.is_raw(0), (run.status, run.errors[-2000:])
    _check(arguments, "sent", f"SIGBUS sent by process {os.getpid()} in thread ", None, status=-7, meanwhile=send)


def earlier_handlers(arguments):
    """What they are told is what they were told without us, in the same order."""
    for kind in ("earlier", "chained", "chained_default", "recovers", "own_terminate"):
        without = _Run(arguments, kind, "off")
        for on_fatal in ("raw", "full"):
            run = _Run(arguments, kind, on_fatal)
            assert run.status == without.status, (kind, run.status, without.status, run.errors[-2000:])
            said = [re.sub(r"\d{3,}", "N", each.output) for each in (run, without)]
            assert said[0] == said[1], (kind, said)
            assert run.reports and run.is_raw(0), (kind, run.errors[-2000:])
    assert "went on\n" in _Run(arguments, "recovers", "full").output


def ignored(arguments):
    """A signal that the program ignores is none."""
    run = _Run(arguments, "ignored", "full")
    assert (run.status, run.reports) == (0, []) and "ended" in run.output, run.errors


def after(arguments):
    """Once the reporter is gone all is as before."""
    run = _Run(arguments, "after", "full")
    assert (run.status, run.reports) == (-11, []), run.errors


def core(arguments):
    """It shows the thread where it failed, and not in a handler."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    debugger = shutil.which("gdb")
    if "/" in pattern or pattern.startswith("|") or not debugger:
        print("skipped: needs gdb, and cores in the working directory")
        return SKIPPED
    stacks = []
    for on_fatal in ("off", "full"):
        with tempfile.TemporaryDirectory(prefix="gmr-faults-") as name:
            command = [str(pathlib.Path(arguments.program).resolve()), "write", on_fatal]
            largest = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            subprocess.run(command, cwd=name, check=False, capture_output=True,
                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, largest))
            files = list(pathlib.Path(name).iterdir())
            assert len(files) == 1, files
            said = subprocess.run([debugger, "-batch", "-nx", "-ex", "bt", "-ex", "p $_siginfo._sifields._sigfault.si_addr",
                                   command[0], str(files[0])], check=True, capture_output=True, text=True).stdout
        assert "SIGSEGV" in said and re.search(r"\$1 = .*0x8\b", said), said
        stacks.append([re.sub(r"0x\w+ in |0x\w+", "", line) for line in said.splitlines() if line.startswith("#")])
    assert stacks[0] == stacks[1] and "write_nowhere" in stacks[0][0], stacks
    return 0


def log_dir(arguments):
    with tempfile.TemporaryDirectory(prefix="gmr-faults-") as name:
        folder = pathlib.Path(name)
        for _ in range(2):
            run = _Run(arguments, "abort", "full", environment={"FATAL_LOG_DIR": name})
            assert run.status == -6, run.status
        reports = [json.loads(file.read_text()) for file in folder.iterdir()]
        assert len(reports) == 4 and len(list(folder.glob("*_raw.json"))) == 2, list(folder.iterdir())
        assert all(report["cause"].startswith("fatal error: SIGABRT") for report in reports)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--schema", required=True)
    parser.add_argument("name")
    arguments = parser.parse_args()
    result = globals()[arguments.name](arguments) or 0
    if result == 0:
        print(arguments.name + ": ok")
    return result


if __name__ == "__main__":
    sys.exit(main())
