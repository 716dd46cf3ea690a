#!/usr/bin/env python3
"""A program of pkg-config's flags, linked in every way: all is traced, and what is not is said."""
import contextlib
import shutil
import subprocess
import sys
import unittest

from common import CXX, SMALL, SOURCE, Consumer, run


class Links(Consumer):
    def object(self, name, module):
        """The file of small/ compiled for that module of pkg-config's, once."""
        compiled = self.work / f"{name}-{module}.o"
        if not compiled.exists():
            run(CXX, "-std=c++20", "-O0", "-g1", "-c", SMALL / f"{name}.cpp", "-o", compiled, *self.flags("--cflags", module))
        return compiled

    def link(self, name, *flags, main="gmr", coroutine="coroutine", module="gmr-trace"):
        """A program of small/. Where units need no tracing, one object file serves all tests."""
        program = self.work / name
        run(CXX, self.object("main", main), self.object(coroutine, module), self.object("fiber", "gmr"), "-o", program,
            *flags)
        return program

    def test_shared(self):
        self.check_all_is_traced(self.report_of(self.link("shared", *self.flags("--libs", "gmr-trace"))))

    @contextlib.contextmanager
    def where_a_static_libdw_links(self):
        """Debian 13's libdw.a calls functions of elfutils' own that no library has."""
        try:
            yield
        except AssertionError as error:
            if "undefined reference to `eu_search_tree_init'" not in str(error):
                raise
            self.skipTest("this system's libdw.a can't be linked by anybody: it lacks eu_search_tree_init of elfutils")

    def test_static(self):
        for kind in "-static", "-static-pie":
            with self.subTest(kind):
                with self.where_a_static_libdw_links():
                    program = self.link(f"all{kind}", kind, *self.flags("--static", "--libs", "gmr-trace"))
                self.assertNotIn("INTERP", run("readelf", "-lW", program))
                self.check_all_is_traced(self.report_of(program))

    def test_static_by_cmake(self):
        objects = self.object("main", "gmr"), self.object("coroutine", "gmr-trace"), self.object("fiber", "gmr")
        folder, _ = self.configure("static", "by-cmake", f"-DOBJECTS={';'.join(map(str, objects))}")
        with self.where_a_static_libdw_links():
            self.build(folder, "small")
        self.assertNotIn("INTERP", run("readelf", "-lW", folder / "small"))
        self.check_all_is_traced(self.report_of(folder / "small"))

    def test_flags_of_static_programs_in_a_shared_one(self):
        program = self.link("shared-after-all", *self.flags("--static", "--libs", "gmr-trace"))
        self.assertIn("libboost_context.so", run("readelf", "-dW", program))
        self.check_all_is_traced(self.report_of(program))

    def test_static_context_in_a_shared_program(self):
        program = self.link("static-context", *self.flags("--libs", "gmr-trace-static"))
        needed = run("readelf", "-dW", program)
        self.assertNotIn("libboost_context.so", needed)
        self.assertIn("libc.so", needed)
        self.check_all_is_traced(self.report_of(program))

    def test_gdb_sees_a_stripped_program(self):
        if shutil.which("gdb") is None:
            self.skipTest("gdb is not installed")
        program = self.link("stripped", "-s", *self.flags("--libs", "gmr-trace"))
        with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as waiting:
            try:
                waiting.stdout.readline()  # it has all that there is to see
                said = run("gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-p", str(waiting.pid),
                           "-x", SOURCE / "lib/gdb/gmr-gdb.py", "-x", SOURCE / "tests/gdb/dump.py")
            finally:
                waiting.kill()
        if "ptrace: Operation not permitted" in said:
            self.skipTest("this machine does not let gdb attach to processes (ptrace: Operation not permitted)")
        self.assertRegex(said, "GREEN .*coroutine")
        self.assertRegex(said, "GREEN .*fiber")

    def test_operations(self):
        module = "gmr-trace-ops"
        program = self.link("operations", *self.flags("--libs", module), main=module, module=module)
        report = self.report_of(program)
        self.check_all_is_traced(report)
        self.assertEqual(1, report["green_threads"]["event_loops"][0]["pending"])

    def test_settings_of_asio_that_the_library_does_not_have(self):
        """Asio's types are others with these: the linker says what to do."""
        uring = "-DBOOST_ASIO_HAS_IO_URING -DBOOST_ASIO_DISABLE_EPOLL"
        for settings, need in (("-DBOOST_ASIO_DISABLE_THREADS", "gmr_has_to_be_built_with_BOOST_ASIO_DISABLE_THREADS"),
                               ("-DBOOST_ASIO_DISABLE_EPOLL", "gmr_has_to_be_built_with_BOOST_ASIO_DISABLE_EPOLL"),
                               (uring, "gmr_has_to_be_built_with_BOOST_ASIO_HAS_IO_URING_and_BOOST_ASIO_DISABLE_EPOLL")):
            with self.subTest(settings):
                unit = self.work / "unit.cpp"
                # Not all of Asio: io_uring needs headers that a system may not have.
                unit.write_text("#include <gmr/detail/hook/asio_units.hpp>\nint main() {}\n")
                with self.assertRaises(AssertionError) as refused:
                    run(CXX, "-std=c++20", unit, "-o", self.work / "unit", *settings.split(),
                        *self.flags("--cflags", "--libs", "gmr"))
                self.assertIn(f"undefined reference to `{need}'", str(refused.exception))

    def test_coroutines_without_tracing_are_said(self):
        for strip in [], ["-s"]:
            with self.subTest(strip=strip):
                program = self.link("untraced", *strip, *self.flags("--libs", "gmr"), "-lboost_context", module="gmr")
                findings = self.report_of(program)["findings"]
                self.assertEqual(["tracing_inactive"], [each["kind"] for each in findings])
                self.assertIn(f"coroutines are not traced: {program} has", findings[0]["text"])

    def test_nothing_is_said_without_coroutines(self):
        program = self.link("none", *self.flags("--libs", "gmr"), "-lboost_context", coroutine="none", module="gmr")
        self.assertEqual([], self.report_of(program)["findings"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
