// The page belongs to a file in memory whose name has the fields, parted by tabs:
//
//   /memfd:gmr-1<tab>signal=12<tab>service=orders<tab>socket=/run/orders.sock (deleted)
//
// A name, as its content could be read by root alone where the kernel restricts ptrace.
#include "os/announcement.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <mutex>

#include "os/fork.hpp"

namespace gmr::os {
namespace {

constexpr std::string_view beginning = "gmr-1";
constexpr std::string_view ending = " (deleted)";  // which the kernel adds
constexpr std::size_t longest_name = 249;          // of the kernel
constexpr std::size_t page_bytes = 4096;
constexpr std::string_view no_log_dir_here = "\tlog_dir=";  // there is one, and no room for it

std::mutex announcing;
void* announced_page = nullptr;

// The page is not mapped there; the lock may be held by a thread that is not there.
void forget_page() noexcept {
  announced_page = nullptr;
}

void lock_page() noexcept {
  announcing.lock();
}
void unlock_page() noexcept {
  announcing.unlock();
}
void unlock_and_forget() noexcept {
  forget_page();
  announcing.unlock();
}

constexpr fork_actions page_when_forked{
    .before = lock_page, .in_parent = unlock_page, .in_child = unlock_and_forget};

void add_field(std::string& name, std::string_view key, std::string_view content,
               std::size_t most = longest_name) {
  const bool is_plain =
      std::ranges::none_of(content, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (content.empty() || !is_plain || name.size() + key.size() + content.size() + 2 > most) return;
  name.append("\t").append(key).append("=").append(content);
}

// What is needed most comes first.
std::string name_of(const announcement& what) {
  std::string name{beginning};
  if (what.signal > 0) add_field(name, "signal", std::to_string(what.signal));
  const std::size_t most = longest_name - (what.log_dir.empty() ? 0 : no_log_dir_here.size());
  add_field(name, "socket", what.socket, most);
  add_field(name, "service", what.service, most);
  const std::size_t before = name.size();
  add_field(name, "log_dir", what.log_dir);
  // Without a word the reports would be looked for on standard error.
  if (!what.log_dir.empty() && name.size() == before) name += no_log_dir_here;
  return name;
}

// Null where it is refused. Nothing is in it, and nothing is read from it: it takes no memory.
void* map_page(const std::string& name) noexcept {
  const int file = ::memfd_create(name.c_str(), MFD_CLOEXEC);
  if (file < 0) return nullptr;
  void* page = ::ftruncate(file, page_bytes) == 0
                   ? ::mmap(nullptr, page_bytes, PROT_READ, MAP_PRIVATE, file, 0)
                   : MAP_FAILED;
  ::close(file);
  if (page == MAP_FAILED) return nullptr;
  if (::madvise(page, page_bytes, MADV_DONTFORK) == 0) return page;
  ::munmap(page, page_bytes);  // a child would say what is true of its parent only
  return nullptr;
}

// What stands before the path: a file of that name that a process maps for something else,
// elsewhere or to write to it, says nothing.
bool is_mapped_so(std::string_view place) {
  // Where to read is to execute (personality(2)), the page is mapped so.
  return place.find(" r--p 00000000 ") != place.npos || place.find(" r-xp 00000000 ") != place.npos;
}

void replace_page(void* made) noexcept {
  const std::lock_guard lock{announcing};
  if (announced_page != nullptr) ::munmap(announced_page, page_bytes);
  announced_page = made;
}

}  // namespace

void announce(const announcement& what) noexcept try {
  if (on_fork(fork_place::announcement, page_when_forked)) replace_page(map_page(name_of(what)));
} catch (const std::exception&) {  // no memory for the name
}

void withdraw_announcement() noexcept {
  replace_page(nullptr);
}

std::optional<announcement> parse_announcement(std::string_view line) {
  const std::string sought = "/memfd:" + std::string{beginning};
  const std::size_t path = std::min(line.find('/'), line.size());
  if (!line.substr(path).starts_with(sought) || !line.ends_with(ending) ||
      !is_mapped_so(line.substr(0, path)))
    return std::nullopt;
  std::string_view rest = line.substr(path + sought.size());
  rest.remove_suffix(ending.size());
  if (!rest.empty() && rest.front() != '\t') return std::nullopt;
  announcement out;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view field = rest.substr(0, rest.find('\t'));
    rest.remove_prefix(field.size());
    const std::size_t sign = std::min(field.find('='), field.size());
    const std::string_view key = field.substr(0, sign);
    const std::string_view content = field.substr(std::min(sign + 1, field.size()));
    if (key == "signal")
      std::from_chars(content.data(), content.data() + content.size(), out.signal);
    if (key == "service") out.service = content;
    if (key == "socket") out.socket = content;
    if (key == "log_dir") {
      out.log_dir = content;
      out.has_other_log_dir = content.empty();
    }
  }
  return out;
}

}  // namespace gmr::os
