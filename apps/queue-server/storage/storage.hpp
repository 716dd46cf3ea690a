// The storage pool: threads that may block, so that io threads never do.
//
// One writer and several readers ("storage-0" is the writer), each thread with an engine of its
// own. Writes that wait together are committed together: one sync for all of them, each undone by
// itself if it fails. Work is answered only after its transaction is on the disk. Projects take
// turns.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "storage/counted.hpp"
#include "storage/engine/engine.hpp"
#include "storage/health.hpp"

namespace queue_server {

class turnstile;

enum class engine_use { write, read };
// Throws storage_error.
using engine_factory = std::function<std::unique_ptr<engine>(engine_use)>;

// Something to do with an engine. `run` is called on a storage thread, in a transaction when it
// writes; false: there is more to do, and it is called again, in another transaction, when others
// have had their turn. What it throws undoes what that call of it did, and ends the work.
struct storage_work {
  engine_use use = engine_use::read;
  std::string project;
  std::function<bool(engine&)> run;
  bool grows = false;  // the data: it is refused while the disk is full
};

// Null: done, and on the disk.
struct storage_outcome {
  std::exception_ptr problem;
};

class storage final {
 public:
  // `tell` is called on a storage thread with a line for the operator when a fault begins or ends.
  // `turns`, which must outlive it, is for processes that write to the same data; null: there is
  // one. Throws storage_error.
  storage(const engine_factory& open, int reader_threads,
          std::function<void(const std::string&)> tell, turnstile* turns = nullptr);
  // Finishes what was asked for.
  ~storage();
  storage(const storage&) = delete;
  storage& operator=(const storage&) = delete;

  // Runs `work` on a thread of the pool and completes with void(storage_outcome), on the executor
  // associated with the completion handler. Awaits in coroutines (use_awaitable) and in fibers
  // (yield_context) alike. Any thread.
  template <class CompletionToken>
  auto async_execute(storage_work work, CompletionToken&& token) {
    return boost::asio::async_initiate<CompletionToken, void(storage_outcome)>(
        [this](auto handler, storage_work started) {
          submit(std::move(started),
                 std::make_unique<handler_completion<decltype(handler)>>(std::move(handler)));
        },
        token, std::move(work));
  }

  // The same for what nobody waits for.
  void execute(storage_work work);

  // To be called every second or so. In the background: tries again what failed before, looks
  // whether the file is still there, counts now and then; and removes what has expired, in small
  // parts until nothing is left, unless another process does.
  void sweep(bool removes = true);

  static constexpr std::size_t most_lines_counted = 100;  // of queues, and of claims
  // Counts all there is, in the background. Any thread, like counted(), which has the result.
  void count();
  [[nodiscard]] const last_census& counted() const noexcept;

  // Any thread, and never waits for the storage.
  [[nodiscard]] const storage_health& health() const noexcept;

 private:
  class completion {
   public:
    completion() = default;
    completion(const completion&) = delete;
    completion& operator=(const completion&) = delete;
    virtual ~completion() = default;
    virtual void complete(storage_outcome outcome) = 0;
  };

  template <class Handler>
  class handler_completion final : public completion {
   public:
    explicit handler_completion(Handler handler)
        : handler_(std::move(handler)), work_(boost::asio::get_associated_executor(handler_)) {}
    void complete(storage_outcome outcome) override {
      const auto executor = work_.get_executor();
      boost::asio::post(executor, [handler = std::move(handler_), work = std::move(work_),
                                   outcome = std::move(outcome)]() mutable {
        std::move(handler)(std::move(outcome));
      });
    }

   private:
    Handler handler_;
    boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work_;
  };

  class pool;
  void submit(storage_work work, std::unique_ptr<completion> then);

  std::unique_ptr<pool> pool_;
};

}  // namespace queue_server
