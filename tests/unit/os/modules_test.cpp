#include "os/modules.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>

namespace {

using gmr::os::module;
using gmr::os::module_kind;
using gmr::os::module_reader;
using gmr::os::module_table;
using gmr::os::shared_modules;

int code_of_this_program() {
  return 1;
}

TEST(Modules, KnowsTheExecutableByOnesOwnCode) {
  const shared_modules table = gmr::os::read_modules();
  const auto address = reinterpret_cast<std::uintptr_t>(&code_of_this_program);
  const module* const found = table->find(address);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->kind, module_kind::executable);
  EXPECT_EQ(found->path, std::filesystem::read_symlink("/proc/self/exe"));
  EXPECT_TRUE(found->has_code_at(address));
  EXPECT_FALSE(found->has_code_at(found->base));
}

TEST(Modules, HasAllThatTheLoaderHas) {
  const shared_modules table = gmr::os::read_modules();
  std::size_t count = 0;
  const auto check = [](dl_phdr_info* info, std::size_t, void* context) {
    auto& [modules, seen] = *static_cast<std::pair<const module_table*, std::size_t*>*>(context);
    const std::uintptr_t first = info->dlpi_addr + info->dlpi_phdr[0].p_vaddr;
    const module* const found = modules->find(first);
    EXPECT_NE(found, nullptr) << info->dlpi_name;
    EXPECT_EQ(found != nullptr ? found->base : 0, info->dlpi_addr) << info->dlpi_name;
    ++*seen;
    return 0;
  };
  std::pair<const module_table*, std::size_t*> context{table.get(), &count};
  ::dl_iterate_phdr(check, &context);
  EXPECT_EQ(table->loaded().size(), count);
}

std::uintptr_t address_in(void* library) {
  return reinterpret_cast<std::uintptr_t>(::dlsym(library, "gmr_test_call"));
}

TEST(Modules, AreTheSameTableWhileNothingChanges) {
  module_reader reader;
  const shared_modules first = reader.read();
  EXPECT_EQ(reader.confirm(), first);
  EXPECT_EQ(reader.read(), first);
}

TEST(Modules, ALibraryThatIsUnloadedIsRemembered) {
  module_reader reader;
  const shared_modules before = reader.read();
  void* const library = ::dlopen(GMR_TEST_LIBRARY, RTLD_NOW);
  ASSERT_NE(library, nullptr) << ::dlerror();
  const std::uintptr_t address = address_in(library);
  const shared_modules with = reader.read();
  EXPECT_NE(with, before);
  ASSERT_NE(with->find(address), nullptr);
  EXPECT_EQ(with->find(address)->path, GMR_TEST_LIBRARY);
  for (const auto& each : before->loaded())
    EXPECT_NE(std::find(with->loaded().begin(), with->loaded().end(), each), with->loaded().end())
        << each->path << " has a new object";
  ::dlclose(library);
  const shared_modules after = reader.read();
  EXPECT_EQ(after->find(address), nullptr);
  ASSERT_NE(after->find_unloaded(address), nullptr);
  EXPECT_EQ(after->find_unloaded(address)->path, GMR_TEST_LIBRARY);
  EXPECT_NE(with->find(address), nullptr) << "a table does not change";
}

TEST(Modules, WhatCameOrWentWhileStacksWereCapturedIsUnknown) {
  module_reader reader;
  static_cast<void>(reader.read());
  void* const library = ::dlopen(GMR_TEST_LIBRARY, RTLD_NOW);
  ASSERT_NE(library, nullptr) << ::dlerror();
  const std::uintptr_t address = address_in(library);
  EXPECT_EQ(reader.confirm()->find(address), nullptr) << "it was not there at first";
  static_cast<void>(reader.read());
  ::dlclose(library);
  const shared_modules confirmed = reader.confirm();
  EXPECT_EQ(confirmed->find(address), nullptr);
  ASSERT_NE(confirmed->find_unloaded(address), nullptr);
  EXPECT_EQ(confirmed->find_unloaded(address)->path, "[being loaded]");
}

// A thread that is stuck in the callback of dl_iterate_phdr holds the lock of the loader.
TEST(Modules, AreReadThoughTheLoadersLockIsHeld) {
  std::atomic<bool> held = false;
  std::atomic<bool> release = false;
  std::thread stuck{[&] {
    const auto wait = [](dl_phdr_info*, std::size_t, void* flags) {
      auto& [is_held, may_go] =
          *static_cast<std::pair<std::atomic<bool>*, std::atomic<bool>*>*>(flags);
      *is_held = true;
      while (!*may_go)
        std::this_thread::yield();
      return 1;
    };
    std::pair<std::atomic<bool>*, std::atomic<bool>*> flags{&held, &release};
    ::dl_iterate_phdr(wait, &flags);
  }};
  while (!held)
    std::this_thread::yield();
  EXPECT_FALSE(gmr::os::read_modules()->loaded().empty());
  release = true;
  stuck.join();
}

}  // namespace
