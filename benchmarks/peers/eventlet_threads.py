#!/usr/bin/env python3
"""A program with many parked green threads for green_thread_peers.py, the counterpart of green_threads_target.

eventlet_threads.py COUNT: reports are those of oslo.reports.
"""
import os
import sys
import time

import eventlet

eventlet.monkey_patch()

from eventlet.green import os as green_os  # noqa: E402  (after the patch)
from oslo_reports import guru_meditation_report  # noqa: E402

DEPTH = 8


class Version:
    """What oslo.reports asks of a service."""

    @staticmethod
    def vendor_string():
        return "gmr"

    @staticmethod
    def product_string():
        return "target"

    @staticmethod
    def version_string_with_package():
        return "1"


class Report(guru_meditation_report.TextGuruMeditation):
    @classmethod
    def handle_signal(cls, *arguments):
        super().handle_signal(*arguments)
        print("end of report", file=sys.stderr, flush=True)


def park(until, levels):
    if levels > 1:
        park(until, levels - 1)
    else:
        until.wait()


def tick(longest):
    last = time.monotonic()
    while True:
        eventlet.sleep(0.001)
        now = time.monotonic()
        longest[0] = max(longest[0], now - last)
        last = now


def main():
    Report.setup_autorun(Version())
    until, longest = eventlet.Event(), [0.0]
    for _ in range(int(sys.argv[1])):
        eventlet.spawn_n(park, until, DEPTH)
    eventlet.sleep(0)
    eventlet.spawn_n(tick, longest)
    os.set_blocking(0, False)  # so that a green thread can wait for it
    print("ready", flush=True)
    while green_os.read(0, 65536):
        print(int(longest[0] * 1e6), flush=True)
        longest[0] = 0.0


if __name__ == "__main__":
    main()
