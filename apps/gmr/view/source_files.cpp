#include "view/source_files.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gmr_command {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_line = 200;
constexpr std::ptrdiff_t most_parts = 64;  // of a path: a made-up one may have a million
constexpr std::uintmax_t largest_file = 16U << 20U;

class source_directory final {
 public:
  explicit source_directory(const fs::path& root) : root_(root) {}

  [[nodiscard]] std::string line(const std::string& file, std::uint32_t number) {
    const auto [at, is_new] = files_.try_emplace(file);
    if (is_new) at->second = read(find(file));
    return number == 0 || number > at->second.size() ? std::string{} : at->second[number - 1];
  }

 private:
  // With ".." a report that somebody has made up would lead out of the directory; links in it are
  // those of its owner.
  [[nodiscard]] fs::path find(const std::string& file) const {
    const fs::path whole = fs::path{file}.lexically_normal().relative_path();
    const std::vector<fs::path> parts{whole.begin(), whole.end()};
    for (auto first = parts.end() - std::min(most_parts, std::ssize(parts)); first != parts.end();
         ++first) {
      if (*first == "..") continue;
      fs::path tried = root_;
      std::for_each(first, parts.end(), [&](const fs::path& part) { tried /= part; });
      std::error_code error;
      if (fs::is_regular_file(tried, error)) return tried;
    }
    return {};
  }

  [[nodiscard]] static std::vector<std::string> read(const fs::path& file) {
    std::vector<std::string> lines;
    std::error_code error;
    if (file.empty() || fs::file_size(file, error) > largest_file || error) return lines;
    std::ifstream in{file};
    for (std::string line; std::getline(in, line);) {
      line.erase(0, line.find_first_not_of(" \t"));
      if (const std::size_t end = line.find_last_not_of(" \t\r"); end != std::string::npos)
        line.resize(std::min(end + 1, longest_line));
      lines.push_back(line);
    }
    return lines;
  }

  fs::path root_;
  std::unordered_map<std::string, std::vector<std::string>> files_;
};

}  // namespace

gmr::outlines::source_lines lines_of_source(const gmr::report& shown, const fs::path& directory) {
  gmr::outlines::source_lines out;
  source_directory source{directory};
  const auto add = [&](const gmr::stack& frames) {
    for (const gmr::frame* const each : frames.frames) {
      if (each->file.empty() || out.contains(each)) continue;
      if (std::string line = source.line(each->file, each->line); !line.empty())
        out.emplace(each, std::move(line));
    }
  };
  for (const gmr::thread_info& thread : shown.threads)
    add(thread.stack);
  for (const gmr::stack& each : shown.green_threads.stacks)
    add(each);
  return out;
}

}  // namespace gmr_command
