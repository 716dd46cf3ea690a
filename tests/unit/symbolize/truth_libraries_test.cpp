// The same calls translated by several compilers, and with their debug information taken away or
// apart.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "expect_truths.hpp"
#include "os/modules.hpp"
#include "parked_thread.hpp"
#include "symbolize/symbolizer.hpp"
#include "truths.hpp"
#include "unwind/unwinder.hpp"

namespace {

using gmr::stack;
using gmr::symbolize::symbolizer;
using gmr::test::parked_thread;
using gmr::test::truth;
using gmr::unwind::raw_stack;
using gmr::unwind::unwinder;
namespace fs = std::filesystem;

void park(void* thread) {
  static_cast<parked_thread*>(thread)->park();
}

using run_function = const char* (*)(gmr::test::park_function, void*, std::vector<truth>&);

class library final {
 public:
  explicit library(const std::string& path) : handle_(::dlopen(path.c_str(), RTLD_NOW)) {
    if (handle_ == nullptr) ADD_FAILURE() << ::dlerror();
  }
  ~library() {
    if (handle_ != nullptr) ::dlclose(handle_);
  }
  library(const library&) = delete;
  library& operator=(const library&) = delete;

  [[nodiscard]] run_function run() const {
    return handle_ == nullptr ? nullptr
                              : reinterpret_cast<run_function>(::dlsym(handle_, "gmr_run_truths"));
  }

 private:
  void* handle_;
};

struct seen_stack {
  std::shared_ptr<const void> owner;
  stack resolved;
  std::vector<truth> truths;
};

// `meanwhile` is called while the library is in use, before it is looked at.
template <class Meanwhile>
seen_stack see(const std::string& path, Meanwhile meanwhile) {
  seen_stack result;
  const library loaded{path};
  const run_function run = loaded.run();
  if (run == nullptr) return result;
  const parked_thread thread([&](parked_thread& self) { run(&park, &self, result.truths); });
  meanwhile();
  unwinder unwind{gmr::os::read_modules()};
  raw_stack raw;
  const auto taken = thread.take();
  unwind.unwind(taken.snapshot, raw);
  EXPECT_FALSE(raw.truncated) << raw.note;
  EXPECT_TRUE(raw.exact);
  symbolizer names{gmr::os::read_modules()};
  result.resolved = names.resolve(raw);
  result.owner = names.frames();
  return result;
}

seen_stack see(const std::string& path) {
  return see(path, [] {});
}

std::string original(const std::string& name) {
  return std::string(GMR_TRUTHS) + "/truths-" + name + ".so";
}

class Truths : public testing::TestWithParam<std::string> {};

TEST_P(Truths, AreWhatTheReportShows) {
  const std::string path = original(GetParam());
  if (!fs::exists(path)) GTEST_SKIP() << path << " was not built: its compiler is not installed";
  const seen_stack seen = see(path);
  gmr::test::expect_truths(seen.resolved, seen.truths, true);
}

INSTANTIATE_TEST_SUITE_P(Compilers, Truths,
                         testing::Values("gcc-O0", "gcc-O3", "gcc-frame-pointers", "gcc-dwarf4",
                                         "gcc-lto", "clang-O0", "clang-O2", "clang-dwarf4"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

class DebugFiles : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(original("gcc-O3")) || std::string(GMR_OBJCOPY).empty())
      GTEST_SKIP() << "needs g++ and objcopy";
    directory_ = fs::temp_directory_path() / ("gmr-debug-files-" + std::to_string(::getpid()));
    fs::create_directories(directory_);
    path_ = (directory_ / "libtruths.so").string();
    fs::copy_file(original("gcc-O3"), path_);
  }
  void TearDown() override {
    if (!directory_.empty()) fs::remove_all(directory_);
  }
  static void objcopy(const std::string& arguments) {
    ASSERT_EQ(std::system((std::string(GMR_OBJCOPY) + " " + arguments).c_str()), 0);
  }

  fs::path directory_;
  std::string path_;
};

TEST_F(DebugFiles, AreFoundByTheirLink) {
  const std::string debug = (directory_ / "libtruths.debug").string();
  objcopy("--only-keep-debug " + path_ + " " + debug);
  objcopy("--strip-all --add-gnu-debuglink=" + debug + " " + path_);
  const seen_stack seen = see(path_);
  gmr::test::expect_truths(seen.resolved, seen.truths, true);
}

TEST_F(DebugFiles, WithoutThemNamesComeFromTheSymbolTable) {
  objcopy("--strip-all " + path_);
  const seen_stack seen = see(path_);
  ASSERT_FALSE(seen.resolved.frames.empty());
  bool found = false;
  for (const gmr::frame* frame : seen.resolved.frames) {
    if (frame->module != path_) continue;
    found = found || frame->function == "gmr_run_truths";
    EXPECT_TRUE(frame->offset.has_value());
    EXPECT_EQ(frame->file, "");
  }
  EXPECT_TRUE(found) << gmr::test::describe(seen.resolved);
}

TEST_F(DebugFiles, AFileReplacedSinceItWasLoadedIsNotBelieved) {
  const std::string other = original("gcc-O0");
  const seen_stack seen = see(path_, [&] {
    fs::remove(path_);  // as an upgrade does: the old file lives on while it is mapped
    fs::copy_file(other, path_);
  });
  ASSERT_FALSE(seen.resolved.frames.empty());
  // Not one frame may come from the wrong file; with privileges the right one is still found.
  if (seen.resolved.note.empty()) {
    gmr::test::expect_truths(seen.resolved, seen.truths, true);
  } else {
    EXPECT_NE(seen.resolved.note.find("was replaced on disk"), std::string::npos);
    for (const gmr::frame* frame : seen.resolved.frames)
      EXPECT_FALSE(frame->module == path_ && frame->line != 0) << frame->function;
  }
}

}  // namespace
