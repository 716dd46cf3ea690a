// The sample file and the documentation say what the options are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gmr/options/options.hpp"
#include "option_files.hpp"
#include "os/file_text.hpp"
#include "text/lines.hpp"

namespace {

namespace po = boost::program_options;
using testing::HasSubstr;

std::string content_of(const std::string& file) {
  const auto text = gmr::os::read_file(GMR_SOURCE_DIR "/" + file);
  EXPECT_TRUE(text.ok()) << file;
  return text.content;
}

// The sample with every option set as it shows: without the # of lines "#name = value".
gmr::loaded_options load_sample() {
  const std::string sample = content_of("config/gmr.conf");
  std::string_view rest = sample;
  std::string active;
  while (!rest.empty()) {
    std::string_view line = gmr::texts::take_line(rest);
    const bool is_option = line.starts_with('#') && !line.starts_with("# ");
    if (is_option) line.remove_prefix(1);
    active.append(line).append("\n");
  }
  const option_files::directory files;
  po::options_description described = gmr::options();
  described.add_options()("config-file", po::value<std::string>());
  return option_files::load(described, {"--config-file", files.file(active)});
}

TEST(SampleFile, SetsEveryOptionToItsDefaultOrAnExample) {
  const gmr::loaded_options sample = load_sample();
  static_cast<void>(gmr::settings_from(sample.values));
  const po::options_description described = gmr::options();
  for (const auto& option : described.options()) {
    const std::string& name = option->long_name();
    ASSERT_TRUE(sample.sources.contains(name)) << name;
    const std::string shown = option->format_parameter();
    if (const std::size_t preset = shown.find("(="); preset != std::string::npos) {
      EXPECT_EQ(shown.substr(preset), "(=" + sample.texts.at(name) + ")") << name;
    }
  }
}

TEST(SampleFile, AsItIsSetsNothing) {
  const option_files::directory files;
  po::options_description described = gmr::options();
  described.add_options()("config-file", po::value<std::string>());
  const std::string file = files.file(content_of("config/gmr.conf"));
  const auto loaded = option_files::load(described, {"--config-file", file});
  EXPECT_EQ(loaded.sources.size(), 1U) << "only the file itself";
}

TEST(Documentation, HasEveryOptionWithItsDefault) {
  const std::string documentation = content_of("docs/options.md");
  const po::options_description described = gmr::options();
  for (const auto& option : described.options()) {
    const std::string name = option->long_name().substr(std::string("oslo_reports.").size());
    EXPECT_THAT(documentation, HasSubstr("| `" + name + "` | "));
    const std::string shown = option->format_parameter();
    const std::size_t preset = shown.find("(=");
    if (preset == std::string::npos) continue;
    const std::string value = shown.substr(preset + 2, shown.size() - preset - 3);
    const std::string row = "| `" + name + "` | ";
    EXPECT_THAT(documentation, testing::AnyOf(HasSubstr(row + value + " |"),
                                              HasSubstr(row + "`" + value + "` |")));
  }
}

}  // namespace
