// The raw report as JSON: every member of the contract, with what is not known empty or null.
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <ctime>
#include <new>

#include "gmr/view/view.hpp"
#include "os/task_state.hpp"
#include "text/times.hpp"
#include "view/raw_view.hpp"

namespace gmr::views {
namespace {

// What the writer needs for its nesting, from memory that is there.
class fixed_allocator final {
 public:
  static constexpr bool kNeedFree = false;

  void* Malloc(std::size_t size) noexcept {
    if (size == 0 || size > memory_.size() - used_) return nullptr;
    void* const given = memory_.data() + used_;
    used_ += (size + 15) & ~std::size_t{15};
    return given;
  }
  void* Realloc(void* old, std::size_t old_size, std::size_t new_size) noexcept {
    if (new_size <= old_size) return old;
    void* const given = Malloc(new_size);
    if (given != nullptr && old != nullptr) std::memcpy(given, old, old_size);
    return given;
  }
  static void Free(void*) noexcept {}

 private:
  alignas(16) std::array<std::byte, 4096> memory_;
  std::size_t used_ = 0;
};

struct byte_stream {
  using Ch = char;
  texts::byte_writer& to;
  void Put(char each) noexcept { to.write({&each, 1}); }
  void Flush() noexcept {}
};

double seconds_since(std::uint64_t then) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const double at = static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  return std::round((at - static_cast<double>(then) * 1e-9) * 1e6) / 1e6;
}

}  // namespace

class raw_json::writer final {
 public:
  writer(texts::byte_writer& out, const os::bare_modules& modules) noexcept
      : modules_(modules), stream_{out} {}

  using plain_writer =
      rapidjson::Writer<byte_stream, rapidjson::UTF8<>, rapidjson::UTF8<>, fixed_allocator>;
  plain_writer& operator*() noexcept { return json_; }
  plain_writer* operator->() noexcept { return &json_; }

  void key(std::string_view name) noexcept {
    json_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  }
  // Of text from anywhere, bytes that are no ASCII are written as \xNN: they may be no UTF-8.
  void text(std::string_view content) noexcept {
    constexpr std::string_view hex = "0123456789abcdef";
    std::array<char, 2048> clean;
    std::size_t size = 0;
    for (const char each : content) {
      const auto byte = static_cast<unsigned char>(each);
      if (size + 4 > clean.size()) break;
      if (byte >= 0x20 && byte < 0x7f) {
        clean[size++] = each;
        continue;
      }
      for (const char part : {'\\', 'x', hex[byte >> 4U], hex[byte & 15U]})
        clean[size++] = part;
    }
    json_.String(clean.data(), static_cast<rapidjson::SizeType>(size));
  }
  void text_or_null(std::string_view content) noexcept {
    if (content.empty())
      json_.Null();
    else
      text(content);
  }
  void address(std::uintptr_t number) noexcept {
    std::array<char, 24> digits{'0', 'x'};
    const char* const end =
        std::to_chars(digits.data() + 2, digits.data() + digits.size(), number, 16).ptr;
    json_.String(digits.data(), static_cast<rapidjson::SizeType>(end - digits.data()));
  }
  void empty_array(std::string_view name) noexcept {
    key(name);
    json_.StartArray();
    json_.EndArray();
  }
  void empty_object(std::string_view name) noexcept {
    key(name);
    json_.StartObject();
    json_.EndObject();
  }
  void null(std::string_view name) noexcept {
    key(name);
    json_.Null();
  }
  void member(std::string_view name, std::string_view content) noexcept {
    key(name);
    text(content);
  }
  void seconds_or_null(std::string_view name, std::uint64_t since) noexcept {
    key(name);
    if (since == 0)
      json_.Null();
    else
      json_.Double(seconds_since(since));
  }
  void notes(std::initializer_list<std::string_view> all) noexcept {
    key("notes");
    json_.StartArray();
    for (const std::string_view each : all)
      if (!each.empty()) text(each);
    json_.EndArray();
  }

  void frames(const unwind::bare_stack& stack) noexcept {
    for (const unwind::raw_frame& each : stack.all())
      frame(each);
  }
  void frame(const unwind::raw_frame& of) noexcept {
    const os::bare_module* const module = modules_.find(of.pc - (of.is_return ? 1 : 0));
    json_.StartObject();
    for (const std::string_view name : {"function", "function_full", "file", "line"})
      null(name);
    key("inlined");
    json_.Bool(false);
    key("module");
    text_or_null(module == nullptr ? std::string_view{} : module->path_text());
    key("offset");
    if (module == nullptr)
      json_.Null();
    else
      address(of.pc - module->base);
    key("address");
    address(of.pc);
    json_.EndObject();
  }
  void place(const void* location) noexcept {
    const raw_location where{location};
    json_.StartObject();
    key("function");
    text_or_null(where.function);
    key("function_full");
    text_or_null(where.function);
    key("file");
    text_or_null(where.file);
    key("line");
    if (where.line == 0)
      json_.Null();
    else
      json_.Uint(where.line);
    key("inlined");
    json_.Bool(false);
    for (const std::string_view name : {"module", "offset", "address"})
      null(name);
    json_.EndObject();
  }

