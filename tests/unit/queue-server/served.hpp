// A store in memory with a clock that the test turns.
#pragma once

#include <cstdint>
#include <memory>
#include <storage/sqlite/store.hpp>
#include <verbs/operation.hpp>

namespace queue_server {

class served {
 public:
  store& data() { return data_; }
  void pass_seconds(std::int64_t seconds) { *now_ += seconds * 1000; }
  rules& allowed() { return allowed_; }

  // What the storage pool does with an operation.
  reply run(operation asked) {
    if (asked.needs() == access::none) return asked.take_ready();
    if (asked.needs() == access::health) return asked.answer(nullptr);
    try {
      while (!asked.run(data_)) {
      }
      return asked.answer(nullptr);
    } catch (const std::exception&) {
      return asked.answer(std::current_exception());
    }
  }

 private:
  static rules with_a_key() {
    rules set;
    set.signed_url_secret_key = "a secret";
    return set;
  }

  rules allowed_ = with_a_key();
  std::shared_ptr<std::int64_t> now_ = std::make_shared<std::int64_t>(1'700'000'000'000);
  store data_{
      ":memory:", sqlite::open_mode::read_write,
      sqlite::machine_clocks{[now = now_] { return *now; }, [now = now_] { return *now; }, {}}};
};

}  // namespace queue_server
