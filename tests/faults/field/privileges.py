#!/usr/bin/env python3
"""Reports of a service that has given up what it was started with, or was started in an unusual way.

privileges.py --service FILE NAME. Each function below without an underscore is one test. It fails by an assertion, and skips
(status 77) with a reason.
"""
import argparse
import os
import pathlib
import platform
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from asked_service import Service  # noqa: E402
from compare import FUNCTIONS, functions_of, problems_of, threads_by_name  # noqa: E402

SKIPPED = 77


class _Skip(Exception):
    pass


def _need_root():
    if os.geteuid() != 0:
        raise _Skip("needs root")


def _reports_of(command, prepare=None, find=None):
    with Service([str(each) for each in command]) as service:
        service.wait_until("ready")
        problems = [line for line in service.said if line.startswith("can't")]
        if problems:
            raise _Skip(problems[0])
        if prepare:
            prepare()
        if find:
            service.asked = find(service.process.pid)
        service.wait_until_asleep("locks-one", "locks-other", "sleeps", "reads", "waits")
        reports = [service.ask()[0] for _ in range(2)]
        service.assert_lives()
        service.process.kill()
        rest = service.process.stdout.read().decode()
        assert "took signal" not in rest, rest
        return reports


def _assert_whole(arguments, command, prepare=None, find=None, with_files=True):
    """Stacks, waits and the deadlock are there, and nothing is said that is not so."""
    whole = _reports_of([arguments.service])[1]
    for report in _reports_of(command, prepare, find):
        problems = list(problems_of(report, whole, steady=("limits", "children", "threads")))
        assert not problems, "\n".join(problems)
        assert any(finding["kind"] == "deadlock" for finding in report["findings"]), report["notes"]
        threads = threads_by_name(report)
        assert threads.keys() == FUNCTIONS.keys(), threads.keys()
        for name in ("locks-one", "locks-other", "sleeps", "reads", "waits"):
            assert threads[name]["capture"] == "ok", threads[name]
            assert threads[name]["waits_for"], threads[name]
            assert any(FUNCTIONS[name] in function for function in functions_of(threads[name])), threads[name]
        files = {frame.get("file") for thread in threads.values() for frame in thread["frames"] or ()}
        assert not with_files or any(file and file.endswith("service.cpp") for file in files), (files, report["notes"])
    return report


def root_given_up(arguments):
    _need_root()
    _assert_whole(arguments, [arguments.service, "--setuid"])


def root_given_up_before(arguments):
    _need_root()
    _assert_whole(arguments, [arguments.service, "--setuid", "--before"])


def not_dumpable(arguments):
    _need_root()
    _assert_whole(arguments, [arguments.service, "--setuid", "--not-dumpable"])


def chroot(arguments):
    """/proc is what was opened before; what reads debug information needs a dynamic linker, and there is none."""
    _need_root()
    with tempfile.TemporaryDirectory() as folder:
        report = _assert_whole(arguments, [arguments.service, "--chroot", folder], with_files=False)
        assert sum("can't be started (execve" in note for note in report["notes"]) == 1, report["notes"]


def chroot_and_root_given_up(arguments):
    _need_root()
    with tempfile.TemporaryDirectory() as folder:
        _assert_whole(arguments, [arguments.service, "--chroot", folder, "--setuid"], with_files=False)


def _only_child(process):
    for _ in range(500):
        children = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.01)
    raise AssertionError("no child")


def other_pid_namespace(arguments):
    """/proc numbers threads in another way than system calls do."""
    _need_root()
    if not shutil.which("unshare"):
        raise _Skip("needs unshare")
    report = _assert_whole(arguments, ["unshare", "--pid", "--fork", "--kill-child", arguments.service], find=_only_child)
    assert report["process"]["pid"] == 1, report["process"]
    assert report["process"]["parent"]["name"] is None, report["process"]


def executable_that_may_not_be_read(arguments):
    _need_root()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        program = pathlib.Path(folder) / "service"
        shutil.copy(arguments.service, program)
        os.chmod(program, 0o711)
        setpriv = shutil.which("setpriv")
        if not setpriv:
            raise _Skip("needs setpriv")
        report = _assert_whole(arguments, [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", program],
                               with_files=False)
        assert "replaced" not in str(report), report["notes"]


def deleted_executable(arguments):
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "service"
        shutil.copy(arguments.service, program)
        _assert_whole(arguments, [program], prepare=program.unlink)


def started_through_the_loader(arguments):
    """/proc/self/exe is the loader then."""
    loader = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}.get(platform.machine())
    if not loader or not os.path.exists(loader):
        raise _Skip(f"no loader {loader}")
    report = _assert_whole(arguments, [loader, arguments.service])
    name = pathlib.Path(arguments.service).name
    assert report["process"]["executable"].endswith(name), report["process"]["executable"]
    assert any(module["path"].endswith(name) for module in report["modules"]), report["modules"]
    assert "replaced" not in str(report["notes"]), report["notes"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--service", required=True)
    parser.add_argument("test")
    arguments = parser.parse_args()
    try:
        globals()[arguments.test](arguments)
    except _Skip as skip:
        print(f"skipped: {skip}")
        return SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
