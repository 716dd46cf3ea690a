// What the truth program starts: each function parks so many green threads of its kinds.
#pragma once

namespace truth {

void start_contexts(int count);         // Boost.Context, every allocator; nested
void start_coroutines2(int count);      // Boost.Coroutine2
void start_moving_contexts(int count);  // resumed by several threads in turn
void start_blocked_contexts();          // fibers within fibers, the innermost blocks its thread
void start_boost_fibers(int count);
void start_spawned(int count);     // asio::spawn, on one thread and on several
void start_awaitables(int count);  // asio::awaitable and all it can wait for
void start_executors(int count);   // with executors of all kinds
void start_explicit(int count);    // with gmr::traced_executor, not compiled with gmr::trace
void start_mixed(int count);       // chains that are traced in part
void start_groups(int count);      // &&, ||, parallel groups
void start_blocked_awaitables();
[[gnu::weak]] void start_beast(int count);  // in some of the programs: it takes long to compile

}  // namespace truth
