// Which modules are said to have coroutines that no report shows.
#include "analyse/untraced_coroutines.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "gmr/detail/hook/traced_unit.hpp"

namespace gmr::analyse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string header = "/usr/include/boost/asio/impl/awaitable.hpp";
const std::string type = "N5boost4asio6detail29co_spawn_cancellation_handlerINS1_8detachedE";
const std::string mark = trace::mark_of_traced_units;

struct part {
  std::string bytes;
  bool executable = false;
  bool writable = false;
};

// A module whose memory is here, its parts one behind the other.
class fake_module {
 public:
  explicit fake_module(const std::vector<part>& parts, std::string path = "/opt/service",
                       os::module_kind kind = os::module_kind::executable) {
    for (const part& each : parts)
      memory_ += each.bytes;
    os::module made;
    made.kind = kind;
    made.path = std::move(path);
    made.base = reinterpret_cast<std::uintptr_t>(memory_.data());
    std::size_t at = 0;
    for (const part& each : parts) {
      made.segments.push_back({.address = at,
                               .file_offset = at,
                               .file_size = each.bytes.size(),
                               .memory_size = each.bytes.size(),
                               .executable = each.executable,
                               .writable = each.writable});
      at += each.bytes.size();
    }
    module_ = std::make_shared<const os::module>(std::move(made));
  }
  fake_module(const fake_module&) = delete;
  fake_module& operator=(const fake_module&) = delete;

  [[nodiscard]] const auto& module() const { return module_; }
  void overwrite() { memory_.assign(memory_.size(), 'x'); }

 private:
  std::string memory_;
  untraced_coroutine_finder::module_pointer module_;
};

std::string text_of(untraced_coroutine_finder& finder,
                    const std::vector<untraced_coroutine_finder::module_pointer>& modules,
                    std::chrono::seconds time = std::chrono::hours{1}) {
  const auto found = finder.find(modules, std::chrono::steady_clock::now() + time);
  if (!found) return {};
  EXPECT_EQ(found->kind, finding_kind::tracing_inactive);
  return found->text;
}

std::string text_of(const std::vector<part>& parts) {
  const fake_module made{parts};
  untraced_coroutine_finder finder;
  return text_of(finder, {made.module()});
}

const std::string filler(1000, '.');

TEST(UntracedCoroutines, AreSaidOfTheModulesThatHaveThem) {
  const fake_module program{{{filler + header + filler}}, "/opt/program"};
  const fake_module plain{{{filler}}, "/opt/plain.so", os::module_kind::library};
  const fake_module plugin{{{type}}, "/opt/plugin.so", os::module_kind::library};
  untraced_coroutine_finder finder;
  EXPECT_THAT(text_of(finder, {program.module()}),
              HasSubstr("coroutines are not traced: /opt/program has"));
  const std::string both = text_of(finder, {program.module(), plain.module(), plugin.module()});
  EXPECT_THAT(both, HasSubstr("/opt/program and /opt/plugin.so have"));
  EXPECT_THAT(both, Not(HasSubstr("plain.so")));
}

TEST(UntracedCoroutines, AreNoneWithoutTheirCodeOrWithTheMark) {
  EXPECT_EQ(text_of({{filler}}), "");
  EXPECT_EQ(text_of({{mark + header}}), "");
  EXPECT_EQ(text_of({{header + type + filler + mark}}), "");
  EXPECT_EQ(text_of({{header}, {mark}}), "");
  EXPECT_EQ(text_of({}), "");
}

TEST(UntracedCoroutines, AreFoundWhereverTheTextStands) {
  constexpr std::size_t chunk = 256 * 1024;
  for (const std::size_t before : {chunk - header.size(), chunk - 5, chunk - 1, chunk, 3 * chunk}) {
    EXPECT_NE(text_of({{std::string(before, '.') + header}}), "") << before;
    EXPECT_EQ(text_of({{header + std::string(before - header.size(), '.') + mark}}), "") << before;
  }
}

TEST(UntracedCoroutines, AreLookedForInReadOnlyData) {
  EXPECT_EQ(text_of({{.bytes = header, .writable = true}, {filler}}), "");
  EXPECT_EQ(text_of({{.bytes = header, .executable = true}, {filler}}), "");
  // Without a part of its own, it is among the code.
  EXPECT_NE(text_of({{.bytes = header, .executable = true}, {.bytes = filler, .writable = true}}),
            "");
}

TEST(UntracedCoroutines, AreNotLookedForInLibrariesOfTheSystem) {
  const fake_module library{
      {{header}}, "/usr/lib/x86_64-linux-gnu/libfoo.so", os::module_kind::library};
  const fake_module program{{{header}}, "/usr/lib/service/program"};
  untraced_coroutine_finder finder;
  EXPECT_EQ(text_of(finder, {library.module()}), "");
  EXPECT_NE(text_of(finder, {program.module()}), "");
}

TEST(UntracedCoroutines, OfAModuleThatIsGoneAreNotSaid) {
  os::module gone;
  gone.kind = os::module_kind::executable;
  gone.path = "/opt/gone";
  gone.base = 4096;
  gone.segments.push_back({.file_size = 4096, .memory_size = 4096});
  untraced_coroutine_finder finder;
  EXPECT_EQ(text_of(finder, {std::make_shared<const os::module>(gone)}), "");
}

TEST(UntracedCoroutines, AreLeftToTheNextReportWhenTimeIsOver) {
  const fake_module program{{{header}}};
  untraced_coroutine_finder finder;
  EXPECT_EQ(text_of(finder, {program.module()}, std::chrono::seconds{-1}), "");
  EXPECT_NE(text_of(finder, {program.module()}), "");
}

TEST(UntracedCoroutines, AreLookedForOnceInAModule) {
  fake_module program{{{header}}};
  untraced_coroutine_finder finder;
  EXPECT_NE(text_of(finder, {program.module()}), "");
  program.overwrite();
  EXPECT_NE(text_of(finder, {program.module()}), "");
  EXPECT_EQ(text_of(finder, {}), "");
  EXPECT_EQ(text_of(finder, {program.module()}), "");  // it was unloaded: this is another one
}

}  // namespace
}  // namespace gmr::analyse
