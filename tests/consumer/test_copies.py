#!/usr/bin/env python3
"""Programs of several parts, each linked with the static library: every green thread is in every report once."""
import collections
import json
import os
import subprocess
import unittest

from common import CXX, HERE, Consumer, run

COPIES = HERE / "copies"
# Without STB_GNU_UNIQUE symbols, as with them nothing is ever unloaded.
COMPILE = ["-std=c++20", "-O1", "-g1", "-fPIC", "-fno-gnu-unique"]
# How a shared library may be linked.
LIBRARIES = {"plain": [], "symbolic": ["-Wl,-Bsymbolic"], "hidden": [f"-Wl,--version-script={COPIES}/only_part.map"],
             "static_context": []}


class Copies(Consumer):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, module in ("part", "gmr-trace"), ("host", "gmr-trace"), ("bare", None):
            cls.compile(name, f"{name}.o", *cls.flags_of("--cflags", module))
        cls.compile("host", "linked_host.o", "-DLINKED_PART", *cls.flags_of("--cflags", "gmr-trace"))
        for name, how in LIBRARIES.items():
            run(CXX, "-shared", cls.work / "part.o", "-o", cls.work / f"lib{name}.so", *how, "-Wl,-z,defs",
                *cls.flags_of("--libs", "gmr-trace-static" if name == "static_context" else "gmr-trace"))
        for name, how in ("host", []), ("exporting_host", ["-rdynamic"]):
            run(CXX, cls.work / "host.o", "-o", cls.work / name, *how, *cls.flags_of("--libs", "gmr-trace"), "-ldl")
        run(CXX, cls.work / "bare.o", "-o", cls.work / "bare", "-lboost_context", "-ldl", "-pthread")

    @classmethod
    def flags_of(cls, what, module):
        return cls.flags(what, module) if module else []

    @classmethod
    def compile(cls, name, into, *flags):
        run(CXX, *COMPILE, *flags, "-c", COPIES / f"{name}.cpp", "-o", cls.work / into)

    def library(self, name):
        return self.work / f"lib{name}.so"

    def reports(self, program, *arguments, **environment):
        done = subprocess.run([self.work / program, *arguments], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=300, env=dict(os.environ, **environment))
        self.assertEqual(0, done.returncode, f"{done.returncode}: {done.stderr}\n{done.stdout[-2000:]}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def counts(self, report):
        """How many green threads stand in which function of the program, each kind."""
        found = collections.Counter()
        for group in report["green_threads"]["groups"]:
            functions = [frame["function"] for frame in group["frames"]]
            for name in ("part_waits", "part_fiber", "host_waits"):
                if any(name in (function or "") for function in functions):
                    found[name] += group["count"]
        return dict(found)

    def check(self, report, parts=1, host=1):
        expected = {"part_waits": 3 * parts, "part_fiber": 2 * parts, "host_waits": host}
        self.assertEqual({name: count for name, count in expected.items() if count}, self.counts(report))
        self.assertEqual([], [each for each in report["findings"] if each["kind"] == "tracing_inactive"])

    def test_program_and_its_shared_library(self):
        for name in LIBRARIES:
            for how in [], ["-rdynamic"]:
                with self.subTest(name, how=how):
                    program = self.work / "program"
                    run(CXX, self.work / "linked_host.o", "-o", program, *how, self.library(name), f"-Wl,-rpath,{self.work}",
                        *self.flags("--libs", "gmr-trace"), "-ldl")
                    for report in self.reports("program", "once"):
                        self.check(report)

    def test_coroutine_that_awaits_one_of_another_part(self):
        run(CXX, self.work / "linked_host.o", "-o", self.work / "nests", self.library("hidden"), f"-Wl,-rpath,{self.work}",
            *self.flags("--libs", "gmr-trace"), "-ldl")
        groups = self.reports("nests", "once")[0]["green_threads"]["groups"]
        nested = [group for group in groups if any("part_nested" in (frame["function"] or "") for frame in group["frames"])]
        self.assertEqual([1], [group["count"] for group in nested])
        self.assertEqual(["inner", "part_nested", "host_nests"], [frame["function"] for frame in nested[0]["frames"]])

    def test_program_that_links_the_library_of_the_part_last(self):
        program = self.work / "program_first"
        run(CXX, self.work / "linked_host.o", "-o", program, *self.flags("--libs", "gmr-trace"), self.library("plain"),
            f"-Wl,-rpath,{self.work}", "-ldl")
        for report in self.reports("program_first", "once"):
            self.check(report)

    def test_plug_ins(self):
        for host in "host", "exporting_host":
            for name in LIBRARIES:
                with self.subTest(host, plug_in=name):
                    during, after = self.reports(host, "once", self.library(name))
                    self.check(during)
                    self.check(after, parts=0)

    def test_names_and_labels_of_a_plug_in(self):
        report = self.reports("host", "once", self.library("hidden"))[0]
        named = [group for group in report["green_threads"]["groups"] if "of the part" in group["names"]]
        labelled = [group for group in report["green_threads"]["groups"] if group["labels"]]
        self.assertEqual(3, sum(group["count"] for group in named))
        self.assertEqual(2, sum(group["count"] for group in labelled))

    def test_several_plug_ins(self):
        during, after = self.reports("host", "once", *(self.library(name) for name in LIBRARIES))
        self.check(during, parts=len(LIBRARIES))
        self.check(after, parts=0)

    def test_plug_ins_of_a_program_without_gmr(self):
        first, second = self.reports("bare", self.library("plain"), self.library("hidden"))
        self.check(first, host=0)
        self.check(second, parts=2, host=0)

    def test_code_that_has_been_unloaded(self):
        before, after = self.reports("host", "leave", self.library("hidden"))
        self.check(before)
        gone = [group for group in after["green_threads"]["groups"]
                if group["kind"] == "coroutine" and any(frame.get("unloaded") for frame in group["frames"])]
        self.assertEqual(3, sum(group["count"] for group in gone))
        self.assertTrue(any("part_waits" in (frame["function"] or "") for frame in gone[0]["frames"]))

    def test_plug_ins_that_come_and_go_while_reports_are_made(self):
        last = self.reports("host", "rounds", self.library("hidden"), self.library("symbolic"), ROUNDS="500")[-1]
        self.check(last, parts=0)


if __name__ == "__main__":
    unittest.main()
