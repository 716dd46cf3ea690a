#!/usr/bin/env python3
"""With Boost in a folder of its own, coroutines are traced, or their units do not compile: never neither."""
import os
import pathlib
import shutil
import sys
import unittest

from common import CXX, HERE, LOCK, Consumer, cached, run, traced


def boost_in(folder):
    """A Boost in the folder as its own installer makes it: what the system has, under another name."""
    packages = pathlib.Path(cached("Boost_DIR")).resolve().parent
    root = next(each for each in packages.parents if (each / "include/boost/version.hpp").exists())
    copied = folder / packages.relative_to(root)
    copied.mkdir(parents=True)
    for each in packages.glob("[Bb]oost*"):
        (shutil.copytree if each.is_dir() else shutil.copy)(each, copied / each.name)
    for each in packages.parent.glob("libboost_*"):
        (copied.parent / each.name).symlink_to(each)
    (folder / "include").mkdir()
    (folder / "include/boost").symlink_to(root / "include/boost")
    return folder / "include"


class BoostElsewhere(Consumer):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.boost = boost_in(cls.work / "boost")
        cls.other = boost_in(cls.work / "other")

    def configured(self, name, compiler=CXX):
        folder, _ = self.configure("elsewhere", name, f"-DBOOST_FOLDER={self.boost}", f"-DOTHER_BOOST_FOLDER={self.other}",
                                   prefix=f"{self.boost.parent};{self.prefix}", compiler=compiler)
        return folder

    def check_traced(self, folder, target):
        self.build(folder, target)
        self.assertTrue(traced(folder / f"CMakeFiles/{target}.dir"), target)

    def test_cmake(self):
        folder = self.configured("with-cmake")
        self.build(folder, "small")
        self.check_all_is_traced(self.report_of(folder / "small"))
        for target in "operations", "same_folder", "precompiles":
            with self.subTest(target):
                self.check_traced(folder, target)
        for target in "other_folder", "nothing_is_system":
            with self.subTest(target), self.assertRaisesRegex(AssertionError, LOCK):
                self.build(folder, target)

    def test_precompiled_header_without_tracing(self):
        """g++ does not take it, and the header's text instead; of clang it is refused."""
        folder = self.configured("reuse")
        if "clang" in run(CXX, "--version"):
            self.check_refused(folder)
        else:
            self.check_traced(folder, "reuses")

    def test_precompiled_header_of_clang(self):
        clang = shutil.which("clang++-19")
        if clang is None:
            self.skipTest("clang++-19 is not installed")
        self.check_refused(self.configured("reuse-clang", clang))

    def check_refused(self, folder):
        with self.assertRaisesRegex(AssertionError, "precompiled header of this unit was made without gmr::trace"):
            self.build(folder, "reuses")

    def test_folders_by_hand(self):
        """Before and behind the flags of pkg-config, and in the environment."""
        flags = self.flags("--cflags", "gmr-trace")
        look = [CXX, "-std=c++20", "-E", HERE / "elsewhere/first_found.cpp", "-o", os.devnull]
        for options, variables in ((["-isystem", self.boost], {}), ([], {"CPATH": str(self.boost)}),
                                   ([], {"CPLUS_INCLUDE_PATH": str(self.boost)})):
            with self.subTest(options=options, variables=variables):
                run(*look, *options, *flags, env=dict(os.environ, **variables))
        with self.assertRaisesRegex(AssertionError, LOCK):
            run(CXX, "-std=c++20", "-fsyntax-only", HERE / "elsewhere/first_found.cpp", "-I", self.boost, *flags)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
