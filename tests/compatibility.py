#!/usr/bin/python3
"""The table of docs/compatibility.md, made from logs of tests.

  compatibility.py test BUILD   runs the tests of each column in that build tree, and prints the log: what was tested with what,
                                each command, and what it said. Kept as docs/compatibility/SYSTEM-BOOST-COMPILER.log.
  compatibility.py page         prints the page that those logs make.

For a system that is not this one, in a tree that tests/run.sh has built there:
  tests/distribution.sh trixie --boost 1.83 tests/compatibility.py test build/release >docs/compatibility/trixie-1.83-gcc.log
"""
import argparse
import pathlib
import platform
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGS = ROOT / "docs/compatibility"

# What is tested in each column: arguments of ctest. Labels are the names of the test programs.
COLUMNS = {
    "threads": ["-L ^(capture|unwinder|symbolizer|modules|hazards)_test$", "-R ^agreement\\."],
    "fibers, shared Boost.Context": ["-L ^fiber_ -LE ^fiber_static"],
    "fibers, static": ["-L ^fiber_static"],
    "coroutines": ["-L ^coroutine_"],
    "all against the truth": ["-R ^truth\\."],
    "`trace_ops`": ["-L ^operations_test$"],
    "preload": ["-R ^preload\\."],
    "gdb": ["-R ^gdb\\."],
    "installed, and used": ["-R ^consumer\\."],
}
HEAD = ("system", "Boost", "compiler", "C library", "elfutils", "gdb")

# What nobody has tried, and the row that it is expected to be like by its versions.
UNTRIED = [
    ("Ubuntu 24.04", "1.83", "g++ 13", "glibc 2.39", "Debian 13 with Boost 1.83"),
    ("Ubuntu 26.04", "1.90", "g++ 15", "glibc 2.43", "Debian sid with Boost 1.90"),
    ("Fedora 40 to 43, RHEL 10", "1.83", "g++ 14, 15", "glibc 2.39 to 2.42", "Debian 13 with Boost 1.83"),
    ("Fedora 44, 45", "1.90", "g++ 16", "glibc 2.43", "Debian sid with Boost 1.90"),
    ("any, on arm64", "", "", "", "tests of the hook have run under emulation only"),
]

PAGE = """# What gmr works with

Made by [tests/compatibility.py](../tests/compatibility.py) from [logs](compatibility/) of tests: a cell is how many tests passed, the
command is below. Boosts between those are expected to work; later ones are tried when CMake configures.

{table}

{untried}

In a tree that `tests/run.sh` has built (in another system: by `tests/distribution.sh`), the columns are

| column | command |
| --- | --- |
{commands}
"""


def output(*command):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.strip()


def found(pattern, text, what):
    match = re.search(pattern, text, re.M)
    if not match:
        sys.exit(f"compatibility.py: no {what} in what should say it")
    return match.groups()


def one_file(build, pattern):
    files = sorted(build.glob(pattern))
    if not files:
        sys.exit(f"compatibility.py: {build} has no {pattern}: is it a configured build tree?")
    return files[-1].read_text()


def boost_of(build):
    config, = found(r"^Boost_DIR:PATH=(.*)", one_file(build, "CMakeCache.txt"), "Boost_DIR")
    version, = found(r"Boost-(\d+\.\d+)", config, "version of Boost")
    return version


def compiler_of(build):
    said = one_file(build, "CMakeFiles/*/CMakeCXXCompiler.cmake")
    name, = found(r'CMAKE_CXX_COMPILER_ID "(\w+)"', said, "compiler")
    version, = found(r'CMAKE_CXX_COMPILER_VERSION "([\d.]+)"', said, "version of the compiler")
    return f"{ {'GNU': 'g++', 'Clang': 'clang++'}.get(name, name) } {version}"


def versions(build):
    gdb = output("gdb", "--version").splitlines()[0]
    values = (platform.freedesktop_os_release()["PRETTY_NAME"], boost_of(build), compiler_of(build), " ".join(platform.libc_ver()),
              output("pkg-config", "--modversion", "libdw"), gdb.split()[-1])
    return dict(zip(HEAD, values, strict=True))


def command_of(build, arguments):
    words = [word if word.startswith("-") else shlex.quote(word) for word in arguments.split(" ")]
    return f"ctest --test-dir {build} {' '.join(words)}"


def test(build):
    """Prints the log. What fails is for the page to say."""
    for name, value in versions(build).items():
        print(f"{name}: {value}")
    print(f"commit: {output('git', '-C', str(ROOT), 'describe', '--always', '--dirty')}")
    for column, calls in COLUMNS.items():
        for arguments in calls:
            print(f"\n== {column}: {command_of('BUILD', arguments)}", flush=True)
            said = output("ctest", "--test-dir", str(build), "--output-on-failure", "--timeout", "600", "--parallel", "4", *arguments.split(" "))
            print(said.replace(str(ROOT), ".").replace(str(build.resolve()), "BUILD"), flush=True)


def results(log):
    """Of each column: how many tests passed, failed and were not run."""
    counts = {column: [0, 0, 0] for column in COLUMNS}
    for column, said in re.findall(r"^== (.*?): ctest .*\n((?:(?!== ).*\n?)*)", log, re.M):
        for outcome in re.findall(r"^\s*\d+/\d+ Test +#\d+: .*?\.\.+ *(Passed|\*\*\*\S+)", said, re.M):
            skipped = outcome in ("***Skipped", "***Not")
            counts[column][0 if outcome == "Passed" else 2 if skipped else 1] += 1
    return counts


def cell(passed, failed, skipped):
    if failed:
        return f"**{failed} of {passed + failed} fail**"
    if not passed:
        return "not tried"
    return f"{passed}" + (f" ({skipped} skipped)" if skipped else "")


def row(log_file):
    log = log_file.read_text()
    head = dict(line.split(": ", 1) for line in log.split("\n\n")[0].splitlines())
    cells = [head[name] for name in HEAD]
    cells[0] = f"[{cells[0]}](compatibility/{log_file.name})"
    return cells + [cell(*counts) for counts in results(log).values()]


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page():
    rows = [row(file) for file in sorted(LOGS.glob("*.log"))]
    if not rows:
        sys.exit(f"compatibility.py: there are no logs in {LOGS.relative_to(ROOT)}")
    return PAGE.format(
        table=table([*HEAD, *COLUMNS], rows),
        untried=table(["not tried", *HEAD[1:4], "expected to be like"], UNTRIED),
        # A | would end the cell.
        commands="\n".join(f"| {column} | {', '.join('`' + command_of('build/release', each).replace('|', chr(92) + '|') + '`' for each in calls)} |"
                           for column, calls in COLUMNS.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("test").add_argument("build", type=pathlib.Path)
    verbs.add_parser("page")
    arguments = parser.parse_args()
    if arguments.verb == "test":
        test(arguments.build)
    else:
        print(page(), end="")


if __name__ == "__main__":
    main()
