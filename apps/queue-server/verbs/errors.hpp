// A request that is refused: the status and the two texts its client is told.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace queue_server {

class api_error : public std::runtime_error {
 public:
  api_error(int status, std::string title, const std::string& description)
      : std::runtime_error(description), status_(status), title_(std::move(title)) {}
  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] const std::string& title() const noexcept { return title_; }

 private:
  int status_;
  std::string title_;
};

[[nodiscard]] inline api_error invalid_request(const std::string& description) {
  return {400, "Invalid API request", description};
}
[[nodiscard]] inline api_error invalid_body(const std::string& description) {
  return {400, "Invalid request body", description};
}
[[nodiscard]] inline api_error not_found(const std::string& description) {
  return {404, "Not found", description};
}
[[nodiscard]] inline api_error not_implemented(const std::string& what) {
  return {501, "Not implemented", what + " is not implemented by this server."};
}

}  // namespace queue_server
