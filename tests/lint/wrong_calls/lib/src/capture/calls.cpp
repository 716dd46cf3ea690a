// What tests/lint/check_calls.py must find, and what it must leave alone. Never compiled.
#include "capture/calls.hpp"

namespace gmr::capture {

void wrong() {
  const int file = ::open("/proc/self/maps", O_RDONLY);  // found
  if (openat(file, ".", 0) < 0) return;  // found
  process_vm_readv(getpid(), &local, 1, &remote, 1, 0);  // found
  syscall(SYS_process_vm_readv, 1, 2, 3);  // found
  syscall(SYS_openat, AT_FDCWD, "x", 0);  // found
  std::FILE* const stream = std::fopen("/etc/passwd", "re");  // found
  return opendir("/proc");  // found
  pthread_atfork(nullptr, nullptr,  // found
                 [] {});
  static const int registered = ::pthread_atfork(nullptr, nullptr, silence);  // found
  dl_iterate_phdr(add_block, &blocks);  // found
  gmtime_r(&seconds, &parts); localtime_r(&seconds, &parts);  // found
  text(buffer, std::strftime(buffer, 32, "%Y", &parts));  // found
  while (::fgetpwent_r(users, &entry, buffer, 32, &found) == 0) {}  // found
  getpwuid(0);  // found
  std::ifstream maps{"/proc/self/maps"};  // found
  for (const auto& each : std::filesystem::directory_iterator{"/proc/self/fd"}) {}  // found
  say(std::generic_category().message(errno));  // found
  say(error.message());  // found
  say(std::strerror(errno));  // found
  bad = is_there && open(path, 0) >= 0;  // found
}

void right() {
  // ::open("/proc/self/maps", O_RDONLY) in a comment
  say("gmtime_r(&seconds, &parts)");
  const int file = os::open_file(AT_FDCWD, "/proc/self/maps", O_RDONLY);
  elf_image image = elf_image::open(path, how);
  this->open();
  image.open(path);
  const char name[] = "dl_iterate_phdr(";
  reopen(1);
}

// Declarations of members.
class image {
  bool open(Dwarf* file);
  static image& open(const std::string& path);
  void open();
};
bool image::open(Dwarf* file) { return false; }

}  // namespace gmr::capture
