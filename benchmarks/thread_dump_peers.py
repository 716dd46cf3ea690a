#!/usr/bin/env python3
"""The stacks of all threads of one process, by gmr, gdb and eu-stack in turn.

thread_dump_peers.py [THREADS] [BUILD_DIR]: prints for each the wall time of a dump, medians of some runs, and how many
times as long as gmr's it is. gmr: from the signal to the last byte of the report, whole: findings, modules, sections.
"""
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUNS = 5


def timed(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def report(pid, directory):
    """Asks for a report and waits for its file, which has its name only once it is complete."""
    before = set(os.listdir(directory))
    os.kill(pid, signal.SIGUSR2)
    deadline = time.monotonic() + 60
    while not any(name.endswith(".txt") for name in set(os.listdir(directory)) - before):
        if time.monotonic() > deadline:
            raise SystemExit("no report within a minute")
        time.sleep(0.0002)


def dump_with(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          timeout=300, check=False)
    if not done.stdout:
        raise SystemExit(f"{command[0]} printed nothing")


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    build = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "build/release")
    with tempfile.TemporaryDirectory() as directory:
        target = subprocess.Popen([build / "bin/thread_dump_target", str(threads), directory],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
        target.stdout.readline()
        time.sleep(0.5)
        pid = target.pid
        peers = {"gmr, first report": [timed(lambda: report(pid, directory))]}
        peers["gmr, later reports"] = []
        if shutil.which("gdb"):
            peers["gdb"] = []
        if shutil.which("eu-stack"):
            peers["eu-stack"] = []
        for _ in range(RUNS):  # in turn, so that what else the machine does hits all
            peers["gmr, later reports"].append(timed(lambda: report(pid, directory)))
            if "gdb" in peers:
                peers["gdb"].append(timed(lambda: dump_with("gdb", "-p", str(pid), "-batch", "-ex",
                                                            "thread apply all bt")))
            if "eu-stack" in peers:
                peers["eu-stack"].append(timed(lambda: dump_with("eu-stack", "-p", str(pid))))
        target.stdin.close()
        target.wait(timeout=60)
    unit = statistics.median(peers["gmr, later reports"])
    print(f"{threads} threads")
    for name, times in peers.items():
        median = statistics.median(times)
        print(f"  {name:20} {median * 1000:8.1f} ms  x{median / unit:.1f}")


if __name__ == "__main__":
    main()
