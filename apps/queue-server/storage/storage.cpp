#include "storage/storage.hpp"

#include <algorithm>
#include <boost/asio/thread_pool.hpp>
#include <mutex>
#include <vector>

#include "storage/fair_queue.hpp"
#include "storage/named_threads.hpp"
#include "storage/turnstile.hpp"

namespace queue_server {

namespace asio = boost::asio;

namespace {
using clock = std::chrono::steady_clock;

// Writes share a commit until so many have, or running them took so long: those that come meanwhile
// wait that long at most, and the commit.
constexpr std::size_t largest_batch = 256;
constexpr std::chrono::milliseconds longest_batch{10};
// Of processes that share the data, none writes for long; one that hangs is a fault.
constexpr std::chrono::seconds longest_wait_for_turn{5};
// How much is swept at once follows from how long it takes.
constexpr std::int64_t least_swept = 50;
constexpr std::int64_t most_swept = 5000;
constexpr std::chrono::milliseconds quick_sweep{5};
constexpr std::chrono::milliseconds slow_sweep{10};

// A little is written at least so often, to see whether that works.
constexpr std::chrono::seconds longest_unproved{30};
// Counting takes a hundredth of the time at most, however much there is to count.
constexpr std::chrono::seconds longest_count{1};
constexpr std::chrono::seconds least_between_counts{5};
constexpr int part_of_time_to_count = 100;

std::int64_t microseconds(clock::duration time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

}  // namespace

class storage::pool final {
 public:
  pool(const engine_factory& open, int readers, std::function<void(const std::string&)> tell,
       turnstile* turns)
      : turns_(turns),
        health_(std::move(tell)),
        writer_engine_(open(engine_use::write)),
        writer_(1),
        readers_(static_cast<std::size_t>(readers)) {
    idle_engines_.reserve(static_cast<std::size_t>(readers));
    for (int i = 0; i < readers; ++i)
      idle_engines_.push_back(open(engine_use::read));
    name_threads(writer_, 1, 0);
    name_threads(readers_, readers, 1);
  }

  ~pool() {
    readers_.join();
    writer_.join();
  }

  void submit(storage_work work, std::unique_ptr<completion> then) {
    const bool writes = work.use == engine_use::write;
    job added{std::move(work), std::move(then), {}, clock::now(), false, false};
    const std::lock_guard lock(mutex_);
    auto& line = writes ? writes_ : reads_;
    const std::string project = added.work.project;
    line.push_back(project, std::move(added));
    (writes ? health_.waiting_writes : health_.waiting_reads) = line.size();
    if (writes) {
      call_writer();
    } else {
      asio::post(readers_, [this] { read_next(); });
    }
  }

  void sweep(bool removes) {
    if (health_.reads_fail() || clock::now().time_since_epoch().count() >= next_count_) count();
    if (sweeping_.exchange(true)) return;
    asio::post(writer_, [this, removes] { sweep_some(removes); });
  }

  void count() {
    if (counting_.exchange(true)) return;
    asio::post(readers_, [this] { count_now(); });
  }

  [[nodiscard]] const storage_health& health() const noexcept { return health_; }
  [[nodiscard]] const last_census& counted() const noexcept { return counted_; }

 private:
  struct job {
    storage_work work;
    std::unique_ptr<completion> then;
    std::exception_ptr problem;
    clock::time_point asked;
    bool done = false;
    bool fault = false;  // of the storage
  };

  // With the mutex held. One call serves all that wait.
  void call_writer() {
    if (writer_called_) return;
    writer_called_ = true;
    asio::post(writer_, [this] { commit_batch(); });
  }

  bool note_failure(engine_use use, const std::exception& problem) {
    const auto* fault = dynamic_cast<const storage_error*>(&problem);
    if (fault != nullptr) health_.failed(use, *fault);
    return fault != nullptr;
  }

  // While the writer is at something, and it is its turn among the processes.
  class writing final {
   public:
    explicit writing(pool& of) : of_(of) {
      of_.health_.writing_since = clock::now().time_since_epoch().count();
      entered_ = of_.turns_ == nullptr || of_.turns_->enter(longest_wait_for_turn);
    }
    writing(const writing&) = delete;
    writing& operator=(const writing&) = delete;
    ~writing() {
      if (of_.turns_ != nullptr && entered_) of_.turns_->leave();
      of_.health_.writing_since = 0;
      of_.health_.set_engine(of_.writer_engine_->state());
    }

