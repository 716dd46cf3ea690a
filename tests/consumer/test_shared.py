#!/usr/bin/env python3
"""libgmr.so: one copy for a program, its shared libraries and plug-ins, and what of it they can see."""
import collections
import functools
import json
import os
import re
import subprocess
import unittest

from common import CXX, HERE, Consumer, run

COPIES = HERE / "copies"
# Of gmr::trace_ops, which is not together with libgmr.so.
NOT_OF_ALL = {"operation_record.hpp", "handler_tracking.hpp"}


def functions_of(library, *options):
    """Mangled and plain names of what it defines and other objects may refer to."""
    names = {line.split()[-1] for line in run("nm", "--defined-only", *options, library).splitlines()
             if re.match(r"[0-9a-f]+ [TDBRW] ", line) and (options or " W " not in line)}
    plain = subprocess.run(["c++filt"], input="\n".join(sorted(names)), text=True, stdout=subprocess.PIPE, check=True)
    return dict(zip(sorted(names), plain.stdout.splitlines()))


class Shared(Consumer):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.library = next(cls.prefix.rglob("libgmr.so"))
        compile_flags = cls.flags("--cflags", "gmr-trace-shared")
        for name, options in ("part", ["-fPIC"]), ("host", ["-fno-pic", "-DLINKED_PART"]):
            run(CXX, "-std=c++20", "-O1", "-g1", "-fno-gnu-unique", *options, *compile_flags, "-c", COPIES / f"{name}.cpp",
                "-o", cls.work / f"{name}.o")
        cls.link("liblinked.so", "-shared", cls.work / "part.o")
        cls.link("libplugin.so", "-shared", cls.work / "part.o")
        cls.link("libstatic.so", "-shared", cls.work / "part.o", module="gmr-trace")
        # Compiled and linked so that it has copies of the library's variables.
        cls.link("host", "-no-pie", cls.work / "host.o", cls.work / "liblinked.so", f"-Wl,-rpath,{cls.work}", "-ldl")

    @classmethod
    def link(cls, name, *arguments, module="gmr-trace-shared"):
        """Boost.Context comes behind our flags."""
        run(CXX, *arguments, "-o", cls.work / name, *cls.flags("--libs", module), "-lboost_context",
            f"-Wl,-rpath,{cls.library.parent}")

    def reports(self, mode, *plug_ins):
        done = subprocess.run([self.work / "host", mode, *(self.work / each for each in plug_ins)], text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        self.assertEqual(0, done.returncode, f"{done.stderr}\n{done.stdout[-2000:]}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def check(self, report, parts):
        found = collections.Counter()
        for group in report["green_threads"]["groups"]:
            functions = " ".join(frame["function"] or "" for frame in group["frames"])
            for name in re.findall("part_waits|part_fiber|host_waits|host_nests", functions):
                found[name] += group["count"]
        self.assertEqual({"part_waits": 3 * parts, "part_fiber": 2 * parts, "host_waits": 1, "host_nests": 1}, found)
        self.assertEqual([], [each for each in report["findings"] if each["kind"] == "tracing_inactive"])

    def test_program_library_and_plug_in(self):
        """Each green thread once; the fork is in the mode."""
        self.assertRegex(run("readelf", "-rW", self.work / "host"), "_COPY .*coroutine_slots")
        during, after = self.reports("once", "libplugin.so")
        self.check(during, parts=2)
        self.check(after, parts=1)

    def test_plug_in_with_a_copy_of_its_own(self):
        during, after = self.reports("once", "libplugin.so", "libstatic.so")
        self.check(during, parts=3)
        self.check(after, parts=1)

    def test_plug_in_that_is_unloaded_too_early(self):
        _, after = self.reports("leave", "libplugin.so")
        gone = [group for group in after["green_threads"]["groups"]
                if group["kind"] == "coroutine" and any(frame.get("unloaded") for frame in group["frames"])]
        self.assertEqual(3, sum(group["count"] for group in gone))

    def test_nothing_but_boosts_headers(self):
        """With a Boost that has none of its libraries' files for CMake, and no file of pkg-config's but ours."""
        empty = self.work / "empty"
        empty.mkdir()
        folder, _ = self.configure("shared", "by-cmake", "-DCMAKE_DISABLE_FIND_PACKAGE_boost_context=ON",
                                   "-DCMAKE_DISABLE_FIND_PACKAGE_boost_program_options=ON",
                                   "-DCMAKE_DISABLE_FIND_PACKAGE_boost_url=ON", env=dict(os.environ, PKG_CONFIG_LIBDIR=str(empty)))
        self.build(folder, "small")
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-dW", folder / "small"))
        self.assertTrue(any(re.fullmatch(r"libgmr\.so\.\d+\.\d+", each) for each in needed), needed)
        self.assertEqual([], [each for each in needed if re.match("libboost|libdw|libelf", each)])
        report = self.report_of(folder / "small")
        self.assertEqual(["coroutine"], [group["kind"] for group in report["green_threads"]["groups"]])
        self.assertNotRegex(" ".join(self.flags("--libs", "gmr-trace-shared")), "boost|dw|elf")

    def test_what_it_exports(self):
        """What the headers declare, all of it and nothing else; of others only what the hook stands before."""
        exported = functions_of(self.library, "-D")
        hooked = re.compile(r"(boost::context::detail::)?(make|jump|ontop)_fcontext|(make|set|swap)context|gmr_debug_\w+")
        exported = {mangled: plain for mangled, plain in exported.items() if not hooked.fullmatch(plain.partition("(")[0])}
        expected = {mangled: plain for mangled, plain in functions_of(next(self.prefix.rglob("libgmr.a"))).items()
                    if mangled.startswith("gmr_has_to_be_built") or self.is_declared(plain)}
        self.assertGreater(len(expected), 60)
        self.assertEqual(sorted(expected.values()), sorted(exported.values()))

    def is_declared(self, plain):
        """Whether a public header has it, or a header that those include."""
        name = re.match(r"gmr::((?:\w+::)*)~?(\w+)", plain)
        if name is None:
            return False
        scope, own = name[1].split("::")[:-1], name[2]
        if scope == ["trace"]:
            return re.search(rf"\b{own}( = \w+)?[(;]", self.headers(detail=True)) is not None
        public = self.headers(detail=False)
        if scope:
            return len(scope) == 1 and re.search(rf"\b(class|struct) (\[\[\w+\]\] )?{scope[0]} (final )?[:{{]", public) is not None
        return re.search(rf"\b{own}\(", public) is not None

    @functools.lru_cache
    def headers(self, detail):
        """All in one, without comments."""
        files = [each for each in (self.prefix / "include/gmr").rglob("*.hpp") if each.name not in NOT_OF_ALL]
        text = "".join(each.read_text() for each in files if ("detail" in each.parts) == detail)
        return re.sub(r"//.*", "", text)


if __name__ == "__main__":
    unittest.main()
