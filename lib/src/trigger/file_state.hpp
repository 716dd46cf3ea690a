// What a poll of the trigger file sees, and when two polls make a touch.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace gmr::triggers {

struct file_identity {
  dev_t device = 0;
  ino_t inode = 0;
  std::int64_t seconds = 0;  // of the last modification
  std::int64_t nanoseconds = 0;

  friend bool operator==(const file_identity&, const file_identity&) = default;
};

// Follows polls of one file.
class file_state final {
 public:
  struct change {
    bool touched = false;
    std::string message;  // something is wrong since this poll, or right again
  };

  // What is there at the start is no touch.
  explicit file_state(std::filesystem::path file);

  // Looks at the file. stat follows symbolic links and needs no permission to read the file.
  [[nodiscard]] change poll();

 private:
  [[nodiscard]] int look(std::optional<file_identity>& seen) const noexcept;  // returns an errno

  std::filesystem::path file_;
  std::optional<file_identity> last_;  // empty: it was missing; kept while it can't be looked at
  int error_ = 0;                      // of the last poll
  bool known_ = false;                 // whether any poll could tell what is there
};

}  // namespace gmr::triggers
