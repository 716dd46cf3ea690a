#!/usr/bin/env python3
"""Data flows one way: a stage of lib/ includes only itself and the stages before it.

The public headers that stand above all stages (gmr/gmr.hpp, gmr/reporter.hpp) may include any; none includes them but the
reporter, which is the source of the latter.
"""
import pathlib
import re
import sys

STAGES = ["text", "os", "model", "hook", "capture", "unwind", "symbolize", "analyse", "options", "facts",
          "section", "outline", "view", "read", "sink",
          "trigger", "socket", "reporter"]
INCLUDE = re.compile(r'^\s*#\s*include\s*["<](?:gmr/(?:detail/)?)?([a-z]+)/[^">]+[">]', re.M)
ABOVE = re.compile(r'^\s*#\s*include\s*["<](gmr/[a-z]+\.hpp)[">]', re.M)
SOURCES = {".hpp", ".cpp", ".h", ".S", ".c"}


def stage_of(path: pathlib.Path, root: pathlib.Path):
    """The stage a file belongs to, or None for what stands above all stages (gmr/gmr.hpp, gmr/reporter.hpp). What users don't
    call is of the same stages, in gmr/detail/."""
    for base in (root / "lib/src", root / "lib/include/gmr"):
        if base in path.parents:
            first = next((part for part in path.relative_to(base).parts if part != "detail"), None)
            return first if first in STAGES else None
    return None


def violations(root: pathlib.Path):
    for path in sorted((root / "lib").rglob("*")):
        stage = stage_of(path, root)
        if path.suffix not in SOURCES or stage is None:
            continue
        text = path.read_text()
        for included in ABOVE.findall(text) if stage != STAGES[-1] else ():
            yield f"{path.relative_to(root)}: stage '{stage}' includes {included}, which stands above the stages"
        for included in INCLUDE.findall(text):
            if included in STAGES and STAGES.index(included) > STAGES.index(stage):
                yield f"{path.relative_to(root)}: stage '{stage}' includes '{included}', which comes after it"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(violations(root))
    print("\n".join(found) or "include directions: ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
