// A request on its way: a command, and how its result becomes an answer.
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "verbs/command.hpp"

namespace queue_server {

// An answer, ready to send. For WebSocket `body` is the frame and the rest is not used.
struct reply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
};

// With access::none, take_ready() is the answer; with access::health, answer() with the storage's
// fault. Otherwise run() is called on a storage thread until it is done, and then answer() once, by
// whoever sends it.
class operation {
 public:
  using renderer = std::function<reply(const result&)>;
  using refusal = std::function<reply(const std::exception&)>;

  operation(reply ready) : ready_(std::move(ready)) {}
  operation(command work, renderer render, refusal refuse)
      : work_(std::move(work)), render_(std::move(render)), refuse_(std::move(refuse)) {
    if (work_.needs == access::none) ready_ = answer(nullptr);
  }

  [[nodiscard]] access needs() const noexcept { return work_.needs; }
  [[nodiscard]] const std::string& project() const noexcept { return work_.project; }
  [[nodiscard]] bool grows() const noexcept { return work_.grows; }
  [[nodiscard]] reply take_ready() { return std::move(ready_); }

  // True: done.
  [[nodiscard]] bool run(engine& data) {
    work_.ready = work_.run(data);
    return work_.ready.has_value();
  }
  // `problem` is what run() threw, or what kept its changes from being stored.
  [[nodiscard]] reply answer(const std::exception_ptr& problem) const {
    try {
      if (problem) std::rethrow_exception(problem);
      return render_(*work_.ready);
    } catch (const std::exception& failure) {
      return refuse_(failure);
    }
  }
  // After answer(nullptr): what was done.
  [[nodiscard]] std::optional<result>& outcome() noexcept { return work_.ready; }

 private:
  command work_;
  renderer render_;
  refusal refuse_;
  reply ready_;
};

}  // namespace queue_server
