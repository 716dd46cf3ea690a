#include "symbolize/symbolizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "expect_truths.hpp"
#include "os/modules.hpp"
#include "parked_thread.hpp"
#include "truths.hpp"
#include "unwind/unwinder.hpp"

namespace {

using gmr::frame;
using gmr::stack;
using gmr::symbolize::symbolizer;
using gmr::test::expect_truths;
using gmr::test::parked_thread;
using gmr::test::truth;
using gmr::unwind::raw_stack;
using gmr::unwind::unwinder;

constexpr bool full_backend = GMR_TEST_LIBDW != 0;

raw_stack walk(const parked_thread& thread) {
  auto taken = thread.take();
  // The portable backend has threads walk themselves.
  if (!full_backend) {
    for (void* const pc : thread.backtrace())
      taken.snapshot.walked.push_back(reinterpret_cast<std::uintptr_t>(pc));
  }
  unwinder unwind{gmr::os::read_modules()};
  raw_stack raw;
  unwind.unwind(taken.snapshot, raw);
  return raw;
}

void park(void* thread) {
  static_cast<parked_thread*>(thread)->park();
}

TEST(Symbolizer, KnowsNamesLinesAndInlinedCalls) {
  std::vector<truth> truths;
  const parked_thread thread([&](parked_thread& self) { gmr_run_truths(&park, &self, truths); });
  // The portable backend does not expand inlined calls.
  if (!full_backend) std::erase_if(truths, [](const truth& t) { return t.inlined; });
  symbolizer names{gmr::os::read_modules()};
  const stack resolved = names.resolve(walk(thread));
  expect_truths(resolved, truths, full_backend);
}

TEST(Symbolizer, GivesTheSameFrameForTheSameAddress) {
  std::vector<truth> truths;
  const parked_thread thread([&](parked_thread& self) { gmr_run_truths(&park, &self, truths); });
  symbolizer names{gmr::os::read_modules()};
  const raw_stack raw = walk(thread);
  const stack first = names.resolve(raw);
  names.use(gmr::os::read_modules());
  EXPECT_EQ(names.resolve(raw).frames, first.frames);
}

// What was given back must be read again: for the rest of the stack, and without a difference.
TEST(Symbolizer, KnowsTheSameAfterAnEnd) {
  std::vector<truth> truths;
  const parked_thread thread([&](parked_thread& self) { gmr_run_truths(&park, &self, truths); });
  raw_stack raw = walk(thread);
  symbolizer fresh{gmr::os::read_modules()};
  const stack whole = fresh.resolve(raw);
  symbolizer names{gmr::os::read_modules()};
  raw_stack part = raw;
  part.frames.resize(raw.frames.size() / 2);
  const stack before = names.resolve(part);
  EXPECT_TRUE(names.end().empty());
  const stack after = names.resolve(raw);
  ASSERT_EQ(after.frames.size(), whole.frames.size());
  for (std::size_t i = 0; i < whole.frames.size(); ++i) {
    EXPECT_EQ(after.frames[i]->function_full, whole.frames[i]->function_full);
    EXPECT_EQ(after.frames[i]->file, whole.frames[i]->file);
    EXPECT_EQ(after.frames[i]->line, whole.frames[i]->line);
    EXPECT_EQ(after.frames[i]->inlined, whole.frames[i]->inlined);
  }
  for (std::size_t i = 0; i < before.frames.size(); ++i)
    EXPECT_EQ(before.frames[i], after.frames[i]);
}

// The C library is read beside: whoever is first must see it whole, and nobody need ask at all.
TEST(Symbolizer, KnowsTheCLibraryAfterTheCapture) {
  raw_stack in_c_library;
  in_c_library.frames = {{reinterpret_cast<std::uintptr_t>(&::getpid), false}};
  for (const bool asks : {true, false, true}) {
    symbolizer names{gmr::os::read_modules()};
    names.use(gmr::os::read_modules());
    if (!asks) continue;
    const stack resolved = names.resolve(in_c_library);
    ASSERT_FALSE(resolved.frames.empty());
    EXPECT_THAT(resolved.frames[0]->function, testing::HasSubstr("getpid"));
    names.use(gmr::os::read_modules());
    EXPECT_EQ(names.resolve(in_c_library).frames, resolved.frames);
  }
}

// Nobody but the loader has it any more, and no debug file belongs to it.
TEST(Symbolizer, NamesOfALibraryThatIsGoneFromDiskComeFromMemory) {
  if (!full_backend) GTEST_SKIP() << "the portable backend asks the loader";
  const auto place = reinterpret_cast<std::uintptr_t>(&::getpid);
  const auto modules = gmr::os::read_modules();
  gmr::os::module_table::list loaded;
  for (const auto& each : modules->loaded()) {
    auto copy = *each;
    if (copy.extent.contains(place)) {
      copy.path = "/nonexistent/libc.so.6";
      copy.build_id.clear();
      copy.start = 0;  // so it is not found among the files that are mapped either
    }
    loaded.push_back(std::make_shared<const gmr::os::module>(copy));
  }
  symbolizer names{
      std::make_shared<const gmr::os::module_table>(loaded, gmr::os::module_table::list{})};
  raw_stack in_c_library;
  in_c_library.frames = {{place, false}};
  const stack resolved = names.resolve(in_c_library);
  EXPECT_EQ(resolved.frames.at(0)->function, "getpid");
  EXPECT_EQ(resolved.note,
            "/nonexistent/libc.so.6 can't be opened (No such file or directory): its "
            "names are those of its dynamic symbols");
}

// A deadline that has passed leaves frames without names, and says so; the next report has them.
TEST(Symbolizer, WhatThereWasNoTimeForIsKnownToTheNextReport) {
  if (!full_backend) GTEST_SKIP() << "the portable backend does not count what it leaves out";
  raw_stack in_c_library;
  in_c_library.frames = {{reinterpret_cast<std::uintptr_t>(&::getpid), false}};
  symbolizer names{gmr::os::read_modules()};
  names.use(gmr::os::read_modules(), std::chrono::steady_clock::now());
  const stack unnamed = names.resolve(in_c_library);
  ASSERT_EQ(unnamed.frames.size(), 1U);
  EXPECT_EQ(unnamed.frames[0]->function, "");
  EXPECT_NE(unnamed.frames[0]->module, "");
  EXPECT_THAT(names.end(),
              testing::ElementsAre(testing::HasSubstr("time for the report was over")));
  names.use(gmr::os::read_modules());
  EXPECT_THAT(names.resolve(in_c_library).frames[0]->function, testing::HasSubstr("getpid"));
  EXPECT_THAT(names.end(), testing::IsEmpty());
}

TEST(Symbolizer, FramesOutliveTheSymbolizer) {
  std::shared_ptr<const void> owner;
  stack resolved;
  {
    symbolizer names{gmr::os::read_modules()};
    const gmr::logical_frame logical{"int main()", "/src/main.cpp", 3};
    resolved = names.resolve({&logical, 1});
    owner = names.frames();
  }
  ASSERT_EQ(resolved.frames.size(), 1U);
  EXPECT_EQ(resolved.frames[0]->function, "main");
}

TEST(Symbolizer, FramesOfCoroutinesHaveNoAddress) {
  symbolizer names{gmr::os::read_modules()};
  const std::vector<gmr::logical_frame> chain{
      {"void ns::s::other(ns::s::other(int, char*) const::_ZNK2ns1s5otherEiPc.Frame*)",
       "/src/session.cpp", 12},
      {"boost::asio::awaitable<void> boost::asio::f(int)", "/usr/include/boost/asio/f.hpp", 7}};
  const stack resolved = names.resolve(chain);
  ASSERT_EQ(resolved.frames.size(), 2U);
  EXPECT_EQ(resolved.frames[0]->function, "ns::s::other");
  EXPECT_EQ(resolved.frames[0]->function_full, "ns::s::other(int, char*) const");
  EXPECT_EQ(resolved.frames[0]->line, 12U);
  EXPECT_FALSE(resolved.frames[0]->internal);
  EXPECT_FALSE(resolved.frames[0]->address.has_value());
  EXPECT_FALSE(resolved.frames[0]->offset.has_value());
  EXPECT_EQ(resolved.frames[0]->module, "");
  EXPECT_EQ(resolved.frames[1]->function, "boost::asio::f");
  EXPECT_TRUE(resolved.frames[1]->internal);
  EXPECT_EQ(names.resolve(chain).frames, resolved.frames);
}

TEST(Symbolizer, AnUnknownAddressIsAFrameOfItsOwn) {
  symbolizer names{gmr::os::read_modules()};
  raw_stack raw;
  raw.frames.push_back({0x10, false});
  const stack resolved = names.resolve(raw);
  ASSERT_EQ(resolved.frames.size(), 1U);
  EXPECT_EQ(resolved.frames[0]->function, "");
  EXPECT_EQ(resolved.frames[0]->module, "");
  EXPECT_EQ(resolved.frames[0]->address, 0x10U);
}

TEST(Symbolizer, ListsModulesWithBuildIds) {
  const symbolizer names{gmr::os::read_modules()};
  const auto modules = names.modules();
  const auto libc = std::find_if(modules.begin(), modules.end(), [](const auto& module) {
    return module.path.find("libc.so.6") != std::string::npos;
  });
  ASSERT_NE(libc, modules.end());
  EXPECT_EQ(libc->build_id.size(), 40U);
  EXPECT_NE(libc->base, 0U);
}

}  // namespace
