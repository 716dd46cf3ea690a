#!/usr/bin/env python3
"""The service in README.md is the one that the consumer test builds."""
import pathlib
import sys

root = pathlib.Path(sys.argv[1])
service = (root / "tests/consumer/orders/orders.cpp").read_text()
if f"```cpp\n{service}```" not in (root / "README.md").read_text():
    sys.exit("README.md does not show tests/consumer/orders/orders.cpp as it is")
