#include "outline/stacks.hpp"

#include <algorithm>
#include <array>

namespace gmr::outlines {
namespace {

constexpr std::size_t shortest_fold = 3;

struct library {
  std::string_view mark;
  std::string_view name;
};

// In the order they are looked for: Asio's templates name std types too. The functions of
// Boost.Context that switch fibers have C names; with gmr::trace, gmr has them.
constexpr std::array libraries = {
    library{"boost::asio", "Boost.Asio"},
    library{"boost::beast", "Boost.Beast"},
    library{"boost::fibers", "Boost.Fiber"},
    library{"boost::coroutines2", "Boost.Coroutine2"},
    library{"boost::context", "Boost.Context"},
    library{"jump_fcontext", "Boost.Context"},
    library{"ontop_fcontext", "Boost.Context"},
    library{"make_fcontext", "Boost.Context"},
    library{"gmr_fiber", "Boost.Context"},
    library{"boost::", "Boost"},
    library{"std::", "the standard library"},
    library{"__gnu_cxx::", "the standard library"},
    library{"gmr::", "gmr"},
};

bool is_switch(const frame& entry) {
  return entry.function == "jump_fcontext" || entry.function == "ontop_fcontext";
}

std::string_view library_of_module(std::string_view path) {
  const std::string_view module = path.substr(path.rfind('/') + 1);
  if (module.starts_with("libc.so") || module.starts_with("ld-linux")) return "the C library";
  if (module.starts_with("libstdc++.so")) return "the standard library";
  return {};
}

std::string_view library_of(const frame& entry) {
  for (const std::string* const name : {&entry.function, &entry.function_full}) {
    for (const library& known : libraries) {
      if (name->starts_with(known.mark)) return known.name;
    }
  }
  for (const library& known : libraries) {
    if (entry.function_full.find(known.mark) != std::string::npos) return known.name;
  }
  return library_of_module(entry.module);
}

// One past the run of library frames that begins at `from`.
std::size_t end_of_run(const stack& frames, std::size_t from) {
  std::size_t end = from;
  while (end < frames.frames.size() && frames.frames[end]->internal)
    ++end;
  return end;
}

frame_run fold(const stack& frames, std::size_t from, std::size_t to) {
  frame_run run{.first = from, .count = to - from, .is_folded = true, .libraries = {}};
  for (std::size_t at = from; at < to; ++at) {
    const std::string_view name = library_of(*frames.frames[at]);
    if (!name.empty() && std::ranges::find(run.libraries, name) == run.libraries.end())
      run.libraries.push_back(name);
  }
  return run;
}

// Whether even the innermost frame may be folded.
bool begins_with_switch(const stack& frames) {
  return !frames.frames.empty() && is_switch(*frames.frames.front()) &&
         end_of_run(frames, 0) != frames.frames.size();
}

// Finds the directory that files share.
class shared_directory final {
 public:
  void add(const stack& frames) {
    for (const frame* entry : frames.frames) {
      const bool counts =
          !entry->internal && entry->file.starts_with('/') && !entry->file.starts_with("/usr/");
      if (counts) add(entry->file);
    }
  }

  [[nodiscard]] std::string take() {
    return root_ == "/" || !several_ ? std::string{} : std::move(root_);
  }

 private:
  void add(const std::string& file) {
    if (first_.empty()) {
      first_ = file;
      root_ = first_.substr(0, first_.rfind('/') + 1);
      return;
    }
    several_ = several_ || file != first_;
    const auto differ = std::mismatch(root_.begin(), root_.end(), file.begin(), file.end());
    root_.erase(differ.first, root_.end());
    root_.erase(root_.rfind('/') + 1);
  }

  std::string root_;
  std::string first_;     // file that was met
  bool several_ = false;  // different files; one alone has no directory to be relative to
};

}  // namespace

stack_outline arrange_stack(const stack& frames) {
  stack_outline out;
  out.source = &frames;
  out.note = note_of(frames);
  const std::size_t always_shown = begins_with_switch(frames) ? 0 : 1;
  for (std::size_t at = 0; at < frames.frames.size();) {
    const std::size_t end = at < always_shown ? at : end_of_run(frames, at);
    if (end >= at + shortest_fold) {
      out.runs.push_back(fold(frames, at, end));
      at = end;
    } else {
      out.runs.push_back({.first = at++, .count = 1, .is_folded = false, .libraries = {}});
    }
  }
  return out;
}

std::string note_of(const stack& frames) {
  if (!frames.note.empty()) return frames.note;
  return frames.truncated ? "outer frames are missing" : std::string{};
}

std::string source_root(const report& complete) {
  shared_directory shared;
  for (const thread_info& thread : complete.threads)
    shared.add(thread.stack);
  for (const stack& each : complete.green_threads.stacks)
    shared.add(each);
  return shared.take();
}

}  // namespace gmr::outlines
