#!/usr/bin/env python3
"""Which room of lib/src calls which: rooms.py PROGRAM LOG...

PROGRAM was built with -finstrument-functions and recorder.c, and has written LOG. Prints how many pairs of functions call each
other between each two rooms, and those where a lower room calls a higher one. What the kernel calls (handlers of signals, what
is done in a forked child) begins anew: it is nobody's call.
"""
import collections
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lint"))
from check_includes import STAGES  # noqa: E402

# Handed down on purpose: see docs/architecture.md.
ALLOWED = {("view", "sink"): "gmr::sinks::bare_output::write", ("os", "trigger"): "held_signal::pass_on"}


def places(program, offsets):
    """Room and function of each offset."""
    listed = sorted(offsets)
    base = next(int(line.split()[0], 16) for line in subprocess.run(["nm", program], text=True, capture_output=True, check=True)
                .stdout.splitlines() if line.endswith(" __executable_start"))
    asked = "".join(f"{offset + base:x}\n" for offset in listed)
    said = subprocess.run(["addr2line", "-fCe", program], input=asked, text=True, capture_output=True, check=True).stdout.splitlines()
    for offset, function, place in zip(listed, said[::2], said[1::2]):
        room = re.search(r"/lib/(?:src|include/gmr|include/gmr/detail)/([a-z]+)/", place)
        yield offset, (room.group(1) if room and room.group(1) in STAGES else None, function)


def main():
    program, *logs = sys.argv[1:]
    pairs = {tuple(int(each, 16) for each in line.split()) for log in logs for line in pathlib.Path(log).read_text().splitlines()}
    known = dict(places(program, {each for pair in pairs for each in pair}))
    count, upward = collections.Counter(), set()
    for caller, callee in pairs:
        (below, outer), (above, inner) = known[caller], known[callee]
        if below is None or above is None or below == above:
            continue
        count[below, above] += 1
        if STAGES.index(below) < STAGES.index(above) and ALLOWED.get((below, above), "\0") not in inner:
            upward.add(f"{below} calls {above}: {outer} -> {inner}")
    for (below, above), number in sorted(count.items(), key=lambda each: (STAGES.index(each[0][0]), STAGES.index(each[0][1]))):
        print(f"{below:>10} -> {above:<10} {number:5}")
    print("\n".join(sorted(upward)) or "no lower room calls a higher one")
    return 1 if upward else 0


if __name__ == "__main__":
    sys.exit(main())
