// Where the threads of this folder's programs end up.
#pragma once

#include <functional>

namespace nasty {

// Announces itself and blocks in read() for ever.
void read_for_ever();

// For what blocks in another way: call it just before.
void announce();

// A thread that will announce itself. What it parks in never returns.
void start_thread(std::function<void()> body, const char* name = "nasty");
void wait_until_all_have_parked();

// One file each.
void start_ordinary_threads();
void start_tangled_threads(void (*enroll)());
void start_interrupted_threads();

}  // namespace nasty

// What the program calls. Both return when the threads have announced that they are about to park.
// `enroll` makes the calling thread known to the library.
extern "C" void nasty_start_all(void (*enroll)());
extern "C" void nasty_start_one(void (*body)(void (*park)()), const char* name);

// Built without debug information; the second without unwind information as well.
extern "C" void nasty_without_debug_information(void (*park)());
extern "C" void nasty_without_unwind_information(void (*park)());
