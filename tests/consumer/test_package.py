#!/usr/bin/env python3
"""find_package(gmr) says what is missing, a project with gmr inside stays its own, and nothing stray is installed."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from common import BUILD, CMAKE, CXX, SOURCE, Consumer, cached, run, traced

EVERY_FILE = re.compile(r"""
    bin/gmr | include/gmr/[a-z_/]+\.hpp | include/gmr/trace/shadow/boost/asio/[a-z_/]+\.[hi]pp
  | share/gmr/gmr[-_a-z]+\.py
  | LIB/libgmr\.a | LIB/libgmr\.so[.0-9]*
  | LIB/cmake/gmr/gmr-[-a-z]+\.cmake
  | LIB/pkgconfig/gmr(-trace(-ops)?(-static)?|(-trace)?-shared)?\.pc
  | LIB/gmr/libgmr_(trace\.a|trace\.so|preload\.so) | LIB/gmr/gmr-trace[-a-z]*\.o | LIB/gmr/objects-[A-Za-z]+/.+\.o
""".replace("LIB", "lib[a-z0-9/_-]*?"), re.X)


class Package(Consumer):
    def asked(self, name, how, *options, **environment):
        """What configuring a project prints that asks for gmr."""
        _, said = self.configure("package", name, f"-DHOW={how}", *options, env=dict(os.environ, **environment))
        return " ".join(said.split())

    def nothing_of_elfutils(self):
        """An environment in which libdw-dev is not installed."""
        empty = self.work / "no-packages"
        empty.mkdir(exist_ok=True)
        return {"PKG_CONFIG_LIBDIR": str(empty), "PKG_CONFIG_PATH": ""}

    def test_found(self):
        quiet = self.asked("found", "QUIET")
        self.assertIn("gmr_FOUND is 1", quiet)
        self.assertNotIn("Found", quiet.replace("gmr_FOUND", ""))

    def test_without_libdw(self):
        nothing = self.nothing_of_elfutils()
        self.assertRegex(self.asked("optional", "", **nothing), "gmr needs libdw .*libdw-dev.* gmr_FOUND is (0|OFF)")
        quiet = self.asked("quiet", "QUIET", **nothing)
        self.assertRegex(quiet, "gmr_FOUND is (0|OFF)")
        self.assertNotRegex(quiet, "(?i)libdw|pkg-?config|warning")
        with self.assertRaisesRegex(AssertionError, r"(?s)gmr needs libdw.*libdw-dev"):
            self.asked("required", "REQUIRED", **nothing)

    def test_without_boost(self):
        self.assertRegex(self.asked("no-boost", "", "-DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON"),
                         "gmr needs Boost [0-9.]+, .* libboost-context-dev.* gmr_FOUND is (0|OFF)")

    def changed_boost(self, name, change):
        """The files of CMake's package of Boost, changed."""
        packages = pathlib.Path(cached("Boost_DIR")).resolve().parent
        copied = self.work / name / packages.relative_to("/")
        copied.mkdir(parents=True)
        for each in packages.glob("[Bb]oost*"):
            (shutil.copytree if each.is_dir() else shutil.copy)(each, copied / each.name)
        change(copied)
        return f"-DBoost_DIR={next(copied.glob('Boost-*'))}"

    def test_without_a_library_of_boost(self):
        folder = self.changed_boost("no-url", lambda copied: next(copied.glob("boost_url-*/boost_url-config.cmake"))
                                    .write_text("set(boost_url_FOUND 0)\n"))
        self.assertRegex(self.asked("no-url-asked", "", folder), r"gmr needs Boost\.url of Boost .* gmr_FOUND is (0|OFF)")

    def test_another_boost(self):
        def change(copied):
            for file in copied.rglob("*onfig*ersion.cmake"):
                file.write_text(re.sub(r"PACKAGE_VERSION [0-9.]+", "PACKAGE_VERSION 1.99.0", file.read_text()))
            config = next(copied.glob("Boost-*")) / "BoostConfig.cmake"
            config.write_text(re.sub(r"(find_package\(boost_[^)]*?) [0-9.]+ EXACT", r"\1", config.read_text())
                              .replace("${BOOST_VERSION}", "1.99.0"))
        folder = self.changed_boost("newer", change)
        said = self.asked("newer-asked", "", folder, "-DBOOST_FIRST=ON")
        self.assertRegex(said, r"gmr was built with Boost [0-9.]+, and Boost 1\.99\.0 was found .* gmr_FOUND is (0|OFF)")

    def test_inside_a_project(self):
        for fetched in "ON", "OFF":
            with self.subTest(fetched=fetched):
                build, _ = self.configure("inside", f"inside-{fetched}", f"-DGMR_SOURCE={SOURCE}", f"-DFETCHED={fetched}",
                                          "-DFETCHCONTENT_FULLY_DISCONNECTED=ON")
                installed = self.work / f"installed-{fetched}"
                run(CMAKE, "--install", build, "--prefix", installed)
                self.assertEqual(["share/inside/CMakeLists.txt"],
                                 [str(each.relative_to(installed)) for each in installed.rglob("*") if each.is_file()])
                if fetched == "ON":  # as a SYSTEM one, its headers come behind those of Boost
                    self.build(build, "CMakeFiles/unit.dir" + self.object_of(build))
                    self.assertTrue(traced(build / "CMakeFiles/unit.dir"))

    @staticmethod
    def object_of(build):
        """The unit's object file, as Ninja names it: without the library, which would take minutes."""
        return re.search(r"build CMakeFiles/unit\.dir(\S+coroutine\.cpp\.o):", (build / "build.ninja").read_text()).group(1)

    def test_an_older_language_is_one_line(self):
        unit = self.work / "older.cpp"
        for header in "gmr/gmr.hpp", "gmr/trace/label.hpp", "gmr/trace/scheduler.hpp", "gmr/options/options.hpp":
            with self.subTest(header):
                unit.write_text(f"#include <{header}>\nint main() {{ gmr::settings set; }}\n")
                said = subprocess.run([CXX, "-std=c++17", "-fsyntax-only", unit, *self.flags("--cflags", "gmr")], text=True,
                                      stderr=subprocess.PIPE, check=False).stderr
                errors = [line for line in said.splitlines() if "error:" in line]
                self.assertEqual(1, len(errors), said)
                self.assertIn("gmr needs C++20", errors[0])

    def test_installed_files(self):
        files = {str(each.relative_to(self.prefix)) for each in self.prefix.rglob("*") if not each.is_dir()}
        self.assertEqual([], sorted(each for each in files if not EVERY_FILE.fullmatch(each)))
        # The same under another root, where nothing names that root or the folder of the build.
        root = self.work / "root"
        run(CMAKE, "--install", BUILD, "--prefix", "/opt/gmr", env=dict(os.environ, DESTDIR=str(root)))
        staged = root / "opt/gmr"
        self.assertEqual(files, {str(each.relative_to(staged)) for each in staged.rglob("*") if not each.is_dir()})
        for each in (each for kind in ("*.cmake", "*.pc") for each in staged.rglob(kind)):
            for folder in root, BUILD, SOURCE:
                self.assertNotIn(str(folder), each.read_text(), each)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
