#!/usr/bin/env python3
"""Each system call of a report is refused in turn: sweep.py --service FILE --calls docs/filters.md ERRNO [CALL[+CALL]...]

ERRNO is 1 (EPERM) or 38 (ENOSYS). Refused to the service before it has a reporter and, in another run, afterwards. Never does
the service end by it, and never does a report say what is not so. The calls are those of the table in docs/filters.md.
"""
import argparse
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from asked_service import Service  # noqa: E402
from compare import problems_of  # noqa: E402

SKIPPED = 77
# Threads of the service that wait for each other, once they do.
LOCKED = "locks-one", "locks-other"
# One is the other way where the other is refused: then there is none.
TOGETHER = ["openat+openat2", "readlink+readlinkat", "rt_tgsigqueueinfo+tgkill", "process_vm_readv+pread64",
            "tgkill+clock_gettime", "getdents64+openat+openat2"]


# Refused from the beginning, they keep the service from being what is asked about: its threads have no names, or do not sleep.
NEEDED_BY_THE_SERVICE = {"prctl", "clock_nanosleep"}


def calls_in(document):
    """Those that a report does without: in the first column of the document's table."""
    calls = []
    for line in pathlib.Path(document).read_text().splitlines():
        if line.startswith("| `"):
            calls += re.findall(r"`([a-z0-9_]+)`", line.split("|")[1])
    assert len(calls) > 20, calls
    return calls + TOGETHER


def whole_report(service):
    with Service([service]) as running:
        running.wait_until("ready")
        running.wait_until_asleep(*LOCKED)
        running.ask()
        return running.ask()[0]


def _problems_with(service, call, error, before, whole):
    refused = ",".join(f"{each}={error}" for each in call.split("+"))
    command = [service, "--refuse", refused] + (["--before"] if before else [])
    with Service(command) as running:
        running.wait_until("ready")
        said = "\n".join(running.said)
        if "can't: no filter" in said:
            raise SystemExit(SKIPPED)
        if "no such call" in said:
            return
        if "no reporter" in said:
            # There is no thread, descriptor or signal to make reports with: the service is told why.
            if not before or os.strerror(error) not in said:
                yield said
            return
        running.wait_until_asleep(*LOCKED)
        for number in range(2):
            report, _ = running.ask()
            for problem in problems_of(report, whole, os.strerror(error)):
                yield f"report {number + 1}: {problem}"
        running.assert_lives()
        running.process.stdout.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--service", required=True)
    parser.add_argument("--calls", required=True)
    parser.add_argument("errno", type=int)
    parser.add_argument("call", nargs="*")
    arguments = parser.parse_args()
    whole = whole_report(arguments.service)
    assert not list(problems_of(whole, whole)), list(problems_of(whole, whole))
    failed = 0
    for call in arguments.call or calls_in(arguments.calls):
        for before in (True, False):
            if before and call in NEEDED_BY_THE_SERVICE:
                print(f"{call} is refused after the reporter only: the service itself needs it")
                continue
            try:
                found = list(_problems_with(arguments.service, call, arguments.errno, before, whole))
            except AssertionError as error:
                found = [str(error)]
            failed += bool(found)
            for problem in found:
                print(f"{call} {'before' if before else 'after'} the reporter: {problem}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
