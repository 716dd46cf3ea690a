// Where values come from, and which wins.
#include <gtest/gtest.h>

#include <boost/program_options/parsers.hpp>

#include "gmr/options/options.hpp"
#include "option_files.hpp"

namespace {

namespace po = boost::program_options;
using option_files::load;
using option_files::load_error;
using option_files::variable;

po::options_description source_options() {
  po::options_description described{"service"};
  described.add_options()("config-file,c", po::value<std::string>())(
      "verbose,v", po::bool_switch())("http.port", po::value<int>()->default_value(80))(
      "http.bind-address", po::value<std::string>())("http.peers",
                                                     po::value<std::vector<std::string>>())(
      "http.filters", po::value<std::vector<std::string>>()->composing())(
      "http.path", po::value<std::filesystem::path>())("http.tls", po::value<bool>())(
      "db.pool.size", po::value<int>())("labels.*", po::value<std::string>())("debug",
                                                                              po::bool_switch());
  return described;
}

class Sources : public testing::Test {
 protected:
  gmr::loaded_options from_file(const std::string& content) {
    return load(source_options(), {"--config-file", file(content)});
  }
  std::string file(const std::string& content) { return files_.file(content); }

  option_files::directory files_;
};

TEST_F(Sources, AFileHasLines) {
  const std::string path = file(
      "# a comment\n; another\n\n[http]\nport = 8080 # why\n"
      "bind-address=::1\n[db.pool]\nsize = 3\n");
  const auto loaded = load(source_options(), {"-c", path});
  EXPECT_EQ(loaded.config_file, path);
  EXPECT_EQ(loaded.values["http.port"].as<int>(), 8080);
  EXPECT_EQ(loaded.sources.at("http.port"), path + ":5");
  EXPECT_EQ(loaded.values["http.bind-address"].as<std::string>(), "::1");
  EXPECT_EQ(loaded.sources.at("http.bind-address"), path + ":6");
  EXPECT_EQ(loaded.values["db.pool.size"].as<int>(), 3);
  EXPECT_EQ(loaded.sources.at("db.pool.size"), path + ":8");
  EXPECT_EQ(loaded.sources.at("config-file"), "command line");
}

TEST_F(Sources, WindowsFilesAreRead) {
  const auto loaded = from_file("\xEF\xBB\xBF[http]\r\nport = 1\r\n\r\ntls = yes\r\n");
  EXPECT_EQ(loaded.values["http.port"].as<int>(), 1);
  EXPECT_TRUE(loaded.values["http.tls"].as<bool>());
  EXPECT_TRUE(loaded.sources.at("http.tls").ends_with(":4"));
}

TEST_F(Sources, AFileMayBeEmptyOrEndWithoutLineBreak) {
  EXPECT_EQ(from_file("").values["http.port"].as<int>(), 80);
  EXPECT_EQ(from_file("\n\n#\n;\n[unused]\n").values["http.port"].as<int>(), 80);
  EXPECT_EQ(from_file("[http]\nport=2").values["http.port"].as<int>(), 2);
}

TEST_F(Sources, AnOptionOfManyValuesMayHaveManyLines) {
  const std::string path = file(
      "[http]\npeers = a\nport = 1\npeers = b\n[db.pool]\nsize=1\n"
      "[http]\npeers = c d\n");
  const auto loaded = load(source_options(), {"-c", path});
  EXPECT_EQ(loaded.values["http.peers"].as<std::vector<std::string>>(),
            (std::vector<std::string>{"a", "b", "c d"}));
  EXPECT_EQ(loaded.sources.at("http.peers"), path + ":2, " + path + ":4, " + path + ":8");
}

TEST_F(Sources, FullNamesAndNamesWithStarWork) {
  const auto loaded = from_file("http.port = 7\n[labels]\nregion = eu\nzone = 1\n");
  EXPECT_EQ(loaded.values["http.port"].as<int>(), 7);
  EXPECT_EQ(loaded.values["labels.region"].as<std::string>(), "eu");
  EXPECT_TRUE(loaded.sources.at("labels.zone").ends_with(":4"));
}

TEST_F(Sources, CommandLineWinsOverEnvironmentOverFile) {
  const gmr::load_settings settings{.environment_prefix = "GMRTEST_"};
  const std::string path = file("[http]\nport = 1\nbind-address = file\n[db.pool]\nsize = 1\n");
  const variable port{"GMRTEST_HTTP__PORT", "2"};
  const variable address{"GMRTEST_HTTP__BIND_ADDRESS", "environment"};
  const auto loaded = load(source_options(), {"-c", path, "--http.port=3"}, settings);
  EXPECT_EQ(loaded.values["http.port"].as<int>(), 3);
  EXPECT_EQ(loaded.sources.at("http.port"), "command line");
  EXPECT_EQ(loaded.texts.at("http.port"), "3");
  EXPECT_EQ(loaded.values["http.bind-address"].as<std::string>(), "environment");
  EXPECT_EQ(loaded.sources.at("http.bind-address"), "environment GMRTEST_HTTP__BIND_ADDRESS");
  EXPECT_EQ(loaded.values["db.pool.size"].as<int>(), 1);
  EXPECT_EQ(loaded.sources.at("db.pool.size"), path + ":5");
  EXPECT_FALSE(loaded.sources.contains("http.peers"));
}

TEST_F(Sources, TheEnvironmentIsReadOnlyWithAPrefix) {
  const variable port{"GMRTEST_HTTP__PORT", "2"};
  EXPECT_EQ(load(source_options(), {}).values["http.port"].as<int>(), 80);
}

TEST_F(Sources, TheEnvironmentMayNameTheFile) {
  const gmr::load_settings settings{.environment_prefix = "GMRTEST_"};
  const variable named{"GMRTEST_CONFIG_FILE", file("[http]\nport = 5\n")};
  EXPECT_EQ(load(source_options(), {}, settings).values["http.port"].as<int>(), 5);
}

TEST_F(Sources, AWrongVariableIsNamed) {
  const gmr::load_settings settings{.environment_prefix = "GMRTEST_"};
  const variable port{"GMRTEST_HTTP__PORT", "two"};
  const auto error = load_error(source_options(), {}, settings);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->exit_code(), 78);
  EXPECT_STREQ(error->what(),
               "environment GMRTEST_HTTP__PORT: the argument ('two') for option "
               "'http.port' is invalid");
}

