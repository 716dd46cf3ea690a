// Who in a report waits for a socket, and what waits in that.
#include <map>
#include <optional>
#include <string>

#include "analyse/descriptor.hpp"
#include "analyse/socket_queues.hpp"

namespace gmr::analyse {
namespace {

bool is_socket(const std::string& description) {
  return description.starts_with("tcp") || description.starts_with("unix");
}

// Each descriptor is asked for once.
class queue_filler final {
 public:
  using clock = std::chrono::steady_clock;

  queue_filler(socket_list& sockets, clock::time_point end)
      : sockets_(sockets), end_(end), reader_(sockets) {}

  template <class Wait>
  void fill(Wait& wait) {
    if (!wait.fd || !is_socket(wait.peer)) return;
    const auto known = seen_.find(*wait.fd);
    if (known != seen_.end()) {
      if (known->second.peer == wait.peer) wait.queues = known->second.queues;
      return;
    }
    if (clock::now() >= end_) {
      ++left_out_;
      return;
    }
    std::optional<socket_queues> queues = reader_.read(*wait.fd);
    // The program may have closed it since, and have the number for another socket.
    if (describe_descriptor(*wait.fd, sockets_) != wait.peer) queues.reset();
    seen_[*wait.fd] = {wait.peer, queues};
    wait.queues = queues;
  }

  void tell(std::vector<std::string>& notes) const {
    if (!sockets_.problem().empty())
      notes.push_back("addresses and queues of sockets are not known (" + sockets_.problem() + ")");
    if (left_out_ != 0)
      notes.push_back("queues of sockets are shown of " + std::to_string(seen_.size()) +
                      " sockets: then the time for it was over");
  }

 private:
  struct seen {
    std::string peer;
    std::optional<socket_queues> queues;
  };

  socket_list& sockets_;
  clock::time_point end_;
  socket_queue_reader reader_;
  std::map<int, seen> seen_;
  std::uint64_t left_out_ = 0;
};

}  // namespace

void add_socket_queues(report& to, socket_list& sockets, std::chrono::milliseconds longest) {
  queue_filler filler{sockets, queue_filler::clock::now() + longest};
  for (thread_info& each : to.threads)
    if (each.waits_for) filler.fill(*each.waits_for);
  for (green_thread_group& group : to.green_threads.groups) {
    if (group.waits_for) filler.fill(*group.waits_for);
    for (operation_info& each : group.operations)
      filler.fill(each);
  }
  for (green_thread_info& listed : to.green_threads.listed) {
    if (listed.waits_for) filler.fill(*listed.waits_for);
    for (operation_info& each : listed.operations)
      filler.fill(each);
  }
  for (operation_group& group : to.operations)
    for (unowned_operation_info& each : group.operations)
      filler.fill(each);
  filler.tell(to.green_threads.notes);
}

}  // namespace gmr::analyse
