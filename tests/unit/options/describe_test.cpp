#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/program_options/parsers.hpp>
#include <chrono>
#include <istream>

#include "gmr/options/configuration.hpp"
#include "gmr/options/options.hpp"
#include "option_files.hpp"

namespace celestial {

// An option type of a service's own: it can be read, and nothing else.
struct body {
  std::string name;
};
std::istream& operator>>(std::istream& in, body& read) {
  return in >> read.name;
}

}  // namespace celestial

namespace {

namespace po = boost::program_options;
using gmr::option_entry;
using option_files::load;
using testing::HasSubstr;

std::string text(const option_entry& entry) {
  const auto* content = std::get_if<std::string>(&entry.content.get());
  return content == nullptr ? "not a text" : *content;
}

const option_entry& find(const std::vector<option_entry>& entries, const std::string& section,
                         const std::string& name) {
  for (const option_entry& entry : entries)
    if (entry.section == section && entry.name == name) return entry;
  throw std::runtime_error("no entry " + section + "." + name);
}

po::options_description service() {
  po::options_description described{"service"};
  described.add_options()("help,h", "")("config-file,c", po::value<std::string>())(
      "verbose", po::bool_switch())("http.port", po::value<unsigned short>()->default_value(80))(
      "http.offset", po::value<int>())("http.ratio", po::value<float>())(
      "http.tls", po::value<bool>())("http.strict", po::bool_switch())(
      "http.path", po::value<std::filesystem::path>())("http.peers",
                                                       po::value<std::vector<std::string>>())(
      "http.ports", po::value<std::vector<int>>()->multitoken())(
      "db.uri", po::value<std::string>())("db.password", po::value<std::string>())(
      "db.pin", gmr::secret<int>())("db.note", gmr::secret<std::string>())(
      "db.pool.size", po::value<int>()->default_value(5))("sky.body", po::value<celestial::body>());
  described.add(gmr::options());
  return described;
}

std::vector<option_entry> described_with(const std::vector<std::string>& arguments) {
  return gmr::describe_configuration(service(), load(service(), arguments));
}

TEST(DescribeConfiguration, ShowsEveryOptionThatHoldsAValueInOrder) {
  const auto entries = described_with({});
  std::vector<std::string> names;
  for (const option_entry& entry : entries)
    names.push_back(entry.section + "|" + entry.name);
  ASSERT_EQ(names.size(), service().options().size() - 2);
  EXPECT_EQ(names[0], "|config-file");
  EXPECT_EQ(names[1], "http|port");
  EXPECT_THAT(names, testing::Contains("http|strict"));
  EXPECT_THAT(names, testing::Contains("db.pool|size"));
  EXPECT_THAT(names, testing::Contains("oslo_reports|format"));
  for (const option_entry& entry : entries)
    EXPECT_EQ(entry.source, "default") << entry.name;
}

TEST(DescribeConfiguration, ASwitchWithoutSectionIsShownWhenSet) {
  EXPECT_EQ(find(described_with({"--verbose"}), "", "verbose").source, "command line");
}

TEST(DescribeConfiguration, KeepsTheTypeOfValues) {
  const auto entries = described_with({"--http.port=8080", "--http.offset=-3", "--http.ratio=0.1",
                                       "--http.tls=yes", "--http.path=/a/b", "--http.peers=x",
                                       "--http.peers=y", "--http.ports", "1", "2"});
  EXPECT_EQ(std::get<std::uint64_t>(find(entries, "http", "port").content.get()), 8080U);
  EXPECT_EQ(std::get<std::int64_t>(find(entries, "http", "offset").content.get()), -3);
  EXPECT_DOUBLE_EQ(std::get<double>(find(entries, "http", "ratio").content.get()), 0.1);
  EXPECT_TRUE(std::get<bool>(find(entries, "http", "tls").content.get()));
  EXPECT_FALSE(std::get<bool>(find(entries, "http", "strict").content.get()));
  EXPECT_EQ(text(find(entries, "http", "path")), "/a/b");
  const auto& peers = std::get<gmr::list>(find(entries, "http", "peers").content.get());
  ASSERT_EQ(peers.items.size(), 2U);
  EXPECT_EQ(std::get<std::string>(peers.items[1].get()), "y");
  const auto& ports = std::get<gmr::list>(find(entries, "http", "ports").content.get());
  EXPECT_EQ(std::get<std::int64_t>(ports.items.at(1).get()), 2);
}

TEST(DescribeConfiguration, AnOptionWithoutValueIsNull) {
  const auto entries = described_with({});
  EXPECT_TRUE(find(entries, "http", "offset").content.is_null());
  EXPECT_TRUE(find(entries, "db", "password").content.is_null());
}

TEST(DescribeConfiguration, MasksSecrets) {
  const auto entries =
      described_with({"--db.pin=1234", "--db.note=hunter2", "--db.password=hunter2",
                      "--db.uri=postgresql://u:hunter2@db/x", "--http.peers=http://a:hunter2@b/",
                      "--http.peers=plain", "--http.path=ftp://u:hunter2@h/p"});
  EXPECT_EQ(text(find(entries, "db", "pin")), "***");
  EXPECT_EQ(text(find(entries, "db", "note")), "***");
  EXPECT_EQ(text(find(entries, "db", "password")), "***");
  EXPECT_EQ(text(find(entries, "db", "uri")), "postgresql://u:***@db/x");
  EXPECT_EQ(text(find(entries, "http", "path")), "ftp://u:***@h/p");
  const auto& peers = std::get<gmr::list>(find(entries, "http", "peers").content.get());
  EXPECT_EQ(std::get<std::string>(peers.items.at(0).get()), "http://a:***@b/");
  EXPECT_EQ(std::get<std::string>(peers.items.at(1).get()), "plain");
}

TEST(DescribeConfiguration, ADefaultIsMaskedToo) {
  po::options_description described;
  described.add_options()("db.note", gmr::secret<std::string>()->default_value("hunter2"));
  EXPECT_EQ(text(find(gmr::describe_configuration(described, load(described, {})), "db", "note")),
            "***");
}

TEST(DescribeConfiguration, TypesOfTheServiceAreShownAsWritten) {
  EXPECT_EQ(text(find(described_with({"--sky.body=moon"}), "sky", "body")), "moon");
  EXPECT_EQ(text(find(described_with({"--sky.body=x://u:hunter2@h"}), "sky", "body")),
            "x://u:***@h");
  const auto loaded = load(service(), {"--sky.body=moon"});
  const auto without_texts = gmr::describe_configuration(service(), loaded.values, loaded.sources);
  EXPECT_EQ(text(find(without_texts, "sky", "body")), "a celestial::body");
}

TEST(DescribeConfiguration, TheirDefaultsAsTheDescriptionHasThem) {
  po::options_description described;
  described.add_options()("sky.body", po::value<celestial::body>()->default_value(
                                          celestial::body{"sun"}, "the (=) sun"));
  const auto entries = gmr::describe_configuration(described, load(described, {}));
  EXPECT_THAT(text(find(entries, "sky", "body")), HasSubstr("sun"));
}

TEST(DescribeConfiguration, WithoutSourcesAValueIsSet) {
  po::variables_map values;
  const char* const arguments[] = {"service", "--http.port=1"};
  po::store(po::parse_command_line(2, arguments, service()), values);
  const auto entries = gmr::describe_configuration(service(), values);
  EXPECT_EQ(find(entries, "http", "port").source, "set");
  EXPECT_EQ(find(entries, "db.pool", "size").source, "default");
}

TEST(DescribeConfiguration, NamesWithStarShowWhatTheyMatched) {
  po::options_description described;
  described.add_options()("labels.*", po::value<std::string>());
  const option_files::directory files;
  po::options_description all = described;
  all.add_options()("config-file", po::value<std::string>());
  const auto loaded =
      load(all, {"--config-file", files.file("[labels]\nzone = 1\napi_token = hunter2\n")});
  const auto entries = gmr::describe_configuration(described, loaded);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(text(find(entries, "labels", "zone")), "1");
  EXPECT_EQ(text(find(entries, "labels", "api_token")), "***");
  EXPECT_TRUE(find(entries, "labels", "zone").source.ends_with(":2"));
}

TEST(DescribeConfiguration, DurationsAreShownInSeconds) {
  po::variables_map values;
  po::options_description described;
  described.add_options()("http.timeout", po::value<int>());
  values.emplace("http.timeout", po::variable_value(std::chrono::milliseconds{1500}, false));
  const auto entries = gmr::describe_configuration(described, values);
  EXPECT_EQ(text(find(entries, "http", "timeout")), "1.5 s");
}

TEST(DescribeConfiguration, AnEmptyMapIsShownAsNulls) {
  for (const option_entry& entry : gmr::describe_configuration(service(), po::variables_map{})) {
    EXPECT_TRUE(entry.content.is_null());
    EXPECT_EQ(entry.source, "default");
  }
}

}  // namespace
