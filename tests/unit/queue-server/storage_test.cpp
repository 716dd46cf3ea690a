#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <filesystem>
#include <future>
#include <storage/fair_queue.hpp>
#include <storage/sqlite/store.hpp>
#include <storage/storage.hpp>
#include <thread>
#include <vector>

#include "support/scratch_directory.hpp"

namespace queue_server {
namespace {

namespace asio = boost::asio;

const queue_key orders{"project", "orders"};

class storage_test : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return folder_.path() / "queues.db"; }

  [[nodiscard]] engine_factory open() const {
    return [path = path()](engine_use use) {
      return std::make_unique<store>(path, use == engine_use::write ? sqlite::open_mode::read_write
                                                                    : sqlite::open_mode::read_only);
    };
  }
  [[nodiscard]] std::unique_ptr<storage> opened(int readers) {
    return std::make_unique<storage>(open(), readers,
                                     [this](const std::string& line) { told_.push_back(line); });
  }

  static storage_work post(int number, const std::string& project = "project") {
    return {engine_use::write, project, [number](engine& data) {
              static_cast<void>(data.post(orders, "me", {{3600, 0, std::to_string(number)}}));
              return true;
            }};
  }
  static storage_work failing() {
    return {engine_use::write, "project", [](engine& data) -> bool {
              static_cast<void>(data.post(orders, "me", {{3600, 0, "\"undone\""}}));
              throw std::runtime_error("changed its mind");
            }};
  }
  static std::future<storage_outcome> start(storage& data, storage_work work) {
    return data.async_execute(std::move(work), asio::use_future);
  }
  // Empty: it worked.
  static std::string problem(const storage_outcome& outcome) {
    try {
      if (outcome.problem) std::rethrow_exception(outcome.problem);
      return {};
    } catch (const std::exception& failure) {
      return failure.what();
    }
  }
  static std::string run(storage& data, storage_work work) {
    return problem(start(data, std::move(work)).get());
  }
  static std::int64_t count(storage& data) {
    std::int64_t total = -1;
    EXPECT_EQ(run(data, {engine_use::read, "project",
                         [&total](engine& from) {
                           total = from.stats(orders).total;
                           return true;
                         }}),
              "");
    return total;
  }

  std::vector<std::string> told_;  // by a storage thread
  gmr::test::scratch_directory folder_;
};

TEST_F(storage_test, what_was_answered_can_be_read) {
  const auto data = opened(2);
  for (int number = 0; number < 20; ++number) {
    EXPECT_EQ(run(*data, post(number)), "");
    EXPECT_EQ(count(*data), number + 1);
  }
}

TEST_F(storage_test, writes_that_fail_among_others_are_undone_alone) {
  const auto data = opened(1);
  std::vector<std::future<storage_outcome>> good;
  std::vector<std::future<storage_outcome>> bad;
  good.reserve(300);
  bad.reserve(300);
  for (int number = 0; number < 300; ++number) {
    good.push_back(start(*data, post(number)));
    bad.push_back(start(*data, failing()));
  }
  for (auto& each : good)
    EXPECT_EQ(problem(each.get()), "");
  for (auto& each : bad)
    EXPECT_EQ(problem(each.get()), "changed its mind");
  EXPECT_EQ(count(*data), 300);
}

TEST_F(storage_test, a_write_that_cannot_be_committed_is_refused_and_seen) {
  const auto data = opened(1);
  sqlite::database other(path(), sqlite::open_mode::read_write);
  other.execute("BEGIN IMMEDIATE");
  EXPECT_NE(run(*data, post(1)), "");
  ASSERT_TRUE(data->health().now());
  EXPECT_EQ(data->health().now()->what, "database is locked");
  other.execute("ROLLBACK");
  EXPECT_EQ(run(*data, post(1)), "");
  EXPECT_FALSE(data->health().now());
  EXPECT_EQ(count(*data), 1);
  const std::vector<std::string> expected{"writing fails: database is locked",
                                          "writing works again"};
  EXPECT_EQ(told_, expected);
}

