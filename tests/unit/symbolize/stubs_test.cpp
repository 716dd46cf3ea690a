// Stubs are found where the disassembler finds them.
#include "symbolize/helper/stubs.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace gmr::symbolize {
namespace {

using places = std::map<std::uintptr_t, std::string>;

places found_in(const std::string& path) {
  ::elf_version(EV_CURRENT);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  Elf* const elf = ::elf_begin(file, ELF_C_READ, nullptr);
  places found;
  for (const stub& each : find_stubs(elf))
    found.emplace(each.begin, each.called);
  ::elf_end(elf);
  ::close(file);
  return found;
}

places disassembled(const std::string& path) {
  const std::string command =
      GMR_OBJDUMP " -d --no-show-raw-insn -j .plt -j .plt.sec -j .plt.got " + path + " 2>/dev/null";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output{::popen(command.c_str(), "r"),
                                                               ::pclose};
  places found;
  // What is chosen at run time has no name, but a place: *ABS*+0x1234@plt.
  std::array<char, 4096> line;
  std::array<char, 4096> name;
  std::uintptr_t place = 0;
  while (std::fgets(line.data(), line.size(), output.get()) != nullptr) {
    char end = 0;
    if (std::sscanf(line.data(), "%lx <%4000[^*+@]@plt>%c", &place, name.data(), &end) == 3 &&
        end == ':')
      found.emplace(place, name.data());
  }
  return found;
}

class Stubs : public testing::TestWithParam<const char*> {};

TEST_P(Stubs, AreWhereTheDisassemblerFindsThem) {
  const std::string path = std::filesystem::canonical(GetParam());
  const places expected = disassembled(path);
  ASSERT_GE(expected.size(), 3) << "the disassembler found few";
  EXPECT_EQ(found_in(path), expected);
}

INSTANTIATE_TEST_SUITE_P(Files, Stubs,
                         testing::Values("/proc/self/exe", GMR_CALLS "/calls-plain.so",
                                         GMR_CALLS "/calls-landing-pads.so",
                                         GMR_CALLS "/calls-now.so"));

TEST(Stubs, OfWhatIsAlsoPointedTo) {
  const places found = found_in(GMR_CALLS "/calls-plain.so");
  const auto is = [](const char* name) {
    return [name](const auto& each) { return each.second == name; };
  };
  EXPECT_EQ(std::count_if(found.begin(), found.end(), is("puts")), 1);
  EXPECT_EQ(std::count_if(found.begin(), found.end(), is("getenv")), 1);
}

}  // namespace
}  // namespace gmr::symbolize
