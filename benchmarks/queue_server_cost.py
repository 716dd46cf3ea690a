#!/usr/bin/env python3
"""What tracing costs queue-server: servers with and without it under wrk in turn, many times.

queue_server_cost.py [--pairs N] [--seconds N] [--load ping|mixed] [--build DIR]: prints CPU time a request and requests a
second of both, medians, and by how much they differ, with a 95 % confidence interval (bootstrap of the median of the
pairs' ratios). Needs the targets queue-server-untraced and queue-server-traced.
"""
import argparse
import pathlib
import re
import statistics
import subprocess
import sys

import paired

HERE = pathlib.Path(__file__).resolve().parent
E2E = HERE.parent / "tests" / "e2e"
sys.path.insert(0, str(E2E))
import harness  # noqa: E402  (needs the path above)


def cpu_seconds(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


class LoadedServer:
    def __init__(self, binary, load):
        harness.BINARY = str(binary)
        self.server = harness.Server("--oslo_reports.format=json")
        self.server.__enter__()
        path = "/v2/ping" if load == "ping" else "/v2/queues/load"
        script = ["-s", E2E / "mixed.lua"] if load == "mixed" else [
            "-H", "Client-ID: 30387f00-39a0-11f1-9dcb-0800200c9a66", "-H", "X-Project-Id: load"]
        self.command = ["wrk", "-t1", "-c16", *script, f"http://{self.server.http}{path}"]

    def run(self, seconds):
        """CPU time a request, in us, and requests a second."""
        pid = self.server.process.pid
        before = cpu_seconds(pid)
        done = subprocess.run([*self.command, f"-d{seconds}"], capture_output=True, text=True, check=True)
        requests = int(re.search(r"(\d+) requests in", done.stdout)[1])
        return (cpu_seconds(pid) - before) / requests * 1e6, float(re.search(r"Requests/sec: *([\d.]+)", done.stdout)[1])

    def stop(self):
        self.server.__exit__(None, None, None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=31)
    parser.add_argument("--seconds", type=int, default=1, help="of load, each time")
    parser.add_argument("--load", choices=("ping", "mixed"), default="ping")
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build" / "release")
    parser.add_argument("--traced", default="queue-server-traced",
                        help="program with tracing; queue-server itself has gmr::trace_ops")
    arguments = parser.parse_args()
    plain = LoadedServer(arguments.build / "bin" / "queue-server-untraced", arguments.load)
    traced = LoadedServer(arguments.build / "bin" / arguments.traced, arguments.load)
    try:
        for each in (plain, traced):
            each.run(arguments.seconds)  # fills caches
        results = paired.alternating(arguments.pairs, lambda: plain.run(arguments.seconds),
                                     lambda: traced.run(arguments.seconds))
    finally:
        for each in (plain, traced):
            each.stop()
    print(f"{arguments.load}, {arguments.pairs} pairs of {arguments.seconds} s")
    print("| | without | with | difference, 95 % interval |\n| --- | --- | --- | --- |")
    for index, what in enumerate(("CPU time a request, us", "requests a second")):
        without, using = [pair[0][index] for pair in results], [pair[1][index] for pair in results]
        middle, low, high = paired.interval([100 * (b / a - 1) for a, b in zip(without, using)])
        print(f"| {what} | {statistics.median(without):.1f} | {statistics.median(using):.1f} |"
              f" {middle:+.1f} % ({low:+.1f} to {high:+.1f}) |")


if __name__ == "__main__":
    main()
