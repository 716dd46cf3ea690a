// By which workers tell each other of what was posted: a WebSocket client is connected to one of
// them, and messages are posted to another.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace queue_server {

class posted;

// Made before the workers are forked, who inherit it. One that is started again has the box of the
// one before.
class mailboxes final {
 public:
  // Throws std::system_error.
  explicit mailboxes(int workers);
  ~mailboxes();
  mailboxes(const mailboxes&) = delete;
  mailboxes& operator=(const mailboxes&) = delete;

  // In a worker, once, before send(): whatever comes for it is given to `told`, on `io`.
  using receiver = std::function<void(const std::string& address, std::string text)>;
  void open(boost::asio::io_context& io, int number, receiver told);
  // Lets `io` end. Any thread, like send().
  void stop() noexcept;

  // To a client of the worker of that number, in order, as fast as that reads.
  void send(int number, const std::string& address, std::shared_ptr<const posted> what);

 private:
  struct letter {
    std::string address;
    std::shared_ptr<const posted> what;
    std::size_t next = 0;
  };
  struct box {
    int in = -1;   // read by the worker whose box it is
    int out = -1;  // written by the others
    std::unique_ptr<boost::asio::posix::stream_descriptor> waits;
    std::deque<letter> letters;
    bool busy = false;
  };

  // All with the mutex held.
  void read_some(box& own);
  void wait_to_read(box& own);
  void write_some(box& to);
  void wait_to_write(box& to);

  std::mutex mutex_;
  std::vector<box> boxes_;
  receiver told_;
  bool stopped_ = true;
};

}  // namespace queue_server
