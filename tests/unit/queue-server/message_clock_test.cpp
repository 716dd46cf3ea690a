#include <gmock/gmock.h>

#include <storage/sqlite/store.hpp>

#include "support/scratch_directory.hpp"

namespace queue_server {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t a_second = 1000;
constexpr std::int64_t a_day = 86'400 * a_second;
constexpr std::int64_t a_year = 365 * a_day;
const queue_key the_queue{"project", "orders"};

// A machine whose clock is set, and which is started again; and a file on it.
class message_clock_test : public testing::Test {
 protected:
  struct machine {
    std::int64_t calendar = 50 * a_year;
    std::int64_t running = 100 * a_second;
    std::string start = "first";
  };

  void open() {
    data_.reset();
    data_ = std::make_unique<store>(
        folder_.path() / "queues.db", sqlite::open_mode::read_write,
        sqlite::machine_clocks{[this] { return machine_.calendar; },
                               [this] { return machine_.running; }, machine_.start});
  }
  void pass(std::int64_t time) {
    machine_.calendar += time;
    machine_.running += time;
  }
  // As the server does every a_second.
  void sweep() {
    data_->begin();
    static_cast<void>(data_->sweep(100));
    data_->commit();
  }
  void start_machine_again(std::int64_t calendar) {
    data_.reset();
    machine_ = {calendar, 0, machine_.start + " again"};
    open();
  }
  void post(std::int64_t ttl) { static_cast<void>(data_->post(the_queue, "me", {{ttl, 0, "1"}})); }
  [[nodiscard]] std::vector<message> visible() {
    message_filter filter;
    filter.limit = 10;
    return data_->list_messages(the_queue, filter);
  }

  machine machine_;
  gmr::test::scratch_directory folder_;
  std::unique_ptr<store> data_;
};

TEST_F(message_clock_test, a_clock_that_is_set_forward_lets_nothing_end) {
  open();
  post(60);
  const claim held = data_->create_claim(the_queue, {60, 60}, 1, {});
  machine_.calendar += a_year;
  sweep();
  EXPECT_TRUE(data_->get_claim(the_queue, held.id));
  EXPECT_THAT(data_->create_claim(the_queue, {60, 60}, 1, {}).messages, IsEmpty());
  pass(60 * a_second);
  EXPECT_FALSE(data_->get_claim(the_queue, held.id));
}

TEST_F(message_clock_test, a_clock_that_is_set_back_brings_nothing_back) {
  open();
  post(60);
  pass(30 * a_second);
  post(60);
  machine_.calendar -= a_year;
  pass(30 * a_second);
  ASSERT_THAT(visible(), SizeIs(1));
  EXPECT_EQ(visible().front().age, 30);
  pass(30 * a_second);
  EXPECT_THAT(visible(), IsEmpty());
}

TEST_F(message_clock_test, a_server_that_is_started_again_goes_on) {
  for (const std::int64_t step : {std::int64_t{0}, a_year, -a_year}) {
    open();
    post(60);
    pass(30 * a_second);
    machine_.calendar += step;
    open();
    ASSERT_THAT(visible(), SizeIs(1)) << step;
    EXPECT_EQ(visible().front().age, 30) << step;
    pass(30 * a_second);
    EXPECT_THAT(visible(), IsEmpty()) << step;
  }
}

TEST_F(message_clock_test, a_machine_that_is_started_again_is_believed) {
  open();
  post(3600);
  start_machine_again(machine_.calendar + 1800 * a_second);
  ASSERT_THAT(visible(), SizeIs(1));
  EXPECT_EQ(visible().front().age, 1800);
  start_machine_again(machine_.calendar + 1800 * a_second);
  EXPECT_THAT(visible(), IsEmpty());
}

// As machines without a battery: 1970 until somebody tells them.
TEST_F(message_clock_test, a_machine_that_starts_in_the_past_goes_on_where_it_was) {
  open();
  post(3600);
  pass(600 * a_second);
  data_->begin();
  data_->try_to_write();  // now and then
  data_->commit();
  const std::int64_t right = machine_.calendar;
  start_machine_again(0);
  ASSERT_THAT(visible(), SizeIs(1));
  EXPECT_EQ(visible().front().age, 600);
  machine_.calendar = right + 60 * a_second;
  sweep();
  EXPECT_EQ(visible().front().age, 600);
  start_machine_again(machine_.calendar + 60 * a_second);
  EXPECT_EQ(visible().front().age, 660) << "what the clock was set by is no time that passed";
}

TEST_F(message_clock_test, what_is_shown_is_the_calendar_as_it_is_set) {
  open();
  post(3600);
  machine_.calendar += a_day;
  EXPECT_EQ(visible().front().created, machine_.calendar);
}

TEST_F(message_clock_test, all_connections_have_one_time) {
  open();
  post(60);
  machine_.calendar += a_year;
  store other(folder_.path() / "queues.db", sqlite::open_mode::read_only,
              sqlite::machine_clocks{[this] { return machine_.calendar; },
                                     [this] { return machine_.running; }, machine_.start});
  EXPECT_THAT(other.get_messages(the_queue, {visible().front().id}), SizeIs(1));
}

}  // namespace
}  // namespace queue_server
