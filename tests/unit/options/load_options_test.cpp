// What is wrong in a configuration file or on a command line, and how it is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <iostream>

#include "gmr/options/options.hpp"
#include "option_files.hpp"

namespace {

namespace po = boost::program_options;
using gmr::configuration_error;
using option_files::load;
using option_files::load_error;
using testing::HasSubstr;
using testing::Not;

po::options_description error_options() {
  po::options_description described{"service"};
  described.add_options()("help,h", "")("version", "")("config-file,c", po::value<std::string>())(
      "http.port", po::value<int>()->default_value(80))("http.name", po::value<std::string>())(
      "http.peers", po::value<std::vector<std::string>>())("db.pin", gmr::secret<int>())(
      "db.password", po::value<std::string>());
  return described;
}

class FileErrors : public testing::Test {
 protected:
  // The error for a file of that content, without the directory of the file.
  std::string error_of(const std::string& content) {
    const std::string file = files_.file(content);
    const auto error = load_error(error_options(), {"--config-file", file});
    if (!error) return "no error";
    EXPECT_EQ(error->where(), configuration_error::place::file);
    EXPECT_EQ(error->exit_code(), 78);
    const std::string message = error->what();
    EXPECT_TRUE(message.starts_with(file)) << message;
    return message.substr(files_.path().string().size() + 1);
  }

  option_files::directory files_;
};

TEST_F(FileErrors, AnUnknownOptionIsNamedWithItsLine) {
  EXPECT_EQ(error_of("[http]\nport = 1\nprot = 2\n"), "service.conf:3: unknown option 'http.prot'");
  EXPECT_EQ(error_of("prot = 2"), "service.conf:1: unknown option 'prot'");
}

TEST_F(FileErrors, AnUnknownSectionIsNamed) {
  EXPECT_EQ(error_of("# first\n\n[htpp]\nport = 1\n"), "service.conf:4: unknown section [htpp]");
}

TEST_F(FileErrors, AValueThatCantBeConvertedIsNamedWithItsLine) {
  EXPECT_EQ(error_of("[http]\n\nport = eighty\n"),
            "service.conf:3: the argument ('eighty') for option 'http.port' is invalid");
}

TEST_F(FileErrors, AnOptionGivenTwiceIsNamedWithTheSecondLine) {
  EXPECT_EQ(error_of("[http]\nport = 1\nname = x\nport = 2\n"),
            "service.conf:4: option 'http.port' is given more than once");
}

TEST_F(FileErrors, TheRightOneOfTwoIsBlamed) {
  EXPECT_THAT(error_of("[http]\nport = 1\nport = x\n"), HasSubstr(":3: the argument ('x')"));
  EXPECT_THAT(error_of("[http]\nport = x\nport = 1\n"), HasSubstr(":2: the argument ('x')"));
}

TEST_F(FileErrors, ALineThatIsNothingIsNamedWithoutItsContent) {
  for (const char* line : {"hunter2", "[http", "= ", "[http] x"}) {
    const std::string error = error_of("[http]\n" + std::string(line) + "\n");
    EXPECT_THAT(error, HasSubstr("service.conf:2: ")) << line;
    EXPECT_THAT(error, Not(HasSubstr("hunter2")));
  }
}

TEST_F(FileErrors, SecretsAreNotPartOfThem) {
  const std::string error = error_of("[db]\npin = hunter2\n");
  EXPECT_EQ(error, "service.conf:2: the value of secret option 'db.pin' is not acceptable");
  EXPECT_THAT(error_of("[db]\npassword=x\npassword=hunter2\n"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(error_of("[http]\nport = http://u:hunter2@h\n"), Not(HasSubstr("hunter2")));
}

TEST_F(FileErrors, AFileThatIsNoTextIsRefused) {
  EXPECT_THAT(error_of(std::string("[http]\nport\0=1\n", 15)), HasSubstr(":2: a NUL byte"));
}

TEST_F(FileErrors, SwitchesAndTheFileItselfDoNotBelongThere) {
  EXPECT_THAT(error_of("help = 1\n"), HasSubstr("unknown option 'help'"));
  EXPECT_THAT(error_of("config-file = other\n"), HasSubstr("unknown option 'config-file'"));
}

TEST_F(FileErrors, ALaterErrorHasThePlaceToo) {
  const std::string file = files_.file("[http]\nport = 99999\n");
  const auto loaded = load(error_options(), {"-c", file, "--http.name=x"});
  const configuration_error in_file = loaded.error_at("http.port", "no such port");
  EXPECT_EQ(in_file.what(), file + ":2: no such port");
  EXPECT_EQ(in_file.exit_code(), 78);
  const configuration_error on_line = loaded.error_at("http.name", "no such name");
  EXPECT_STREQ(on_line.what(), "no such name");
  EXPECT_EQ(on_line.exit_code(), 64);
  const configuration_error nowhere = loaded.error_at("http.peers", "is needed");
  EXPECT_EQ(nowhere.what(), file + ": is needed");
  EXPECT_EQ(nowhere.exit_code(), 78);
}

TEST_F(FileErrors, RequiredOptionsAndNotifiersAreChecked) {
  po::options_description described = error_options();
  described.add_options()("http.host", po::value<std::string>()->required())(
      "http.level", po::value<int>()->notifier([](int level) {
        if (level > 9) throw po::validation_error(po::validation_error::invalid_option_value);
      }))("http.mode", po::value<int>()->notifier([](int mode) {
    if (mode > 9) throw std::runtime_error("at most 9");
  }));
  const auto error = [&](const std::string& content) {
    const auto found = load_error(described, {"-c", files_.file(content)});
    return found ? std::string(found->what()) : "no error";
  };
  EXPECT_EQ(error("[http]\nhost = a\nlevel = 9\nmode = 9"), "no error");
  EXPECT_THAT(error("[http]\nport = 1\n"),
              HasSubstr("service.conf: option 'http.host' is required"));
  EXPECT_THAT(error("[http]\nhost = a\nlevel = 10\n"), HasSubstr("service.conf:3: "));
  EXPECT_THAT(error("[http]\nhost = a\nlevel = 10\n"), HasSubstr("http.level"));
  EXPECT_THAT(error("[http]\nhost = a\nmode = 10\n"),
              HasSubstr("service.conf:3: option 'http.mode': at most 9"));
}

TEST(MissingFile, IsNoInput) {
  const option_files::directory files;
  const std::string missing = files.path() / "nowhere.conf";
  const auto error = load_error(error_options(), {"--config-file", missing});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->where(), configuration_error::place::missing_file);
  EXPECT_EQ(error->exit_code(), 66);
  EXPECT_EQ(error->what(), missing + ": can't be read: No such file or directory");
}

TEST(MissingFile, DirectoriesAndForbiddenFilesToo) {
  const option_files::directory files;
  const auto directory = load_error(error_options(), {"--config-file", files.path()});
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->exit_code(), 66);
  EXPECT_THAT(directory->what(), HasSubstr("Is a directory"));
}

TEST(MissingFile, FilesThatMayNotBeReadToo) {
  const option_files::directory files;
  const std::string forbidden = files.file("");
  ASSERT_EQ(::chmod(forbidden.c_str(), 0), 0);
  // In a process without the rights of root, whoever runs the test.
  EXPECT_EXIT(
      {
        constexpr uid_t nobody = 65534;
        if (::geteuid() == 0 && ::seteuid(nobody) != 0) ::_exit(1);
        const auto error = load_error(error_options(), {"--config-file", forbidden});
        std::cerr << (error ? error->what() : "no error");
        ::_exit(error ? error->exit_code() : 0);
      },
      testing::ExitedWithCode(66), "Permission denied");
}

TEST(MissingFile, ADefaultMayBeMissingButNotBroken) {
  const option_files::directory files;
  const std::string file = files.path() / "service.conf";
  po::options_description described;
  described.add_options()("config-file", po::value<std::string>()->default_value(file))(
      "http.port", po::value<int>()->default_value(80));
  EXPECT_EQ(load(described, {}).values["http.port"].as<int>(), 80);
  EXPECT_EQ(load(described, {}).config_file, "");
  static_cast<void>(files.file("[http]\nport=81\n"));
  EXPECT_EQ(load(described, {}).values["http.port"].as<int>(), 81);
  EXPECT_EQ(load(described, {}).config_file, file);
  static_cast<void>(files.file("[http]\nport=x\n"));
  EXPECT_TRUE(load_error(described, {}));
}

TEST(EndlessFile, IsRefused) {
  const auto error = load_error(error_options(), {"--config-file", "/dev/zero"});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->exit_code(), 78);
  EXPECT_STREQ(error->what(), "/dev/zero: larger than 4 MiB");
}

