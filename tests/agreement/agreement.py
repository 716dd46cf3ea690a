"""Our stacks of a process's blocked threads against gdb's, frame by frame."""
import functools
import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import reports  # noqa: E402  (needs the path above)

SYSCALL_BYTES = 2  # the length of the instruction
# What every cancellable call of glibc goes through since 2.41, on its way into the kernel.
WAY_INTO_KERNEL = ("__syscall_cancel_arch", "__internal_syscall_cancel", "__syscall_cancel")


def all_sleep(pid):
    """Every thread but the reporter's is blocked in the kernel."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name, _, rest = (task / "stat").read_text().rpartition(")")
        if "(gmr" not in name and rest.split()[0] != "S":
            return False
    return True


def gdb_stacks(pid):
    # Not here: gdb looks for sources below its working directory too, which may not be where they were compiled.
    done = subprocess.run(["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off",
                           "-iex", "set backtrace past-main on", "-p", str(pid),
                           "-x", HERE / "gdb_stacks.py"],
                          cwd="/", text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    line = next((line for line in done.stdout.splitlines() if line.startswith("STACKS ")), None)
    if line is None:
        raise AssertionError(f"gdb gave no stacks:\n{done.stdout}\n{done.stderr}")
    return {int(tid): frames for tid, frames in json.loads(line[len("STACKS "):]).items()}


def report_and_stacks(process, read_errors):
    """Our report and gdb's stacks of the same moment: nothing moves in between."""
    reports.wait_for(lambda: all_sleep(process.pid), "a thread did not park")
    before = len(reports.jsons(read_errors()))
    process.send_signal(signal.SIGUSR2)
    report = reports.wait_for(lambda: reports.jsons(read_errors())[before:], "no report")[0]
    return report, gdb_stacks(process.pid)


@functools.lru_cache(maxsize=None)
def demangled(function):
    """gdb 13 cannot read the names of some generic lambdas; binutils can."""
    if not function.startswith("_Z"):
        return function
    return subprocess.run(["c++filt", function], text=True, stdout=subprocess.PIPE, check=True).stdout.strip()


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


@functools.lru_cache(maxsize=None)
def line_of_instruction(module, offset):
    """As binutils have it."""
    said = subprocess.run(["addr2line", "-e", module, hex(offset)], text=True, stdout=subprocess.PIPE, check=True).stdout
    file, _, line = said.split(" (")[0].strip().rpartition(":")
    return os.path.realpath(file), line


def is_line_of_instruction(frame, exact):
    """Where several lines begin at one instruction gdb prefers one at which a statement begins: an argument's, of a call.
    The last of them is the instruction's own."""
    if not os.path.exists(frame["module"] or ""):
        return False
    offset = int(frame["offset"], 16) - (0 if exact else 1)
    return (os.path.realpath(frame["file"] or "?"), str(frame["line"])) == line_of_instruction(frame["module"], offset)


def shown(frame):
    text = f"{frame.get('function_full', frame['function'])} {frame['file']}:{frame['line']}"
    return f"{text} {frame['address']:#x}{' inlined' if frame['inlined'] else ''}"


def frame_differences(mine, other, innermost, exact):
    """`innermost`: of the frames at the innermost address, of which there are several when calls were inlined. `exact`:
    the address is where the thread is, not where a call returns to."""
    if other["signal"]:
        return  # the trampoline: its address is all that there is to compare
    if mine["function_full"] == "__start_context" and not other["function"]:
        return  # nobody called it, so it stands at its first instruction: gdb looks before that
    if base_name(mine["function_full"] or "") != base_name(demangled(other["function"])):
        yield "function"
    if mine["inlined"] != other["inlined"]:
        yield "inlined"
    if not other["file"]:
        return
    # Of a blocked thread we name the line of the system call. gdb names the line of the instruction after it, where
    # the thread will go on, even if that is another line.
    lines = [other["line"], other["line_before"]] if innermost else [other["line"]]
    wrong = []
    if mine["line"] not in lines:
        wrong.append("line")
    if os.path.realpath(mine["file"] or "?") != os.path.realpath(other["file"]):
        wrong.append("file")
    if wrong and not is_line_of_instruction(mine, exact):
        yield from wrong


def entry_frames(ours, gdbs):
    """How many of gdb's frames a report leaves out, to begin with the call that was made: those of the way into the
    kernel, and functions without a name where the debug information of the C library is not installed."""
    left_out = list(itertools.takewhile(lambda frame: frame["function"] in ("", *WAY_INTO_KERNEL), gdbs))
    count = len(left_out)
    begins_there = count < len(gdbs) and bool(ours) and ours[0]["address"] == gdbs[count]["address"]
    return count if begins_there or any(frame["function"] for frame in left_out) else 0