  void group(const analyse::bare_group& of) noexcept {
    const std::size_t known = std::min<std::size_t>(of.count, of.ids.size());
    json_.StartObject();
    key("count");
    json_.Uint64(of.count);
    member("kind", to_string(of.kind));
    member("state", to_string(of.state));
    key("frames");
    json_.StartArray();
    frames(of.stack);
    for (std::size_t i = 0; i < of.location_count; ++i)
      place(of.locations[i]);
    json_.EndArray();
    notes({of.stack.count == 0 ? std::string_view{} : words_of(of.stack.end),
           of.has_more_frames ? "outer frames are left out" : std::string_view{}});
    key("ids");
    json_.StartArray();
    for (std::size_t i = 0; i < known; ++i)
      json_.Uint64(of.ids[i]);
    json_.EndArray();
    key("names");
    json_.StartArray();
    if (of.name_size != 0) text({of.name.data(), of.name_size});
    json_.EndArray();
    empty_object("labels");
    empty_array("parents");
    empty_array("parent_of");
    key("threads");
    json_.StartArray();
    for (std::size_t i = 0; i < known; ++i)
      if (of.threads[i] != 0) json_.Int(of.threads[i]);
    json_.EndArray();
    key("long_running");
    json_.Bool(false);
    empty_array("spawned");
    null("stack_bytes");
    null("high_water_bytes");
    seconds_or_null("oldest_seconds", of.oldest);
    seconds_or_null("newest_seconds", of.newest);
    null("waits_for");
    empty_array("operations");
    json_.EndObject();
  }

 private:
  const os::bare_modules& modules_;
  byte_stream stream_;
  fixed_allocator allocator_;
  plain_writer json_{stream_, &allocator_};
};

raw_json::raw_json(texts::byte_writer& out, const os::bare_modules& modules) noexcept : out_(out) {
  static_assert(sizeof(writer) <= sizeof memory_ && alignof(writer) <= 16);
  writer_ = new (memory_.data()) writer{out, modules};
}

raw_json::~raw_json() {
  writer_->~writer();
}

void raw_json::begin(const raw_head& head) noexcept {
  head_ = head;
  writer& out = *writer_;
  out->StartObject();
  out.key("schema");
  out->Int(json_schema);
  out.member("cause", head.cause);
  out.member("time", texts::bare_utc_time(head.time).view());
  out.member("host", head.host);
  out.key("number");
  out->Uint64(head.number);
  out.empty_array("findings");
  out.notes({head.note});
  out.null("source_root");
  out.key("package");
  out->StartObject();
  out.member("name", head.software->name);
  if (head.software->version.empty())
    out.null("version");
  else
    out.member("version", head.software->version);
  out->EndObject();
  out.key("process");
  out->StartObject();
  out.key("pid");
  out->Int(head.process);
  out->EndObject();
  out.empty_object("runtime");
}

void raw_json::show_modules(std::span<const os::bare_module> modules) noexcept {
  writer& out = *writer_;
  out.key("changes");
  out->Null();
  out.empty_object("control_group");
  out.key("modules");
  out->StartArray();
  for (const os::bare_module& each : modules) {
    out->StartObject();
    out.member("path", each.path_text());
    out.key("build_id");
    out.text_or_null(each.build_id_text());
    out.key("base");
    out.address(each.base);
    out->EndObject();
  }
  out->EndArray();
}

void raw_json::begin_threads(std::size_t) noexcept {
  writer_->key("threads");
  (*writer_)->StartArray();
}

void raw_json::show_thread(const capture::bare_thread& thread, const unwind::bare_stack& stack,
                           std::string_view note) noexcept {
  writer& out = *writer_;
  out->StartObject();
  out.key("id");
  out->Int(thread.id);
  out.member("name", {thread.status.name.data(), thread.status.name_size});
  out.member("state", os::state_word(thread.status.state));
  out.member("capture", to_string(thread.outcome));
  out.notes({note, stack.count == 0 ? std::string_view{} : words_of(stack.end)});
  out.null("waits_for");
  out.null("cpu");
  out.key("runs");
  if (thread.runs == 0)
    out->Null();
  else
    out->Uint64(thread.runs);
  out.key("is_reporter");
  out->Bool(thread.is_caller);
  out.key("frames");
  out->StartArray();
  out.frames(stack);
  out->EndArray();
  out->EndObject();
}

void raw_json::show_green_threads(const analyse::bare_groups& groups) noexcept {
  writer& out = *writer_;
  out->EndArray();  // of threads
  out.empty_array("thread_groups");
  out.key("green_threads");
  out->StartObject();
  out.key("count");
  out->Uint64(groups.green_threads());
  out.notes({groups.left_out() == 0 ? std::string_view{} : "some have no room here"});
  out.empty_array("event_loops");
  out.key("groups");
  out->StartArray();
  for (const analyse::bare_group* const each : groups.all())
    out.group(*each);
  out->EndArray();
  out->EndObject();
}

void raw_json::end(const raw_end& end) noexcept {
  writer& out = *writer_;
  out.empty_array("operations");
  out.empty_object("configuration");
  out.empty_object("sections");
  out.empty_array("log");
  out.key("cost");
  out->StartObject();
  for (const std::string_view name : {"capture_seconds", "resolve_seconds", "sections_seconds"}) {
    out.key(name);
    out->Double(0);
  }
  out.key("total_seconds");
  out->Double(std::round(end.seconds * 1e6) / 1e6);
  out.key("memory_growth_bytes");
  out->Int(0);
  out.key("requests");
  out->Uint64(std::max<std::uint64_t>(head_.requests, 1));
  out.key("refused");
  out->Uint64(head_.refused);
  std::array<char, 160> threads{};
  std::size_t size = 0;
  if (!end.why_no_threads.empty())
    for (const std::string_view part :
         {std::string_view{"threads can't be listed (/proc/self/task: "}, end.why_no_threads,
          std::string_view{")"}})
      size += part.copy(threads.data() + size, threads.size() - size);
  out.notes({head_.note,
             end.has_more_threads ? "there are more threads" : std::string_view{},
             end.has_more_green_threads ? "there are more green threads" : std::string_view{},
             {threads.data(), size}});
  out->EndObject();
  out->EndObject();
  out_.write("\n");
}

}  // namespace gmr::views
