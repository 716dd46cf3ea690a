#!/usr/bin/env python3
"""The examples in the documents are those that tests build."""
import pathlib
import sys

root = pathlib.Path(sys.argv[1])
service = (root / "tests/consumer/orders/orders.cpp").read_text()
if f"```cpp\n{service}```" not in (root / "README.md").read_text():
    sys.exit("README.md does not show tests/consumer/orders/orders.cpp as it is")

test = (root / "tests/unit/trace/foreign_scheduler_test.cpp").read_text()
example = test.split("// [example]\n")[1].strip("\n")
if f"```cpp\n{example}\n```" not in (root / "docs/tracing.md").read_text():
    sys.exit("docs/tracing.md does not show the scheduler of foreign_scheduler_test.cpp as it is")
if len(example.splitlines()) >= 60:
    sys.exit("the scheduler of docs/tracing.md has grown to 60 lines")
