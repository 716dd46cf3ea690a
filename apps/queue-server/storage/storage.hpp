// The storage pool: threads that may block, so that io threads never do.
//
// One writer and several readers ("storage-0" is the writer), each thread with a connection of its
// own. Writes that wait together are committed together: one sync for all of them, each undone by
// itself if it fails. An operation is answered only after its transaction is on the disk.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <string>
#include <utility>

#include "api/operation.hpp"

namespace queue_server {

class storage final {
 public:
  // Opens, or makes, the database at `path`. Throws sqlite::error.
  storage(const std::string& path, int reader_threads);
  // Finishes what was asked for.
  ~storage();
  storage(const storage&) = delete;
  storage& operator=(const storage&) = delete;

  // Runs `work` on a thread of the pool and completes with its answer, void(reply), on the executor
  // associated with the completion handler. Awaits in coroutines (use_awaitable) and in fibers
  // (yield_context) alike. Any thread. `work.needs` must not be access::none.
  template <class CompletionToken>
  auto async_execute(operation work, CompletionToken&& token) {
    return boost::asio::async_initiate<CompletionToken, void(reply)>(
        [this](auto handler, operation started) {
          submit(std::move(started),
                 std::make_unique<handler_completion<decltype(handler)>>(std::move(handler)));
        },
        token, std::move(work));
  }

  // Takes what has expired off the disk, in the background.
  void sweep();

 private:
  class completion {
   public:
    completion() = default;
    completion(const completion&) = delete;
    completion& operator=(const completion&) = delete;
    virtual ~completion() = default;
    virtual void complete(reply answer) = 0;
  };

  template <class Handler>
  class handler_completion final : public completion {
   public:
    explicit handler_completion(Handler handler)
        : handler_(std::move(handler)), work_(boost::asio::get_associated_executor(handler_)) {}
    void complete(reply answer) override {
      const auto executor = work_.get_executor();
      boost::asio::post(executor, [handler = std::move(handler_), work = std::move(work_),
                                   answer = std::move(answer)]() mutable {
        std::move(handler)(std::move(answer));
      });
    }

   private:
    Handler handler_;
    boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work_;
  };

  class pool;
  void submit(operation work, std::unique_ptr<completion> then);

  std::unique_ptr<pool> pool_;
};

}  // namespace queue_server