    void begin() const {
      if (!entered_) throw storage_error("another process does not come to an end of its writing");
      of_.writer_engine_->begin();
    }

   private:
    pool& of_;
    bool entered_ = false;
  };

  // With the mutex held, by a thread of the readers: there are as many engines.
  [[nodiscard]] std::unique_ptr<engine> take_engine() {
    std::unique_ptr<engine> data = std::move(idle_engines_.back());
    idle_engines_.pop_back();
    return data;
  }

  void count_now() {
    std::unique_ptr<engine> data;
    {
      const std::lock_guard lock(mutex_);
      data = take_engine();
    }
    const auto began = clock::now();
    std::shared_ptr<last_census::counted> made;
    try {
      if (auto found = data->count_all(std::int64_t{most_lines_counted}, longest_count)) {
        made =
            std::make_shared<last_census::counted>(last_census::counted{std::move(*found), began});
      }
      health_.worked(engine_use::read);
    } catch (const std::exception& problem) {
      note_failure(engine_use::read, problem);
    }
    const auto pause = std::max<clock::duration>(least_between_counts,
                                                 part_of_time_to_count * (clock::now() - began));
    next_count_ = (clock::now() + pause).time_since_epoch().count();
    {
      const std::lock_guard lock(mutex_);
      idle_engines_.push_back(std::move(data));
    }
    counting_ = false;
    counted_.end(std::move(made));
  }

  void read_next() {
    job next;
    std::unique_ptr<engine> data;
    {
      const std::lock_guard lock(mutex_);
      next = reads_.pop();  // one for each that was posted
      health_.waiting_reads = reads_.size();
      data = take_engine();
    }
    try {
      next.done = next.work.run(*data);
      health_.worked(engine_use::read);
    } catch (const std::exception& problem) {
      next.problem = std::current_exception();
      next.done = true;
      note_failure(engine_use::read, problem);
    }
    {
      const std::lock_guard lock(mutex_);
      idle_engines_.push_back(std::move(data));
      if (!next.done) {
        const std::string project = next.work.project;
        reads_.push_front(project, std::move(next));
        asio::post(readers_, [this] { read_next(); });
        return;
      }
    }
    if (next.then) next.then->complete({std::move(next.problem)});
  }

  // Takes the writes that wait, by turns, and comes back for those that arrive meanwhile.
  void commit_batch() {
    std::vector<job> batch;
    batch.reserve(largest_batch);
    {
      const std::lock_guard lock(mutex_);
      writer_called_ = false;
    }
    write_batch(batch);
    give_back(batch);
  }

  void write_batch(std::vector<job>& batch) {
    const writing now(*this);
    const auto began = clock::now();
    try {
      now.begin();
      run_batch(batch, clock::now() + longest_batch);
      writer_engine_->commit();
      if (!failed(batch) && writer_engine_->has_room()) health_.worked(engine_use::write);
    } catch (const std::exception& problem) {
      writer_engine_->make_room();
      note_failure(engine_use::write, problem);
      roll_back();
      if (batch.empty()) {  // it could not even begin
        while (take(batch)) {
        }
      }
      for (job& failed : batch) {
        failed.problem = std::current_exception();
        failed.done = true;
      }
    }
    note_commit(clock::now() - began);
  }

  bool take(std::vector<job>& batch) {
    const std::lock_guard lock(mutex_);
    if (writes_.empty() || batch.size() == largest_batch) return false;
    batch.push_back(writes_.pop());
    health_.waiting_writes = writes_.size();
    const auto waited = microseconds(clock::now() - batch.back().asked);
    health_.last_wait_us = waited;
    if (waited > health_.longest_wait_us) health_.longest_wait_us = waited;
    return true;
  }

  // Some of it met a fault, which others need not: a full disk, for those that delete.
  static bool failed(const std::vector<job>& batch) {
    return std::any_of(batch.begin(), batch.end(), [](const job& each) { return each.fault; });
  }