TEST_F(Sources, ComposingOptionsAddUp) {
  const std::string path = file("[http]\nfilters = file\npeers = file\n");
  const auto loaded =
      load(source_options(), {"-c", path, "--http.filters=line", "--http.peers=line"});
  EXPECT_EQ(loaded.values["http.filters"].as<std::vector<std::string>>(),
            (std::vector<std::string>{"line", "file"}));
  EXPECT_EQ(loaded.sources.at("http.filters"), "command line, " + path + ":2");
  EXPECT_EQ(loaded.values["http.peers"].as<std::vector<std::string>>(),
            std::vector<std::string>{"line"});
  EXPECT_EQ(loaded.sources.at("http.peers"), "command line");
}

TEST_F(Sources, ShortOptionsAndSwitchesAreKnownByTheirFullName) {
  const auto loaded = load(source_options(), {"-v"});
  EXPECT_TRUE(loaded.values["verbose"].as<bool>());
  EXPECT_EQ(loaded.sources.at("verbose"), "command line");
  EXPECT_FALSE(loaded.sources.contains("debug"));
}

TEST_F(Sources, SwitchesMayBeSetInTheFile) {
  EXPECT_TRUE(from_file("debug = true\n").values["debug"].as<bool>());
}

TEST_F(Sources, StoreToIsFilled) {
  int port = 0;
  po::options_description described;
  described.add_options()("http.port", po::value(&port)->default_value(80));
  static_cast<void>(load(described, {"--http.port=9"}));
  EXPECT_EQ(port, 9);
}

TEST_F(Sources, AProgramWithoutArgumentsHasDefaults) {
  const char* const nothing[] = {nullptr};
  const auto loaded = gmr::load_options(0, nothing, source_options());
  EXPECT_EQ(loaded.values["http.port"].as<int>(), 80);
}

}  // namespace
