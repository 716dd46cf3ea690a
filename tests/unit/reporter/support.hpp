// Reporters whose reports go to a directory of files.
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "gmr/reporter.hpp"
#include "support/scratch_directory.hpp"

namespace gmr::test {

inline bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

class report_directory {
 public:
  const std::filesystem::path& path() const { return scratch_.path(); }
  settings set() const {
    settings out;
    out.log_dir = path();
    return out;
  }
  // The reports so far, oldest first.
  std::vector<std::string> reports() const {
    std::vector<std::pair<std::filesystem::file_time_type, std::filesystem::path>> files;
    for (const auto& entry : std::filesystem::directory_iterator{path()}) {
      if (entry.path().extension() == ".txt" || entry.path().extension() == ".json")
        files.emplace_back(entry.last_write_time(), entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<std::string> out;
    for (const auto& [time, file] : files) {
      std::ifstream in{file, std::ios::binary};
      out.emplace_back(std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{});
    }
    return out;
  }
  bool wait_for(std::size_t count) const {
    return eventually([&] { return reports().size() >= count; });
  }

 private:
  scratch_directory scratch_;
};

inline bool is_whole(const std::string& text) {
  return text.starts_with("====") && text.find("==== Guru Meditation\n") != std::string::npos &&
         text.find("==== End of Guru Meditation\n") != std::string::npos;
}

}  // namespace gmr::test
