// Whole reports as they are kept in golden/: whatever changes in them is seen, and meant.
// GMR_REGENERATE_GOLDEN=1 writes the files anew; look at the difference before it is committed.
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "golden_reports.hpp"
#include "view/html/assets.hpp"
#include "view/html/html.hpp"
#include "view/json.hpp"
#include "view/oslo.hpp"
#include "view/text.hpp"

namespace gmr::views {
namespace {

namespace fs = std::filesystem;

// Indented, so that a difference is a line.
std::string indented(const std::string& json) {
  rapidjson::Document read;
  read.Parse<rapidjson::kParseFullPrecisionFlag>(json.c_str(), json.size());
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer{buffer};
  writer.SetIndent(' ', 1);
  read.Accept(writer);
  return std::string{buffer.GetString(), buffer.GetSize()} + "\n";
}

// Without style and script, which are the same for all, and their hashes.
std::string without_assets(std::string html) {
  for (const std::string_view asset : {html_style, html_style_hash, html_script, html_script_hash})
    if (const std::size_t at = html.find(asset); at != std::string::npos)
      html.erase(at, asset.size());
  return html;
}

std::string content_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void write(const fs::path& file, const std::string& content) {
  std::ofstream{file, std::ios::binary} << content;
}

std::string difference(const fs::path& expected, const std::string& shown) {
  const fs::path file = fs::temp_directory_path() / ("gmr-golden-" + std::to_string(::getpid()));
  write(file, shown);
  const std::string command = "diff -u '" + expected.string() + "' " + file.string();
  std::string out;
  const std::unique_ptr<FILE, int (*)(FILE*)> diff{::popen(command.c_str(), "r"), ::pclose};
  char buffer[4096];
  while (diff && std::fgets(buffer, sizeof buffer, diff.get()) != nullptr)
    out += buffer;
  fs::remove(file);
  return out;
}

void expect_golden(const std::string& name, const std::string& shown) {
  const fs::path file = fs::path{GMR_GOLDEN} / name;
  if (std::getenv("GMR_REGENERATE_GOLDEN") != nullptr) write(file, shown);
  EXPECT_TRUE(content_of(file) == shown) << difference(file, shown);
}

class Golden : public testing::TestWithParam<test::golden_report> {};

TEST_P(Golden, IsAsItWas) {
  const report made = GetParam().make();
  const outlines::outline shown = outlines::arrange(made);
  expect_golden(GetParam().name + ".txt", to_text(shown));
  expect_golden(GetParam().name + ".json", indented(to_json(shown)));
  expect_golden(GetParam().name + ".html", without_assets(to_html(shown)));
  expect_golden(GetParam().name + ".oslo", to_oslo(shown));
}

INSTANTIATE_TEST_SUITE_P(Reports, Golden, testing::ValuesIn(test::golden_reports()),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace gmr::views
