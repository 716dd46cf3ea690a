// Writes the pages that browsers are shown: pages DIRECTORY
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmr/view/view.hpp"
#include "unit/view/golden_reports.hpp"
#include "unit/view/support.hpp"

namespace {

using namespace gmr;

const std::string attack =
    "</script><script>document.title='owned'</script><img src=x "
    "onerror=\"document.title='owned'\">" +
    views::test::hostile;

void write(const std::filesystem::path& file, const report& shown) {
  std::ofstream{file, std::ios::binary} << to_html(shown);
}

report hostile() {
  static views::test::report_builder it;
  report& made = it.made;
  made.cause = made.host = made.package.name = attack;
  made.notes = {attack};
  const frame* const at = it.add_frame(attack, attack, 7);
  it.add_thread(812, attack, {at}).note = attack;
  green_thread_group& group = it.add_group(2, {at});
  group.names = {attack};
  group.labels = {{attack, {attack}}};
  made.findings = {{finding_kind::deadlock, attack, {812}, {1}, 1}};
  made.configuration = {{attack, attack, attack, attack}};
  made.sections = {{attack, views::test::all_kinds(), {}}};
  return made;
}

// 10,000 groups of green threads with 18 frames each, and some options.
report large() {
  static views::test::report_builder it;
  for (std::uint64_t number = 0; number < 10'000; ++number) {
    std::vector<const frame*> frames{it.add_frame("jump_fcontext", "", 0, true)};
    for (int depth = 0; depth < 5; ++depth)
      frames.push_back(it.add_frame("boost::asio::level" + std::to_string(depth), "", 0, true));
    for (std::uint64_t depth = 0; depth < 12; ++depth)
      frames.push_back(it.add_frame("orders::level" + std::to_string(depth) + "_" +
                                        std::to_string(depth > 8 ? 0 : number % (10 * (9 - depth))),
                                    "/srv/src/level" + std::to_string(depth) + ".cpp", 10));
    green_thread_group& group = it.add_group(1 + number % 3, frames);
    group.names = {"request " + std::to_string(number)};
    group.oldest_seconds = static_cast<double>(number);
    group.waits_for = wait_info{.kind = wait_kind::operation, .name = "read"};
  }
  for (int number = 0; number < 60; ++number)
    it.made.configuration.push_back({number % 2 == 0 ? "http" : "db",
                                     "option_" + std::to_string(number), number, "orders.conf:1"});
  return it.made;
}

// A stack whose text is longer than what a parser keeps in one piece.
report deep() {
  static views::test::report_builder it;
  std::vector<const frame*> frames;
  for (int depth = 0; depth < 3'000; ++depth)
    frames.push_back(it.add_frame("orders::parse_level_" + std::to_string(depth),
                                  "/srv/src/parser.cpp", 10 + static_cast<std::uint32_t>(depth)));
  it.add_thread(812, "io-1", frames);
  return it.made;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const std::filesystem::path directory{argv[1]};
  for (const gmr::views::test::golden_report& each : gmr::views::test::golden_reports())
    write(directory / (each.name + ".html"), each.make());
  write(directory / "hostile.html", hostile());
  write(directory / "large.html", large());
  write(directory / "deep.html", deep());
}
