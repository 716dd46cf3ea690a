// Lines are those that libdw has, of all compilers and versions of DWARF.
#include "symbolize/helper/line_program.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "symbolize/helper/unit_files.hpp"
#include "unwind/elf_image.hpp"

namespace gmr::symbolize {
namespace {

using lines_by_address = std::map<std::uintptr_t, std::pair<std::string, std::uint32_t>>;

// Functions that the linker dropped are left at 0.
constexpr std::uintptr_t lowest = 0x1000;

// Each address that has a row: of several the last with a line, or the line before.
lines_by_address read_with_libdw(Dwarf_Die unit) {
  lines_by_address result;
  Dwarf_Lines* lines = nullptr;
  std::size_t count = 0;
  if (::dwarf_getsrclines(&unit, &lines, &count) != 0) return result;
  std::pair<std::string, std::uint32_t> now;
  std::vector<Dwarf_Addr> ended;
  for (std::size_t i = 0; i < count; ++i) {
    Dwarf_Line* const line = ::dwarf_onesrcline(lines, i);
    Dwarf_Addr address = 0;
    bool ends = false;
    int number = 0;
    ::dwarf_lineaddr(line, &address);
    ::dwarf_lineendsequence(line, &ends);
    ::dwarf_lineno(line, &number);
    if (ends) {
      now = {};
      ended.push_back(address);
      continue;
    }
    if (number != 0)
      now = {full_path(::dwarf_linesrc(line, nullptr, nullptr), folder_of(unit)),
             static_cast<std::uint32_t>(number)};
    if (address >= lowest) result[address] = now;
  }
  // A row may stand where its sequence ends, of which it is not a part any more.
  for (const Dwarf_Addr each : ended)
    result.erase(each);
  return result;
}

void expect_same(Dwarf_Die unit, const line_sections& sections) {
  const lines_by_address expected = read_with_libdw(unit);
  if (expected.empty()) return;
  std::vector<std::uintptr_t> addresses;
  for (const auto& [address, line] : expected)
    addresses.push_back(address);
  Dwarf_Attribute attribute;
  Dwarf_Word offset = 0;
  ASSERT_EQ(::dwarf_formudata(::dwarf_attr(&unit, DW_AT_stmt_list, &attribute), &offset), 0);
  const char* const folder = folder_of(unit);
  line_program program;
  ASSERT_TRUE(program.open(sections, offset, folder != nullptr ? folder : ""));
  const std::vector<found_line> found = program.find(addresses);
  ASSERT_EQ(found.size(), addresses.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& [file, line] = expected.at(addresses[i]);
    const std::string own = full_path(program.file(found[i].file), folder);
    if (found[i].line == line && (line == 0 || own == file)) continue;
    if (++wrong < 5)
      ADD_FAILURE() << std::hex << addresses[i] << std::dec << ": " << own << ":" << found[i].line
                    << " instead of " << file << ":" << line;
  }
  EXPECT_EQ(wrong, 0U) << "of " << found.size();
}

class LineProgram : public testing::TestWithParam<std::string> {};

TEST_P(LineProgram, SaysWhatLibdwSays) {
  const std::string path =
      GetParam() == "self" ? "/proc/self/exe" : GMR_TRUTHS "/truths-" + GetParam() + ".so";
  if (!std::filesystem::exists(path))
    GTEST_SKIP() << path << " was not built: its compiler is not installed";
  const auto image = unwind::elf_image::open(path, unwind::elf_image::access::map);
  ASSERT_NE(image.get(), nullptr);
  Dwarf* const file = ::dwarf_begin_elf(image.get(), DWARF_C_READ, nullptr);
  ASSERT_NE(file, nullptr);
  const line_sections sections = find_line_sections(image.get());
  std::size_t units = 0;
  Dwarf_CU* unit = nullptr;
  Dwarf_Half version = 0;
  std::uint8_t type = 0;
  Dwarf_Die die;
  while (::dwarf_get_units(file, unit, &unit, &version, &type, &die, nullptr) == 0 && units < 20) {
    if (type != DW_UT_compile) continue;
    ++units;
    expect_same(die, sections);
  }
  EXPECT_GT(units, 0U);
  ::dwarf_end(file);
}

INSTANTIATE_TEST_SUITE_P(Compilers, LineProgram,
                         testing::Values("gcc-O0", "gcc-O3", "gcc-dwarf4", "gcc-lto", "clang-O0",
                                         "clang-O2", "clang-dwarf4", "self"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// A program that is cut off anywhere ends, and has lines up to there at most.
TEST(LineProgram, MayBeDamaged) {
  const auto image = unwind::elf_image::open("/proc/self/exe", unwind::elf_image::access::map);
  ASSERT_NE(image.get(), nullptr);
  line_sections sections = find_line_sections(image.get());
  ASSERT_FALSE(sections.lines.empty());
  const std::size_t most = std::min<std::size_t>(sections.lines.size(), 20'000);
  std::vector<unsigned char> bytes(sections.lines.begin(),
                                   sections.lines.begin() + static_cast<long>(most));
  std::vector<std::uintptr_t> addresses;
  for (std::uintptr_t address = 0; address < 0x100000; address += 64)
    addresses.push_back(address);
  std::uint32_t random = 12345;
  for (int round = 0; round < 3000; ++round) {
    std::vector<unsigned char> damaged = bytes;
    for (int i = 0; i < 4; ++i) {
      random = random * 1664525U + 1013904223U;
      damaged[(random >> 8U) % (round % 2 == 0 ? 200 : damaged.size())] =
          static_cast<unsigned char>(random);
    }
    sections.lines = damaged;
    line_program program;
    if (!program.open(sections, 0, "/src")) continue;
    for (const found_line& each : program.find(std::span{addresses}.first(256)))
      (void)program.file(each.file);
  }
}

}  // namespace
}  // namespace gmr::symbolize
