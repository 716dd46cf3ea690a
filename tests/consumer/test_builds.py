#!/usr/bin/env python3
"""Programs compiled and linked in ways of their own, with a gmr that was built in the usual one."""
import os
import subprocess
import unittest

from common import CXX, HERE, SMALL, Consumer, run


class Builds(Consumer):
    def compiled(self, name, *options):
        """The small program with those options."""
        program = self.work / name
        run(CXX, "-std=c++20", "-g1", *options, SMALL / "main.cpp", SMALL / "coroutine.cpp", SMALL / "fiber.cpp", "-o", program,
            *self.flags("--cflags", "--libs", "gmr-trace"))
        return program

    def check_traced(self, program):
        self.check_all_is_traced(self.report_of(program))

    def test_link_time_optimisation(self):
        self.check_traced(self.compiled("lto", "-O2", "-flto"))

    def test_without_unique_symbols(self):
        program = self.compiled("not-unique", "-O2", "-fno-gnu-unique")
        self.check_traced(program)
        run("strip", program)
        self.check_traced(program)

    def test_thread_sanitizer(self):
        """The library, which is built without it, hands nothing over that looks like a race. (g++ warns of fences, which Asio has.)"""
        program = self.work / "sanitized"
        run(CXX, "-std=c++20", "-O1", "-g1", "-fsanitize=thread", *(["-Wno-tsan"] if "clang" not in CXX else []),
            HERE / "sanitized/main.cpp", "-o", program, *self.flags("--cflags", "--libs", "gmr-trace"))
        folder = self.work / "sanitized-reports"
        folder.mkdir()
        done = subprocess.run([program, folder], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=500, check=False, env={**os.environ, "TSAN_OPTIONS": ""})
        self.assertNotIn("WARNING: ThreadSanitizer", done.stderr)
        self.assertEqual((0, "done\n"), (done.returncode, done.stdout), done.stderr)

    def test_another_standard_library_is_refused_by_the_linker(self):
        unit = self.work / "unit.cpp"
        unit.write_text("#include <gmr/model/value.hpp>\nint main() {}\n")
        for setting, need in (("-D_GLIBCXX_DEBUG", "gmr_has_to_be_built_with__GLIBCXX_DEBUG"),
                              ("-D_GLIBCXX_USE_CXX11_ABI=0", "gmr_has_to_be_built_with__GLIBCXX_USE_CXX11_ABI_0")):
            with self.subTest(setting):
                with self.assertRaises(AssertionError) as refused:
                    run(CXX, "-std=c++20", setting, unit, "-o", self.work / "unit", *self.flags("--cflags", "--libs", "gmr"))
                self.assertIn(need, str(refused.exception))


if __name__ == "__main__":
    unittest.main()
