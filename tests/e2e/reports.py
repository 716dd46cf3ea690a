"""Reports of a running queue-server: asking for them, waiting for them, reading them."""
import json
import os
import pathlib
import signal
import time

BEGIN = "Guru Meditation"
END = "End of Guru Meditation"
# For what must be in a report although the machine is busy.
PATIENT = ("--oslo_reports.deadline_seconds=60", "--oslo_reports.section_seconds=20")


def wait_for(condition, what, seconds=60):
    """The first true value of condition(); fails with what() after that many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")


def texts(stderr):
    """The complete text reports in what a server wrote to its standard error."""
    whole = []
    current = None
    for line in stderr.splitlines():
        if END in line:
            if current is None:
                raise AssertionError("a closing banner without an opening one:\n" + stderr)
            whole.append("\n".join(current + [line]))
            current = None
        elif BEGIN in line:
            if current is not None:
                raise AssertionError("a report begins within a report:\n" + stderr)
            current = [line]
        elif current is not None:
            current.append(line)
    return whole


def jsons(stderr):
    """The JSON reports: one line each, among what else the server says."""
    return [json.loads(line) for line in stderr.splitlines() if line.startswith("{") and line.endswith("}")]


def settled(server):
    """All reports that were begun are whole."""
    content = server.stderr()
    return content.endswith("\n") and content.count(END) * 2 == content.count(BEGIN)


def ask(server, count=1, read=texts):
    """Sends SIGUSR2, or touches the trigger file, and returns the next report once it is complete."""
    before = len(read(server.stderr()))
    if server.trigger_file:
        server.trigger_file.touch()
    else:
        server.process.send_signal(signal.SIGUSR2)
    return wait_for(lambda: read(server.stderr())[before:before + count], server.stderr)[0]


def blocked_threads(server):
    """The threads whose stack shows the endpoint that blocks them. For reports in JSON."""
    return [thread["id"] for thread in ask(server, read=jsons)["threads"]
            if any("block" in (frame["function"] or "") for frame in thread["frames"])]


def tids(pid):
    return {int(entry) for entry in os.listdir(f"/proc/{pid}/task")}


def open_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_kilobytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def frames_of_groups(report):
    """Pairs of a group and the list of its frames as 'function file:line'."""
    for group in report["green_threads"]["groups"]:
        yield group, [f"{f['function']} {f['file']}:{f['line']}" for f in group["frames"]]
