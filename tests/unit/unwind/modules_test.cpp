#include "unwind/modules.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "unwind/process_memory.hpp"

namespace {

using gmr::unwind::module;
using gmr::unwind::module_kind;
using gmr::unwind::module_table;

int code_of_this_program() {
  return 1;
}

TEST(Modules, KnowsTheExecutableByOnesOwnCode) {
  module_table table;
  EXPECT_TRUE(table.refresh());
  const auto address = reinterpret_cast<std::uintptr_t>(&code_of_this_program);
  const module* const found = table.find(address);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->kind, module_kind::executable);
  EXPECT_EQ(found->path, std::filesystem::read_symlink("/proc/self/exe"));
  EXPECT_TRUE(found->has_code_at(address));
  EXPECT_FALSE(found->has_code_at(found->base));
}

TEST(Modules, HasAllThatTheLoaderHas) {
  module_table table;
  table.refresh();
  std::size_t count = 0;
  const auto check = [](dl_phdr_info* info, std::size_t, void* context) {
    auto& [modules, seen] = *static_cast<std::pair<module_table*, std::size_t*>*>(context);
    const std::uintptr_t first = info->dlpi_addr + info->dlpi_phdr[0].p_vaddr;
    const module* const found = modules->find(first);
    EXPECT_NE(found, nullptr) << info->dlpi_name;
    EXPECT_EQ(found != nullptr ? found->base : 0, info->dlpi_addr) << info->dlpi_name;
    ++*seen;
    return 0;
  };
  std::pair<module_table*, std::size_t*> context{&table, &count};
  ::dl_iterate_phdr(check, &context);
  EXPECT_EQ(table.loaded().size(), count);
}

TEST(Modules, ALibraryThatIsUnloadedIsRemembered) {
  module_table table;
  table.refresh();
  EXPECT_FALSE(table.refresh());
  void* const library = ::dlopen(GMR_TEST_LIBRARY, RTLD_NOW);
  ASSERT_NE(library, nullptr) << ::dlerror();
  const auto address = reinterpret_cast<std::uintptr_t>(::dlsym(library, "gmr_test_call"));
  EXPECT_TRUE(table.refresh());
  ASSERT_NE(table.find(address), nullptr);
  EXPECT_EQ(table.find(address)->path, GMR_TEST_LIBRARY);
  ::dlclose(library);
  EXPECT_TRUE(table.refresh());
  EXPECT_EQ(table.find(address), nullptr);
  ASSERT_NE(table.find_unloaded(address), nullptr);
  EXPECT_EQ(table.find_unloaded(address)->path, GMR_TEST_LIBRARY);
}

TEST(ProcessMemory, AnUnmappedAddressIsAnErrorNotACrash) {
  int value = 7;
  int copy = 0;
  EXPECT_TRUE(gmr::unwind::read_object(reinterpret_cast<std::uintptr_t>(&value), copy));
  EXPECT_EQ(copy, 7);
  EXPECT_FALSE(gmr::unwind::read_object(8, copy));
  EXPECT_EQ(gmr::unwind::read_string(8), "");
  const std::string text(1000, 'x');
  EXPECT_EQ(gmr::unwind::read_string(reinterpret_cast<std::uintptr_t>(text.c_str())), text);
}

}  // namespace
