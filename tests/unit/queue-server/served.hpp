// A store in memory with a clock that the test turns.
#pragma once

#include <api/operation.hpp>
#include <cstdint>
#include <memory>
#include <storage/store.hpp>

namespace queue_server {

class served {
 public:
  store& data() { return data_; }
  void pass_seconds(std::int64_t seconds) { *now_ += seconds * 1000; }

  // What the storage pool does with an operation.
  reply run(const operation& asked) {
    if (asked.needs == access::none) return asked.ready;
    try {
      return asked.run(data_);
    } catch (const std::exception& problem) {
      return asked.refuse(problem);
    }
  }

 private:
  std::shared_ptr<std::int64_t> now_ = std::make_shared<std::int64_t>(1'700'000'000'000);
  store data_{":memory:", sqlite::open_mode::read_write, [now = now_] { return *now; }};
};

}  // namespace queue_server
