"""A program with many green threads that makes a report when it is sent SIGUSR2, measured from outside.

The program prints "ready", then answers each line of its standard input with the longest gap between two ticks of one of
its green threads since the line before, in microseconds. Its report goes to standard error and ends in a known way.
"""
import fcntl
import os
import pathlib
import select
import signal
import subprocess
import time
from dataclasses import dataclass

PIPE_BYTES = 1 << 20
OWN_PRIORITY, PROGRAM_PRIORITY = 1, 2


def use_realtime_priorities(priority=OWN_PRIORITY):
    """Keeps what else a machine does away from what is measured. Programs go before who reads their reports."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))


@dataclass(frozen=True)
class Kind:
    """One way to have a report made of many green threads."""

    name: str
    command: tuple  # {count} stands for how many
    end: bytes  # last bytes of a report
    mode: str = ""  # told to a program that makes reports of several kinds
    most: int = 1_000_000  # green threads it is asked for
    bytes_each: int = 3_000  # of memory that a green thread needs, at most


@dataclass
class Sample:
    seconds: float  # from the signal to the last byte
    size: int
    growth: int  # of memory since before the first report, bytes, at the highest during this one
    gap: int  # us
    gap_without: int


class TooSlow(Exception):
    """There was no report in time, or no program."""


def memory(pid, what):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) * 1024
    raise ValueError(what)


class MeasuredProcess:
    def __init__(self, command, count, patience):
        self.patience = patience  # seconds
        self.duration = 0.05  # of the last report
        realtime = os.sched_getscheduler(0) == os.SCHED_FIFO
        self.process = subprocess.Popen([part.format(count=count) for part in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                                        preexec_fn=(lambda: use_realtime_priorities(PROGRAM_PRIORITY)) if realtime else None)
        fcntl.fcntl(self.process.stderr, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.line()
        self.memory_before = memory(self.process.pid, "VmRSS")  # any report

    def line(self):
        if not select.select([self.process.stdout], [], [], self.patience)[0]:
            raise TooSlow
        return self.process.stdout.readline()

    def gap(self, mode):
        self.process.stdin.write(mode.encode() + b"\n")
        return int(self.line())

    def gap_during(self, mode, action):
        self.gap(mode)
        result = action()
        time.sleep(0.01)  # so that a gap is over
        return result, self.gap(mode)

    def read_report(self, end, text):
        """Reads a report, and gives its time and size; `text`, where not None, gets all of it."""
        tail, size, descriptor = b"", 0, self.process.stderr.fileno()
        begin = time.perf_counter()
        self.process.send_signal(signal.SIGUSR2)
        while not tail.endswith(end):
            left = begin + self.patience - time.perf_counter()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise TooSlow
            chunk = os.read(descriptor, PIPE_BYTES)
            if not chunk:
                raise TooSlow
            if text is not None:
                text.append(chunk)
            size += len(chunk)
            tail = (tail + chunk)[-256:]
        return time.perf_counter() - begin, size

    def report(self, kind, text=None):
        pid = self.process.pid
        pause = min(2 * self.duration + 0.2, 3)  # more than the least time between reports of gmr
        _, without = self.gap_during(kind.mode, lambda: time.sleep(max(pause, self.duration)))
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")  # forgets the highest so far
        (seconds, size), gap = self.gap_during(kind.mode, lambda: self.read_report(kind.end, text))
        self.duration = seconds
        return Sample(seconds, size, max(0, memory(pid, "VmHWM") - self.memory_before), gap, without)

    def stop(self):
        self.process.kill()
        self.process.wait()
        for each in (self.process.stdin, self.process.stdout, self.process.stderr):
            each.close()
