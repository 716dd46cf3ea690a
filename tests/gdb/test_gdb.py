#!/usr/bin/env python3
"""gdb's green threads against those of a report: live, from a core file, and of a stripped program."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "agreement")]
import agreement  # noqa: E402  (needs the paths above)
import reports  # noqa: E402

GDB, PARKED = os.environ["GDB"], os.environ["PARKED"]
SOURCE = pathlib.Path(os.environ["SOURCE"])
SCRIPT = SOURCE / "lib/gdb/gmr-gdb.py"
sys.path.insert(0, str(SCRIPT.parent))
import gmr_names  # noqa: E402


def gdb(*arguments):
    done = subprocess.run([GDB, "-nx", "-batch", "-iex", "set debuginfod enabled off",
                           "-iex", "set backtrace past-main on", *map(str, arguments)], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    if "ptrace: Operation not permitted" in done.stderr:
        print("skipped: this machine does not let gdb attach to processes (ptrace: Operation not permitted)")
        sys.stdout.flush()
        os._exit(77)
    return done.stdout + done.stderr


def dumped(*target):
    out = gdb(*target, "-x", SCRIPT, "-x", HERE / "dump.py")
    line = next((line for line in out.splitlines() if line.startswith("GREEN ")), None)
    if line is None:
        raise AssertionError(f"gdb gave no green threads:\n{out}")
    return {int(number): each for number, each in json.loads(line[len("GREEN "):]).items()}


def place(frame):
    # The plain name is what both spell alike; a lambda is a report's {lambda} and gdb's operator().
    name = re.sub(r"\{lambda.*", "operator()", gmr_names.shown(frame["function"] or "").split("::")[-1])
    return name, os.path.basename(frame["file"] or ""), frame["line"] or 0, bool(frame["inlined"])


def places(frames, others):
    """Of both; where gdb prefers another of several lines at one instruction, ours for both."""
    ours, theirs = [place(frame) for frame in frames], [place(frame) for frame in others]
    for index, (mine, other) in enumerate(zip(ours, theirs)):
        if mine != other and agreement.is_line_of_instruction(frames[index], exact=index == 0):
            theirs[index] = (*other[:1], *mine[1:3], *other[3:])
    return ours, theirs


class Parked:
    """The program, with a report of it."""

    def __init__(self, program=PARKED):
        self.program = program

    def __enter__(self):
        self.stderr = tempfile.TemporaryFile("a+")  # appended to: reading moves its position
        self.process = subprocess.Popen([self.program, "--oslo_reports.format=json", "--oslo_reports.list=each"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr, text=True)
        try:
            if self.process.stdout.readline() != "parked\n":
                raise AssertionError("it did not start:\n" + self.said())
            self.process.send_signal(signal.SIGUSR2)
            self.report = reports.wait_for(lambda: reports.jsons(self.said()), self.said)[0]
        except BaseException:
            self.__exit__()
            raise
        return self

    def said(self):
        self.stderr.seek(0)
        return self.stderr.read()

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for file in (self.process.stdin, self.process.stdout, self.stderr):
            file.close()


class GreenThreads(unittest.TestCase):
    maxDiff = None

    def compare(self, report, found, stacks=True):
        listed = {each["id"]: each for each in report["green_threads"]["listed"]}
        self.assertGreater(len(listed), 20)
        self.assertEqual(sorted(listed), sorted(found))
        compared = 0
        for number, ours in listed.items():
            other = found[number]
            waits_for = (ours["waits_for"] or {}).get("kind") or ""
            self.assertEqual((ours["kind"], ours["state"], ours["name"] or "", waits_for),
                             (other["kind"], other["state"], other["name"], other["waits_for"]), number)
            if ours["state"] == "running" or not stacks:
                continue  # the report has its stack with the thread's
            frames = report["green_threads"]["stacks"][ours["stack"]]
            ours, theirs = places(frames, other["frames"])
            self.assertEqual(ours, theirs, f"green thread {number}")
            compared += len(frames)
        print(f"{compared} frames of {len(listed)} green threads compared")
        if stacks:
            self.assertGreater(compared, 100)

    def test_live_process(self):
        with Parked() as parked:
            self.compare(parked.report, dumped("-p", parked.process.pid))

    def test_core_file(self):
        with Parked() as parked, tempfile.TemporaryDirectory() as directory:
            core = pathlib.Path(directory) / "core"
            gdb("-p", parked.process.pid, "-ex", f"generate-core-file {core}")
            self.compare(parked.report, dumped(PARKED, core))

    def test_stripped_program(self):
        with tempfile.TemporaryDirectory() as directory:
            stripped = pathlib.Path(directory) / "parked"
            subprocess.run(["strip", "-o", stripped, PARKED], check=True)
            with Parked(stripped) as parked:
                self.compare(parked.report, dumped("-p", parked.process.pid), stacks=False)

    def test_commands(self):
        with Parked() as parked:
            listed = parked.report["green_threads"]["listed"]
            fiber = next(each["id"] for each in listed 
                         if each["kind"] == "fiber" and each["state"] == "suspended" and not each["name"])
            timer = next(each["id"] for each in listed if (each["waits_for"] or {}).get("kind") == "timer")
            out = gdb("-p", parked.process.pid, "-x", SCRIPT, "-ex", "info green-threads", "-ex", "echo BEGIN 1\\n",
                      "-ex", f"green-thread {fiber} bt", "-ex", "echo BEGIN 2\\n", "-ex", f"green-thread {timer} bt",
                      "-ex", "echo BEGIN 3\\n", "-ex", "green-thread apply all bt", "-ex", "echo BEGIN 4\\n",
                      "-ex", f"green-thread {fiber} up", "-ex", "echo BEGIN 5\\n", "-ex", "bt 1",
                      "-ex", "echo BEGIN 6\\n", "-ex", "green-thread apply all p 40 + 2", "-ex", "echo BEGIN 7\\n",
                      "-ex", "green-thread apply -3 bt", "-ex", "echo BEGIN 8\\n", "-ex", "green-thread 4711 bt")
            parts = re.split(r"BEGIN \d\n", out)
            self.assertIn(f"{len(listed)} green threads\n", parts[0])
            self.assertRegex(parts[0], rf"(?m)^ +{timer}  coroutine suspended, waiting for timer: inner at .*parked.cpp:\d+$")
            self.assertRegex(parts[1], rf"---- Green thread {fiber}: fiber suspended\n  #0  jump_fcontext at ")
            self.assertRegex(parts[2], r"#0  inner at .*parked.cpp:\d+\n  #1  outer at .*parked.cpp:\d+\n")
            self.assertEqual(len(listed), parts[3].count("---- Green thread "))
            self.assertRegex(parts[4], r"boost::context::fiber::resume")
            # The thread is as it was: in read(), which is called by a function of its own from glibc 2.41 on.
            self.assertRegex(parts[5], r"#0 .*(read|__syscall_cancel_arch)")
            done = len(re.findall(r"(?m)^\$\d+ = 42$", parts[6]))
            refused = len(re.findall(r"(?m)^Green thread \d+: Only bt for a ", parts[6]))
            self.assertGreater(min(done, refused), 0)
            self.assertEqual(done + refused, len(listed))
            self.assertNotIn("Traceback", out)
            self.assertIn("-3 is neither a number nor a range of them.", out)
            self.assertIn("There is no green thread 4711.", out)


class Operations(unittest.TestCase):
    def test_rules_are_those_of_reports(self):
        source = (SOURCE / "lib/src/hook/coroutine/coroutine_operation.cpp").read_text()
        table = re.search(r"constexpr rule rules\[\] = \{\n(.*?)^\};", source, re.S | re.M)[1]
        rules = [(tuple(re.findall(r'"([^"]*)"', parts)), kind)
                 for parts, kind in re.findall(r'\{\{(.*?)\},\s*"([^"]*)"\}', table, re.S)]
        self.assertGreater(len(rules), 30)
        self.assertEqual(rules, [(tuple(parts), kind) for parts, kind in gmr_names.RULES])


if __name__ == "__main__":
    unittest.main()
