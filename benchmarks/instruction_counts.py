#!/usr/bin/env python3
"""How many instructions a coroutine's suspension, a coroutine frame and a fiber switch take, without gmr::trace and with it.

instruction_counts.py [--build DIR]: a row of the table in docs/performance.md. Counted by valgrind, as the difference
between many times and few, so it does not depend on what else the machine does. valgrind takes the clock from the C
library, not from the kernel's page: see docs/performance.md.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
FEW, MANY = 1000, 3000
COSTS = (("suspension", 1), ("frame", 1), ("fiber", 2))  # and how many are in each turn


def count(program, what, times):
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={directory}/out", program, what,
                               str(times)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = re.search(r"Collected : (\d+)", done.stdout)
    if done.returncode != 0 or not found:
        sys.exit(f"instruction_counts.py: {program} under valgrind:\n{done.stdout}")
    return int(found[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build" / "release")
    programs = [parser.parse_args().build / "bin" / f"instructions_{which}" for which in ("plain", "traced")]
    cells = []
    for what, items in COSTS:
        plain, traced = ((count(program, what, MANY) - count(program, what, FEW)) / (MANY - FEW) / items
                         for program in programs)
        cells.append(f"{plain:.0f} -> {traced:.0f} ({traced - plain:+.0f})")
    print("| suspension | frame | fiber switch |\n| --- | --- | --- |")
    print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
