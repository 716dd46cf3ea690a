// Threads parked in places that are hard to unwind.
#pragma once

namespace nasty {

// Starts all threads. Returns when each has announced that it is about to park; what they park in
// blocks for ever. `plugin` is a shared object with `extern "C" void park_in_plugin(void (*)())`.
void start(const char* plugin);

}  // namespace nasty
