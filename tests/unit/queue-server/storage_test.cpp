#include <gtest/gtest.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <storage/storage.hpp>
#include <storage/store.hpp>
#include <vector>

#include "support/scratch_directory.hpp"

namespace queue_server {
namespace {

namespace asio = boost::asio;

const queue_key orders{"project", "orders"};

class storage_test : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return folder_.path() / "queues.db"; }

  static operation post(int number) {
    return {access::write,
            {},
            [number](store& data) {
              static_cast<void>(data.post(orders, "me", {{3600, 0, std::to_string(number)}}));
              return reply{201, {}, {}, {}};
            },
            refusal};
  }
  static operation failing() {
    return {access::write,
            {},
            [](store& data) -> reply {
              static_cast<void>(data.post(orders, "me", {{3600, 0, "\"undone\""}}));
              throw std::runtime_error("changed its mind");
            },
            refusal};
  }
  static operation count() {
    return {
        access::read,
        {},
        [](store& data) { return reply{200, std::to_string(data.stats(orders).total), {}, {}}; },
        refusal};
  }
  static reply refusal(const std::exception& problem) { return {503, problem.what(), {}, {}}; }

  gmr::test::scratch_directory folder_;
};

TEST_F(storage_test, what_was_answered_can_be_read) {
  storage data(path(), 2);
  for (int number = 0; number < 20; ++number) {
    EXPECT_EQ(data.async_execute(post(number), asio::use_future).get().status, 201);
    EXPECT_EQ(data.async_execute(count(), asio::use_future).get().body, std::to_string(number + 1));
  }
}

TEST_F(storage_test, writes_that_fail_among_others_are_undone_alone) {
  storage data(path(), 1);
  std::vector<std::future<reply>> good;
  std::vector<std::future<reply>> bad;
  for (int number = 0; number < 300; ++number) {
    good.push_back(data.async_execute(post(number), asio::use_future));
    bad.push_back(data.async_execute(failing(), asio::use_future));
  }
  for (auto& each : good)
    EXPECT_EQ(each.get().status, 201);
  for (auto& each : bad)
    EXPECT_EQ(each.get().body, "changed its mind");
  EXPECT_EQ(data.async_execute(count(), asio::use_future).get().body, "300");
}

TEST_F(storage_test, a_write_that_cannot_be_committed_is_refused) {
  storage data(path(), 1);
  sqlite::database other(path(), sqlite::open_mode::read_write);
  other.execute("BEGIN IMMEDIATE");
  EXPECT_EQ(data.async_execute(post(1), asio::use_future).get().status, 503);
  other.execute("ROLLBACK");
  EXPECT_EQ(data.async_execute(post(1), asio::use_future).get().status, 201);
  EXPECT_EQ(data.async_execute(count(), asio::use_future).get().body, "1");
}

TEST_F(storage_test, completes_on_the_executor_of_its_handler) {
  asio::io_context loop;  // must outlive the pool, whose thread wakes it
  storage data(path(), 1);
  std::thread::id completed_on;
  data.async_execute(count(), asio::bind_executor(loop, [&](const reply&) {
                       completed_on = std::this_thread::get_id();
                     }));
  loop.run();  // has work until the answer came
  EXPECT_TRUE(completed_on == std::this_thread::get_id());
}

TEST_F(storage_test, finishes_its_work_before_it_goes) {
  std::vector<std::future<reply>> asked;
  {
    storage data(path(), 1);
    for (int number = 0; number < 100; ++number) {
      asked.push_back(data.async_execute(post(number), asio::use_future));
    }
  }
  for (auto& each : asked)
    EXPECT_EQ(each.get().status, 201);
}

TEST_F(storage_test, a_file_that_is_no_database_is_refused) {
  EXPECT_THROW(storage("/nowhere/queues.db", 1), sqlite::error);
}

}  // namespace
}  // namespace queue_server
