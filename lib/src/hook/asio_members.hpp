// What the library's own sources use of Asio's private members: the only place of lib/src that
// names them. A Boost in which one is called otherwise, or is of another kind, is an error when
// the library is compiled. What a service's own units use is in gmr/detail/hook/asio_internals.hpp.
#pragma once

#include <boost/asio/detail/call_stack.hpp>
#include <boost/asio/detail/scheduler.hpp>
#include <boost/asio/detail/thread_context.hpp>
#include <boost/asio/detail/thread_info_base.hpp>

#if defined(BOOST_ASIO_HAS_EPOLL) && !defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
#define GMR_LOOP_IS_EPOLL 1
#include <boost/asio/detail/epoll_reactor.hpp>
#else
#define GMR_LOOP_IS_EPOLL 0
#endif

#if defined(BOOST_ASIO_HAS_PTHREADS) && defined(BOOST_ASIO_HAS_THREADS)
#define GMR_LOOP_HAS_LOCK 1
#else
#define GMR_LOOP_HAS_LOCK 0
#endif

namespace gmr::trace::asio_members {

using scheduler = boost::asio::detail::scheduler;
// Asio's list, on the stack of each thread, of the loops that the thread runs.
using running_loops = boost::asio::detail::call_stack<boost::asio::detail::thread_context,
                                                      boost::asio::detail::thread_info_base>;
using running_loop = running_loops::context;

// Of each unit its own: some are compiled a second time with the service's settings of Asio, where
// a member may be at another place.
namespace {

template <auto Member, class Tag>
struct member_of {
  friend auto found(Tag) { return Member; }
};

// An explicit instantiation may name a private member: found(NAME{}) is the pointer to it.
#define GMR_ASIO_MEMBER(name, ...) \
  struct name {                    \
    friend auto found(name);       \
  };                               \
  template struct member_of<&__VA_ARGS__, name>

GMR_ASIO_MEMBER(top_of_loops, running_loops::top_);
GMR_ASIO_MEMBER(key_of_loop, running_loop::key_);

#if GMR_LOOP_HAS_LOCK
GMR_ASIO_MEMBER(lock_of_scheduler, scheduler::mutex_);
GMR_ASIO_MEMBER(lock_if_enabled, boost::asio::detail::conditionally_enabled_mutex::mutex_);
GMR_ASIO_MEMBER(lock_of_system, boost::asio::detail::posix_mutex::mutex_);
GMR_ASIO_MEMBER(ready_handlers, scheduler::op_queue_);
GMR_ASIO_MEMBER(handler_for_reactor, scheduler::task_operation_);
GMR_ASIO_MEMBER(is_stopped, scheduler::stopped_);
GMR_ASIO_MEMBER(wake_one_and_unlock, scheduler::wake_one_thread_and_unlock);
#endif

#if GMR_LOOP_IS_EPOLL
GMR_ASIO_MEMBER(epoll_of_reactor, boost::asio::detail::epoll_reactor::epoll_fd_);
GMR_ASIO_MEMBER(interrupter_of_reactor, boost::asio::detail::epoll_reactor::interrupter_);
#endif

#undef GMR_ASIO_MEMBER

}  // namespace
}  // namespace gmr::trace::asio_members
