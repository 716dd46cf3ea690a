#!/usr/bin/env python3
"""A Boost that is too old, or newer than those that gmr is tested with: what configuring and compiling say."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(os.environ["GMR_SOURCE_DIR"])
CMAKE = os.environ["GMR_CMAKE"]
CXX = os.environ["GMR_CXX"]
BOOST = pathlib.Path(os.environ["GMR_BOOST_INCLUDE"]) / "boost"
WORK = pathlib.Path(os.environ["GMR_WORK_DIR"])

CONFIG = """
foreach(library context program_options url)
  string(TOUPPER ${{library}} upper)
  if(NOT TARGET Boost::${{library}})
    add_library(Boost::${{library}} UNKNOWN IMPORTED)
    set_target_properties(Boost::${{library}} PROPERTIES IMPORTED_LOCATION $ENV{{GMR_BOOST_${{upper}}}})
    target_link_libraries(Boost::${{library}} INTERFACE Boost::headers)
  endif()
endforeach()
if(NOT TARGET Boost::headers)
  add_library(Boost::headers INTERFACE IMPORTED)
  set_target_properties(Boost::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES {prefix}/include)
endif()
string(REPLACE "." ";" parts {version})
list(GET parts 0 Boost_VERSION_MAJOR)
list(GET parts 1 Boost_VERSION_MINOR)
list(GET parts 2 Boost_VERSION_PATCH)
set(Boost_VERSION {version})
set(Boost_FOUND TRUE)
"""
CONFIG_VERSION = """
set(PACKAGE_VERSION {version})
if(PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
"""


def fake_boost(name, version, changes):
    """The prefix of a copy of Boost with that version. `changes`: of a header of Asio, what becomes what."""
    prefix = WORK / name
    shutil.rmtree(prefix, ignore_errors=True)
    include = prefix / "include/boost"
    include.mkdir(parents=True)
    for entry in BOOST.iterdir():
        if entry.name not in ("version.hpp", "asio"):
            (include / entry.name).symlink_to(entry)
    shutil.copytree(BOOST / "asio", include / "asio")
    major, minor, patch = map(int, version.split("."))
    number = major * 100000 + minor * 100 + patch
    text = (BOOST / "version.hpp").read_text()
    (include / "version.hpp").write_text(re.sub(r"(#define BOOST_VERSION) \d+", rf"\1 {number}", text))
    for header, (before, after) in changes.items():
        path = include / "asio" / header
        text = path.read_text()
        assert before in text, f"{header} has no {before}"
        path.write_text(text.replace(before, after))
    package = prefix / f"lib/cmake/Boost-{version}"
    package.mkdir(parents=True)
    (package / "BoostConfig.cmake").write_text(CONFIG.format(prefix=prefix, version=version))
    (package / "BoostConfigVersion.cmake").write_text(CONFIG_VERSION.format(version=version))
    return prefix


def run(*command, **options):
    return subprocess.run(list(map(str, command)), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


LIBRARY_ONLY = ("-DGMR_BUILD_APPS=OFF", "-DGMR_BUILD_COMMAND=OFF", "-DGMR_BUILD_TESTS=OFF")


def configure(boost, *options):
    """Where gmr is configured with that Boost, whether it succeeded, and all that was said, on one line."""
    build = boost / "build"
    done = run(CMAKE, "-S", SOURCE, "-B", build, "-G", "Ninja", f"-DBoost_DIR={next(boost.glob('lib/cmake/*'))}",
               f"-DCMAKE_CXX_COMPILER={CXX}", f"-DCMAKE_C_COMPILER={os.environ['GMR_CC']}", "-DGMR_UNITY=ON",
               "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O0", f"-DCMAKE_INSTALL_PREFIX={boost / 'installed'}",
               *options)
    return build, done.returncode == 0, " ".join(done.stdout.split())


def compiled(boost, build, program, *options):
    """What the compiler says of a unit that uses gmr::trace: nothing when all is well."""
    source = boost / "unit.cpp"
    source.write_text(program)
    lib = SOURCE / "lib"
    done = run(CXX, "-std=c++20", "-fsyntax-only", *options, f"-I{lib / 'shadow/include'}", f"-I{lib / 'include'}",
               f"-I{build / 'generated'}", "-isystem", boost / "include", source)
    return " ".join(done.stdout.split()) if done.returncode != 0 else ""


COROUTINE = """
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
boost::asio::awaitable<void> f() { co_return; }
int main() {
  boost::asio::io_context io;
  boost::asio::co_spawn(io, f(), boost::asio::detached);
}
"""
TRACKED = "-DBOOST_ASIO_CUSTOM_HANDLER_TRACKING=<gmr/detail/hook/handler_tracking.hpp>"


class OtherVersions(unittest.TestCase):
    maxDiff = None

    def test_too_old(self):
        boost = fake_boost("too-old", "1.74.0", {})
        real = os.environ["GMR_BOOST_DIR"]  # also found as what /lib, a link, leads to
        _, succeeded, said = configure(boost, f"-DCMAKE_IGNORE_PATH={real};{real.removeprefix('/usr')}")
        self.assertFalse(succeeded)
        self.assertRegex(said, r"gmr needs Boost 1\.81 or later, and 1\.74\.0 was found \(\S+\)\. To go on, ")
        self.assertNotIn("Could not find a configuration file", said)

    def test_newer_and_the_same(self):
        boost = fake_boost("newer", "1.99.0", {})
        build, succeeded, said = configure(boost, *LIBRARY_ONLY)
        self.assertTrue(succeeded, said)
        for what in "coroutines", "operations":
            self.assertIn(f"Trying whether gmr can trace {what} with Boost 1.99.0 - yes", said)
        self.assertEqual(compiled(boost, build, COROUTINE), "")
        self.assertEqual(compiled(boost, build, COROUTINE, TRACKED), "")
        another = fake_boost("another", "1.98.0", {})
        self.assertIn("gmr was built with Boost 1.99, and this unit is compiled with another one",
                      compiled(another, build, COROUTINE))

    def test_newer_without_what_coroutines_need(self):
        """All of the library but coroutines and operations is there, and whoever wants those is told."""
        boost = fake_boost("no-coroutines", "1.99.0", {"impl/awaitable.hpp": ("caller_", "called_by_")})
        build, succeeded, said = configure(boost)
        self.assertTrue(succeeded, said)
        self.assertIn("gmr can't trace coroutines with Boost 1.99.0, which is newer than those", said)
        self.assertIn("Only the library is built", said)
        done = run(CMAKE, "--build", build, "-j2")
        self.assertEqual(done.returncode, 0, done.stdout)
        done = run(CMAKE, "--install", build)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertTrue(list((boost / "installed").rglob("libgmr.a")))
        for option, name in ([], "coroutines"), ([TRACKED], "operations"):
            error = compiled(boost, build, COROUTINE, *option)
            self.assertIn(f"gmr can't trace the {name} of this Boost: ", error)
            self.assertIn("Use a Boost that gmr is tested with (1.81 to ", error)
        self.assertEqual(compiled(boost, build, COROUTINE, "-DGMR_TRACE_FIBERS_ONLY"), "")

    def test_newer_without_what_operations_need(self):
        """The hook of handler tracking is never called: seen by running, not by compiling."""
        boost = fake_boost("no-operations", "1.99.0",
                           {"detail/deadline_timer_service.hpp": ("BOOST_ASIO_HANDLER_CREATION((", "static_cast<void>((")})
        build, succeeded, said = configure(boost, *LIBRARY_ONLY)
        self.assertTrue(succeeded, said)
        self.assertIn("Trying whether gmr can trace coroutines with Boost 1.99.0 - yes", said)
        self.assertRegex(said, r"gmr can't trace operations with Boost 1\.99\.0.*: a timer: 0 operations of a coroutine")
        self.assertEqual(compiled(boost, build, COROUTINE), "")
        self.assertIn("or link gmr::trace instead of gmr::trace_ops", compiled(boost, build, COROUTINE, TRACKED))


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