  void run_batch(std::vector<job>& batch, clock::time_point end) {
    engine& data = *writer_engine_;
    const bool full = !data.has_room();
    while (clock::now() < end && take(batch)) {
      job& each = batch.back();
      data.mark();
      try {
        if (each.work.grows && full) throw storage_error("database or disk is full");
        each.done = each.work.run(data);
        data.keep_mark();
      } catch (const std::exception& problem) {
        // Some errors (a full disk) make an engine undo the whole transaction by itself.
        if (!data.in_transaction()) throw;
        data.make_room();
        each.fault = note_failure(engine_use::write, problem);
        data.undo_to_mark();
        each.problem = std::current_exception();
        each.done = true;
      }
    }
  }

  // What has begun and is not done waits for its next turn; the others are answered.
  void give_back(std::vector<job>& batch) {
    {
      const std::lock_guard lock(mutex_);
      for (auto each = batch.rbegin(); each != batch.rend(); ++each) {
        if (each->done) continue;
        const std::string project = each->work.project;
        each->asked = clock::now();  // for its next turn
        writes_.push_front(project, std::move(*each));
      }
      health_.waiting_writes = writes_.size();
      if (!writes_.empty()) call_writer();
    }
    for (job& each : batch) {
      if (each.then) each.then->complete({std::move(each.problem)});
    }
  }

  void note_commit(clock::duration took) {
    const auto us = microseconds(took);
    ++health_.commits;
    health_.last_commit_us = us;
    if (us > health_.longest_commit_us) health_.longest_commit_us = us;
  }

  void sweep_some(bool removes) {
    bool more = false;
    try {
      more = sweep_part(removes);
      if (writer_engine_->has_room()) health_.worked(engine_use::write);
    } catch (const std::exception& problem) {
      // What has expired stays hidden, and the next sweep tries again.
      writer_engine_->make_room();
      note_failure(engine_use::write, problem);
      roll_back();
    }
    if (more) {
      asio::post(writer_,
                 [this, removes] { sweep_some(removes); });  // behind those who wait to write
    } else {
      sweeping_ = false;
    }
  }

  bool sweep_part(bool removes) {
    const writing now(*this);
    const auto began = clock::now();
    now.begin();
    if (health_.writes_fail() || began >= next_proof_) {
      writer_engine_->try_to_write();
      next_proof_ = began + longest_unproved;
    }
    const std::int64_t swept = removes ? writer_engine_->sweep(sweep_rows_) : 0;
    writer_engine_->commit();
    health_.swept += static_cast<std::uint64_t>(swept);
    ++health_.looks;
    const auto took = clock::now() - began;
    if (took < quick_sweep) sweep_rows_ = std::min(2 * sweep_rows_, most_swept);
    if (took > slow_sweep) sweep_rows_ = std::max(sweep_rows_ / 2, least_swept);
    return swept > 0;
  }

  void roll_back() noexcept {
    try {
      if (writer_engine_->in_transaction()) writer_engine_->roll_back();
    } catch (const std::exception&) {
      // Nothing is left to undo it with; the next begin() reports it to its clients.
    }
  }

  turnstile* const turns_;
  storage_health health_;
  std::unique_ptr<engine> writer_engine_;
  std::int64_t sweep_rows_ = 1000;
  std::atomic<bool> sweeping_ = false;
  clock::time_point next_proof_ = clock::now() + longest_unproved;
  last_census counted_;
  std::atomic<bool> counting_ = false;
  std::atomic<clock::rep> next_count_ = 0;  // as time_since_epoch()
  std::mutex mutex_;                        // never held while an engine runs
  bool writer_called_ = false;
  fair_queue<job> writes_;
  fair_queue<job> reads_;
  std::vector<std::unique_ptr<engine>> idle_engines_;
  asio::thread_pool writer_;
  asio::thread_pool readers_;
};

storage::storage(const engine_factory& open, int reader_threads,
                 std::function<void(const std::string&)> tell, turnstile* turns)
    : pool_(std::make_unique<pool>(open, reader_threads, std::move(tell), turns)) {}

storage::~storage() = default;

void storage::sweep(bool removes) {
  pool_->sweep(removes);
}

void storage::count() {
  pool_->count();
}

const last_census& storage::counted() const noexcept {
  return pool_->counted();
}

const storage_health& storage::health() const noexcept {
  return pool_->health();
}

void storage::execute(storage_work work) {
  pool_->submit(std::move(work), nullptr);
}

void storage::submit(storage_work work, std::unique_ptr<completion> then) {
  pool_->submit(std::move(work), std::move(then));
}

}  // namespace queue_server
