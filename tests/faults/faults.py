#!/usr/bin/env python3
"""Faults of memory, files and names: faults.py [--service FILE] [--held-locks FILE] [--queue-server FILE] [--objcopy FILE] NAME

Each function below without an underscore is one fault. It fails by an assertion, and skips (status 77) with a reason.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from asked_service import Service
from support import Group, Skip, files, functions, notes, status

SKIPPED = 77
MIB = 1 << 20
MOST_ANONYMOUS = 16 * MIB


def _helper_of(service):
    """The running helper program: the child of the keeper, which is a child of the service."""
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and status(entry.name, "Name") == "gmr-symbols":
            parent = status(entry.name, "PPid")
            if parent.isdigit() and status(parent, "PPid") == str(service.process.pid):
                return int(entry.name)
    return 0


def _wait_for_helper(service, seconds=10):
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        helper = _helper_of(service)
        if helper:
            return helper
    raise AssertionError("the helper program was not seen")


def _memory_left(arguments, mib):
    if not arguments.queue_server:
        raise Skip("queue-server is not built")
    command = [arguments.queue_server, "--http.port=0", "--websocket.port=0", "--oslo_reports.format=json"]
    with Group() as group, Service(command, group) as service:
        service.wait_until("websocket listening")
        time.sleep(0.3)
        group.leave(mib * MIB)
        for _ in range(3):
            report, _ = service.ask()
            assert len(report["threads"]) > 1
            assert functions(report), "no name at all"
            print(f"{mib} MiB left:", len(functions(report)), "names,", len(files(report)), "files;", notes(report))
        service.assert_lives()


def memory_left_8(arguments):
    _memory_left(arguments, 8)


def memory_left_16(arguments):
    _memory_left(arguments, 16)


def memory_left_24(arguments):
    _memory_left(arguments, 24)


def memory_left_32(arguments):
    _memory_left(arguments, 32)


def memory_is_bounded(arguments):
    """Service and helper together, seen every millisecond, and what is kept afterwards."""
    command = [arguments.queue_server or arguments.service, "--oslo_reports.format=json"]
    if arguments.queue_server:
        command += ["--http.port=0", "--websocket.port=0"]
    with Service(command) as service:
        service.wait_until("websocket listening" if arguments.queue_server else "ready")
        time.sleep(0.3)
        anonymous = lambda process: int(status(process, "RssAnon") or 0) * 1024  # noqa: E731
        before, peak, helper, most = anonymous(service.process.pid), 0, 0, 0
        size, end = service.errors.stat().st_size, time.monotonic() + 15
        service.process.send_signal(signal.SIGUSR2)
        while time.monotonic() < end and not service.errors.read_bytes()[size:].endswith(b"\n"):
            helper = helper if helper and status(helper, "RssAnon") else _helper_of(service)
            of_helper = anonymous(helper) if helper else 0
            most = max(most, of_helper)
            peak = max(peak, anonymous(service.process.pid) + of_helper)
        after = anonymous(service.process.pid)
        print(f"anonymous memory: before {before / MIB:.1f}, at the peak {peak / MIB:.1f} (helper {most / MIB:.1f}), "
              f"after {after / MIB:.1f} MiB")
        assert most > 0, "the helper program was not seen"
        assert peak - before <= MOST_ANONYMOUS
        assert after - before <= 6 * MIB
        assert _helper_of(service) == 0, "it is still there"


def data_limit(arguments):
    """RLIMIT_DATA: libdw's own answer to a refusal is to end the process."""
    for kib in (16000, 20000, 24000, 30000, 40000, 55000):
        with Service([arguments.service, "--data", str(kib)]) as service:
            service.wait_until("ready")
            for _ in range(2):
                report, _ = service.ask()
                whole = any(name.endswith("service.cpp") for name in files(report))
                assert whole or "RLIMIT_DATA" in notes(report) or "memory" in notes(report), notes(report)
            service.assert_lives()


def _with_separate_file(arguments, folder):
    """The service without debug information, and a file that has it."""
    if not arguments.objcopy:
        raise Skip("needs objcopy")
    service, debug = folder / "service", folder / "service.debug"
    for how in (["--only-keep-debug", arguments.service, debug],
                ["--strip-debug", f"--add-gnu-debuglink={debug}", arguments.service, service]):
        subprocess.run([arguments.objcopy, *how], check=True)
    return service, debug


def _spoil_debug_file(arguments, spoil):
    with tempfile.TemporaryDirectory(prefix="gmr-faults-") as name:
        folder = pathlib.Path(name)
        program, debug = _with_separate_file(arguments, folder)
        whole = folder / "whole"
        shutil.copy(debug, whole)
        seed = random.Random(1)
        fewer = 0
        for round_ in range(24):
            shutil.copyfile(whole, debug)
            with Service([program]) as service:
                service.wait_until("ready")

                def meanwhile():
                    _wait_for_helper(service)
                    time.sleep(seed.uniform(0, 0.03) if round_ else 0)
                    spoil(debug)

                report, _ = service.ask(meanwhile=meanwhile)
                assert "sleep_in_short_name" in functions(report), functions(report)
                assert all(name.isprintable() and "\\x" not in name for name in functions(report)), functions(report)
                fewer += not any(file.endswith("service.cpp") for file in files(report))
                service.ask()
                service.assert_lives()
        print(f"{fewer} of 24 reports had fewer names")
        assert fewer, "the file was never spoiled in time"


