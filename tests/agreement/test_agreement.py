#!/usr/bin/env python3
"""Our stacks against gdb's, frame by frame, for threads that are blocked: PROGRAM PLUGIN."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import reports  # noqa: E402  (needs the path above)

PROGRAM, PLUGIN = sys.argv[1:3]


SYSCALL_BYTES = 2  # the length of the instruction


def all_sleep(pid):
    """Every thread but the reporter's is blocked in the kernel."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name, _, rest = (task / "stat").read_text().rpartition(")")
        if "(gmr" not in name and rest.split()[0] != "S":
            return False
    return True


def gdb_stacks(pid):
    done = subprocess.run(["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off",
                           "-iex", "set backtrace past-main on", "-p", str(pid),
                           "-x", HERE / "gdb_stacks.py"], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    line = next((line for line in done.stdout.splitlines() if line.startswith("STACKS ")), None)
    if line is None:
        raise AssertionError(f"gdb gave no stacks:\n{done.stdout}\n{done.stderr}")
    return {int(tid): frames for tid, frames in json.loads(line[len("STACKS "):]).items()}


def base_name(function):
    """The innermost name: without parameters, template arguments and scopes, which the two spell differently."""
    name = re.sub(r"\{lambda.*?\}|<lambda.*?>|\(anonymous namespace\)|\[abi:\w+\]|\[clone [^\]]*\]", "L", function)
    while True:
        shorter = re.sub(r"<[^<>]*>|\([^()]*\)", "", name)
        if shorter == name:
            break
        name = shorter
    name = re.sub(r"\s(const|volatile|&|&&|noexcept)+$", "", name.strip())
    return name.split("::")[-1].split(" ")[-1]


def rewound(ours, gdbs):
    return ours[0]["address"] == gdbs[0]["address"] - SYSCALL_BYTES


def differences(ours, gdbs):
    """What differs between two stacks of one thread, frame by frame."""
    if not ours:
        yield f"ours is empty; {gdbs[0]}"
        return
    for index in range(max(len(ours), len(gdbs))):
        if index >= len(ours) or index >= len(gdbs):
            missing = "ours" if index >= len(ours) else "gdb's"
            yield f"#{index}: {missing} ends; {(gdbs if missing == 'ours' else ours)[index]}"
            return
        mine, other = ours[index], gdbs[index]
        # Of a blocked thread we name the line of the system call. gdb names the line after it, to which the
        # kernel will return; a signal finds the thread before the call, which will begin again.
        in_call = ours[index]["address"] == ours[0]["address"]
        if mine["address"] != other["address"] - (SYSCALL_BYTES if in_call and rewound(ours, gdbs) else 0):
            yield f"#{index}: address {mine} | {other}"
            return
        if other["signal"] or not other["file"]:
            continue  # gdb knows only the nearest symbol here, if any: the address is what can be compared
        for key in ("line", "inlined"):
            if mine[key] != other[key] and not (in_call and key == "line"):
                yield f"#{index}: {key} {mine} | {other}"
        if os.path.realpath(mine["file"] or "?") != os.path.realpath(other["file"]):
            yield f"#{index}: file {mine} | {other}"
        if base_name(mine["function_full"] or "") != base_name(other["function"]):
            yield f"#{index}: function {mine} | {other}"


class Agreement(unittest.TestCase):
    def test_frame_by_frame(self):
        with tempfile.TemporaryFile("a+") as stderr:  # appended to: reading moves its position
            process = subprocess.Popen([PROGRAM, PLUGIN], stdout=subprocess.PIPE, stderr=stderr, text=True)
            try:
                self.assertEqual("parked\n", process.stdout.readline())
                reports.wait_for(lambda: all_sleep(process.pid), "a thread did not park")
                process.send_signal(signal.SIGUSR2)

                def answered():
                    stderr.seek(0)
                    return reports.jsons(stderr.read())
                report = reports.wait_for(answered, "no report")[0]
                stacks = gdb_stacks(process.pid)
            finally:
                process.kill()
                process.wait()
                process.stdout.close()
        self.compare(report, stacks)

    def compare(self, report, stacks):
        wrong = []
        compared = 0
        for thread in report["threads"]:
            if thread["name"].startswith("gmr"):
                continue  # at work while it reports
            for frame in thread["frames"]:
                frame["address"] = int(frame["address"], 16) if isinstance(frame["address"], str) else frame["address"]
            found = list(differences(thread["frames"], stacks[thread["id"]]))
            wrong += [f"thread {thread['id']} ({thread['name']}, {thread['capture']}) {line}" for line in found]
            compared += len(stacks[thread["id"]])
        print(f"{compared} frames of {len(stacks)} threads compared, {len(wrong)} differences")
        self.assertGreater(compared, 60)
        self.assertEqual([], wrong, "\n" + "\n".join(wrong))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
