#!/usr/bin/env python3
"""Who may call what: functions that wait for locks of the C library, or that one room keeps for all, are called there only.

check_calls.py [ROOT]             prints the calls that are where they must not be, and fails if there are any.
check_calls.py --expect ROOT      fails unless exactly the lines marked `// found` are such calls.
"""
import pathlib
import re
import sys

SOURCES = {".hpp", ".cpp", ".h", ".c"}
FOLDERS = ["lib/src", "lib/preload", "lib/include"]
ALLOWED = "lib/src/os"  # the ground floor calls them for all others

# Names, and what to use instead.
RULES = [
    ("process_vm_readv process_vm_writev",
     "os/memory.hpp reads memory, also where this call is refused"),
    ("open open64 openat openat64 openat2 creat opendir fopen fopen64 fdopen freopen popen mkstemp mkostemp",
     "os/files.hpp opens files, also where no descriptor is left"),
    ("pthread_atfork __register_atfork", "os/fork.hpp has one list for it"),
    ("dl_iterate_phdr", "os/modules.hpp knows what is loaded; the call waits for the loader's lock"),
    ("gmtime gmtime_r localtime localtime_r mktime timegm tzset strftime asctime asctime_r ctime ctime_r",
     "text/times.hpp has the calendar; the call waits for the time zone's lock"),
    ("getpwnam getpwnam_r getpwuid getpwuid_r getpwent getpwent_r fgetpwent fgetpwent_r getgrnam getgrnam_r getgrgid "
     "getgrgid_r", "os/users.hpp finds users; the call may hang in a directory service"),
    ("strerror strerror_r strerror_l strsignal perror",
     "os/errors.hpp and os/signals.hpp have the words; the call looks for a translation under a lock"),
]
ADVICE = {name: advice for names, advice in RULES for name in names.split()}
# What is not a call by its name.
PATTERNS = [
    (re.compile(r"\bSYS_(process_vm_readv|process_vm_writev|open|openat|openat2|creat)\b"), ADVICE["process_vm_readv"]),
    (re.compile(r"\bstd::(basic_)?(i|o)?fstream\b"), ADVICE["open"]),
    (re.compile(r"\b(recursive_)?directory_iterator\b"), ADVICE["open"]),
    (re.compile(r"\b(generic|system)_category\(\)\.message\b"), ADVICE["strerror"]),
    (re.compile(r"\b(code\(\)|error|error_code|failed|problem)\.message\(\)"), ADVICE["strerror"]),
]
CALL = re.compile(r"(?P<before>[^\s]?)\s*(?P<scope>(?:\w+\s*)?::\s*)?(?<!\w)(?P<name>%s)\s*\(" % "|".join(ADVICE))
# What may stand before a call; any other word is the type in a declaration.
KEYWORDS = {"return", "co_return", "co_await", "co_yield", "throw", "else", "do", "case", "and", "or", "not"}


def without_comments(text):
    """Comments and texts are blanked out; lines stay where they are."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
    return token.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def is_call(text, match):
    scope = (match["scope"] or "").strip()
    if scope not in ("", "::", "std::"):
        return False  # a function of somebody's class or namespace
    before = text[:match.start("scope") if match["scope"] else match.start("name")].rstrip()
    if before.endswith((".", "->")):
        return False  # a member
    word = re.search(r"(\w+)$", before)
    if word is not None:
        return word[1] in KEYWORDS
    return bool(scope) or not before.endswith(("*", "&", ">")) or before.endswith(("&&", "->"))


def calls_in(text):
    """Line numbers and advice."""
    code = without_comments(text)
    found = []
    for match in CALL.finditer(code):
        if is_call(code, match):
            found.append((code.count("\n", 0, match.start("name")) + 1, match["name"], ADVICE[match["name"]]))
    for pattern, advice in PATTERNS:
        for match in pattern.finditer(code):
            found.append((code.count("\n", 0, match.start()) + 1, match[0], advice))
    return sorted(found)


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SOURCES and root / ALLOWED not in path.parents:
                yield path


def expected(root):
    wrong = []
    for path in sources(root):
        text = path.read_text()
        marked = {number for number, line in enumerate(text.split("\n"), 1) if line.endswith("// found")}
        seen = {line for line, _, _ in calls_in(text)}
        wrong += [f"{path}:{line}: {'not found' if line in marked else 'found'}" for line in sorted(marked ^ seen)]
        if not marked:
            wrong.append(f"{path}: nothing is marked here")
    return wrong or ([] if list(sources(root)) else [f"{root}: no sources"])


def main():
    arguments = sys.argv[1:]
    expect = arguments[:1] == ["--expect"]
    root = pathlib.Path((arguments[1:] if expect else arguments or ["."])[0]).resolve()
    if expect:
        wrong = expected(root)
    else:
        wrong = [f"{path.relative_to(root)}:{line}: '{name}': {advice}"
                 for path in sources(root) for line, name, advice in calls_in(path.read_text())]
    print("\n".join(wrong) or "calls: ok")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
