// Repeats the corpus of the fuzzer and a bounded number of changes to it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "../../fuzz/hostile_options.hpp"

namespace {

const std::filesystem::path corpus_directory = GMR_SOURCE_DIR "/tests/fuzz/corpus/options";

std::vector<std::string> corpus() {
  std::vector<std::string> contents;
  for (const auto& entry : std::filesystem::directory_iterator(corpus_directory)) {
    std::ifstream file{entry.path(), std::ios::binary};
    contents.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return contents;
}

// Overwrites, removes, repeats and joins pieces of the corpus.
std::string changed(const std::vector<std::string>& contents, std::mt19937& random) {
  const auto below = [&](std::size_t limit) {
    return limit == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  std::string text = contents[below(contents.size())];
  for (std::size_t change = below(8) + 1; change > 0; --change) {
    const std::string& other = contents[below(contents.size())];
    const std::size_t at = below(text.size() + 1);
    switch (below(4)) {
      case 0:
        text.insert(at, 1, static_cast<char>(below(256)));
        break;
      case 1:
        text.erase(at, below(16));
        break;
      case 2:
        text.insert(at, other.substr(below(other.size()), below(64)));
        break;
      default:
        if (at < text.size()) text[at] = "[]=#;:/@?&%\n\r\0\xEF "[below(16)];
    }
  }
  return text;
}

TEST(HostileOptions, TheCorpusIsAcceptedOrRefusedWithItsPlace) {
  const std::vector<std::string> contents = corpus();
  ASSERT_FALSE(contents.empty());
  for (const std::string& content : contents) {
    hostile::load(content);
    hostile::mask(content);
  }
}

TEST(HostileOptions, ChangesToTheCorpusToo) {
  const std::vector<std::string> contents = corpus();
  ASSERT_FALSE(contents.empty());
  std::mt19937 random{20240229};
  for (int round = 0; round < 3000; ++round) {
    const std::string content = changed(contents, random);
    hostile::load(content);
    hostile::mask(content);
  }
}

}  // namespace