def differences(ours, gdbs, entered):
    """What differs between two stacks of one thread, frame by frame. `entered`: how many frames of gdb's were left out,
    which makes the first one of a function that has called."""
    if not ours:
        yield f"ours is empty; {shown(gdbs[0])}"
        return
    # A signal finds the thread before the call, which will begin again.
    rewound = SYSCALL_BYTES if ours[0]["address"] == gdbs[0]["address"] - SYSCALL_BYTES else 0
    interrupted = None  # the address at which a signal found the thread
    for index in range(max(len(ours), len(gdbs))):
        if index >= len(ours) or index >= len(gdbs):
            missing = "ours" if index >= len(ours) else "gdb's"
            yield f"#{index}: {missing} ends; {shown((gdbs if missing == 'ours' else ours)[index])}"
            return
        mine, other = ours[index], gdbs[index]
        innermost = not entered and mine["address"] == ours[0]["address"]
        if index > 0 and gdbs[index - 1]["signal"]:
            interrupted = mine["address"]
        exact = innermost or mine["address"] == interrupted
        if mine["address"] != other["address"] - (rewound if innermost else 0):
            yield f"#{index}: address {shown(mine)} | {shown(other)}"
            return
        for what in frame_differences(mine, other, innermost, exact):
            yield f"#{index}: {what} {shown(mine)} | {shown(other)}"


def without_null(gdbs):
    """Where nobody called the outermost function (makecontext()) gdb shows the 0 in place of a return address as a
    frame."""
    return [frame for frame in gdbs if frame["address"] != 0]


def without_gone_code(thread, notes, ours, gdbs, gone):
    """Both stacks up to the first frame in a module that is no longer loaded. Nothing can be known beyond: our report
    ends there and says so, gdb goes on guessing."""
    at = next((index for index, frame in enumerate(ours) if frame["module"] == gone), None)
    if at is None or at != len(ours) - 1:
        raise AssertionError(f"does not end where {gone} is gone: {thread}")
    if not any(note.startswith(f"thread {thread['id']}: ") and "no longer loaded" in note for note in notes):
        raise AssertionError(f"does not say that {gone} is gone: {notes}")
    if ours[at]["address"] != gdbs[at]["address"]:
        raise AssertionError(f"{shown(ours[at])} | {shown(gdbs[at])}")
    return ours[:at], gdbs[:at]


def without_unknown_part(thread, notes, ours, gdbs):
    """Both stacks as far as ours goes. A thread on memory that nobody knows as a stack gets no signal, which could
    overwrite what is there; only its sp and pc are known then, and what is found from them must be right. Where that
    is all of it, nothing is to be allowed for."""
    if thread["capture"] == "ok":
        return ours, gdbs
    if thread["capture"] != "not_signalled" or len(ours) < 2:
        raise AssertionError(f"{thread['capture']}, {len(ours)} frames")
    if len(ours) < len(gdbs) and not any(note.startswith(f"thread {thread['id']}: the ") for note in notes):
        raise AssertionError(f"does not say why it ends: {notes}")
    return ours, gdbs[:len(ours)]


def compare(report, stacks, gone=None):
    """How many frames were compared, and what differs. `gone`: the path of a library that was unloaded."""
    wrong = []
    compared = 0
    for thread in report["threads"]:
        if thread["name"].startswith("gmr"):
            continue  # at work while it reports
        ours, gdbs = thread["frames"], without_null(stacks[thread["id"]])
        for frame in ours:
            frame["address"] = int(frame["address"], 16) if isinstance(frame["address"], str) else frame["address"]
        entered = entry_frames(ours, gdbs)
        gdbs = gdbs[entered:]
        if thread["name"] == "unloaded":
            ours, gdbs = without_gone_code(thread, report["cost"]["notes"], ours, gdbs, gone)
        if thread["name"] == "foreign stack":
            ours, gdbs = without_unknown_part(thread, report["cost"]["notes"], ours, gdbs)
        wrong += [f"thread {thread['id']} ({thread['name']}, {thread['capture']}) {line}"
                  for line in differences(ours, gdbs, entered)]
        compared += len(gdbs)
    print(f"{compared} frames of {len(stacks)} threads compared, {len(wrong)} differences")
    return compared, wrong