def debug_file_truncated(arguments):
    """A file that is mapped and becomes shorter gives SIGBUS."""
    _spoil_debug_file(arguments, lambda debug: os.truncate(debug, 4096))


def debug_file_rewritten(arguments):
    def rewrite(debug):
        size = debug.stat().st_size
        with open(debug, "r+b") as file:
            file.seek(64)
            file.write(os.urandom(size - 64))

    _spoil_debug_file(arguments, rewrite)


def names_explode(arguments):
    """A name of 20 levels, each of which says the one below twice."""
    with Service([arguments.service, "--deep"]) as service:
        service.wait_until("ready")
        report, seconds = service.ask()
        assert seconds < 5, seconds
        assert any(name.startswith("_ZN12_GLOBAL__N_119says_one_type_twice") for name in functions(report))
        assert "sleep_in_short_name" in functions(report), "the other names are there"
        assert max(map(len, functions(report))) < 1000
        assert int(status(service.process.pid, "VmHWM")) < 64 * 1024


def children_undisturbed(arguments):
    """A supervisor that waits for any child, and counts SIGCHLD."""
    with Service([arguments.service, "--child"]) as service:
        service.wait_until("ready")
        report, _ = service.ask()
        assert any(name.endswith("service.cpp") for name in files(report)), notes(report)
        service.process.stdin.write(b"how many\n")
        service.process.stdin.flush()
        assert service.wait_until("children") == "children 0"
        assert not any("unknown" in line for line in service.said), service.said


def helper_stopped(arguments):
    """What reads debug information hangs: the deadline is kept within a second, and the next report has the names."""
    with Service([arguments.service, "--deadline", "2"]) as service:
        service.wait_until("ready")
        report, _ = service.ask(meanwhile=lambda: os.kill(_wait_for_helper(service), signal.SIGSTOP))
        assert 1.3 < report["cost"]["total_seconds"] < 3, report["cost"]
        assert "time for the report was over" in notes(report), notes(report)
        report, _ = service.ask()
        assert any(name.endswith("service.cpp") for name in files(report)), notes(report)
        assert _helper_of(service) == 0


def helper_killed(arguments):
    """Again and again, as the kernel does when memory is short: there is a report each time."""
    with Service([arguments.service]) as service:
        service.wait_until("ready")

        def kill():
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                helper = _helper_of(service)
                if helper:
                    try:
                        os.kill(helper, signal.SIGKILL)
                    except ProcessLookupError:
                        pass

        report, _ = service.ask(meanwhile=kill)
        assert "SIGKILL" in notes(report), notes(report)
        assert "sleep_in_short_name" in functions(report), "names from the symbol table"
        service.assert_lives()


def _refused(arguments, call, error, words):
    """The true reason once, and names from the symbol table."""
    with Service([arguments.service, "--refuse", f"{call}={error}"]) as service:
        service.wait_until("ready")
        if any(line.startswith("no filter") for line in service.said):
            raise Skip("the kernel has no filters: " + service.said[0])
        for _ in range(2):
            report, _ = service.ask()
            assert notes(report).count("can't be started") == (1 if words else 0), notes(report)
            assert words in notes(report), notes(report)
            assert "sleep_in_short_name" in functions(report)
        if not words:
            assert any(name.endswith("service.cpp") for name in files(report)), notes(report)


def memfd_refused(arguments):
    _refused(arguments, "memfd_create", 1, "(memfd_create: Operation not permitted)")
    _refused(arguments, "memfd_create", 38, "(memfd_create: Function not implemented)")


def clone_refused(arguments):
    _refused(arguments, "clone", 1, "(clone: Operation not permitted)")
    _refused(arguments, "clone", 38, "(clone: Function not implemented)")


def execveat_refused(arguments):
    """There is another way."""
    _refused(arguments, "execveat", 1, "")
    _refused(arguments, "execveat", 38, "")


def socketpair_refused(arguments):
    _refused(arguments, "socketpair", 1, "(socketpair: Operation not permitted)")


def _held_lock(arguments, lock):
    """The reporter waits for no lock that a stuck thread can hold."""
    with tempfile.TemporaryDirectory(prefix="gmr-faults-") as directory:
        with Service([arguments.held_locks, lock, directory]) as service:
            service.wait_until("ready")
            for _ in range(2):
                _, seconds = service.ask()
                assert seconds < 5, seconds
            service.assert_lives()


_ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}


