#!/usr/bin/env python3
"""The examples in the documents are those that tests build, and the scripts that they start can be started."""
import os
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
service = (root / "tests/consumer/orders/orders.cpp").read_text()
if f"```cpp\n{service}```" not in (root / "README.md").read_text():
    sys.exit("README.md does not show tests/consumer/orders/orders.cpp as it is")

if len([line for line in service.splitlines() if line.strip()]) > 30:
    sys.exit("the service of README.md has grown beyond 30 lines")

test = (root / "tests/unit/hook/foreign_scheduler_test.cpp").read_text()
example = test.split("// [example]\n")[1].strip("\n")
if f"```cpp\n{example}\n```" not in (root / "docs/tracing.md").read_text():
    sys.exit("docs/tracing.md does not show the scheduler of foreign_scheduler_test.cpp as it is")
if len(example.splitlines()) >= 60:
    sys.exit("the scheduler of docs/tracing.md has grown to 60 lines")

for page in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.S):
        for script in re.findall(r"^((?:[\w.-]+/)+[\w.-]+\.(?:sh|py))\b", block, re.M):
            if not os.access(root / script, os.X_OK):
                sys.exit(f"{page.relative_to(root)} starts {script}, which is no file that can be started")
