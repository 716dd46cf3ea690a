#!/usr/bin/env python3
"""Each header that users include compiles by itself, without a warning, whatever compiler and standard a program has."""
import concurrent.futures
import os
import subprocess
import unittest

from common import CXX, Consumer

OTHER = os.environ["GMR_OTHER_CXX"]
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wold-style-cast", "-Werror")


def said_of(compiler, *arguments, text):
    done = subprocess.run([compiler, *arguments, "-fsyntax-only", "-x", "c++", "-"], input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout if done.returncode != 0 or done.stdout else ""


class Headers(Consumer):
    def public(self):
        include = next(self.prefix.rglob("gmr/gmr.hpp")).parent
        for path in sorted(include.rglob("*.hpp")):
            name = path.relative_to(include)
            if name.parts[0] not in ("detail", "trace") or (name.parts[0] == "trace" and "shadow" not in name.parts):
                yield f"gmr/{name}"

    def check(self, compiler, standard, headers, *options):
        text = "".join(f"#include <{each}>\n" for each in headers)
        flags = self.flags("--cflags", "gmr")
        said = said_of(compiler, f"-std={standard}", *WARNINGS, *flags, *options, text=text)
        self.assertEqual("", said, f"{compiler} -std={standard}: {headers}")

    def test_each_alone(self):
        headers = list(self.public())
        self.assertIn("gmr/reporter.hpp", headers)
        self.assertNotIn("gmr/detail/language.hpp", headers)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = [pool.submit(self.check, CXX, "c++20", [each]) for each in headers]
            for each in done:
                each.result()

    def test_all_together_with_other_standards_and_compilers(self):
        headers = list(self.public())
        self.check(CXX, "c++23", headers)
        if OTHER:
            self.check(OTHER, "c++20", headers)
            self.check(OTHER, "c++23", headers)
        else:
            print("not compiled by another compiler: there is none", flush=True)



if __name__ == "__main__":
    unittest.main()
