// Names without debug information, read piece by piece.
#include "symbolize/table_names.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <sys/auxv.h>
#include <unistd.h>
#include <chrono>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace gmr::symbolize {
namespace {

constexpr auto never = std::chrono::steady_clock::time_point::max();

extern "C" [[gnu::noinline, gnu::used]] int gmr_test_only_in_symtab(int x) {
  return x + 1;
}

const os::module& module_of(const os::shared_modules& modules, std::uintptr_t address) {
  return *modules->find(address);
}

TEST(TableNames, OfTheExecutableComeFromItsFile) {
  const auto modules = os::read_modules();
  const auto place = reinterpret_cast<std::uintptr_t>(&gmr_test_only_in_symtab);
  const os::module& self = module_of(modules, place);
  const std::vector<std::uintptr_t> addresses{place - self.base, 1, place - self.base};
  const auto names = names_in_tables(self, addresses, never);
  EXPECT_EQ(names,
            (std::vector<std::string>{"gmr_test_only_in_symtab", "", "gmr_test_only_in_symtab"}));
}

TEST(TableNames, OfALibraryAreTheSameInMemory) {
  const auto modules = os::read_modules();
  const auto place = reinterpret_cast<std::uintptr_t>(::dlsym(RTLD_DEFAULT, "getpid"));
  const os::module& library = module_of(modules, place);
  const std::vector<std::uintptr_t> addresses{place - library.base};
  EXPECT_EQ(names_in_memory(library, addresses, never).front(), "getpid");
  const std::string in_file = names_in_tables(library, addresses, never).front();
  EXPECT_TRUE(in_file == "getpid" || in_file == "__getpid") << in_file;
}

TEST(TableNames, OfAFileThatWasReplacedComeFromMemory) {
  const auto modules = os::read_modules();
  const auto place = reinterpret_cast<std::uintptr_t>(::dlsym(RTLD_DEFAULT, "getpid"));
  os::module library = module_of(modules, place);
  library.path = "/proc/self/exe";
  EXPECT_EQ(names_in_tables(library, std::vector{place - library.base}, never).front(), "getpid");
  library.path = "/nonexistent";
  EXPECT_EQ(names_in_tables(library, std::vector{place - library.base}, never).front(), "getpid");
}

TEST(TableNames, OfTheVdso) {
  const auto modules = os::read_modules();
  const auto vdso = std::find_if(modules->loaded().begin(), modules->loaded().end(),
                                 [](const auto& m) { return m->kind == os::module_kind::vdso; });
  if (vdso == modules->loaded().end()) GTEST_SKIP() << "this kernel gives no vdso";
  std::vector<std::uintptr_t> addresses;
  for (const os::load_segment& each : (*vdso)->segments)
    for (std::uintptr_t at = 0; at < each.memory_size; at += 16)
      addresses.push_back(each.address + at);
  const auto names = names_in_tables(**vdso, addresses, never);
  EXPECT_TRUE(std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name.find("clock_gettime") != std::string::npos;
  }));
}

}  // namespace
}  // namespace gmr::symbolize