def lock_of_malloc_in_one_arena(arguments):
    """Nobody can allocate any more: the watchdog writes the raw report, each time, and nothing ends."""
    with tempfile.TemporaryDirectory(prefix="gmr-faults-") as directory:
        with Service([arguments.held_locks, "malloc", directory], environment=_ONE_ARENA) as service:
            service.wait_until("ready")
            for _ in range(2):
                report, seconds = service.ask()
                assert 2.9 < seconds < 5, seconds
                assert report["cause"] == "signal SIGUSR2", report["cause"]
                assert any("raw report" in note for note in report["notes"]), report["notes"]
                _validate(arguments, report)
                tasks = {int(task.name) for task in pathlib.Path(f"/proc/{service.process.pid}/task").iterdir()}
                assert {thread["id"] for thread in report["threads"]} == tasks
                for thread in report["threads"]:
                    assert len(thread["frames"]) > 2, thread
                    assert all(frame["module"] and frame["offset"] for frame in thread["frames"]), thread
                names = {thread["name"] for thread in report["threads"]}
                assert {"gmr-reporter", "gmr-watchdog"} <= names, names
                assert all(module["build_id"] for module in report["modules"] if "held_locks" in module["path"])
                kinds = {group["kind"]: group for group in report["green_threads"]["groups"]}
                assert len(kinds["fiber"]["frames"]) > 1, kinds
                assert any("wait_in_a_coroutine" in frame["function"] for frame in kinds["coroutine"]["frames"]), kinds
                _assert_offsets_lead_to(arguments.held_locks, report, "held_locks.cpp")
            service.assert_lives()
        with Service([arguments.held_locks, "malloc", directory, "text"], environment=_ONE_ARENA) as service:
            service.wait_until("ready")
            text, _ = service.ask_for_text()
            assert "Cause:   signal SIGUSR2\n" in text and "(raw)\n" in text, text[:1000]
            assert "gmr-watchdog: running, writes this report" in text, text
            assert "held_locks+0x" in text and "libc.so.6+0x" in text and "build id" in text, text
            assert "1 fiber suspended" in text and "wait_in_a_coroutine" in text, text
            service.assert_lives()


def _validate(arguments, report):
    if not arguments.schema:
        return
    import jsonschema
    jsonschema.validate(report, json.loads(pathlib.Path(arguments.schema).read_text()))


def _assert_offsets_lead_to(program, report, file):
    """The offsets of the main thread's stack are those of its functions, as addr2line has them."""
    main = next(thread for thread in report["threads"] if thread["id"] == min(t["id"] for t in report["threads"]))
    offsets = [frame["offset"] for frame in main["frames"] if frame["module"].endswith(pathlib.Path(program).name)]
    names = subprocess.run(["addr2line", "-f", "-C", "-i", "-e", program, *offsets], check=True, capture_output=True,
                           text=True).stdout
    assert file in names and "main" in names, (offsets, names)


def descriptors_closed(arguments):
    """A daemon's loop closes the reporter's, and its own files have the numbers: reports come, nothing is touched."""
    with tempfile.TemporaryDirectory(prefix="gmr-faults-") as directory:
        data = pathlib.Path(directory) / "data"
        data.write_bytes(bytes(4096))
        with Service([arguments.service, "--close-descriptors", str(data)]) as service:
            service.wait_until("ready")
            for _ in range(2):
                report, _ = service.ask()
                assert "sleep_in_short_name" in functions(report), notes(report)
            service.process.stdin.write(b"make\n")
            service.process.stdin.flush()
            service.wait_until("number 3")
            used = _processor_seconds(service)
            time.sleep(1)
            assert _processor_seconds(service) - used < 0.2, "the reporter spins"
            service.process.stdin.close()
            service.wait_until("untouched 61")
            assert service.process.wait(10) == 0
        assert data.read_bytes() == bytes(4096)


def _processor_seconds(service):
    fields = pathlib.Path(f"/proc/{service.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def deadline_beside_busy_threads(arguments):
    """200 threads want the processors: the deadline is kept within a second."""
    with Service([arguments.service, "--deadline", "10", "--busy", "200"]) as service:
        service.wait_until("ready")
        for _ in range(2):
            report, seconds = service.ask(within=30)
            print(f"{seconds:.1f} s, {len(report['threads'])} threads;", notes(report)[:300])
            assert len(report["threads"]) > 200
            assert report["cost"]["total_seconds"] < 11, report["cost"]
            assert all(thread["frames"] for thread in report["threads"] if thread["capture"] == "ok"), notes(report)


for _lock in ("stream", "streams", "libraries", "time_zone", "time_zone_in_a_handler", "locale", "malloc"):
    globals()[f"lock_of_{_lock}"] = lambda arguments, lock=_lock: _held_lock(arguments, lock)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--service")
    parser.add_argument("--held-locks")
    parser.add_argument("--queue-server")
    parser.add_argument("--objcopy")
    parser.add_argument("--schema", help="that JSON reports are validated by")
    parser.add_argument("fault")
    arguments = parser.parse_args()
    try:
        globals()[arguments.fault](arguments)
    except Skip as skip:
        print(f"skipped: {skip}")
        return SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
