#include "storage/storage.hpp"

#include <pthread.h>

#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <latch>
#include <mutex>
#include <vector>

#include "storage/store.hpp"

namespace queue_server {

namespace asio = boost::asio;

namespace {

constexpr std::size_t largest_batch = 256;  // writes that share a commit
constexpr std::int64_t sweep_rows = 1000;

// Names the threads of a pool; each runs exactly one of the tasks, as all wait for all.
void name_threads(asio::thread_pool& threads, int count, int first_number) {
  // Shared, as a thread may still be inside it when the others have gone on.
  const auto named = std::make_shared<std::latch>(count + 1);
  for (int number = first_number; number < first_number + count; ++number) {
    asio::post(threads, [named, number] {
      pthread_setname_np(pthread_self(), ("storage-" + std::to_string(number)).c_str());
      named->arrive_and_wait();
    });
  }
  named->arrive_and_wait();
}

}  // namespace

class storage::pool final {
 public:
  pool(const std::string& path, int readers)
      : writer_store_(path, sqlite::open_mode::read_write),
        writer_(1),
        readers_(static_cast<std::size_t>(readers)) {
    for (int i = 0; i < readers; ++i) {
      idle_stores_.push_back(std::make_unique<store>(path, sqlite::open_mode::read_only));
    }
    name_threads(writer_, 1, 0);
    name_threads(readers_, readers, 1);
  }

  ~pool() {
    readers_.join();
    writer_.join();
  }

  void submit(operation work, std::unique_ptr<completion> then) {
    if (work.needs == access::write) {
      add_write({std::move(work), std::move(then), {}});
      return;
    }
    asio::post(readers_, [this, work = std::move(work), then = std::move(then)]() mutable {
      std::unique_ptr<store> data = take_store();
      reply answer = run(work, *data);
      put_store(std::move(data));
      then->complete(std::move(answer));
    });
  }

  void sweep() {
    asio::post(writer_, [this] {
      try {
        // What is left is for the next time: those who wait to write come first.
        static_cast<void>(writer_store_.sweep(sweep_rows));
      } catch (const sqlite::error&) {
        // A full disk or the like; what has expired stays hidden, and the next sweep tries again.
      }
    });
  }

 private:
  struct write {
    operation work;
    std::unique_ptr<completion> then;
    reply answer;
  };

  static reply run(const operation& work, store& data) {
    try {
      return work.run(data);
    } catch (const std::exception& problem) {
      return work.refuse(problem);
    }
  }

  std::unique_ptr<store> take_store() {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<store> taken = std::move(idle_stores_.back());  // as many as threads
    idle_stores_.pop_back();
    return taken;
  }

  void put_store(std::unique_ptr<store> data) {
    const std::lock_guard lock(mutex_);
    idle_stores_.push_back(std::move(data));
  }

  void add_write(write added) {
    {
      const std::lock_guard lock(mutex_);
      writes_.push_back(std::move(added));
      if (writes_.size() > 1) return;  // whoever came first has seen to it
    }
    asio::post(writer_, [this] { commit_batch(); });
  }

  // Takes the writes that wait, and comes back for those that arrive meanwhile.
  void commit_batch() {
    std::vector<write> batch;
    {
      const std::lock_guard lock(mutex_);
      while (!writes_.empty() && batch.size() < largest_batch) {
        batch.push_back(std::move(writes_.front()));
        writes_.pop_front();
      }
      if (!writes_.empty()) asio::post(writer_, [this] { commit_batch(); });
    }
    try {
      run_batch(batch);
    } catch (const std::exception& problem) {
      roll_back();
      for (write& failed : batch)
        failed.answer = failed.work.refuse(problem);
    }
    for (write& done : batch)
      done.then->complete(std::move(done.answer));
  }

  void run_batch(std::vector<write>& batch) {
    sqlite::database& connection = writer_store_.connection();
    connection.run("BEGIN IMMEDIATE");
    for (write& each : batch) {
      connection.run("SAVEPOINT one");
      try {
        each.answer = each.work.run(writer_store_);
        connection.run("RELEASE one");
      } catch (const std::exception& problem) {
        // Some errors (a full disk) make SQLite undo the whole transaction by itself.
        if (!connection.in_transaction()) throw;
        connection.run("ROLLBACK TO one");
        connection.run("RELEASE one");
        each.answer = each.work.refuse(problem);
      }
    }
    connection.run("COMMIT");
  }

  void roll_back() noexcept {
    try {
      if (writer_store_.connection().in_transaction()) writer_store_.connection().run("ROLLBACK");
    } catch (const sqlite::error&) {
      // Nothing is left to undo it with; the next BEGIN reports it to its clients.
    }
  }

  store writer_store_;
  std::mutex mutex_;  // never held while SQLite runs
  std::deque<write> writes_;
  std::vector<std::unique_ptr<store>> idle_stores_;
  asio::thread_pool writer_;
  asio::thread_pool readers_;
};

storage::storage(const std::string& path, int reader_threads)
    : pool_(std::make_unique<pool>(path, reader_threads)) {}

storage::~storage() = default;

void storage::sweep() {
  pool_->sweep();
}

void storage::submit(operation work, std::unique_ptr<completion> then) {
  pool_->submit(std::move(work), std::move(then));
}

}  // namespace queue_server
