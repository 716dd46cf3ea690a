#!/usr/bin/env python3
"""What gmr::trace costs: programs with and without it run in turn, many times.

tracing_cost.py [--pairs N] [--build DIR] [--level traced|trace_ops]: prints for each thing a program does its CPU time without tracing and with it,
medians, and the difference with a 95 % confidence interval (bootstrap of the median of the pairs' differences); then
memory, allocations, and wake-ups of an idle program, which need no repetition.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

import paired

HERE = pathlib.Path(__file__).resolve().parent

# Program, benchmark, how many of what in one iteration, what it is, the most it may cost in ns.
COSTS = (
    ("coroutine_switch", "suspend", 1000, "suspension of a coroutine", 12),
    ("coroutine_switch", "suspend_in_frame", 1000, "suspension with a frame of its own (use_awaitable)", 52),
    ("coroutine_switch", "frame", 1000, "coroutine frame, made, run and destroyed", 40),
    ("coroutine_switch", "spawn", 1, "coroutine, from co_spawn to its end", None),
    ("fiber_switch", "round_trip", 2, "fiber switch", 8),
    ("fiber_switch", "round_trip_over_many/1000", 2, "fiber switch, 1,000 fibers in turn", None),
    ("fiber_switch", "round_trip_on_top", 2, "fiber switch with a function on top", None),
    ("fiber_switch", "make_and_end", 1, "fiber, from its making to its end", None),
)

# Of gmr::trace_ops, which includes gmr::trace; no limits are set.
OPERATION_COSTS = (
    ("coroutine_switch", "suspend", 1000, "suspension of a coroutine: post", None),
    ("coroutine_switch", "expired_timer", 1000, "wait for a timer that has expired", None),
    ("coroutine_switch", "pass_byte", 1000, "a byte to and fro over a socket: two reads, two writes", None),
    ("coroutine_switch", "spawn", 1, "coroutine, from co_spawn to its end", None),
)


def run(build, program, names):
    """CPU time of one iteration of each benchmark, in ns."""
    wanted = "|".join(f"^{name}$" for name in names)
    done = subprocess.run([build / "bin" / program, f"--benchmark_filter={wanted}", "--benchmark_format=json",
                           "--benchmark_min_time=0.02"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return {each["name"]: each["cpu_time"] for each in json.loads(done.stdout)["benchmarks"]}


def switches(build, pairs, level, table):
    print(f"CPU time, {pairs} pairs\n")
    print("| | without | with | difference, 95 % interval | at most |")
    print("| --- | --- | --- | --- | --- |")
    for program in dict.fromkeys(cost[0] for cost in table):
        costs = [cost for cost in table if cost[0] == program]
        names = [cost[1] for cost in costs]
        results = paired.alternating(pairs, lambda: run(build, program + "_plain", names),
                                     lambda: run(build, f"{program}_{level}", names))
        for _, name, items, what, most in costs:
            plain = [result[0][name] / items for result in results]
            traced = [result[1][name] / items for result in results]
            middle, low, high = paired.interval([b - a for a, b in zip(plain, traced)])
            print(f"| {what} | {statistics.median(plain):.1f} ns | {statistics.median(traced):.1f} ns |"
                  f" {middle:+.1f} ns ({low:+.1f} to {high:+.1f}) | {f'{most} ns' if most else '-'} |", flush=True)


def context_switches(pid):
    count = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if "ctxt_switches" in line:
                count += int(line.split()[1])
    return count


def memory(build):
    """What the program says of itself, and how often it woke up while it had nothing to do."""
    programs = {}
    for which in ("plain", "traced"):
        with subprocess.Popen([build / "bin" / f"tracing_memory_{which}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as process:
            programs[which] = json.loads(process.stdout.readline())
            time.sleep(0.5)
            before = context_switches(process.pid)
            time.sleep(5)
            programs[which]["wake-ups in 5 s, idle, with a reporter"] = context_switches(process.pid) - before
            process.stdin.close()
    print("\n| | without | with | difference |")
    print("| --- | --- | --- | --- |")
    for name, plain in programs["plain"].items():
        traced = programs["traced"][name]
        print(f"| {name} | {plain:g} | {traced:g} | {traced - plain:+g} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=101)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build" / "release")
    parser.add_argument("--level", choices=("traced", "trace_ops"), default="traced")
    arguments = parser.parse_args()
    if arguments.level == "trace_ops":
        return switches(arguments.build, arguments.pairs, "trace_ops", OPERATION_COSTS)
    switches(arguments.build, arguments.pairs, "traced", COSTS)
    memory(arguments.build)


if __name__ == "__main__":
    main()
