#!/usr/bin/env python3
"""Reports of programs with many parked green threads: gmr's, Go's and those of oslo.reports under eventlet, in turn.

green_thread_peers.py [--counts N...] [--rounds N] [--build DIR] [--plot FILE]

Starts one program after the other, again and again, asks each for two reports, and prints medians of: the time from the
signal to the last byte, of the first report and of the second one; the most memory above what the program had before; and
the longest gap between the ticks of one of its green threads, beside the longest in as much time without a report. Reports
that take more than SLOW seconds are made once; a program that makes none within --patience is given up. Needs the Debian
packages of the group bench.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess

from green_thread_plot import write_plot
from measured_process import Kind, MeasuredProcess, TooSlow, use_realtime_priorities

HERE = pathlib.Path(__file__).resolve().parent
SLOW = 10
CHECKED = 100_000  # larger reports are not read again


def programs(build):
    """All kinds of reports, with the programs that make them."""
    target = str(build / "bin" / "green_threads_target")
    go = str(build / "bin" / "goroutines")
    subprocess.run(["go", "build", "-o", go, str(HERE / "peers" / "goroutines.go")], check=True)
    end_of_text, end_of_json = b"==== End of Guru Meditation\n" + b"=" * 72 + b"\n", b"}\n"
    end_of_peer = b"end of report\n"
    listed = ["--oslo_reports.list=each", "--oslo_reports.format=json"]
    return [
        Kind("gmr, coroutines, grouped", (target, "coroutines", "{count}"), end_of_text),
        Kind("gmr, fibers, grouped", (target, "fibers", "{count}"), end_of_text, bytes_each=10_000),
        Kind("gmr, coroutines, listed as JSON", (target, "coroutines", "{count}", *listed), end_of_json),
        Kind("gmr, fibers, listed as JSON", (target, "fibers", "{count}", *listed), end_of_json, bytes_each=10_000),
        Kind("Go, pprof debug=1 (grouped)", (go, "{count}"), end_of_peer, "grouped"),
        Kind("Go, runtime.Stack (listed)", (go, "{count}"), end_of_peer, "stack"),
        Kind("Go, pprof debug=2 (listed)", (go, "{count}"), end_of_peer, "listed"),
        Kind("oslo.reports (listed)", ("/usr/bin/python3", str(HERE / "peers" / "eventlet_threads.py"), "{count}"),
             end_of_peer, most=10_000),
    ]


def green_threads_in(kind, report):
    """How many green threads a report accounts for, to be sure that it is about all of them."""
    if "JSON" in kind.name:
        found = json.loads(report)["green_threads"]
        return sum(len(found["stacks"][each["stack"]]) >= 8 for each in found["listed"])
    if kind.name.startswith("gmr"):
        return int(re.search(rb"^(\d+) green threads, ", report, re.M)[1])
    if kind.mode == "grouped":
        return int(re.match(rb"goroutine profile: total (\d+)", report)[1])
    return len(re.findall(rb"^goroutine \d+ |Green Thread", report, re.M))


def fits(kind, count):
    if count > kind.most:
        return False
    available = int(re.search(r"MemAvailable: *(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) * 1024
    if count * kind.bytes_each > available:
        print(f"  {kind.name}: left out, there is not enough memory", flush=True)
        return False
    return True


def one_round(kind, count, patience, check):
    """[first report, later report] of a fresh process; the first one alone when it takes long."""
    process = MeasuredProcess(kind.command, count, patience)
    try:
        text = [] if check else None
        samples = [process.report(kind, text)]
        if text and (shown := green_threads_in(kind, b"".join(text))) < count:
            print(f"  {kind.name}: {shown:,} of {count:,} are in the report", flush=True)
        if samples[0].seconds < SLOW:
            samples.append(process.report(kind))
        return samples
    finally:
        process.stop()


def measured(kinds, count, rounds, patience):
    """{kind: [[first report, later report], ...]}, in turn, so that what else the machine does hits all."""
    results = {kind: [] for kind in kinds if fits(kind, count)}
    for number in range(rounds):
        for kind, done in list(results.items()):
            if done and len(done[0]) == 1:
                continue  # once is enough
            try:
                done.append(one_round(kind, count, patience, number == 0 and count <= CHECKED))
            except TooSlow:
                print(f"  {kind.name}: given up after {patience:g} s", flush=True)
                del results[kind]
    return results


def median(rounds, which, key):
    return statistics.median(getattr(reports[which], key) for reports in rounds)


def show(count, results):
    print(f"\n{count:,} green threads at depth 8")
    print(f"| {'report':31} | {'first':>9} | {'later':>9} | {'memory':>9} | {'size':>9} | longest gap | without |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for kind, rounds in results.items():
        later = f"{1000 * median(rounds, 1, 'seconds'):6.1f} ms" if len(rounds[0]) > 1 else "-"
        print(f"| {kind.name:31} | {1000 * median(rounds, 0, 'seconds'):6.1f} ms | {later:>9} |"
              f" {median(rounds, -1, 'growth') / 1e6:6.1f} MB | {median(rounds, -1, 'size') / 1e6:6.2f} MB |"
              f" {median(rounds, -1, 'gap') / 1000:8.2f} ms | {median(rounds, -1, 'gap_without') / 1000:.2f} ms |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="a regular expression: kinds of reports to make")
    parser.add_argument("--patience", type=float, default=60, help="seconds that a report may take")
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build" / "release")
    parser.add_argument("--realtime", action="store_true", help="for a machine that has other work too; needs root")
    parser.add_argument("--plot", type=pathlib.Path, help="where to draw the medians, as SVG")
    arguments = parser.parse_args()
    if arguments.realtime:
        use_realtime_priorities()
    kinds = [kind for kind in programs(arguments.build) if re.search(arguments.only, kind.name)]
    seconds, growth = {kind.name: [] for kind in kinds}, {kind.name: [] for kind in kinds}
    for count in arguments.counts:
        results = measured(kinds, count, arguments.rounds, arguments.patience)
        show(count, results)
        for kind, rounds in results.items():
            seconds[kind.name].append((count, median(rounds, -1, "seconds")))
            growth[kind.name].append((count, median(rounds, -1, "growth")))
    if arguments.plot:
        write_plot(arguments.plot, seconds, growth)


if __name__ == "__main__":
    main()
