#include "view/text_stack.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "view/human.hpp"
#include "view/printable.hpp"

namespace gmr::views {
namespace {

constexpr std::size_t shortest_fold = 3;
constexpr std::size_t longest_function = 300;

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string function_text(const frame& entry) {
  std::string name = printable(entry.function.empty() ? entry.function_full : entry.function);
  if (const std::size_t width = columns(name); width > longest_function) {
    name = first_columns(name, longest_function);
    name += "... (" + counted(width - longest_function, "more character") + ")";
  }
  if (!name.empty()) return name;
  return entry.address ? hex(*entry.address) : "(unknown function)";
}

std::string place_text(const frame& entry, const path_shortener& paths) {
  std::string place;
  if (!entry.file.empty()) {
    place = "at " + paths.shorten(entry.file);
    if (entry.line != 0) place += ":" + std::to_string(entry.line);
  } else if (!entry.module.empty()) {
    place = "in " + printable(base_name(entry.module));
    if (entry.offset) place += "+" + hex(*entry.offset);
  }
  if (entry.inlined) place += place.empty() ? "(inlined)" : " (inlined)";
  return place;
}

// The place moves to a line of its own when both don't fit: names break badly in the middle.
void show_frame(page& out, std::size_t indent, std::size_t number, const frame& entry,
                const path_shortener& paths) {
  std::string line = "#" + std::to_string(number);
  line.append(std::max<std::size_t>(4, line.size() + 1) - line.size(), ' ');
  line += function_text(entry);
  const std::string place = place_text(entry, paths);
  if (place.empty() || indent + columns(line) + 1 + columns(place) <= page::width) {
    out.unbroken(indent, place.empty() ? line : line + " " + place);
  } else {
    out.unbroken(indent, line);
    out.unbroken(indent + 8, place);
  }
}

struct library {
  std::string_view mark;
  std::string_view name;
};

// In the order they are looked for: Asio's templates name std types too.
constexpr std::array libraries = {
    library{"boost::asio", "Boost.Asio"},       library{"boost::beast", "Boost.Beast"},
    library{"boost::fibers", "Boost.Fiber"},    library{"boost::coroutines2", "Boost.Coroutine2"},
    library{"boost::context", "Boost.Context"}, library{"boost::", "Boost"},
    library{"std::", "the standard library"},   library{"__gnu_cxx::", "the standard library"},
};

std::string_view library_of_module(std::string_view module) {
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
  return library_of_module(base_name(entry.module));
}

std::string fold_text(const stack& frames, std::size_t from, std::size_t to) {
  std::vector<std::string> names;
  for (std::size_t at = from; at < to; ++at) {
    const std::string name{library_of(*frames.frames[at])};
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  std::string text = "... " + counted(to - from, "frame") + " of ";
  for (std::size_t at = 0; at < names.size(); ++at)
    text.append(at == 0 ? "" : at + 1 == names.size() ? " and " : ", ").append(names[at]);
  return text + (names.empty() ? "libraries ..." : " ...");
}

// One past the run of library frames that begins at `from`.
std::size_t end_of_run(const stack& frames, std::size_t from) {
  std::size_t end = from;
  while (end < frames.frames.size() && frames.frames[end]->internal)
    ++end;
  return end;
}

}  // namespace

path_shortener::path_shortener(const report& complete) {
  for (const thread_info& thread : complete.threads)
    learn(thread.stack);
  for (const stack& each : complete.green_threads.stacks)
    learn(each);
  if (root_ == "/" || !several_) root_.clear();
}

void path_shortener::learn(const stack& frames) {
  for (const frame* entry : frames.frames) {
    if (entry->internal || !entry->file.starts_with('/') || entry->file.starts_with("/usr/"))
      continue;
    if (first_.empty()) {
      first_ = entry->file;
      root_ = first_.substr(0, first_.rfind('/') + 1);
      continue;
    }
    several_ = several_ || entry->file != first_;
    const auto differ =
        std::mismatch(root_.begin(), root_.end(), entry->file.begin(), entry->file.end());
    root_.erase(differ.first, root_.end());
    root_.erase(root_.rfind('/') + 1);
  }
}

std::string path_shortener::shorten(std::string_view file) const {
  constexpr std::string_view system_headers = "/usr/include/";
  if (!root_.empty() && file.starts_with(root_)) {
    file.remove_prefix(root_.size());
  } else if (file.starts_with(system_headers)) {
    file.remove_prefix(system_headers.size());
  }
  // Relative to whatever directory the compiler ran in.
  while (file.starts_with("../") || file.starts_with("./"))
    file.remove_prefix(file.find('/') + 1);
  return printable(file);
}

std::string frame_text(const frame& entry, const path_shortener& paths) {
  const std::string place = place_text(entry, paths);
  return place.empty() ? function_text(entry) : function_text(entry) + " " + place;
}

void show_stack(page& out, std::size_t indent, const stack& frames, const path_shortener& paths,
                folding how) {
  const bool fold = how == folding::always || end_of_run(frames, 0) != frames.frames.size();
  for (std::size_t at = 0; at < frames.frames.size();) {
    const std::size_t end = fold && at != 0 ? end_of_run(frames, at) : at;
    if (end >= at + shortest_fold) {
      out.unbroken(indent, fold_text(frames, at, end));
      at = end;
    } else {
      show_frame(out, indent, at, *frames.frames[at], paths);
      ++at;
    }
  }
  if (!frames.note.empty()) {
    out.line(indent, "(" + printable(frames.note) + ")");
  } else if (frames.truncated) {
    out.line(indent, "(outer frames are missing)");
  } else if (frames.frames.empty()) {
    out.line(indent, "(no stack)");
  }
}

std::string remaining_text(double seconds) {
  return seconds < 0 ? ", overdue for " + human_duration(-seconds)
                     : ", still for " + human_duration(seconds);
}

std::string wait_text(const wait_info& wait) {
  std::string out = wait.kind.empty() ? "something unknown" : printable(wait.kind);
  if (wait.fd) out += " on descriptor " + std::to_string(*wait.fd);
  if (!wait.peer.empty()) out += " (" + printable(wait.peer) + ")";
  if (wait.address) out += " " + hex(*wait.address);
  if (wait.owner) out += " held by thread " + std::to_string(*wait.owner);
  if (wait.seconds) {
    const bool remaining = wait.kind == "sleep" || wait.kind == "timer";
    out += (remaining ? remaining_text(*wait.seconds) : " for " + human_duration(*wait.seconds));
  }
  return out;
}

}  // namespace gmr::views
