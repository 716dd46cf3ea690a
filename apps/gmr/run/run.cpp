#include "run/run.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/program_options/value_semantic.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "command_line.hpp"
#include "exit_codes.hpp"

namespace gmr_command {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;

constexpr command_help run_help{
    "gmr run [OPTIONS] -- PROGRAM [ARGUMENTS]",
    "Runs a program that was built without gmr under libgmr_preload.so, which makes it\n"
    "report its threads and the fibers of a shared Boost.Context. The program takes the\n"
    "place of this command, with its process number.\n",
    "  gmr run -- ./echo --port 7000 &\n"
    "  gmr report $!\n"
    "  gmr run --options echo-reports.ini -- ./echo\n"};

fs::path own_folder() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) throw failure{exit_unavailable, "/proc/self/exe can't be read: " + error.message()};
  return self.parent_path();
}

fs::path find_library() {
  const fs::path here = own_folder();
  const std::array<fs::path, 3> places{here / GMR_PRELOAD_INSTALLED, here / "libgmr_preload.so",
                                       here / GMR_PRELOAD_BUILT};
  std::error_code error;
  const auto* const found = std::ranges::find_if(
      places, [&error](const fs::path& place) { return fs::exists(place, error); });
  if (found != places.end()) return fs::weakly_canonical(*found);
  throw failure{exit_unavailable, "libgmr_preload.so is not at " +
                                      places.front().lexically_normal().string() +
                                      "; name it with --library"};
}

// The loader takes blanks and colons for what parts one library from the next.
std::string preload_list(const fs::path& library) {
  std::error_code error;
  if (!fs::exists(library, error))
    throw failure{exit_no_input, "there is no library " + library.string()};
  std::string list = fs::absolute(library).string();
  if (list.find_first_of(": ") != list.npos)
    throw failure{exit_unavailable,
                  "the loader can't be told of " + list + ": there is a blank or a colon in it"};
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
  const char* const before = std::getenv("LD_PRELOAD");
  return before == nullptr || *before == '\0' ? list : list + ':' + before;
}

void set_variable(const char* name, const std::string& content) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
  if (::setenv(name, content.c_str(), 1) != 0)
    throw failure{exit_unavailable, std::string{name} + " can't be set"};
}

void set_options_file(const std::string& file) {
  if (::access(file.c_str(), R_OK) != 0)
    throw failure{errno == EACCES ? exit_not_permitted : exit_no_input,
                  file + ": " + std::generic_category().message(errno)};
  set_variable("GMR_OPTIONS_FILE", fs::absolute(file).string());
}

[[noreturn]] void become(std::vector<std::string> program) {
  std::vector<char*> arguments;
  arguments.reserve(program.size() + 1);
  for (std::string& each : program)
    arguments.push_back(each.data());
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
  const int error = errno;
  throw failure{error == EACCES ? exit_not_permitted : exit_unavailable,
                program.front() + ": " + std::generic_category().message(error)};
}

}  // namespace

int run_program(const std::vector<std::string>& arguments) {
  const auto border = std::ranges::find(arguments, std::string_view{"--"});
  po::options_description described;
  described.add_options()("library", po::value<std::string>()->value_name("FILE"),
                          "libgmr_preload.so, where it is not beside gmr")(
      "options", po::value<std::string>()->value_name("FILE"),
      "an INI file with a section [oslo_reports]; see docs/options.md");
  const auto values = read_arguments({arguments.begin(), border}, described, run_help);
  if (!values) return exit_done;
  if (border == arguments.end() || border + 1 == arguments.end() || !operands(*values).empty())
    throw failure{exit_command_line, "which program? " + std::string{run_help.usage}};
  const bool named = values->contains("library");
  const fs::path library =
      named ? fs::path{(*values)["library"].as<std::string>()} : find_library();
  if (values->contains("options")) set_options_file((*values)["options"].as<std::string>());
  set_variable("LD_PRELOAD", preload_list(library));
  become({border + 1, arguments.end()});
}

}  // namespace gmr_command