// A fault that nobody meets any more is found to be over by the sweep.
TEST_F(storage_test, sweeping_sees_that_writing_works_again) {
  const auto data = opened(1);
  sqlite::database other(path(), sqlite::open_mode::read_write);
  other.execute("BEGIN IMMEDIATE");
  EXPECT_NE(run(*data, post(1)), "");
  other.execute("ROLLBACK");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (data->health().now() && std::chrono::steady_clock::now() < end) {
    data->sweep();
    std::this_thread::yield();
  }
  EXPECT_FALSE(data->health().now());
}

// What is long is done in parts, and what came later is done meanwhile.
TEST_F(storage_test, long_work_of_one_project_lets_others_pass) {
  const auto data = opened(1);
  std::atomic<bool> other_done = false;
  std::atomic<int> parts = 0;
  auto slow = start(*data, {engine_use::write, "slow", [&](engine& to) {
                              static_cast<void>(to.count_queues("slow"));
                              ++parts;
                              return other_done.load();
                            }});
  EXPECT_EQ(run(*data, post(1, "quick")), "");
  other_done = true;
  EXPECT_EQ(problem(slow.get()), "");
  EXPECT_GE(parts, 1);
}

TEST_F(storage_test, a_sweep_goes_on_until_nothing_is_left) {
  const auto data = opened(1);
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(run(*data, {engine_use::write, "project",
                          [](engine& to) {
                            const std::vector<new_message> some(500, new_message{3600, 0, "1"});
                            static_cast<void>(to.post(orders, "me", some));
                            return true;
                          }}),
              "");
  }
  EXPECT_EQ(run(*data, {engine_use::write, "project",
                        [](engine& to) {
                          to.delete_queue(orders);
                          return true;
                        }}),
            "");
  data->sweep();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (data->health().swept < 10001 && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  EXPECT_EQ(data->health().swept, 10001U) << "the messages and the queue, by one call";
}

// Who asks for a count waits as long as he likes, and then has the one before.
TEST_F(storage_test, counts_for_those_who_do_not_wait) {
  const auto data = opened(1);
  EXPECT_EQ(data->counted().latest(), nullptr);
  EXPECT_EQ(run(*data, post(1)), "");
  const auto counted = [&data] {
    const auto before = data->counted().ended();
    data->count();
    return data->counted().next(before, std::chrono::seconds(60));
  };
  auto found = counted();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->found.queues.at(0).messages, 1);

  std::promise<void> go_on;
  std::atomic<bool> stuck = false;
  auto reading = start(*data, {engine_use::read, "project", [&](engine&) {
                                 stuck = true;
                                 go_on.get_future().wait();
                                 return true;
                               }});
  while (!stuck)
    std::this_thread::yield();
  EXPECT_EQ(run(*data, post(2)), "");
  data->count();
  EXPECT_EQ(data->counted().next(data->counted().ended(), std::chrono::milliseconds(1)), found);
  EXPECT_EQ(data->counted().latest(), found);
  go_on.set_value();
  EXPECT_EQ(problem(reading.get()), "");
  // The count that was asked for before ends first, or is this one.
  found = counted();
  EXPECT_EQ(found->found.queues.at(0).messages, 2);
}

// Damage is no lock: what works beside it does not take it back.
TEST_F(storage_test, damage_stays_a_fault) {
  const auto data = opened(1);
  EXPECT_EQ(run(*data, {engine_use::read, "project",
                        [](engine&) -> bool { throw storage_error("malformed", true); }}),
            "malformed");
  EXPECT_EQ(count(*data), 0);
  ASSERT_TRUE(data->health().now());
  EXPECT_TRUE(data->health().now()->lasting);
  EXPECT_EQ(run(*data, {engine_use::read, "project",
                        [](engine&) -> bool { throw storage_error("locked"); }}),
            "locked");
  EXPECT_EQ(data->health().now()->what, "malformed");
}