TEST(CommandLineErrors, AreOneClearLine) {
  const auto message = [](const std::vector<std::string>& arguments) {
    const auto error = load_error(error_options(), arguments);
    if (!error) return std::string("no error");
    EXPECT_EQ(error->where(), configuration_error::place::command_line);
    EXPECT_EQ(error->exit_code(), 64);
    EXPECT_EQ(std::string(error->what()).find('\n'), std::string::npos);
    return std::string(error->what());
  };
  EXPECT_EQ(message({"--nope=hunter2"}), "unknown option '--nope'");
  EXPECT_EQ(message({"--http.po=1"}), "unknown option '--http.po'") << "options are not guessed";
  EXPECT_EQ(message({"stray"}), "unexpected argument 'stray'");
  EXPECT_THAT(message({"--http.port"}), HasSubstr("http.port"));
  EXPECT_EQ(message({"--http.port=x"}), "the argument ('x') for option '--http.port' is invalid");
  EXPECT_EQ(message({"--http.port=1", "--http.port=2"}),
            "option '--http.port' is given more than once");
  EXPECT_THAT(message({"--db.pin=hunter2"}), Not(HasSubstr("hunter2")));
  EXPECT_THAT(message({"--db.pin", "hunter2"}), Not(HasSubstr("hunter2")));
}

TEST(CommandLineErrors, HelpAndVersionNeedNothingElse) {
  po::options_description described = error_options();
  described.add_options()("http.host", po::value<std::string>()->required());
  for (const char* alone : {"--help", "-h", "--version"}) {
    const auto loaded = load(described, {alone, "--config-file", "/nowhere"});
    EXPECT_EQ(loaded.values.count("help") + loaded.values.count("version"), 1U);
  }
  EXPECT_TRUE(load_error(described, {}));
}

}  // namespace
