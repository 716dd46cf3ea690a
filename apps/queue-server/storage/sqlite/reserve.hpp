// Room on the disk that is kept for the day when it is full, so that messages can be deleted then.
#pragma once

#include <string>

namespace queue_server::sqlite {

// A file beside the database that only takes room; it goes with the object. One thread at a time.
class reserve final {
 public:
  // Keeps nothing for a database that is no file, and where the file system can't.
  explicit reserve(const std::string& database);
  ~reserve();
  reserve(const reserve&) = delete;
  reserve& operator=(const reserve&) = delete;

  // It was given up, and could not be taken back.
  [[nodiscard]] bool is_spent() const noexcept { return spent_; }
  void spend() noexcept;
  void take_back() noexcept;

 private:
  [[nodiscard]] bool take() noexcept;

  std::string path_;  // empty: there is none
  bool spent_ = false;
};

}  // namespace queue_server::sqlite