TEST_F(storage_test, a_file_that_is_not_where_it_was_is_a_fault_until_it_is_back) {
  const auto data = opened(1);
  EXPECT_EQ(run(*data, post(1)), "");
  std::filesystem::rename(path(), path() + ".elsewhere");
  EXPECT_EQ(run(*data, post(2)), "the file was moved or deleted");
  std::filesystem::rename(path() + ".elsewhere", path());
  EXPECT_EQ(run(*data, post(3)), "");
  EXPECT_FALSE(data->health().now());
  EXPECT_EQ(count(*data), 2);
}

TEST_F(storage_test, the_state_of_the_engine_and_the_waits_are_kept) {
  const auto data = opened(1);
  for (int number = 0; number < 3; ++number) {
    EXPECT_EQ(run(*data, {engine_use::write, "project",
                          [](engine& to) {
                            const std::string body = "\"" + std::string(2 << 20, 'x') + "\"";
                            static_cast<void>(to.post(orders, "me", {{3600, 0, body}}));
                            return true;
                          }}),
              "");
  }
  EXPECT_EQ(run(*data, post(1)), "");  // by then the one before is noted
  const engine_state seen = data->health().engine();
  EXPECT_TRUE(seen.name.starts_with("SQLite 3."));
  EXPECT_GE(seen.checkpoints, 1U);
  EXPECT_EQ(seen.checkpoint_problem, nullptr);
  EXPECT_GT(seen.file_bytes, 2 << 20);
  EXPECT_GT(data->health().longest_wait_us, 0);
}

TEST_F(storage_test, completes_on_the_executor_of_its_handler) {
  asio::io_context loop;  // must outlive the pool, whose thread wakes it
  const auto data = opened(1);
  std::thread::id completed_on;
  data->async_execute(post(1), asio::bind_executor(loop, [&](const storage_outcome&) {
                        completed_on = std::this_thread::get_id();
                      }));
  loop.run();  // has work until the answer came
  EXPECT_TRUE(completed_on == std::this_thread::get_id());
}

TEST_F(storage_test, finishes_its_work_before_it_goes) {
  std::vector<std::future<storage_outcome>> asked;
  asked.reserve(100);
  {
    const auto data = opened(1);
    for (int number = 0; number < 100; ++number)
      asked.push_back(start(*data, post(number)));
  }
  for (auto& each : asked)
    EXPECT_EQ(problem(each.get()), "");
}

TEST(storage, a_file_that_is_no_database_is_refused) {
  const engine_factory nowhere = [](engine_use) {
    return std::make_unique<store>("/nowhere/queues.db", sqlite::open_mode::read_write);
  };
  EXPECT_THROW(storage(nowhere, 1, [](const std::string&) {}), storage_error);
}

TEST(fair_queue, a_project_can_be_passed_over) {
  fair_queue<std::string> line;
  for (const char* each : {"a1", "a2", "b1"})
    line.push_back(std::string(each, 1), each);
  const auto not_a = [](const std::string& project) { return project != "a"; };
  EXPECT_EQ(line.pop_if(not_a), "b1");
  EXPECT_EQ(line.pop_if(not_a), std::nullopt);
  EXPECT_EQ(line.pop(), "a1");
  line.clear();
  EXPECT_TRUE(line.empty());
}

TEST(fair_queue, the_project_may_be_a_part_of_the_item) {
  struct order {
    std::string project;
  };
  fair_queue<order> line;
  for (const char* project : {"a", "a", "b"}) {
    order one{project};
    line.push_back(one.project, std::move(one));
  }
  EXPECT_EQ(line.pop().project, "a");
  EXPECT_EQ(line.pop().project, "b") << "it has a line of its own";
}

TEST(fair_queue, projects_take_turns_and_keep_their_order) {
  fair_queue<std::string> line;
  for (const char* item : {"a1", "a2", "a3"})
    line.push_back("a", item);
  line.push_back("b", "b1");
  line.push_back("c", "c1");
  std::string order;
  while (!line.empty()) {
    order += line.pop();
    if (order == "a1b1") line.push_front("a", "a0");
  }
  EXPECT_EQ(order, "a1b1c1a0a2a3");
}

}  // namespace
}  // namespace queue_server
